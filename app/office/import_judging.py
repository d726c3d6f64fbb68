"""What becomes of a file's touches, as at the gate. The rules are `app.domain.verdict`'s, asked once for a card's day;
here they are only applied to many touches quickly.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.domain.events import Direction, rfc3339
from app.domain.ids import mask_card_key
from app.domain.site import Site
from app.domain.verdict import (
    CardRead,
    ClockState,
    LastTouch,
    Outcome,
    automatic_direction,
    is_double,
    standing,
    standing_turns,
)
from app.errors import InputRefused
from app.office.import_alike import Alike
from app.office.import_bytes import Frame, Piece, Stamps
from app.office.import_tally import Rosters, Tally
from app.office.touches import BadTouch, DeviceTouch, Origin, moment_of, ms_of
from app.store.imports import Batch, Looker
from app.store.roster import RosterStore

AHEAD = timedelta(minutes=5)
"""So far may a device's clock be before ours; a touch later than that has no time one could believe."""
MOST_SHOWN = 200
"""Touches of a plan that are kept for each of its counts, to be looked at."""
_CARDS = 20_000
_CLOCK = ClockState()
"""Nobody has compared the device's clock with the centre's."""
_OUTCOMES = tuple(outcome.value for outcome in Outcome)
_SUPPRESSED = Outcome.SUPPRESSED.value
_IN, _OUT, _NO = Direction.IN, Direction.OUT, Direction.NONE
_LONG_AGO_MS = -(1 << 62)


class _Card:
    """A card while its file is read: its latest unsuppressed touch, and until when that is the latest."""

    __slots__ = ("day", "direction", "id", "since", "until")

    def __init__(self, last: LastTouch | None, next_ms: int) -> None:
        self.since = _LONG_AGO_MS if last is None else ms_of(last.occurred_at)
        self.until = next_ms
        self.id, self.direction, self.day = ("", Direction.NONE, date.min) if last is None else _parts(last)


def _parts(last: LastTouch) -> tuple[str, Direction, date]:
    return last.id, last.direction, last.work_day


"""Is shown every touch: 'known' or its outcome, and its reasons' codes with blanks between. Must be quick."""
_Seen = tuple[int, str, Direction, date]
"""An unsuppressed touch of the present chunk: Unix ms, event id, direction, work day."""


@dataclass(slots=True)
class _Plan:
    """What a card's touches have in common, from the day `since` until before the day `until` (ISO)."""

    since: str
    until: str
    worker_id: str | None
    single: str
    """Outcome of a touch; `double`: of one shortly after another."""
    double: str
    reasons: str
    piece: Piece
    refusal: str | None


