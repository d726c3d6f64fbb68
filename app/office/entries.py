"""Direct entry (直接入力) and the 元請's word on it: what may be stored, and the events that are. Pure.

The same rules as the centre's (`app.central.permission`), asked here so that a person hears at once what the centre
would say; the centre decides with its own clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from app.domain.direct_entry import deadline
from app.domain.events import JST, Draft, EventType, rfc3339
from app.domain.roster import Roster
from app.domain.site import Site
from app.domain.work_records import StandingEntry
from app.office.shapes import EntryProblem, EntryWanted, Mark, Marks

NewId = Callable[[], str]
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Desk:
    """Who stores, where, when. `now`: the PC's, aware; `calendar_day`: Japan's, by the centre's clock if known."""

    site: Site
    roster: Roster
    operator_id: str
    now: datetime
    calendar_day: date
    new_id: NewId

    @property
    def today(self) -> date:
        """The site's work day now."""
        return self.site.work_day(self.now)

    def draft(self, kind: EventType, payload: Mapping[str, Any]) -> Draft:
        """An event made now."""
        stamp = rfc3339(self.now)
        return Draft(self.new_id(), kind, self.site.id, stamp, stamp, payload)


def entry_drafts(desk: Desk, wanted: Sequence[EntryWanted], marks: Marks) -> list[Draft] | list[EntryProblem]:
    """The events of these entries, or everything that is wrong with them. `marks`: of their workers and months."""
    problems: list[EntryProblem] = []
    drafts: list[Draft] = []
    seen: set[tuple[str, str]] = set()
    for one in wanted:
        code, values = _wrong(desk, one, marks.get(one.worker_id, {}).get(one.day))
        if (one.worker_id, one.day) in seen:
            code = "entry.twice"
        seen.add((one.worker_id, one.day))
        if code:
            problems.append(EntryProblem(one.worker_id, one.day, code, values))
        else:
            drafts.append(desk.draft(EventType.ENTRY, _payload(desk, one)))
    return problems or drafts


def _wrong(desk: Desk, one: EntryWanted, mark: Mark | None) -> tuple[str, Mapping[str, str]]:
    """Message code and values; '' when it may be stored."""
    if one.worker_id not in desk.roster.workers:
        return "entry.unknown_worker", {}
    try:
        day = date.fromisoformat(one.day)
    except ValueError:
        return "entry.bad_day", {"day": one.day}
    if day > desk.today:
        return "entry.future", {}
    if desk.calendar_day > deadline(day):
        return "entry.too_late", {"until": deadline(day).isoformat()}
    if (desk.site.opens_on or "") > one.day or one.day > (desk.site.closes_on or "9999"):
        return "entry.outside_site", {"from": desk.site.opens_on or "", "until": desk.site.closes_on or ""}
    if not one.reason.strip() or len(one.reason) > LONGEST_REASON:
        return "entry.no_reason", {"most": str(LONGEST_REASON)}
    for text in (one.in_at, one.out_at):
        if text is not None and _time(text) is None:
            return "entry.bad_time", {"time": text}
    if mark is not None and (code := _taken(one, mark)):
        return code, {}
    for name, value in _described(desk, one).items():
        if not value:
            return f"entry.no_{name.removesuffix('_id')}", {}
    return "", {}


def _taken(one: EntryWanted, mark: Mark) -> str:
    """A day that has a record takes an entry only for the time that it lacks."""
    if mark.counts:
        if mark.waits:
            return "entry.waits_already"
        adds = (one.in_at and not mark.first_in) or (one.out_at and not mark.last_out)
        again = (one.in_at and mark.first_in) or (one.out_at and mark.last_out)
        return "" if adds and not again else "entry.has_record"
    return "entry.waits_already" if mark.kind.value == "waiting" else ""


def _described(desk: Desk, one: EntryWanted) -> dict[str, str | None]:
    assigned = desk.roster.assignment(one.worker_id, one.day)
    return {name: getattr(one, name) or getattr(assigned, name, None) for name in ("company_id", "occupation", "role")}


