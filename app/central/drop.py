"""Letters from stations without a network: a folder is read, each letter taken whole, and its answer laid beside it.

The same intake, permissions and pages as over the network; only who is asking is proven by a signature instead of a
token. A letter is one transaction. The same file again gets the same word on its events (and fresh pages).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import zstandard
from sqlalchemy import Connection, select

from app import codec
from app.central import schema as t
from app.central.access import Principal, station_principal
from app.central.database import CentralDatabase
from app.central.enrolment import enrol, sound
from app.central.intake import checked_batch
from app.central.pages import Pages
from app.central.refusals import Refused
from app.central.schema import stamp
from app.central.sets import upsert_many
from app.clock import Clock
from app.domain.events import rfc3339
from app.drop_seal import (
    MARKER,
    MAX_FILE,
    BadLetter,
    Head,
    Keys,
    Kind,
    PublicKeys,
    check_signature,
    head_of,
    name,
    named,
    unpacked,
    unsealed,
    write,
)
from app.errors import EnvironmentTrouble
from app.files import write_carried
from app.sync.wire import BatchAnswer, DropAnswer, DropLetter, DropPage, DropPull, EnrolAnswer, Heartbeat, Problem

KEPT = 8
"""Letters of a station whose answers are kept. An older one that turns up is taken anew: all of it is a duplicate."""
MAX_PAGES = 1000
_KEY = "drop"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file. `result`: 'taken', 'again', 'enrolled', 'refused'; `why`: a code or a reason."""

    file: str
    result: str
    station_id: str = ""
    events: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    conflict: int = 0
    why: str = ""


def keys_of(db: CentralDatabase) -> Keys:
    """This centre's keys for letters, made when first needed."""

    def work(tx: Connection) -> bytes:
        held = tx.execute(select(t.secret.c.value).where(t.secret.c.name == _KEY)).scalar()
        if held is None:
            held = Keys.new().raw
            tx.execute(t.secret.insert().values(name=_KEY, value=held))
        return bytes(held)

    return Keys.of(db.write(work))


def prepare(folder: Path, public: PublicKeys) -> None:
    """Put the marker into a folder that letters are to be carried in. Raises EnvironmentTrouble."""
    try:
        write_carried(folder / MARKER, f"{public.text}\n".encode())
    except OSError as exc:
        raise EnvironmentTrouble("central.drop_prepare", str(folder), why=exc.strerror or "") from exc


def take_drop(db: CentralDatabase, clock: Clock, folder: Path, page_size: int) -> list[Taken]:
    """Take every letter of every station and lay the answers beside them.

    A file that is refused is left as it is, and the others are taken. Raises EnvironmentTrouble when the folder cannot
    be read or written; what was taken till then stays taken, and the same call again writes the answers.
    """
    taker = _Taker(db, clock, folder, keys_of(db), page_size)
    try:
        names = {path.name for path in folder.iterdir()}
        if MARKER not in names:  # another folder would look as if no station had written
            raise EnvironmentTrouble("central.drop_unprepared", str(folder), marker=MARKER)
        files = sorted(file for file in names if (is_for := named(file)) and is_for[0])
        return [taker.take(file) for file in files]
    except OSError as exc:
        raise EnvironmentTrouble("central.drop_folder", str(folder), why=exc.strerror or "") from exc


