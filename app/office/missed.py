"""Likely missed days: what the neighbours' marks, the reader's own log and stray cards suggest. Pure.

Every rule wants positive evidence; none takes an absence for a mistake. A day with a record, an entry that waits or a
refusal by the 元請 is never proposed (but for a time that its record lacks), nor is one that somebody set aside.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median_low

from app.office.shapes import Candidate, Group, Marks, Month, Row, Why

CREW_LEAST = 3
"""So many others of his crew must have been here."""
CREW_SHARE = 0.7
"""… and this share of those of his crew who worked here that week."""
NEAR_DAYS = 4
"""He himself was here within so many calendar days before and after."""
WEEK_DAYS = 3
HABIT_SHARE = 0.6
"""A missing 退場 is a slip only for somebody who usually touches out."""
RUSH_MINUTES = 45
"""A reader that was down within so many minutes of his usual time may have missed him."""
STRAY_MOST = 2
"""More stray cards than this around his time point at nobody."""
Place = tuple[str, str]
"""Worker id and day."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What else is known of the month. Times are 'HH:MM' in Japan."""

    today: str
    aside: Collection[Place] = frozenset()
    reader_down: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """Day → spans in which no reader of this gate worked."""
    other_site: Mapping[Place, str] = field(default_factory=dict)
    """Name of the other site where he touched that day."""
    stray_cards: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Day → times of touches of cards that belong to nobody."""
    near: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Day shortly before or after the month → workers who were here: a month's first and last days have neighbours."""


def find(month: Month, marks: Marks, evidence: Evidence) -> list[Candidate]:
    """Candidates by company, worker and day, as the sheet has them. `marks`: of everybody on it."""
    return [one for group in month.groups for one in find_in(group, month, marks, evidence)]


def find_in(group: Group, month: Month, marks: Marks, evidence: Evidence) -> list[Candidate]:
    """Candidates of one company."""
    days = [d.day for d in month.days if d.day < evidence.today and not d.closed]
    trades: dict[str, list[Row]] = {}
    for row in group.rows:
        trades.setdefault(row.occupation, []).append(row)
    everybody = _Crew(group.rows, marks)
    crews = {trade: _Crew(rows, marks) for trade, rows in trades.items() if trade and len(rows) > CREW_LEAST}
    found: list[Candidate] = []
    for row in group.rows:
        worker = _Worker(row, marks, crews.get(row.occupation, everybody), evidence.near)
        for day in days:
            if (row.worker_id, day) not in evidence.aside and (why := worker.why(day, evidence)):
                found.append(worker.candidate(day, why, group.company))
    return found


class _Crew:
    """People whose presence says something about each other's: same 職種 of a company, else the company."""

    def __init__(self, rows: Sequence[Row], marks: Marks) -> None:
        self._days: dict[int, set[str]] = {}
        for row in rows:
            for day, mark in marks.get(row.worker_id, {}).items():
                if mark.counts:
                    self._days.setdefault(date.fromisoformat(day).toordinal(), set()).add(row.worker_id)
        self._weeks: dict[int, set[str]] = {}

    def here(self, number: int, but: str) -> int:
        """How many of the others were here on a day."""
        return len(self._days.get(number, set()) - {but})

    def working(self, number: int, but: str) -> int:
        """How many of the others were here on some day around it."""
        if number not in self._weeks:
            around = (self._days.get(number + n, set()) for n in range(-WEEK_DAYS, WEEK_DAYS + 1))
            self._weeks[number] = set().union(*around)
        return len(self._weeks[number] - {but})


class _Worker:
    def __init__(self, row: Row, marks: Marks, crew: _Crew, near: Mapping[str, Collection[str]]) -> None:
        self.row = row
        self._mine = marks.get(row.worker_id, {})
        self._crew = crew
        self._here = sorted(day for day, mark in self._mine.items() if mark.counts)
        outside = [day for day, people in near.items() if row.worker_id in people]
        self._ordinals = [date.fromisoformat(day).toordinal() for day in (*self._here, *outside)]
        self._usual_in = _usual(mark.first_in for mark in self._mine.values())
        self._usual_out = _usual(mark.last_out for mark in self._mine.values())

    def why(self, day: str, evidence: Evidence) -> list[tuple[Why, Mapping[str, str]]]:
        mark = self._mine.get(day)
        if mark is not None:
            return self._half(day) if mark.counts else []
        why: list[tuple[Why, Mapping[str, str]]] = []
        number = date.fromisoformat(day).toordinal()
        if not self._around(number):
            return []
        if (here := self._crew_here(number)) is not None:
            why.append((Why.CREW_WAS_HERE, {"count": str(here)}))
        for start, end in evidence.reader_down.get(day, ()):
            if self._usual_in and _minutes(start) - RUSH_MINUTES <= _minutes(self._usual_in) <= _minutes(end):
                why.append((Why.READER_DOWN, {"from": start, "until": end}))
        if (other := evidence.other_site.get((self.row.worker_id, day))) is not None:
            # he worked, but there: no candidate unless something speaks for here
            return [*why, (Why.OTHER_SITE, {"site": other})] if why else []
        if why and self._usual_in:
            near = [t for t in evidence.stray_cards.get(day, ()) if abs(_minutes(t) - _minutes(self._usual_in)) <= 20]
            if len(near) <= STRAY_MOST:
                why += [(Why.UNKNOWN_CARD, {"time": time}) for time in near[:1]]
        return why

    def _half(self, day: str) -> list[tuple[Why, Mapping[str, str]]]:
        """A record with one of its two times."""
        mark = self._mine[day]
        if mark.entry_id is not None:
            return []
        if mark.last_out and not mark.first_in:
            return [(Why.OUT_WITHOUT_IN, {})]
        outs = sum(1 for one in self._mine.values() if one.counts and one.last_out)
        if mark.first_in and not mark.last_out and outs >= HABIT_SHARE * len(self._here):
            return [(Why.IN_WITHOUT_OUT, {})]
        return []

    def _around(self, number: int) -> bool:
        """Whether he was here shortly before and shortly after."""
        before = any(number - NEAR_DAYS <= n < number for n in self._ordinals)
        after = any(number < n <= number + NEAR_DAYS for n in self._ordinals)
        return before and after

    def _crew_here(self, number: int) -> int | None:
        """How many of his crew were here, if that says that he probably was too."""
        here = self._crew.here(number, self.row.worker_id)
        if here < CREW_LEAST:
            return None
        return here if here >= CREW_SHARE * self._crew.working(number, self.row.worker_id) else None

    def candidate(self, day: str, why: list[tuple[Why, Mapping[str, str]]], company: str) -> Candidate:
        mark = self._mine.get(day)
        in_at = None if mark and mark.first_in else self._usual_in
        out_at = None if mark and mark.last_out else self._usual_out
        return Candidate(self.row.worker_id, self.row.name, company, day, tuple(why), in_at, out_at)


def _usual(times: Iterable[str | None]) -> str | None:
    """The middle one of his times, to five minutes; None below three of them."""
    known = sorted(_minutes(time) for time in times if time)
    if len(known) < 3:
        return None
    rounded = median_low(known) // 5 * 5
    return f"{rounded // 60:02d}:{rounded % 60:02d}"


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:5])
