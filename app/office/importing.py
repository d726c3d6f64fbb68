"""Importing: touches of a device → what becomes of each, as at the gate → stored in one transaction, or nothing.

The same for every format. Touches stream through in chunks, so a file of a million rows needs little more memory than
one of ten thousand; what has come before (`at`, device, card, nth of equal ones) adds nothing, in whatever file or
order it comes again.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from app.clock import Clock
from app.domain.events import Draft, EventType, rfc3339
from app.domain.ids import mask_card_key
from app.domain.roster import Roster
from app.domain.site import Site
from app.domain.verdict import CardRead, ClockState, LastTouch, Outcome, Verdict, judge
from app.errors import InputRefused
from app.office.touches import DeviceTouch, Origin
from app.store.imports import Batch, ImportStore, Mark
from app.store.roster import RosterStore
from app.store.rows import TouchRow

CHUNK = 2000
"""Touches that are in memory at once."""
AHEAD = timedelta(minutes=5)
"""So far may a device's clock be before ours; a touch later than that has no time one could believe."""
_RUN = 20_000
"""Times and cards that are counted at once before they are put away as hashes."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_ROSTERS = 4
"""Rosters in memory at once; some thousand people each."""
_CLOCK = ClockState()
"""Nobody has compared the device's clock with the centre's."""


@dataclass(slots=True)
class Tally:
    """What became of a file's touches. `read` = `known` + the other five; those are new."""

    read: int = 0
    known: int = 0
    """Here already."""
    recorded: int = 0
    recorded_check: int = 0
    """Recorded; something of them needs a look."""
    unknown_card: int = 0
    """Kept, though nobody is known for the card."""
    suppressed: int = 0
    """Second touches of the same card shortly after."""
    refused: int = 0
    """Kept as refusals: cards stopped, numbers that are nobody's, a level of proof that the site does not take."""

    @property
    def new(self) -> int:
        """Touches that were (or would be) stored."""
        return self.read - self.known


class Importer:
    """Any thread, one import at a time; everybody else who writes to the database waits for it."""

    def __init__(self, imports: ImportStore, rosters: RosterStore, clock: Clock, new_id: Callable[[], str]) -> None:
        self._imports = imports
        self._rosters = rosters
        self._clock = clock
        self._new_id = new_id

    def run(self, origin: Origin, site: Site, touches: Iterable[DeviceTouch], *, dry_run: bool = False) -> Tally:
        """Store what is new, all or nothing. `dry_run`: the same numbers, and nothing.

        Raises InputRefused (`import.future`, `import.outside_site`, and what `touches` raises) and StorageTrouble.
        """
        now = self._clock.now()
        judging = _Judging(origin, site, self._rosters, now, self._new_id)
        with self._imports.batch(dry_run=dry_run) as batch:
            rest = iter(touches)
            while chunk := list(islice(rest, CHUNK)):
                judging.store(batch, chunk)
            batch.note(now, origin.format, origin.device, site.id, origin.digest, judging.tally.read)
        return judging.tally


