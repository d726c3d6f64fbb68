"""遡及修正: company, 職種 and 立場 that a record lacks, filled in from the 施工体制 for up to two months back. Pure.

Not to be mixed up with the deadline of direct entry: a different rule with a different span (domain facts, S21).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from app.domain.events import Draft, EventType
from app.domain.roster import Assignment, Roster
from app.domain.work_records import WorkRecord
from app.office.calendar import months_later
from app.office.entries import Desk
from app.office.shapes import Backfill

MONTHS_BACK = 2
REASON = "backfill"


def may_lack(people: Iterable[str], roster: Roster, days: Sequence[str]) -> set[str]:
    """Those whose record of one of these days may lack something: whose assignment then does not say everything."""

    def says_all(worker_id: str, day: str) -> bool:
        held = roster.assignment(worker_id, day)
        return held is not None and bool(held.company_id and held.occupation and held.role)

    return {worker_id for worker_id in people if not all(says_all(worker_id, day) for day in days)}


def preview(records: Iterable[WorkRecord], roster: Roster, today: date) -> list[Backfill]:
    """Records with something missing, by day and worker; those that cannot be filled in say why."""
    found = []
    for record in records:
        if record.company_id and record.occupation and record.role:
            continue
        worker = roster.workers.get(record.worker_id)
        assigned = _nearest(roster, record.worker_id, record.work_day)
        company = None if record.company_id else getattr(assigned, "company_id", None)
        occupation = None if record.occupation else getattr(assigned, "occupation", None)
        role = None if record.role else getattr(assigned, "role", None)
        note = ""
        if record.work_day[:7] < months_later(f"{today:%Y-%m}", -MONTHS_BACK):
            note = "backfill.too_old"
        elif not (company or occupation or role):
            note = "backfill.no_assignment" if assigned is None else "backfill.no_detail"
        name = worker.name if worker else record.worker_id
        found.append(
            Backfill(
                record.worker_id,
                name,
                record.work_day,
                record.events[-1],
                company,
                occupation,
                role,
                note,
                _names(roster, company, occupation, role),
                tuple(
                    name.removesuffix("_id")
                    for name in ("company_id", "occupation", "role")
                    if not getattr(record, name)
                ),
            )
        )
    return found


def _names(roster: Roster, company: str | None, occupation: str | None, role: str | None) -> tuple[str, str, str]:
    firm, job, place = roster.companies.get(company or ""), roster.occupations.get(occupation or ""), role or ""
    known = roster.roles.get(place)
    return (
        (firm.short_name or firm.name) if firm else company or "",
        job.name if job else occupation or "",
        known.name if known else place,
    )


def _nearest(roster: Roster, worker_id: str, day: str) -> Assignment | None:
    """The assignment that holds that day, else the first that begins after it: the one that was entered too late."""
    holding = roster.assignment(worker_id, day)
    if holding is not None:
        return holding
    later = [a for a in roster.assignments.values() if a.worker_id == worker_id and (a.starts_on or "") > day]
    return min(later, key=lambda a: (a.starts_on or "", a.id), default=None)


def drafts(desk: Desk, found: Iterable[Backfill], event_ids: Sequence[str]) -> list[Draft]:
    """Corrections for those of the preview that were chosen and can be filled in."""
    chosen = set(event_ids)
    return [
        desk.draft(EventType.CORRECTION, _payload(desk, one))
        for one in found
        if one.event_id in chosen and not one.note
    ]


def _payload(desk: Desk, one: Backfill) -> dict[str, Any]:
    fields = {"company_id": one.company_id, "occupation": one.occupation, "role": one.role}
    return {
        "target": one.event_id,
        "op": "set",
        "fields": {name: value for name, value in fields.items() if value},
        "reason": REASON,
        "by": desk.operator_id,
    }
