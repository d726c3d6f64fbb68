"""The gate's right-hand side: the last touches, who is here by company, and names to look up. Gate thread alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from app.domain.kana import folded
from app.domain.outbox import OutboxState
from app.domain.roster import Roster
from app.domain.site import Site
from app.domain.verdict import Outcome
from app.gate.news import CompanyCount, Delivery, Today, TouchLine, WorkerHit
from app.store.events import EventLog
from app.store.rows import TodayRow

MOST_HITS = 30
_DELIVERY = {
    OutboxState.WAITING: Delivery.WAITING,
    OutboxState.ACCEPTED: Delivery.SENT,
    OutboxState.REJECTED: Delivery.NEEDS_LOOK,
    OutboxState.CONFLICT: Delivery.NEEDS_LOOK,
}


def today(log: EventLog, roster: Roster, site: Site, day: date, lines: int) -> Today:
    """Read the work day from the store. `lines`: how many touches to list at most."""
    stored = log.today(site.id, day.isoformat(), lines)
    return Today(
        work_day=day.isoformat(),
        lines=tuple(_line(row, roster) for row in stored.rows),
        companies=_companies(stored.present, stored.headcounts, roster, day),
        present=len(stored.present),
    )


def _line(row: TodayRow, roster: Roster) -> TouchLine:
    worker = roster.workers.get(row.worker_id) if row.worker_id else None
    return TouchLine(
        id=row.id,
        at=row.at,
        name=worker.name if worker and row.outcome is not Outcome.REFUSED else "",
        outcome=row.outcome,
        direction=row.direction,
        delivery=_DELIVERY[row.state],
        entered=row.entered,
    )


def _companies(
    present: frozenset[str], headcounts: Mapping[str, int], roster: Roster, day: date
) -> tuple[CompanyCount, ...]:
    on_roster: dict[str, int] = {}
    here: dict[str, int] = {}
    for worker_id in roster.workers:
        assigned = roster.assignment(worker_id, day)
        company_id = assigned.company_id if assigned else None
        if company_id is None or company_id not in roster.companies:
            continue
        on_roster[company_id] = on_roster.get(company_id, 0) + 1
        if worker_id in present:
            here[company_id] = here.get(company_id, 0) + 1
    counts = [
        CompanyCount(
            company_id=id_,
            company=roster.companies[id_].short_name or roster.companies[id_].name,
            present=here.get(id_, 0),
            on_roster=number,
            headcount=headcounts.get(id_),
        )
        for id_, number in on_roster.items()
    ]
    return tuple(sorted(counts, key=lambda c: (-c.present, -c.on_roster, c.company)))


def search(roster: Roster, text: str, day: date) -> list[WorkerHit]:
    """Workers whose kana, name or latin name starts with `text` (then: holds it), by kana."""
    wanted = folded(text)
    if not wanted:
        return []
    starts: list[WorkerHit] = []
    holds: list[WorkerHit] = []
    for worker in roster.workers.values():
        forms = [folded(form) for form in (worker.kana, worker.name, worker.name_latin) if form]
        found = (
            starts
            if any(form.startswith(wanted) for form in forms)
            else holds
            if any(wanted in form for form in forms)
            else None
        )
        if found is None:
            continue
        assigned = roster.assignment(worker.id, day)
        company = roster.companies.get(assigned.company_id or "") if assigned else None
        found.append(
            WorkerHit(worker.id, worker.name, worker.kana, (company.short_name or company.name) if company else "")
        )
    starts.sort(key=lambda hit: (hit.kana, hit.worker_id))
    holds.sort(key=lambda hit: (hit.kana, hit.worker_id))
    return (starts + holds)[:MOST_HITS]
