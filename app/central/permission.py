"""May this station and this operator say this? The rules that need the database, judged event by event in order.

Everything is judged by the centre's roster and clock at the moment of receipt: an event that is refused today may be
accepted when it is sent again after the roster was mended. The rules and their reasons: docs/contract.md, "Who may say
what".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from sqlalchemy import Connection

from app.central.permission_facts import Facts, who
from app.central.roster_changes import ChangeRefused, changed
from app.central.roster_items import Fields, Key
from app.central.roster_rules import REFERENCES, tree_misfits
from app.central.sites import SiteNumbers
from app.domain.direct_entry import deadline
from app.domain.events import JST, Event, EventType

GATE = "gate"
"""`entered_by` and `by` of the gate's own buttons, which nobody logs in for; and the role of a station at a gate."""
GATE_MAY = frozenset({EventType.ENTRY.value, EventType.HEADCOUNT.value})
_STAFF = frozenset({"foreman", "approver", "office", "administrator"})
_APPROVERS = frozenset({"approver", "administrator"})
ALLOWED: Mapping[str, frozenset[str]] = {
    EventType.ENTRY.value: frozenset({"gate", "foreman", "office", "administrator"}),
    EventType.APPROVAL.value: _APPROVERS,
    EventType.CORRECTION.value: _STAFF,
    EventType.CARD_BINDING.value: _STAFF,
    EventType.ROSTER_CHANGE.value: _STAFF,
    EventType.HEADCOUNT.value: _STAFF | {"gate"},
}
"""Roles that may say each, at an office; types that are not here need no operator."""
AT_A_GATE: Mapping[str, frozenset[str]] = {
    EventType.ENTRY.value: frozenset({"gate", "foreman"}),
    EventType.CORRECTION.value: frozenset({"foreman"}),
    EventType.CARD_BINDING.value: frozenset({"foreman"}),
    EventType.HEADCOUNT.value: frozenset({"gate", "foreman"}),
}
"""Roles in whose name a gate may say each. Nobody at a gate approves or changes the roster."""
BACKFILL_MONTHS = 2
"""遡及修正: company, 職種 and 立場 are filled in for so many months before this one."""
_DESCRIBING = frozenset({"company_id", "occupation", "role"})

Refusal = tuple[str, str]
"""Code and detail of a `rejected`."""


