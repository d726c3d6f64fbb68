"""The 元請's word taken back: a correction (`void`) of an approval, so that the entry waits again. Pure.

The contract leaves it to approvers and administrators (docs/contract.md). Here everybody undoes his own word alone, and
only while another can still be given: after the deadline the entry would wait for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.domain.direct_entry import deadline
from app.domain.events import Draft, EventType
from app.domain.roster import Roster
from app.domain.work_records import StandingEntry
from app.office.deadlines import waiting_of
from app.office.entries import LONGEST_REASON, Desk
from app.office.shapes import EntryProblem, Waiting
from app.store.facts import UNSENT


@dataclass(frozen=True, slots=True)
class Decision:
    """A word that who is signed in has given on an entry, and that still holds."""

    approval_id: str
    entry: Waiting
    """The entry as it stood in the queue."""
    approved: bool
    reason: str
    at: datetime
    unsent: bool
    """The word has not reached the centre."""


def decisions(entries: Iterable[StandingEntry], roster: Roster, today: date, operator_id: str) -> list[Decision]:
    """Those that he may still take back, the latest first."""
    found = []
    for entry in entries:
        said = entry.approval
        if said is None or said.payload.get("by") != operator_id or _is_over(entry, today):
            continue
        found.append(
            Decision(
                said.id,
                waiting_of(entry, roster, today, operator_id),
                bool(entry.approved),
                str(said.payload.get("reason") or ""),
                datetime.fromisoformat(said.occurred_at),
                said.receipt >= UNSENT,
            )
        )
    return sorted(found, key=lambda one: (one.at, one.approval_id), reverse=True)


def undo_drafts(
    desk: Desk, entries: Iterable[StandingEntry], ids: Sequence[str], reason: str
) -> list[Draft] | list[EntryProblem]:
    """Corrections that take these words back, or everything that is wrong with it. `ids`: of approvals."""
    by_id = {entry.approval.id: entry for entry in entries if entry.approval is not None}
    problems: list[EntryProblem] = []
    drafts: list[Draft] = []
    for id_ in dict.fromkeys(ids):
        entry = by_id.get(id_)
        if code := _wrong(desk, entry, reason):
            payload = entry.payload if entry else {}
            problems.append(EntryProblem(str(payload.get("worker_id", "")), str(payload.get("work_day", "")), code))
            continue
        payload = {"target": id_, "op": "void", "reason": reason.strip(), "by": desk.operator_id}
        drafts.append(desk.draft(EventType.CORRECTION, payload))
    return problems or drafts


def _wrong(desk: Desk, entry: StandingEntry | None, reason: str) -> str:
    if entry is None or entry.approval is None:
        return "decision.gone"
    if entry.approval.payload.get("by") != desk.operator_id:
        return "decision.not_own"
    if _is_over(entry, desk.calendar_day):
        return "decision.too_late"
    return "" if 1 <= len(reason.strip()) <= LONGEST_REASON else "decision.no_reason"


def _is_over(entry: StandingEntry, today: date) -> bool:
    return today > deadline(date.fromisoformat(str(entry.payload["work_day"])))