class _Judging:
    """One file under way."""

    def __init__(
        self, origin: Origin, site: Site, rosters: RosterStore, now: datetime, new_id: Callable[[], str]
    ) -> None:
        self._origin = origin
        self._site = site
        self._now = now
        self._latest = now + AHEAD
        self._recorded_at = rfc3339(now)
        self._new_id = new_id
        self._rosters = _Rosters(rosters, site.id)
        self._alike = _Alike()
        self.tally = Tally()

    def store(self, batch: Batch, chunk: list[DeviceTouch]) -> None:
        drafts: list[Draft] = []
        rows: dict[str, TouchRow] = {}
        marks: list[tuple[Mark, int]] = []
        near: dict[str, list[LastTouch]] = {}
        for touch, mark in self._new(batch, chunk):
            last = _latest(near.get(touch.card_key, ()), touch.moment)
            stored = batch.last(touch.card_key, self._site.id, touch.moment)
            if last is None or (stored is not None and stored.occurred_at > last.occurred_at):
                last = stored
            verdict = self._judge(touch, last)
            draft = self._draft(touch, verdict)
            if verdict.outcome not in (Outcome.SUPPRESSED, Outcome.REFUSED):
                one = LastTouch(draft.id, touch.moment, verdict.direction, verdict.work_day, verdict.outcome)
                insort(near.setdefault(touch.card_key, []), one, key=_moment)
            self._count(verdict.outcome)
            drafts.append(draft)
            rows[draft.id] = TouchRow.of(verdict, reader=self._origin.reader, source=self._origin.source)
            marks.append((mark, touch.number))
        if drafts:
            batch.add(drafts, rows, marks)

    def _new(self, batch: Batch, chunk: list[DeviceTouch]) -> Iterator[tuple[DeviceTouch, Mark]]:
        for touch in chunk:
            if touch.moment > self._latest:
                raise self._refused("import.future", touch, now=rfc3339(self._now)[:16])
            self.tally.read += 1
            mark = Mark(touch.at, self._origin.device, touch.card_key, self._alike.nth(touch))
            if batch.is_known(mark):
                self.tally.known += 1
            else:
                yield touch, mark

    def _judge(self, touch: DeviceTouch, last: LastTouch | None) -> Verdict:
        day = self._site.work_day(touch.moment)
        text = day.isoformat()
        if not (self._site.opens_on or text) <= text <= (self._site.closes_on or text):
            bounds = {"opens": self._site.opens_on or "…", "closes": self._site.closes_on or "…"}
            raise self._refused("import.outside_site", touch, day=text, **bounds)
        read = CardRead(touch.card_key, self._origin.assurance, touch.moment, worker_id=touch.worker_id)
        roster = self._rosters.on(day)
        return judge(read, site=self._site, roster=roster, last=last, chosen=touch.direction, clock=_CLOCK)

    def _draft(self, touch: DeviceTouch, verdict: Verdict) -> Draft:
        payload: dict[str, Any] = {
            "card_key": verdict.card_key,
            "work_day": verdict.work_day.isoformat(),
            "assurance": verdict.assurance.value,
            "reader": self._origin.reader,
            "source": self._origin.source,
            "clock": {"skew_ms": _CLOCK.skew_ms, "suspect": _CLOCK.suspect},
        }
        kind = EventType.TOUCH
        if verdict.outcome is Outcome.REFUSED:
            kind = EventType.REFUSAL
            payload["reason"] = verdict.reasons[0].value
        else:
            payload["direction"] = verdict.direction.value
            if verdict.worker_id is not None:
                payload["worker_id"] = verdict.worker_id
            if verdict.suppressed_by is not None:
                payload["suppressed_by"] = verdict.suppressed_by
        return Draft(self._new_id(), kind, self._site.id, rfc3339(touch.moment), self._recorded_at, payload)

    def _count(self, outcome: Outcome) -> None:
        setattr(self.tally, outcome.value, getattr(self.tally, outcome.value) + 1)

    def _refused(self, code: str, touch: DeviceTouch, **values: object) -> InputRefused:
        card = mask_card_key(touch.card_key)
        return InputRefused(code, f"{self._origin.file}: {touch.place}", at=touch.at, card=card, **values)


class _Alike:
    """Counts the touches of a file that have the same time and card, wherever in it they stand.

    Past ones are kept as sorted hashes of eight bytes, in runs with the times they span: a million must fit, and where
    a device wrote in order of time hardly a run is looked into.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[datetime, datetime, array[int]]] = []
        self._near: dict[int, int] = {}
        self._since = self._until = _LONG_AGO

    def nth(self, touch: DeviceTouch) -> int:
        """1 for the first of its kind, 2 for the next …"""
        if len(self._near) == _RUN:
            hashes = sorted(key for key, times in self._near.items() for _ in range(times))
            self._runs.append((self._since, self._until, array("q", hashes)))
            self._near.clear()
        moment = touch.moment
        self._since = min(self._since, moment) if self._near else moment
        self._until = max(self._until, moment) if self._near else moment
        key = hash((touch.at, touch.card_key))
        self._near[key] = self._near.get(key, 0) + 1
        past = sum(
            bisect_right(run, key) - bisect_left(run, key)
            for since, until, run in self._runs
            if since <= moment <= until
        )
        return past + self._near[key]


class _Rosters:
    """The roster as it held on a day: it differs only where a card's binding begins."""

    def __init__(self, store: RosterStore, site_id: str) -> None:
        self._store = store
        self._site_id = site_id
        self._turns = store.turning_days(site_id)
        self._kept: dict[int, Roster] = {}

    def on(self, day: date) -> Roster:
        turn = bisect_right(self._turns, day.isoformat())
        if turn not in self._kept:
            if len(self._kept) == _ROSTERS:
                self._kept.clear()
            self._kept[turn] = self._store.load(self._site_id, day)
        return self._kept[turn]


def _moment(touch: LastTouch) -> datetime:
    return touch.occurred_at


def _latest(touches: list[LastTouch] | tuple[()], not_after: datetime) -> LastTouch | None:
    place = bisect_right(touches, not_after, key=_moment)
    return touches[place - 1] if place else None
