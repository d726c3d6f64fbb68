"""The month's sheet: who stands on it, and what each day of each worker rests on. Office thread.

A mark says what the centre will say once everything has arrived: it comes from `work_records.derive` over what is known
here, and from the centre's own records where those rest on events that are not known here (another gate's touches).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from app.domain.assurance import Assurance, best
from app.domain.direct_entry import deadline
from app.domain.events import JST, EventType
from app.domain.roster import Assignment, Roster, Worker
from app.domain.site import Site
from app.domain.work_records import Fact, StandingEntry, WorkRecord, derive, standing_entries
from app.office.calendar import days_of, last_day
from app.office.choices import choices_of
from app.office.shapes import Group, Mark, MarkKind, Marks, Month, Row
from app.store.events import EventLog
from app.store.facts import UNSENT
from app.store.office import OfficeBook
from app.store.roster import RosterStore

_KINDS = {
    Assurance.LOGGED: MarkKind.LOGGED,
    Assurance.DECLARED: MarkKind.DECLARED,
}
_DESCRIBING = (("company_id", "company"), ("occupation", "occupation"), ("role", "role"))
NO_COMPANY = ""


def sheet(roster: Roster, site: Site, month: str, today: date, recorded: Collection[str]) -> Month:
    """Columns and lines. `recorded`: workers with anything in the month, who stand on it even without an assignment."""
    first, last = f"{month}-01", last_day(month).isoformat()
    by_company: dict[str, list[Row]] = {}
    for worker in roster.workers.values():
        assigned = roster.assignment_within(worker.id, first, last)
        if assigned is None and worker.id not in recorded:
            continue
        company_id = (assigned.company_id if assigned else None) or NO_COMPANY
        by_company.setdefault(company_id, []).append(_row(worker, assigned, roster))
    for worker_id in sorted(set(recorded) - set(roster.workers)):
        by_company.setdefault(NO_COMPANY, []).append(_row(Worker(worker_id, worker_id), None, roster))
    groups = [_group(company_id, rows, roster) for company_id, rows in by_company.items()]
    groups.sort(key=lambda g: (99 if g.tier is None else g.tier, g.company_id == NO_COMPANY, g.company, g.company_id))
    return Month(month, site.id, days_of(month, roster, today), tuple(groups), choices_of(roster))


def _row(worker: Worker, assigned: Assignment | None, roster: Roster) -> Row:
    """`assigned`: the last assignment that holds on some day of the month."""
    place = assigned or Assignment("", worker.id)
    job, role = roster.occupations.get(place.occupation or ""), roster.roles.get(place.role or "")
    return Row(
        worker.id,
        worker.name,
        worker.kana,
        place.company_id or NO_COMPANY,
        job.name if job else place.occupation or "",
        role.name if role else place.role or "",
        worker.kentaikyo_member,
        place.starts_on or "",
        place.ends_on or "",
    )


def _group(company_id: str, rows: list[Row], roster: Roster) -> Group:
    company = roster.companies.get(company_id)
    return Group(
        company_id,
        (company.short_name or company.name) if company else company_id,
        roster.tier(company_id) if company else None,
        company.registered if company else company_id == NO_COMPANY,
        tuple(sorted(rows, key=lambda row: (row.kana or row.name, row.worker_id))),
    )


@dataclass(frozen=True, slots=True)
class Books:
    """Where a month is read from."""

    events: EventLog
    rosters: RosterStore
    office: OfficeBook


def marks(books: Books, roster: Roster, site: Site, month: str, worker_ids: Sequence[str], today: date) -> Marks:
    """What each day of these workers rests on; days with nothing are left out. Raises StorageTrouble."""
    facts = books.events.workers_facts(worker_ids, month, site.id)
    wanted = set(worker_ids)
    found: dict[str, dict[str, Mark]] = {worker_id: {} for worker_id in worker_ids}
    by_id = {fact.id: fact for fact in facts}
    entries: dict[tuple[str, str], StandingEntry] = {}
    for entry in standing_entries(facts):
        entries[str(entry.payload.get("worker_id")), str(entry.payload.get("work_day"))] = entry
    said = _answers(facts)
    records = {
        (r.worker_id, r.work_day): _local(r, by_id)
        for r in derive(facts, roster)
        if r.worker_id in wanted and r.work_day[:7] == month and r.site_id == site.id
    }
    for centre in books.rosters.centre_records(site.id, month, worker_ids):
        key = (str(centre["worker_id"]), str(centre["work_day"]))
        if not set(centre.get("events") or ()) <= by_id.keys():
            records[key] = _merged(records.get(key), centre)
    for key, mark in records.items():
        found[key[0]][key[1]] = _with_entry(mark, entries.get(key), said, today)
    for (worker_id, day), entry in entries.items():
        if worker_id in wanted and day[:7] == month and day not in found[worker_id]:
            found[worker_id][day] = _entry_alone(entry, said, today)
    for worker_id, day, event_id, code in books.office.not_taken(worker_ids, month, site.id):
        if day not in found[worker_id]:
            found[worker_id][day] = Mark(MarkKind.NOT_TAKEN, entry_id=event_id, answer=code)
    return found


def _local(record: WorkRecord, facts: Mapping[str, Fact]) -> Mark:
    resting = [facts[id_] for id_ in record.events if id_ in facts]
    missing = tuple(word for name, word in _DESCRIBING if not getattr(record, name))
    return Mark(
        _kind(record.assurance, resting),
        record.assurance,
        hhmm(record.first_in),
        hhmm(record.last_out),
        len(record.events),
        missing,
        any(fact.receipt >= UNSENT for fact in resting),
    )


def _kind(assurance: Assurance, resting: Iterable[Fact]) -> MarkKind:
    if assurance is Assurance.DECLARED and all(fact.type == EventType.ENTRY for fact in resting):
        return MarkKind.ENTERED
    return _KINDS.get(assurance, MarkKind.TOUCH)


def _merged(local: Mark | None, centre: Mapping[str, Any]) -> Mark:
    """The centre's record rests on more than is known here; what is known here may not have reached it."""
    try:
        assurance = Assurance(str(centre.get("assurance")))
    except ValueError:  # a newer centre's
        assurance = Assurance.DECLARED
    missing = tuple(word for name, word in _DESCRIBING if not centre.get(name))
    first, last = hhmm(centre.get("first_in")), hhmm(centre.get("last_out"))
    count = len(centre.get("events") or ())
    kind = _KINDS.get(assurance, MarkKind.TOUCH)
    if local is None or local.assurance is None:
        return Mark(kind, assurance, first, last, count, missing)
    strongest = best((assurance, local.assurance))
    return Mark(
        kind if strongest is assurance else local.kind,
        strongest,
        min(filter(None, (first, local.first_in)), default=None),
        max(filter(None, (last, local.last_out)), default=None),
        max(count, local.touches),
        tuple(word for word in missing if word in local.missing),
        local.unsent,
    )