class _Taker:
    """One call."""

    def __init__(self, db: CentralDatabase, clock: Clock, folder: Path, keys: Keys, page_size: int) -> None:
        self._db, self._clock, self._folder, self._keys = db, clock, folder, keys
        self._pages = Pages(db, clock, page_size)

    def take(self, file: str) -> Taken:
        """One file. Raises OSError."""
        path = self._folder / file
        try:
            if path.is_symlink() or not path.is_file():
                raise BadLetter("no plain file")
            with path.open("rb") as opened:
                data = opened.read(MAX_FILE + 1)
            head = head_of(data)
            if file != name(True, head.sender, head.number):
                raise BadLetter("another letter's name")
            if head.kind is Kind.ENROL:
                return self._enrol(file, data, head)
            if head.kind is Kind.EVENTS:
                return self._events(file, data, head)
            raise BadLetter("not for a centre")
        except BadLetter as exc:
            return Taken(file, "refused", why=str(exc))

    def _enrol(self, file: str, data: bytes, head: Head) -> Taken:
        letter = self._read(data)
        sender = PublicKeys.read(letter.keys)
        check_signature(data, sender)
        if letter.enrol is None:
            raise BadLetter("no request in it")
        digest = hashlib.sha256(codec.encode(letter.enrol))
        asked, known = digest.hexdigest(), self._station(head.sender)
        lying = (self._folder / name(False, head.sender, 0)).exists()
        if known is not None and lying and self._receipt(digest.digest()):
            return Taken(file, "again", known[0])  # a second answer would hold another secret
        try:
            sound(letter.enrol)
            enrolled = enrol(self._db, self._clock, letter.enrol)
        except Refused as refusal:
            self._answer(sender, 0, DropAnswer(self._now(), asked, problem=_problem(refusal)))
            return Taken(file, "refused", why=refusal.code)
        self._register(enrolled, sender, digest.digest())
        who = station_principal(self._db, enrolled.station_id)
        pulls = [DropPull("sites"), *(DropPull("roster", site) for site in enrolled.site_ids)]
        answer = DropAnswer(self._now(), asked, enrolled, pages=self._all(who, pulls))
        self._answer(sender, 0, answer)
        return Taken(file, "enrolled", enrolled.station_id)

    def _events(self, file: str, data: bytes, head: Head) -> Taken:
        station = self._station(head.sender)
        if station is None:
            raise BadLetter("from a station that is not known here")
        station_id, sender, newest = station
        check_signature(data, sender)
        letter = self._read(data)
        try:
            who = station_principal(self._db, station_id)
            again, receipt = self._take(who, letter, data, head.number)
        except Refused as refusal:
            self._answer(sender, head.number, DropAnswer(self._now(), problem=_problem(refusal)))
            return Taken(file, "refused", station_id, why=refusal.code)
        if letter.heartbeat is not None and head.number > newest:
            self._note(station_id, letter.heartbeat)
        pages = self._all(who, letter.pulls)
        self._answer(sender, head.number, DropAnswer(self._now(), batches=tuple(receipt), pages=pages))
        said = [verdict.verdict.value for answer in receipt for verdict in answer.results]
        result, count = "again" if again else "taken", said.count
        counts = (count("accepted"), count("duplicate"), count("rejected"), count("conflict"))
        return Taken(file, result, station_id, len(said), *counts)

    def _take(self, who: Principal, letter: DropLetter, data: bytes, number: int) -> tuple[bool, list[BatchAnswer]]:
        """Whether it was taken before, and the word on its events. One transaction. Raises Refused."""
        digest, at = hashlib.sha256(data).digest(), stamp(self._clock.now())
        checked = [checked_batch(self._clock, who, batch) for batch in letter.batches]
        c = t.drop_letter.c

        def work(tx: Connection) -> tuple[bool, list[BatchAnswer]]:
            held = tx.execute(select(c.receipt).where(c.digest == digest, c.station_id == who.client_id)).scalar()
            if held is not None:
                return True, codec.decode(unpacked(bytes(held)), list[BatchAnswer])
            answers = [batch(tx) for batch in checked]
            packed = zstandard.compress(codec.encode(answers))
            row = {"digest": digest, "station_id": who.client_id, "taken_at": at, "receipt": packed}
            tx.execute(t.drop_letter.insert().values(row))
            last = select(c.digest).where(c.station_id == who.client_id).order_by(c.taken_at.desc()).offset(KEPT)
            old = [bytes(one) for one in tx.execute(last).scalars()]
            tx.execute(t.drop_letter.delete().where(c.digest.in_(old)))
            highest = t.drop_station.update().where(t.drop_station.c.station_id == who.client_id)
            tx.execute(highest.where(t.drop_station.c.number < number).values(number=number))
            client = t.client.update().where(t.client.c.id == who.client_id, t.client.c.secret_used_at.is_(None))
            tx.execute(client.values(secret_used_at=at))  # its answer has arrived: the code opens no second one
            return False, answers

        return self._db.write(work)

    def _read(self, data: bytes) -> DropLetter:
        try:
            return codec.decode(unsealed(data, self._keys), DropLetter)
        except (codec.DecodeError, RecursionError) as exc:
            raise BadLetter(str(exc)[:200]) from exc

    def _station(self, fingerprint: str) -> tuple[str, PublicKeys, int] | None:
        with self._db.read() as tx:
            row = tx.execute(select(t.drop_station).where(t.drop_station.c.fingerprint == fingerprint)).one_or_none()
        return None if row is None else (row.station_id, PublicKeys.read(row.keys), row.number)

    def _receipt(self, digest: bytes) -> bool:
        with self._db.read() as tx:
            return (
                tx.execute(select(t.drop_letter.c.digest).where(t.drop_letter.c.digest == digest)).first() is not None
            )

    def _register(self, enrolled: EnrolAnswer, keys: PublicKeys, digest: bytes) -> None:
        """From now on these keys are this station's, and no others."""
        c, at = t.drop_station.c, stamp(self._clock.now())

        def work(tx: Connection) -> None:
            tx.execute(
                t.drop_station.delete().where(
                    (c.station_id == enrolled.station_id) | (c.fingerprint == keys.fingerprint)
                )
            )
            row = {"fingerprint": keys.fingerprint, "station_id": enrolled.station_id, "keys": keys.text, "number": 0}
            tx.execute(t.drop_station.insert().values(row))
            seen = {"digest": digest, "station_id": enrolled.station_id, "taken_at": at, "receipt": b""}
            upsert_many(tx, t.drop_letter, [seen])

        self._db.write(work)

    def _note(self, station_id: str, beat: Heartbeat) -> None:
        """The latest; its hours are not counted, since it was not heard when it beat."""
        row = {"station_id": station_id, "received_at": stamp(self._clock.now()), "body": codec.encode(beat).decode()}
        self._db.write(lambda tx: upsert_many(tx, t.heartbeat, [row]))

    def _all(self, who: Principal, pulls: Sequence[DropPull]) -> tuple[DropPage, ...]:
        return tuple(page for pull in pulls for page in self._pull(who, pull))

    def _pull(self, who: Principal, pull: DropPull) -> list[DropPage]:
        """Page after page. What this station may not have (any more), it does not get; its sites tell it why."""
        found: list[DropPage] = []
        with suppress(Refused):
            for _ in range(MAX_PAGES):
                page = self._page(who, pull)
                found.append(DropPage(pull, codec.plain(page)))
                if not page.more:
                    break
                pull = replace(pull, cursor=page.cursor)
        return found

    def _page(self, who: Principal, pull: DropPull) -> Any:
        match pull.call:
            case "sites":
                return self._pages.sites(who, pull.cursor)
            case "roster":
                return self._pages.roster(who, pull.site_id, pull.cursor)
            case "events":
                return self._pages.events(who, pull.site_id, pull.cursor, ",".join(pull.types))
            case "work-records":
                return self._pages.work_records(who, pull.site_id, pull.month, pull.cursor)
        raise Refused("bad_parameter", "call")

    def _answer(self, sender: PublicKeys, number: int, answer: DropAnswer) -> None:
        data = write(Kind.ANSWER, number, self._keys, sender, codec.encode(answer))
        write_carried(self._folder / name(False, sender.fingerprint, number), data)

    def _now(self) -> str:
        return rfc3339(self._clock.now())


def _problem(refusal: Refused) -> Problem:
    return Problem(refusal.title, refusal.status, detail=refusal.detail, code=refusal.code, errors=refusal.errors)