class Judging:
    """One file under way. `store` for each chunk; then `tally`."""

    def __init__(
        self,
        origin: Origin,
        site: Site,
        rosters: RosterStore,
        now: datetime,
        new_id: Callable[[], str],
        on_bad: Callable[[BadTouch], None],
    ) -> None:
        self._origin, self._site, self._now, self._new_id, self._on_bad = origin, site, now, new_id, on_bad
        self._latest_ms = ms_of(now + AHEAD)
        self._recorded_at = rfc3339(now)
        self._rosters = Rosters(rosters, site.id)
        self._alike, self._stamps = Alike(), Stamps()
        clock = {"skew_ms": _CLOCK.skew_ms, "suspect": _CLOCK.suspect}
        self._frame = Frame(site.id, self._recorded_at, origin.assurance.value, origin.source, clock)
        self._cards: dict[str, _Card] = {}
        self._plans: dict[tuple[str, str, str | None], _Plan] = {}
        self._day, self._day_text, self._bounds, self._inside = date.min, "", (0, 0), True
        # a plan stores nothing, so what it would have stored is remembered here: Unix ms by card
        self._unstored: dict[str, list[int]] = {}
        self._bads: list[BadTouch] = []
        self.samples: dict[str, list[tuple[DeviceTouch, str]]] = {}
        """Count of the tally → its first touches, each with the reasons that it needs a look or was refused for."""
        self._left = dict.fromkeys((*_OUTCOMES, "known"), MOST_SHOWN)
        self.tally = Tally()

    def store(self, batch: Looker, chunk: Sequence[DeviceTouch]) -> None:
        """Judge a chunk. Stored where `batch` is a Batch; a Looker only answers."""
        tally, origin = self.tally, self._origin
        tally.read += len(chunk)
        nth = self._alike.count([(one.at, one.device, one.card_key) for one in chunk])
        marks = [(one.at, one.device or origin.device, one.card_key, n) for one, n in zip(chunk, nth, strict=True)]
        there = batch.known(marks)
        tally.known += len(there)
        stored = batch if isinstance(batch, Batch) else None
        seq = stored.seq if stored else 0
        events: list[tuple[Any, ...]] = []
        touches: list[tuple[Any, ...]] = []
        rows: list[tuple[int, str, str, str, int, int]] = []
        near: dict[str, list[_Seen]] = {}
        counts: dict[str, int] = dict.fromkeys(_OUTCOMES, 0)
        site, site_id, source, reader_of_all = self._site, self._site.id, origin.source, origin.reader
        assurance, recorded_at, new_id, stamp = (
            origin.assurance.value,
            self._recorded_at,
            self._new_id,
            self._stamps.text,
        )
        cards, plans, day, left = self._cards, self._plans, self._day_text, self._left
        first_ms, end_ms = self._bounds
        for place, touch in enumerate(chunk):
            if place in there:
                if left["known"]:
                    self._sample("known", touch, "")
                continue
            _, at_ms, key, number, _, direction, claimed, device = touch[:8]
            if not first_ms <= at_ms < end_ms:
                self._turn(at_ms)
                day = self._day_text
                first_ms, end_ms = self._bounds
            if at_ms > self._latest_ms or not self._inside:
                self._leave_out(touch)
                continue
            plan = plans.get((key, device, claimed))
            if plan is None or not plan.since <= day < plan.until:
                plan = self._plan(touch)
            card = cards.get(key)
            if card is None or not card.since <= at_ms < card.until:
                card = self._card(batch, key, at_ms, near.get(key, ()))
            outcome = plan.double if is_double(at_ms - card.since, site) else plan.single
            counts[outcome] += 1
            if left[outcome]:
                self._sample(outcome, touch, plan.reasons)
            by = None
            if outcome == _SUPPRESSED:
                direction, by = card.direction, card.id
            elif plan.refusal is not None:
                direction = None
                tally.reasons[plan.refusal] += 1
            elif direction is None:
                direction = self._direction(card, at_ms)
            seq += 1
            id_ = new_id() if stored else ""
            if by is None and plan.refusal is None:
                card.since, card.id, card.direction, card.day = at_ms, id_, direction or _NO, self._day
                if key in near:
                    near[key].append((at_ms, id_, card.direction, self._day))
                else:
                    near[key] = [(at_ms, id_, card.direction, self._day)]
            if stored is None:
                continue
            way = "in" if direction is _IN else "out" if direction is _OUT else "none"
            reader = f"{origin.format}:{device}" if device else reader_of_all
            at = stamp(at_ms)
            if plan.refusal is None:
                kind, body = "touch", plan.piece.body(id_, at, day, way, by, seq)
            else:
                kind, body = "refusal", plan.piece.body(id_, at, day, None, None, seq)
            events.append((seq, id_, kind, site_id, at, recorded_at, body))
            touches.append(
                (
                    seq, id_, site_id, key, plan.worker_id, way, day, assurance, outcome,
                    plan.reasons if by is None else "", by, reader, source, at_ms,
                )
            )  # fmt: skip
            rows.append((seq, *marks[place], number))
        self._count(counts, [one.at_ms for one in chunk if one.at_ms <= self._latest_ms])
        if stored is not None:
            if events:
                stored.add(events, touches, rows)
        else:
            for key, some in near.items():
                mine = self._unstored.setdefault(key, [])
                for seen in some:
                    insort(mine, seen[0])

    def _sample(self, kind: str, touch: DeviceTouch, reasons: str) -> None:
        self._left[kind] -= 1
        self.samples.setdefault(kind, []).append((touch, reasons))

    def leave_out(self, bad: BadTouch) -> None:
        """A row that is no touch."""
        self.tally.read += 1
        self._bad(bad)

    def _bad(self, bad: BadTouch) -> None:
        self.tally.bad += 1
        self.tally.reasons[bad.code] += 1
        self._bads.append(bad)

    def tell_bad(self) -> None:
        """Hand over the rows left out since the last time, in the file's order."""
        self._bads.sort(key=lambda bad: bad.line)
        for bad in self._bads:
            self._on_bad(bad)
        self._bads.clear()

    def _leave_out(self, touch: DeviceTouch) -> None:
        """A time that cannot be. Raises InputRefused where one such row refuses the file."""
        code = "import.future" if touch.at_ms > self._latest_ms else "import.outside_site"
        values = {"at": touch.at, "card": mask_card_key(touch.card_key)}
        if code == "import.future":
            values["now"] = self._recorded_at[:16]
        else:
            values["day"] = self._day_text
            values |= {"opens": self._site.opens_on or "…", "closes": self._site.closes_on or "…"}
        if self._origin.strict:
            raise InputRefused(code, f"{self._origin.file}: {touch.place}", **values)
        code = code.replace("import.", "import.row_")
        self._bad(BadTouch(touch.line, code, values, touch.cells, touch.at))

    def _turn(self, at_ms: int) -> None:
        """Another work day."""
        self._day = self._site.work_day(moment_of(at_ms))
        self._day_text = self._day.isoformat()
        first, end = self._site.day_bounds(self._day)
        self._bounds = ms_of(first), ms_of(end)
        text = self._day_text
        self._inside = (self._site.opens_on or text) <= text <= (self._site.closes_on or text)

    def _plan(self, touch: DeviceTouch) -> _Plan:
        roster, first, end = self._rosters.on(self._day_text)
        read = CardRead(touch.card_key, self._origin.assurance, self._now, worker_id=touch.worker_id)
        known = standing(read, day=self._day, site=self._site, roster=roster, clock=_CLOCK)
        turns = standing_turns(read, site=self._site, roster=roster)
        if turns is None:
            first, end = self._day_text, f"{self._day_text}~"
        else:
            place = bisect_right(turns, self._day_text)
            first = max(first, *turns[:place][-1:]) if place else first
            end = min(end, *turns[place : place + 1]) if place < len(turns) else end
        reader = f"{self._origin.format}:{touch.device}" if touch.device else self._origin.reader
        refusal = known.refusal.value if known.refusal else None
        plan = _Plan(
            first,
            end,
            known.worker_id,
            known.outcome(double=False).value,
            known.outcome(double=True).value,
            refusal or " ".join(reason.value for reason in known.reasons),
            self._frame.piece(touch.card_key, reader, known.worker_id, refusal),
            refusal,
        )
        if len(self._plans) >= _CARDS:
            self._plans.clear()
        self._plans[touch.card_key, touch.device, touch.worker_id] = plan
        if known.worker_id and refusal is None and (touch.company_id or touch.occupation or touch.role):
            self.tally.propose(touch, known.worker_id, roster, self._day_text)
        return plan

    def _card(self, batch: Looker, key: str, at_ms: int, near: Sequence[_Seen]) -> _Card:
        """The card around a moment: what is stored, and what this chunk has before it is."""
        found = batch.near(key, self._site.id, at_ms)
        card = _Card(found.last, found.next_ms)
        for ms in self._around(key, at_ms):
            if card.since <= ms <= at_ms:
                card.since, card.id, card.direction, card.day = ms, "", Direction.NONE, self._day
            elif at_ms < ms < card.until:
                card.until = ms
        for ms, id_, direction, day in near:
            if card.since <= ms <= at_ms:
                card.since, card.id, card.direction, card.day = ms, id_, direction, day
            elif at_ms < ms < card.until:
                card.until = ms
        if len(self._cards) >= _CARDS:
            self._cards.clear()
        self._cards[key] = card
        return card

    def _around(self, key: str, at_ms: int) -> list[int]:
        times = self._unstored.get(key, [])
        place = bisect_right(times, at_ms)
        return times[max(place - 1, 0) : place + 1]

    def _direction(self, card: _Card, at_ms: int) -> Direction:
        last = None
        if card.since != _LONG_AGO_MS:
            last = LastTouch(card.id, moment_of(card.since), card.direction, card.day, Outcome.RECORDED)
        return automatic_direction(moment_of(at_ms), self._day, self._site, last)

    def _count(self, counts: dict[str, int], times: list[int]) -> None:
        tally = self.tally
        if times:
            tally.first_ms = min(times) if tally.first_ms is None else min(tally.first_ms, *times)
            tally.last_ms = max(times) if tally.last_ms is None else max(tally.last_ms, *times)
        for outcome, number in counts.items():
            if number:
                setattr(tally, outcome, getattr(tally, outcome) + number)
