"""What the centre's database knows about the events of one batch, gathered in a few queries before they are judged."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select

from app.central import schema as t
from app.central.event_shapes import as_event
from app.central.roster_changes import CHANGEABLE
from app.central.roster_items import Fields, Key, load_fields, load_kind
from app.central.roster_rules import REFERENCES, unprintable
from app.central.sets import any_of
from app.domain.events import Event, EventType

ItemKey = tuple[str, str, str]
"""Site, kind and id of a roster item."""


class Facts:
    """Operators, roster items and earlier events that a batch's events name. Inside one transaction.

    `add` puts in what was accepted since, so that later events of the batch are judged by it too.
    """

    def __init__(self, tx: Connection, station_ids: Collection[str], events: Collection[Event]) -> None:
        """`station_ids`: the station, and those whose restored file it goes on from."""
        self.events: dict[str, Event] = {}
        """Events that approvals and corrections name, and what was accepted, by id."""
        self.own: set[str] = set()
        """Those of `events` that this very station delivered."""
        self.approvals: dict[str, list[Event]] = {}
        """By the entry that they name, in the order of receipt."""
        self.corrections: dict[str, list[Event]] = {}
        """Corrections of entries, by entry, in the order of receipt."""
        self.bindings: dict[tuple[str, str], list[Event]] = {}
        """By site and card key; only of cards that the batch binds."""
        by_type: dict[str, list[Event]] = {}
        for event in events:
            by_type.setdefault(event.type, []).append(event)
        approvals, corrections, bindings, entries, changes = (
            by_type.get(kind.value, [])
            for kind in (
                EventType.APPROVAL,
                EventType.CORRECTION,
                EventType.CARD_BINDING,
                EventType.ENTRY,
                EventType.ROSTER_CHANGE,
            )
        )
        self._load_named(tx, station_ids, approvals, corrections)
        known = [*entries, *(e for e in self.events.values() if e.type == EventType.ENTRY)]
        for event in _about(tx, known, (EventType.APPROVAL, EventType.CORRECTION), {e.id for e in known}):
            self._file(event)
        keys = {str(e.payload["card_key"]) for e in bindings}
        for event in _about(tx, bindings, (EventType.CARD_BINDING,), keys):
            self._file(event)
        earlier = [event for some in self.approvals.values() for event in some]
        self.operators = _operators(tx, [*events, *self.events.values(), *earlier])
        self.roster = _items(tx, changes, bindings)
        """Living roster items: those that changes and bindings are about, what they refer to, all contracts."""

    def add(self, event: Event) -> None:
        """An event was accepted."""
        self.events[event.id] = event
        self.own.add(event.id)
        self._file(event)

    def _file(self, event: Event) -> None:
        if event.type == EventType.APPROVAL:
            self.approvals.setdefault(str(event.payload["entry"]), []).append(event)
        elif event.type == EventType.CORRECTION:
            self.corrections.setdefault(str(event.payload["target"]), []).append(event)
        elif event.type == EventType.CARD_BINDING:
            self.bindings.setdefault((event.site_id, str(event.payload["card_key"])), []).append(event)

    def _load_named(
        self, tx: Connection, station_ids: Collection[str], approvals: Iterable[Event], corrections: Iterable[Event]
    ) -> None:
        ids = {str(e.payload["entry"]) for e in approvals} | {str(e.payload["target"]) for e in corrections}
        if not ids:
            return
        rows = tx.execute(select(t.event.c.body, t.event.c.station_id).where(any_of(tx, t.event.c.id, ids)))
        for row in rows:
            event = as_event(row.body)
            self.events[event.id] = event
            if row.station_id in station_ids:
                self.own.add(event.id)


def who(event: Event) -> str | None:
    """The operator in whose name an event is said; None for types that nobody says."""
    name = "entered_by" if event.type == EventType.ENTRY else "by"
    said = event.payload.get(name)
    return str(said) if said is not None else None


def _about(
    tx: Connection, events: Collection[Event], types: Collection[EventType], subjects: Collection[str]
) -> list[Event]:
    """Accepted events of these types about `subjects`, of the sites of `events`, in the order of receipt."""
    if not subjects:
        return []
    rows = tx.execute(
        select(t.event.c.body)
        .where(
            t.event.c.site_id.in_({e.site_id for e in events}),
            t.event.c.type.in_([kind.value for kind in types]),
            any_of(tx, t.event.c.subject, subjects),
        )
        .order_by(t.event.c.receipt)
    ).scalars()
    return [as_event(body) for body in rows]


def _operators(tx: Connection, events: Iterable[Event]) -> dict[tuple[str, str], Fields]:
    wanted: dict[str, set[str]] = {}
    for event in events:
        name = who(event)
        if name is not None:
            wanted.setdefault(event.site_id, set()).add(name)
    return {
        (site_id, operator_id): values
        for site_id, ids in wanted.items()
        for operator_id, values in load_fields(tx, site_id, "operator", ids).items()
    }


def _items(tx: Connection, changes: Collection[Event], bindings: Iterable[Event]) -> dict[ItemKey, Fields]:
    wanted: dict[Key, set[str]] = {}
    for event in bindings:
        wanted.setdefault((event.site_id, "card"), set()).add(str(event.payload["card_key"]))
    for event in changes:
        kind, fields = str(event.payload["kind"]), event.payload["fields"]
        if kind not in CHANGEABLE:
            continue
        wanted.setdefault((event.site_id, kind), set()).add(str(event.payload["key"]))
        for name, target in REFERENCES.get(kind, {}).items():
            named = fields.get(name)
            if isinstance(named, str) and unprintable(named) is None:  # PostgreSQL takes no NUL; `whole` refuses it
                wanted.setdefault((event.site_id, target), set()).add(named)
    found = {
        (site_id, kind, item_id): values
        for (site_id, kind), ids in wanted.items()
        for item_id, values in load_fields(tx, site_id, kind, ids).items()
    }
    for site_id in {e.site_id for e in changes if e.payload["kind"] == "contract"}:
        for item_id, values in load_kind(tx, site_id, "contract").items():
            found[site_id, "contract", item_id] = values
    return found