def backfill_from(today: date) -> str:
    """The first work day whose company, 職種 and 立場 may still be filled in, as YYYY-MM-DD."""
    months = today.year * 12 + today.month - 1 - BACKFILL_MONTHS
    return date(months // 12, months % 12 + 1, 1).isoformat()


class Judge:
    """Judges the events of one batch; `refusal` is called once each, in their order.

    Lives inside one transaction in which the sites are locked.
    """

    def __init__(
        self,
        tx: Connection,
        station_ids: Collection[str],
        role: str,
        events: Collection[Event],
        allowed_sites: Mapping[str, str | None],
        sites: Mapping[str, SiteNumbers],
        now: datetime,
    ) -> None:
        """`station_ids`: the station, and those whose restored file it goes on from; `role`: 'gate' or 'office'."""
        self._role = role
        self._allowed = allowed_sites
        self._sites = sites
        self._today = now.astimezone(JST).date()
        self._facts = Facts(tx, station_ids, [e for e in events if e.type in ALLOWED and e.site_id in sites])
        self.changed: dict[str, dict[Key, Fields | None]] = {}
        """Roster items as the accepted roster changes leave them, by site; None: taken out."""

    def refusal(self, event: Event) -> Refusal | None:
        """Why the event is refused; None accepts it (and lets later ones of the batch see it)."""
        found = self._place(event) or self._station(event) or self._operator(event) or self._by_type(event)
        if found is None:
            self._facts.add(event)
        return found

    def _place(self, event: Event) -> Refusal | None:
        site = event.site_id
        if site not in self._allowed or site not in self._sites:
            return "site_not_allowed", f"$.site_id: {site} is not a site of this station"
        until, closed = self._allowed[site], self._sites[site].closed_on
        if until and datetime.fromisoformat(event.occurred_at) > datetime.fromisoformat(until):
            return "site_not_allowed", f"$.site_id: {site} is no site of this station any more"
        day = event.payload.get("work_day", event.payload.get("day"))
        if closed and day and str(day) > closed:
            return "site_closed", f"$.payload: the site's last day was {closed}"
        return None

    def _station(self, event: Event) -> Refusal | None:
        if self._role == GATE and event.type in ALLOWED and event.type not in AT_A_GATE:
            return "station_not_allowed", f"$.type: {event.type} is for an office station to say, not for a gate"
        return None

    def _operator(self, event: Event) -> Refusal | None:
        roles = ALLOWED.get(event.type)
        if roles is None:
            return None
        name, by = "entered_by" if event.type == EventType.ENTRY else "by", who(event)
        if by == GATE and event.type in GATE_MAY:
            return None
        held = self._roles(event.site_id, str(by))
        if held is None:
            return "operator_not_allowed", f"$.payload.{name}: no operator {by!r} at this site"
        if roles.isdisjoint(held):
            return "operator_not_allowed", f"$.payload.{name}: {by!r} needs one of {', '.join(sorted(roles))}"
        if self._role == GATE and AT_A_GATE[event.type].isdisjoint(held):
            at_gate = ", ".join(sorted(AT_A_GATE[event.type]))
            return "station_not_allowed", f"$.payload.{name}: at a gate only {at_gate} may say this, not {by!r}"
        return None

    def _roles(self, site_id: str, operator_id: str) -> Collection[str] | None:
        operator = self._facts.operators.get((site_id, operator_id))
        return None if operator is None else operator.get("roles", ())

    def _by_type(self, event: Event) -> Refusal | None:
        match event.type:
            case EventType.ENTRY:
                return self._entry(event)
            case EventType.APPROVAL:
                return self._approval(event)
            case EventType.CORRECTION:
                return self._correction(event)
            case EventType.CARD_BINDING:
                return self._binding(event)
            case EventType.ROSTER_CHANGE:
                return self._roster_change(event)
        return None

    def _entry(self, entry: Event) -> Refusal | None:
        approvals = [a for a in self._facts.approvals.get(entry.id, ()) if a.site_id == entry.site_id]
        own = [self._too_early(entry, a) or self._self_approved(entry, a) for a in approvals]
        return self._too_late(entry) or next((refusal for refusal in own if refusal), None)

    def _approval(self, approval: Event) -> Refusal | None:
        entry = self._facts.events.get(str(approval.payload["entry"]))
        if entry is None:
            return None
        if entry.site_id != approval.site_id or entry.type != EventType.ENTRY:
            return "malformed", "$.payload.entry: no direct entry of this site"
        return self._too_late(entry) or self._too_early(entry, approval) or self._self_approved(entry, approval)

    def _correction(self, event: Event) -> Refusal | None:
        target = self._facts.events.get(str(event.payload["target"]))
        if target is not None and target.site_id != event.site_id:
            return "site_not_allowed", "$.payload.target: an event of another site"
        if self._role == GATE and (target is None or target.id not in self._facts.own):
            return "station_not_allowed", "$.payload.target: a gate corrects only what it has delivered itself"
        if target is not None and target.type == EventType.APPROVAL:
            held = self._roles(event.site_id, str(who(event))) or ()
            if _APPROVERS.isdisjoint(held):
                return "operator_not_allowed", "$.payload.target: an approval is for an approver to correct"
        return self._fields_in_time(event, target)

    def _fields_in_time(self, event: Event, target: Event | None) -> Refusal | None:
        if event.payload["op"] != "set":
            return None
        fields = event.payload["fields"]
        day = fields.get("work_day")
        if isinstance(day, str) and day > self._today.isoformat():
            return "too_early", f"$.payload.fields.work_day: {day} has not come yet"
        if target is None:
            return None
        if isinstance(day, str) and target.type == EventType.ENTRY and self._is_over(day):
            return "too_late", f"$.payload.fields.work_day: {day} could be entered until {_until(day)}"
        of = day if isinstance(day, str) else self._day(target)
        first = backfill_from(self._today)
        if of is not None and of < first and not _DESCRIBING.isdisjoint(fields):
            name = min(_DESCRIBING & fields.keys())
            return "too_late", f"$.payload.fields.{name}: of work days before {first} it stays as it is, this is {of}"
        return None

    def _binding(self, event: Event) -> Refusal | None:
        if self._role != GATE:
            return None
        key, worker = str(event.payload["card_key"]), event.payload["worker_id"]
        card = self._facts.roster.get((event.site_id, "card", key), {})
        others = {b.payload["worker_id"] for b in self._facts.bindings.get((event.site_id, key), ())}
        if {card.get("worker_id", worker), *others} - {worker}:
            return "station_not_allowed", "$.payload.card_key: it is somebody else's card; an office station moves it"
        return None

    def _day(self, event: Event) -> str | None:
        """The work day of a touch or entry as corrected so far."""
        said = event.payload.get("work_day")
        fixes = [c for c in self._facts.corrections.get(event.id, ()) if c.site_id == event.site_id]
        if fixes and fixes[-1].payload["op"] == "set":
            said = fixes[-1].payload["fields"].get("work_day", said)
        return said if isinstance(said, str) else None

    def _is_over(self, work_day: str) -> bool:
        return self._today > deadline(date.fromisoformat(work_day))

    def _too_late(self, entry: Event) -> Refusal | None:
        day = str(self._day(entry))
        return (
            ("too_late", f"work day {day}: entry and approval were due by {_until(day)}")
            if (self._is_over(day))
            else None
        )

    def _too_early(self, entry: Event, approval: Event) -> Refusal | None:
        day = str(self._day(entry))
        if approval.payload["decision"] != "approved" or day <= self._today.isoformat():
            return None
        return "too_early", f"work day {day}: nobody has worked on it yet"

    def _self_approved(self, entry: Event, approval: Event) -> Refusal | None:
        if approval.payload["decision"] != "approved" or self._sites[approval.site_id].site.self_approval:
            return None
        by, entered_by = str(who(approval)), str(who(entry))
        person, other = (self._person(approval.site_id, one) for one in (by, entered_by))
        if by == entered_by or (person is not None and person == other):
            return "self_approval", f"$.payload.by: {by!r} entered it too (as {entered_by!r})"
        if person is not None and person == entry.payload["worker_id"]:
            return "self_approval", f"$.payload.by: it is the own day of {by!r}"
        return None

    def _person(self, site_id: str, operator_id: str) -> str | None:
        """The worker that an operator is, where the roster says so."""
        worker = self._facts.operators.get((site_id, operator_id), {}).get("worker_id")
        return str(worker) if worker else None

    def _roster_change(self, event: Event) -> Refusal | None:
        key = (str(event.payload["kind"]), str(event.payload["key"]))
        try:
            item = changed(event.payload, self._item(event.site_id, *key))
        except ChangeRefused as exc:
            return "malformed", str(exc)
        misfit = self._misfit(event, item)
        if misfit is not None:
            return "bad_reference", f"$.payload.fields.{misfit}"[:300]
        self.changed.setdefault(event.site_id, {})[key] = item
        return None

    def _item(self, site_id: str, kind: str, item_id: str) -> Fields | None:
        """A roster item as the batch leaves it so far."""
        here = self.changed.get(site_id, {})
        return here[kind, item_id] if (kind, item_id) in here else self._facts.roster.get((site_id, kind, item_id))

    def _misfit(self, event: Event, item: Fields | None) -> str | None:
        """Field and reason why the changed item would not fit the roster around it."""
        kind, item_id, fields = str(event.payload["kind"]), str(event.payload["key"]), event.payload["fields"]
        for name, target in REFERENCES.get(kind, {}).items():
            wanted = item.get(name) if item is not None and name in fields else None
            itself = (target, wanted) == (kind, item_id)  # a circle, which is said below
            if wanted is not None and not itself and self._item(event.site_id, target, wanted) is None:
                return f"{name}: there is no {target} {wanted}"
        if kind != "contract":
            return None
        before = self._contracts(event.site_id)
        after = {**before, item_id: item} if item is not None else {k: v for k, v in before.items() if k != item_id}
        below = sorted(one for one, values in after.items() if values.get("parent_id") == item_id)
        if item is None and below:
            return f"deleted: contract {below[0]} is below it"
        # what was wrong before does not keep a site from mending it one by one
        for new in sorted(set(tree_misfits(after, {item_id})) - set(tree_misfits(before, {item_id}))):
            own = new.contract_id == item_id
            return f"{new.field}: {new.why}" if own else f"tier: contract {new.contract_id}: {new.why}"
        return None

    def _contracts(self, site_id: str) -> dict[str, Fields]:
        held = {i: v for (site, kind, i), v in self._facts.roster.items() if (site, kind) == (site_id, "contract")}
        for (kind, item_id), values in self.changed.get(site_id, {}).items():
            if kind == "contract":
                held.pop(item_id, None)
                if values is not None:
                    held[item_id] = values
        return held


def _until(work_day: str) -> str:
    return deadline(date.fromisoformat(work_day)).isoformat()


def _day(event: Event) -> str | None:
    """The day that an event is about, where it says one."""
    said = event.payload.get("work_day", event.payload.get("day"))
    return said if isinstance(said, str) else None
