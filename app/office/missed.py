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


def find(month: Month, marks: Marks, evidence: Evidence) -> list[Candidate]:
    """Candidates by company, worker and day, as the sheet has them. `marks`: of everybody on it."""
    days = [d.day for d in month.days if d.day < evidence.today and not d.closed]
    found: list[Candidate] = []
    for group in month.groups:
        crews = _crews(group)
        for row in group.rows:
            worker = _Worker(row, marks, [other.worker_id for other in crews[row.worker_id]])
            for day in days:
                if (row.worker_id, day) not in evidence.aside and (why := worker.why(day, evidence)):
                    found.append(worker.candidate(day, why, group.company))
    return found


def _crews(group: Group) -> Mapping[str, Sequence[Row]]:
    """Worker → the others whose presence says something about his: same 職種 of the company, else the company."""
    crews: dict[str, Sequence[Row]] = {}
    for row in group.rows:
        others = [other for other in group.rows if other.worker_id != row.worker_id]
        same = [other for other in others if other.occupation and other.occupation == row.occupation]
        crews[row.worker_id] = same if len(same) >= CREW_LEAST else others
    return crews


class _Worker:
    def __init__(self, row: Row, marks: Marks, crew: Sequence[str]) -> None:
        self.row = row
        self._mine = marks.get(row.worker_id, {})
        self._crew = [marks.get(worker_id, {}) for worker_id in crew]
        self._here = sorted(day for day, mark in self._mine.items() if mark.counts)
        self._ordinals = [date.fromisoformat(day).toordinal() for day in self._here]
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
        if (here := self._crew_here(day, number)) is not None:
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

    def _crew_here(self, day: str, number: int) -> int | None:
        """How many of his crew were here, if that says that he probably was too."""
        here = sum(1 for marks in self._crew if day in marks and marks[day].counts)
        if here < CREW_LEAST:
            return None
        week = [date.fromordinal(number + n).isoformat() for n in range(-WEEK_DAYS, WEEK_DAYS + 1)]
        working = sum(1 for marks in self._crew if any(d in marks and marks[d].counts for d in week))
        return here if here >= CREW_SHARE * working else None

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
