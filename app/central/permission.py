"""May this station and this operator say this? The rules that need the database, judged event by event in order.

Everything is judged by the centre's roster and clock at the moment of receipt: an event that is refused today may be
accepted when it is sent again after the roster was mended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import Connection, select

from app.central import schema as t
from app.central.event_shapes import as_event
from app.central.roster_changes import CHANGEABLE, ChangeRefused, changed
from app.central.roster_items import Fields, Key, load_fields
from app.central.sets import any_of
from app.central.sites import SiteNumbers
from app.domain.events import JST, Event, EventType

GATE = "gate"
"""`entered_by` and `by` of the gate's own buttons, which nobody logs in for."""
GATE_MAY = frozenset({EventType.ENTRY.value, EventType.HEADCOUNT.value})
_STAFF = frozenset({"foreman", "approver", "office", "administrator"})
ALLOWED: Mapping[str, frozenset[str]] = {
    EventType.ENTRY.value: frozenset({"gate", "foreman", "office", "administrator"}),
    EventType.APPROVAL.value: frozenset({"approver", "administrator"}),
    EventType.CORRECTION.value: _STAFF,
    EventType.CARD_BINDING.value: _STAFF,
    EventType.ROSTER_CHANGE.value: _STAFF,
    EventType.HEADCOUNT.value: _STAFF | {"gate"},
}
"""Roles that may say each; types that are not here need no operator."""

Refusal = tuple[str, str]
"""Code and detail of a `rejected`."""


