"""Another way to the centre: letters in a folder, on a stick that somebody carries (docs/file-drop.md).

A round is a trip: `collect` reads the centre's answers, `push` takes every row that waits, the pulls are served from
the answers, and `heartbeat` closes the letters and puts them in place of the last ones. What was handed over waits
until the centre named it. The folder may come, go, be full or read-only at any moment: the round ends, nothing is lost.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeVar

from app import codec
from app.clock import Clock
from app.drop_seal import BadLetter, Keys, Kind, PublicKeys, check_signature, head_of, name, unsealed, write
from app.errors import EnvironmentTrouble, InputRefused
from app.sync.answers import Pulled, RawAnswer, refuse
from app.sync.drop_folder import DropFolder
from app.sync.trouble import BadAnswer, Unanswered
from app.sync.wire import (
    PROBLEM,
    BatchAnswer,
    ChainEnd,
    DropAnswer,
    DropLetter,
    DropPull,
    EnrolAnswer,
    EnrolRequest,
    FeedPage,
    Heartbeat,
    Page,
    WorkRecordPage,
)

log = logging.getLogger(__name__)
P = TypeVar("P", Page, FeedPage, WorkRecordPage)

LETTER_BYTES = 2 * 1024 * 1024
"""Events of one letter, some 5,000; a trip has as many letters as it needs. The centre takes each in one transaction,
and others must not wait for that too long."""
STALE_S = 3600.0
"""A letter that lies there unchanged for so long is written anew, for its heartbeat."""
_NUMBER, _READ = "drop_number", "drop_read"


class Memory(Protocol):
    """Where the numbers of letters are kept (`app.store.meta.Meta`)."""

    def get(self, key: str) -> str | None:
        """None: never set."""

    def set(self, key: str, value: str) -> None:
        """Keep or replace, durably."""


class FileDrop:
    """A `CentreCalls` and `Carried`. The engine's thread; `abort` and `close` may be called from any.

    `url`: file:///… of a folder with a marker in it; `centre_key`: the centre's public keys as text; `memory`: None is
    good for enrolment alone. The constructor raises InputRefused; the calls raise Offline (`drop_…`), BadAnswer, what
    the centre's refusal means, and Hung after `abort`.
    """

    def __init__(
        self,
        url: str,
        centre_key: str,
        station_id: str,
        keys: Callable[[], Keys],
        clock: Clock,
        app_version: str,
        memory: Memory | None = None,
    ) -> None:
        self.station_id = station_id
        try:
            self._centre = PublicKeys.read(centre_key)
        except BadLetter as exc:
            raise InputRefused("settings.centre_key") from exc
        self._keys = keys()
        self._me = self._keys.public.fingerprint
        self._folder = DropFolder(url, self._me)
        self.host = str(self._folder.path)
        self._clock = clock
        self._version = app_version
        self._memory = memory
        self._trip = False
        self._batches: list[tuple[bytes, int]] = []
        self._cursors: dict[DropPull, str | None] = {}
        self._pages: dict[DropPull, tuple[dict[str, object], datetime]] = {}
        self._newest: DropAnswer | None = None
        self._bad = ""
        self._last: tuple[bytes, range, float] = (b"", range(0), 0.0)
        self._handed = 0

    def __repr__(self) -> str:
        return f"<FileDrop {self.host}>"

    # --- enrolment

    def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """Read the centre's answer to this request, or write it and raise EnvironmentTrouble `sync.drop_enrol`."""
        body = codec.encode(request)
        asked = hashlib.sha256(body).hexdigest()
        for number in self._folder.answers():
            try:
                answer = self._open(number)
            except BadLetter:
                continue
            if answer.request != asked:
                continue
            self._refuse(answer)
            if answer.enrolled is not None:
                return answer.enrolled
        letter = DropLetter(self._version, request, self._keys.public.text)
        data = write(Kind.ENROL, 0, self._keys, self._centre, codec.encode(letter))
        self._folder.put(0, data)
        raise EnvironmentTrouble("sync.drop_enrol", self.host)

    # --- a trip

    def reach(self) -> None:
        """Whether the folder is there. Raises Offline."""
        self._folder.answers()

    def handed(self) -> int:
        """Events in the letters of the last trip whose answers have not been read."""
        return self._handed

    def collect(self) -> Iterator[BatchAnswer]:
        """What the centre says of earlier letters, oldest first; an answer that was taken is not asked again.

        A file that is not what it should be is left where it is and told at the end of the trip.
        """
        self._trip, self._batches, self._cursors, self._bad = True, [], {}, ""
        numbers = self._folder.answers()
        read = int(self._recall(_READ, "-1"))
        good: list[int] = []
        for number in numbers:
            if number < read or (number == read and self._newest is not None):
                continue
            try:
                answer = self._open(number)
            except BadLetter as exc:
                self._bad = f"{name(False, self._me, number)}: {exc}"
                continue
            if number > read:
                yield from answer.batches
                self._remember(_READ, number)
                self._handed = 0  # what is still on its way goes into the next letters of this same trip
            good.append(number)
            self._take(answer)
        if good:
            self._folder.drop_answers([n for n in numbers if n < good[-1]])

    def push(self, events: Sequence[bytes], chain_end: ChainEnd | None) -> None:
        """Put events, each as the canonical bytes that were hashed, into this trip's letters."""
        end = b"" if chain_end is None else b',"chain_end":' + codec.encode(chain_end)
        head = b'{"station_id":' + codec.encode(self.station_id) + b',"events":['
        self._batches.append((head + b",".join(events) + b"]" + end + b"}", len(events)))

    def heartbeat(self, beat: Heartbeat) -> None:
        """Close the letters and put them in place of the last; then say what was wrong with the centre's answers."""
        if self._trip:
            self._close_trip(beat)
        if self._newest is not None:
            self._refuse(self._newest)
        if self._bad:
            raise BadAnswer(self._bad, self.host, "sync.drop_refused")

    def _close_trip(self, beat: Heartbeat) -> None:
        pulls = tuple(replace(pull, cursor=at) for pull, at in self._cursors.items())
        asked = codec.encode(pulls)
        state = hashlib.sha256(asked + b"".join(body for body, _ in self._batches)).digest()
        was, lying, at = self._last
        fresh = self._clock.monotonic() - at < STALE_S
        if not (was == state and fresh and self._folder.lie(lying)):
            self._write(state, asked, codec.encode(beat.as_sent()))
        self._trip, self._batches = False, []

    def _write(self, state: bytes, pulls: bytes, beat: bytes) -> None:
        letters: list[list[bytes]] = [[]]
        size = 0
        for body, _ in self._batches:
            if letters[-1] and size + len(body) > LETTER_BYTES:
                letters.append([])
                size = 0
            letters[-1].append(body)
            size += len(body)
        first = int(self._recall(_NUMBER, "0")) + 1
        numbers = range(first, first + len(letters))
        self._remember(_NUMBER, numbers[-1])  # before: a number never names two letters
        for number, bodies in zip(numbers, letters, strict=True):
            extra = b',"pulls":' + pulls + b',"heartbeat":' + beat if number == numbers[-1] else b""
            version = b'{"app_version":' + codec.encode(self._version)
            payload = version + b',"batches":[' + b",".join(bodies) + b"]" + extra + b"}"
            self._folder.put(number, write(Kind.EVENTS, number, self._keys, self._centre, payload))
        self._handed = sum(count for _, count in self._batches)
        self._last = (state, numbers, self._clock.monotonic())
        log.info("letters %d to %d: %d events handed over", numbers[0], numbers[-1], self._handed)
        self._folder.keep(numbers)  # all that waits is in these

    # --- pulls, from the newest answer

    def sites(self, cursor: str | None, etag: str | None = None) -> Pulled[Page] | None:
        """This station's sites. Raises Unanswered, as all pulls."""
        return self._page(DropPull("sites"), cursor, Page)

    def roster(self, site_id: str, cursor: str | None, etag: str | None = None) -> Pulled[Page] | None:
        """A site's roster."""
        return self._page(DropPull("roster", site_id), cursor, Page)

    def events(
        self, site_id: str, types: Sequence[str], cursor: str | None, etag: str | None = None
    ) -> Pulled[FeedPage] | None:
        """Events of other stations."""
        return self._page(DropPull("events", site_id, types=tuple(types)), cursor, FeedPage)

    def work_records(
        self, site_id: str, month: str, cursor: str | None, etag: str | None = None
    ) -> Pulled[WorkRecordPage] | None:
        """Derived records of a month."""
        return self._page(DropPull("work-records", site_id, month), cursor, WorkRecordPage)

    def _page(self, pull: DropPull, cursor: str | None, shape: type[P]) -> Pulled[P]:
        self._cursors[pull] = cursor
        found = self._pages.get(replace(pull, cursor=cursor))
        if found is None:
            raise Unanswered
        try:
            page: P = codec.convert(found[0], shape)
        except codec.DecodeError as exc:
            raise BadAnswer(str(exc)[:200], self.host) from exc
        self._cursors[pull] = page.cursor
        return Pulled(page, None, found[1])

    # --- stopping

    def abort(self) -> None:
        """Give up the running call and all later ones (Hung). Any thread; returns at once."""
        self._folder.abort()

    def close(self) -> None:
        """`abort`, then wait up to half a second."""
        self._folder.close()

    # --- how

    def _open(self, number: int) -> DropAnswer:
        """An answer to this station with this number, by the centre. Raises BadLetter, Offline."""
        data = self._folder.read(number)
        head = head_of(data)
        if head.kind is not Kind.ANSWER or head.number != number:
            raise BadLetter("no answer with this number")
        check_signature(data, self._centre)
        try:
            return codec.decode(unsealed(data, self._keys), DropAnswer)
        except codec.DecodeError as exc:
            raise BadLetter(str(exc)[:120]) from exc

    def _take(self, answer: DropAnswer) -> None:
        try:
            at = datetime.fromisoformat(answer.server_time)
        except ValueError:
            at = self._clock.now()
        self._newest = answer
        if answer.pages:  # of a trip's letters only the last asks for any, from where this station stands
            self._pages = {one.pull: (one.page, at) for one in answer.pages}

    def _refuse(self, answer: DropAnswer) -> None:
        """Raise what the centre's refusal means, if it is one."""
        if answer.problem is not None:
            body, status = codec.encode(answer.problem), answer.problem.status
            refuse(RawAnswer(status, {"content-type": PROBLEM}, body, 0.0, self._clock.now()), self.host)

    def _recall(self, key: str, default: str) -> str:
        return (self._memory.get(key) if self._memory is not None else None) or default

    def _remember(self, key: str, number: int) -> None:
        if self._memory is not None:
            self._memory.set(key, str(number))
