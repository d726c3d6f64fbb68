"""The board of deadlines and the approver's queue: what must be done by when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from app.domain.direct_entry import deadline
from app.domain.roster import Roster
from app.domain.work_records import StandingEntry
from app.office.calendar import last_day
from app.office.entries import is_own, is_own_day
from app.office.month import hhmm
from app.office.shapes import Deadline, Waiting
from app.store.facts import UNSENT

REMIND_DAYS = 7
AMBER_DAYS = 3


def board(month: str, today: date, waiting: int, unsent: int, candidates: int | None = None) -> Deadline:
    """One line of the board. `today`: Japan's calendar day."""
    until = deadline(last_day(month))
    left = (until - today).days
    level = "past" if left < 0 else "amber" if left <= AMBER_DAYS else "remind" if left <= REMIND_DAYS else "calm"
    return Deadline(month, until.isoformat(), left, candidates, waiting, unsent, level)


def queue(entries: Iterable[StandingEntry], roster: Roster, today: date, operator_id: str) -> list[Waiting]:
    """Entries without the 元請's word, the nearest deadline first, then by company, name and day."""
    found = [waiting_of(e, roster, today, operator_id) for e in entries if e.approved is None]
    return sorted(found, key=lambda w: (w.days_left, w.company, w.name, w.day))


def waiting_of(entry: StandingEntry, roster: Roster, today: date, operator_id: str) -> Waiting:
    """An entry as a line of the queue."""
    said = {name: str(value) for name, value in entry.payload.items() if isinstance(value, str)}
    worker, company = roster.workers.get(said.get("worker_id", "")), roster.companies.get(said.get("company_id", ""))
    job, role = roster.occupations.get(said.get("occupation", "")), roster.roles.get(said.get("role", ""))
    author = said.get("entered_by", "")
    operator = roster.operators.get(author)
    return Waiting(
        entry_id=entry.fact.id,
        worker_id=said.get("worker_id", ""),
        name=worker.name if worker else said.get("worker_id", ""),
        company=(company.short_name or company.name) if company else said.get("company_id", ""),
        day=said.get("work_day", ""),
        in_at=hhmm(said.get("in_at")),
        out_at=hhmm(said.get("out_at")),
        occupation=job.name if job else said.get("occupation", ""),
        role=role.name if role else said.get("role", ""),
        reason=said.get("reason", ""),
        entered_by=operator.name if operator else author,
        entered_at=datetime.fromisoformat(entry.fact.occurred_at),
        days_left=(deadline(date.fromisoformat(said["work_day"])) - today).days,
        own=is_own(roster, operator_id, entry) or is_own_day(roster, operator_id, entry),
        unsent=entry.fact.receipt >= UNSENT,
    )