def _payload(desk: Desk, one: EntryWanted) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "worker_id": one.worker_id,
        "work_day": one.day,
        "reason": one.reason.strip(),
        "entered_by": desk.operator_id,
        **_described(desk, one),
    }
    start = _moment(desk.site, one.day, one.in_at)
    end = _moment(desk.site, one.day, one.out_at)
    if start and end and end < start:  # over midnight
        end += timedelta(days=1)
    for name, moment in (("in_at", start), ("out_at", end)):
        if moment is not None:
            payload[name] = rfc3339(moment)
    return payload


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if len(text) == 5 else None
    except ValueError:
        return None


def _moment(site: Site, day: str, text: str | None) -> datetime | None:
    """A time of a work day; before the day-change time it is of the next calendar day."""
    at = _time(text) if text else None
    if at is None:
        return None
    moment = datetime.combine(date.fromisoformat(day), at, tzinfo=JST)
    start, _ = site.day_bounds(date.fromisoformat(day))
    return moment if moment >= start else moment + timedelta(days=1)


def approval_drafts(
    desk: Desk, entries: Iterable[StandingEntry], ids: Sequence[str], approved: bool, reason: str
) -> list[Draft] | list[EntryProblem]:
    """The 元請's word on these entries, or everything that is wrong with it."""
    by_id = {entry.fact.id: entry for entry in entries}
    problems: list[EntryProblem] = []
    drafts: list[Draft] = []
    for id_ in dict.fromkeys(ids):
        entry = by_id.get(id_)
        code = "approval.unknown" if entry is None else _undecidable(desk, entry, approved, reason)
        if code:
            payload = entry.payload if entry else {}
            problems.append(EntryProblem(str(payload.get("worker_id", "")), str(payload.get("work_day", "")), code))
            continue
        said: dict[str, Any] = {
            "entry": id_,
            "decision": "approved" if approved else "refused",
            "by": desk.operator_id,
        }
        if reason.strip():
            said["reason"] = reason.strip()
        drafts.append(desk.draft(EventType.APPROVAL, said))
    return problems or drafts


def _undecidable(desk: Desk, entry: StandingEntry, approved: bool, reason: str) -> str:
    if entry.approved is not None:
        return "approval.decided"
    if desk.calendar_day > deadline(date.fromisoformat(str(entry.payload["work_day"]))):
        return "approval.too_late"
    if approved and not desk.site.self_approval:
        if is_own(desk.roster, desk.operator_id, entry):
            return "approval.own"
        if is_own_day(desk.roster, desk.operator_id, entry):
            return "approval.own_day"
    if approved and str(entry.payload["work_day"]) > desk.calendar_day.isoformat():
        return "approval.too_early"
    if (not approved and not reason.strip()) or len(reason) > LONGEST_REASON:
        return "approval.no_reason"
    return ""


def is_own(roster: Roster, operator_id: str, entry: StandingEntry) -> bool:
    """Whether the operator entered it himself: under this id, or under another of the same person."""
    author = str(entry.payload.get("entered_by", ""))
    if author == operator_id:
        return True
    one, other = roster.operators.get(author), roster.operators.get(operator_id)
    return bool(one and other and one.worker_id and one.worker_id == other.worker_id)


def is_own_day(roster: Roster, operator_id: str, entry: StandingEntry) -> bool:
    """Whether it is the operator's own day, whoever entered it."""
    operator = roster.operators.get(operator_id)
    return bool(operator and operator.worker_id and operator.worker_id == entry.payload.get("worker_id"))


def void_drafts(desk: Desk, entries: Iterable[StandingEntry], ids: Sequence[str], reason: str) -> list[Draft]:
    """Corrections that take undecided entries out; ids that are not among `entries` are passed over."""
    known = {entry.fact.id for entry in entries if entry.approved is None}
    return [
        desk.draft(
            EventType.CORRECTION,
            {"target": id_, "op": "void", "reason": reason.strip() or "entered_by_mistake", "by": desk.operator_id},
        )
        for id_ in dict.fromkeys(ids)
        if id_ in known
    ]