def last_day(work_day: date) -> date:
    """Deadline of direct entry and its approval: the end of the month after the work day."""
    months = work_day.year * 12 + work_day.month - 1 + 2
    first_after = date(months // 12, months % 12 + 1, 1)
    return date.fromordinal(first_after.toordinal() - 1)


class Judge:
    """What the database knows about the events of one batch; `refusal` is called once each, in their order.

    Lives inside one transaction in which the sites are locked.
    """

    def __init__(
        self,
        tx: Connection,
        events: Collection[Event],
        allowed_sites: Collection[str],
        sites: Mapping[str, SiteNumbers],
        now: datetime,
    ) -> None:
        self._allowed = frozenset(allowed_sites)
        self._sites = sites
        self._today = now.astimezone(JST).date()
        acting = [e for e in events if e.type in ALLOWED and e.site_id in sites]
        self._operators = _operators(tx, acting)
        self._events = {e.id: e for e in _named(tx, acting)}
        self._approvals = _approvals_of(tx, [e for e in acting if e.type == EventType.ENTRY])
        self._roster = _items(tx, [e for e in acting if e.type == EventType.ROSTER_CHANGE])
        self.changed: dict[str, dict[Key, Fields | None]] = {}
        """Roster items as the accepted roster changes leave them, by site; None: taken out."""

    def refusal(self, event: Event) -> Refusal | None:
        """Why the event is refused; None accepts it (and lets later ones of the batch see it)."""
        if event.site_id not in self._allowed or event.site_id not in self._sites:
            return "site_not_allowed", f"$.site_id: {event.site_id} is not a site of this station"
        found = self._operator(event) or self._by_type(event)
        if found is None:
            self._events[event.id] = event
            if event.type == EventType.APPROVAL:
                self._approvals.setdefault(str(event.payload["entry"]), []).append(event)
        return found

    def _operator(self, event: Event) -> Refusal | None:
        roles = ALLOWED.get(event.type)
        if roles is None:
            return None
        name = "entered_by" if event.type == EventType.ENTRY else "by"
        who = str(event.payload[name])
        if who == GATE and event.type in GATE_MAY:
            return None
        operator = self._operators.get((event.site_id, who))
        if operator is None:
            return "operator_not_allowed", f"$.payload.{name}: no operator {who!r} at this site"
        if roles.isdisjoint(operator.get("roles", ())):
            return "operator_not_allowed", f"$.payload.{name}: {who!r} needs one of {', '.join(sorted(roles))}"
        return None

    def _by_type(self, event: Event) -> Refusal | None:
        if event.type == EventType.ENTRY:
            approvals = [a for a in self._approvals.get(event.id, ()) if a.site_id == event.site_id]
            own = [self._self_approved(event, approval) for approval in approvals]
            return self._too_late(event) or next((refusal for refusal in own if refusal), None)
        if event.type == EventType.APPROVAL:
            entry = self._events.get(str(event.payload["entry"]))
            if entry is None:
                return None
            if entry.site_id != event.site_id or entry.type != EventType.ENTRY:
                return "malformed", "$.payload.entry: no direct entry of this site"
            return self._too_late(entry) or self._self_approved(entry, event)
        if event.type == EventType.CORRECTION:
            target = self._events.get(str(event.payload["target"]))
            if target is not None and target.site_id != event.site_id:
                return "site_not_allowed", "$.payload.target: an event of another site"
        if event.type == EventType.ROSTER_CHANGE:
            return self._roster_change(event)
        return None

    def _too_late(self, entry: Event) -> Refusal | None:
        until = last_day(date.fromisoformat(str(entry.payload["work_day"])))
        if self._today <= until:
            return None
        return "too_late", f"work day {entry.payload['work_day']}: entry and approval were due by {until}"

    def _self_approved(self, entry: Event, approval: Event) -> Refusal | None:
        same = entry.payload["entered_by"] == approval.payload["by"]
        if not same or approval.payload["decision"] != "approved":
            return None
        if self._sites[approval.site_id].site.self_approval:
            return None
        return "self_approval", f"{approval.payload['by']!r} entered it too"

    def _roster_change(self, event: Event) -> Refusal | None:
        key = (str(event.payload["kind"]), str(event.payload["key"]))
        here = self.changed.setdefault(event.site_id, {})
        held = here[key] if key in here else self._roster.get((event.site_id, *key))
        try:
            here[key] = changed(event.payload, held)
        except ChangeRefused as exc:
            return "malformed", str(exc)
        return None


def _operators(tx: Connection, events: Iterable[Event]) -> dict[tuple[str, str], Fields]:
    wanted: dict[str, set[str]] = {}
    for event in events:
        who = event.payload.get("entered_by") if event.type == EventType.ENTRY else event.payload.get("by")
        wanted.setdefault(event.site_id, set()).add(str(who))
    return {
        (site_id, operator_id): values
        for site_id, ids in wanted.items()
        for operator_id, values in load_fields(tx, site_id, "operator", ids).items()
    }


def _named(tx: Connection, events: Iterable[Event]) -> list[Event]:
    """Events that approvals and corrections name."""
    ids = {str(e.payload["entry"]) for e in events if e.type == EventType.APPROVAL}
    ids |= {str(e.payload["target"]) for e in events if e.type == EventType.CORRECTION}
    if not ids:
        return []
    return [
        as_event(body) for body in tx.execute(select(t.event.c.body).where(any_of(tx, t.event.c.id, ids))).scalars()
    ]


def _approvals_of(tx: Connection, entries: Collection[Event]) -> dict[str, list[Event]]:
    """Approvals that came before their entry."""
    if not entries:
        return {}
    rows = tx.execute(
        select(t.event.c.body).where(
            t.event.c.site_id.in_({e.site_id for e in entries}),
            t.event.c.type == EventType.APPROVAL.value,
            any_of(tx, t.event.c.subject, [e.id for e in entries]),
        )
    ).scalars()
    found: dict[str, list[Event]] = {}
    for body in rows:
        approval = as_event(body)
        found.setdefault(str(approval.payload["entry"]), []).append(approval)
    return found


def _items(tx: Connection, changes: Iterable[Event]) -> dict[tuple[str, str, str], Fields]:
    wanted: dict[Key, set[str]] = {}
    for event in changes:
        if event.payload["kind"] in CHANGEABLE:
            wanted.setdefault((event.site_id, str(event.payload["kind"])), set()).add(str(event.payload["key"]))
    return {
        (site_id, kind, item_id): values
        for (site_id, kind), ids in wanted.items()
        for item_id, values in load_fields(tx, site_id, kind, ids).items()
    }