def _answers(facts: Iterable[Fact]) -> Mapping[str, Fact]:
    """Entry → the 元請's last word on it."""
    approvals = sorted((f for f in facts if f.type == EventType.APPROVAL), key=lambda fact: (fact.receipt, fact.id))
    return {str(fact.payload.get("entry")): fact for fact in approvals}


def _with_entry(mark: Mark, entry: StandingEntry | None, said: Mapping[str, Fact], today: date) -> Mark:
    """A record, and an entry of the same day (about a time that lacks, or approved and part of it)."""
    if entry is None:
        return mark
    alone = _entry_alone(entry, said, today)
    return replace(
        mark,
        unsent=mark.unsent or alone.unsent,
        entry_id=alone.entry_id,
        waits=alone.waits,
        reason=alone.reason,
        answer=alone.answer,
        overdue=alone.overdue,
    )


def _entry_alone(entry: StandingEntry, said: Mapping[str, Fact], today: date) -> Mark:
    waits, payload, answer = entry.approved is None, entry.payload, said.get(entry.fact.id)
    return Mark(
        MarkKind.REFUSED if entry.approved is False else MarkKind.WAITING,
        first_in=hhmm(payload.get("in_at")),
        last_out=hhmm(payload.get("out_at")),
        unsent=max(entry.fact.receipt, answer.receipt if answer else 0) >= UNSENT,
        entry_id=entry.fact.id,
        waits=waits,
        reason=str(payload.get("reason") or ""),
        answer=str(answer.payload.get("reason") or "") if answer and entry.approved is False else "",
        overdue=waits and today > deadline(date.fromisoformat(str(payload["work_day"]))),
    )


def hhmm(moment: object) -> str | None:
    """RFC 3339 → 'HH:MM' in Japan; None for anything else."""
    if not isinstance(moment, str):
        return None
    try:
        return f"{datetime.fromisoformat(moment).astimezone(JST):%H:%M}"
    except ValueError:
        return None
