"""The facts that a worker's month stands on, own events and other stations' alike.

`work_records.derive` wants every fact that may concern the worker and days: his touches and entries, touches of cards
that were (or may have been) bound to him, and then everything that names one of those: approvals, corrections, other
bindings of the same cards, and corrections of these in turn.

Order of receipts: other stations' events have the centre's number; ours have it where the centre tells it, else the
highest number known here when ours was accepted; what is not accepted yet comes after all. What the centre rejected
is no fact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from app import codec
from app.domain.events import EventType
from app.domain.outbox import OutboxState
from app.domain.work_records import Fact
from app.store.schema import centre_record, event, mention, outbox, remote_event, roster_item, touch

UNSENT = 1 << 62
"""Receipts of our own events that are not accepted yet: UNSENT + seq."""
_CHUNK = 500
_AIMED = (EventType.APPROVAL.value, EventType.CORRECTION.value)

_own = sa.select(event.c.seq, outbox.c.state, outbox.c.receipt, event.c.id, event.c.body).join_from(
    event, outbox, outbox.c.seq == event.c.seq
)


class _Facts:
    """What was gathered so far, by id; whoever is new is asked about in the next round."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.found: dict[str, Fact] = {}

    def own(self, query: sa.Select[Any]) -> None:
        for row in self._connection.execute(query.where(outbox.c.state != OutboxState.REJECTED.value)):
            if row.id not in self.found:
                accepted = row.state == OutboxState.ACCEPTED.value and row.receipt is not None
                self._add(row.receipt if accepted else UNSENT + row.seq, row.body)

    def remote(self, *where: sa.ColumnElement[bool]) -> None:
        query = sa.select(remote_event.c.receipt, remote_event.c.id, remote_event.c.body).where(*where)
        for row in self._connection.execute(query):
            if row.id not in self.found:
                self._add(row.receipt, row.body)

    def named(self, column: str, values: Iterable[str], kinds: Sequence[str]) -> None:
        """Events of these kinds whose `column` (of `mention` and `remote_event`) has one of the values."""
        for chunk in _chunks(values):
            self.own(
                _own.join(mention, mention.c.seq == event.c.seq).where(
                    mention.c[column].in_(chunk), mention.c.type.in_(kinds)
                )
            )
            self.remote(remote_event.c[column].in_(chunk), remote_event.c.type.in_(kinds))

    def with_ids(self, ids: Iterable[str]) -> None:
        for chunk in _chunks(ids):
            self.own(_own.where(event.c.id.in_(chunk)))
            self.remote(remote_event.c.id.in_(chunk))

    def close(self) -> list[Fact]:
        """Everything that names what is there, until nothing new comes; then all of it, by receipt."""
        seen_ids: set[str] = set()
        seen_cards: set[str] = set()
        while True:
            ids = set(self.found) - seen_ids
            cards = {str(f.payload["card_key"]) for f in self.found.values() if f.payload.get("card_key")}
            cards -= seen_cards
            if not ids and not cards:
                return sorted(self.found.values(), key=lambda fact: (fact.receipt, fact.id))
            seen_ids |= ids
            seen_cards |= cards
            self.named("target", ids, _AIMED)
            self.named("card_key", cards, (EventType.CARD_BINDING.value,))

    def _add(self, receipt: int, body: bytes) -> None:
        one = codec.decode(body, dict)
        payload = one.get("payload")
        if not isinstance(payload, dict):
            return
        fact = Fact(receipt, one["id"], one["type"], one["site_id"], one["occurred_at"], payload)
        self.found[fact.id] = fact


def workers_facts(connection: sa.Connection, worker_ids: Collection[str], month: str, site_id: str) -> list[Fact]:
    """See `EventLog.workers_facts`."""
    first, last = f"{month}-01", f"{month}-31"
    gathered = _Facts(connection)
    _moved_here(gathered, month, site_id, set(worker_ids))
    cards = _cards_of(connection, worker_ids, site_id)
    # a binding that a correction made theirs
    bound = [f for f in gathered.found.values() if f.type == EventType.CARD_BINDING]
    cards |= {str(f.payload["card_key"]) for f in bound if f.payload.get("card_key")}
    there = sa.and_(remote_event.c.site_id == site_id, remote_event.c.work_day.between(first, last))
    kinds = (EventType.TOUCH.value, EventType.ENTRY.value)
    theirs: list[sa.ColumnElement[bool]] = []
    for chunk in _chunks(worker_ids):
        theirs.append(touch.c.worker_id.in_(chunk))
        gathered.own(
            _own.join(mention, mention.c.seq == event.c.seq).where(
                mention.c.worker_id.in_(chunk),
                mention.c.type == EventType.ENTRY.value,
                mention.c.site_id == site_id,
                mention.c.work_day.between(first, last),
            )
        )
        gathered.remote(remote_event.c.worker_id.in_(chunk), remote_event.c.type.in_(kinds), there)
    for chunk in _chunks(cards):
        theirs.append(sa.and_(touch.c.worker_id.is_(None), touch.c.card_key.in_(chunk)))
        gathered.remote(
            remote_event.c.card_key.in_(chunk),
            remote_event.c.worker_id.is_(None),
            remote_event.c.type == EventType.TOUCH.value,
            there,
        )
    for whose in theirs:
        gathered.own(
            _own.join(touch, touch.c.seq == event.c.seq).where(
                whose, touch.c.site_id == site_id, touch.c.work_day.between(first, last)
            )
        )
    return _of_site(gathered.close(), site_id)


def days_elsewhere(
    connection: sa.Connection, worker_id: str, month: str, site_id: str, known: Collection[str]
) -> set[str]:
    """See `EventLog.days_elsewhere`."""
    days = [f"{month}-{day:02}" for day in range(1, 32)]  # named one by one: the key begins with site and day
    query = sa.select(centre_record.c.work_day, centre_record.c.body).where(
        centre_record.c.site_id == site_id, centre_record.c.work_day.in_(days), centre_record.c.worker_id == worker_id
    )
    found: set[str] = set()
    for row in connection.execute(query):
        stands_on = codec.decode(row.body, dict).get("events")
        if isinstance(stands_on, list) and not all(id_ in known for id_ in stands_on):
            found.add(row.work_day)
    return found


def site_facts(connection: sa.Connection, month: str, site_id: str) -> list[Fact]:
    """See `EventLog.site_facts`."""
    first, last = f"{month}-01", f"{month}-31"
    gathered = _Facts(connection)
    gathered.own(
        _own.join(touch, touch.c.seq == event.c.seq).where(
            touch.c.site_id == site_id,
            touch.c.work_day.between(first, last),
            event.c.type == EventType.TOUCH.value,
        )
    )
    gathered.own(
        _own.join(mention, mention.c.seq == event.c.seq).where(
            mention.c.type == EventType.ENTRY.value,
            mention.c.site_id == site_id,
            mention.c.work_day.between(first, last),
        )
    )
    gathered.remote(
        remote_event.c.type.in_((EventType.TOUCH.value, EventType.ENTRY.value)),
        remote_event.c.site_id == site_id,
        remote_event.c.work_day.between(first, last),
    )
    _moved_here(gathered, month, site_id, None)
    return _of_site(gathered.close(), site_id)


def entry_facts(connection: sa.Connection, site_id: str, first_day: str, last_day: str) -> list[Fact]:
    """See `OfficeBook.entry_facts`."""
    gathered = _Facts(connection)
    gathered.own(
        _own.join(mention, mention.c.seq == event.c.seq).where(
            mention.c.type == EventType.ENTRY.value,
            mention.c.site_id == site_id,
            mention.c.work_day.between(first_day, last_day),
        )
    )
    gathered.remote(
        remote_event.c.type == EventType.ENTRY.value,
        remote_event.c.site_id == site_id,
        remote_event.c.work_day.between(first_day, last_day),
    )
    return gathered.close()


def _moved_here(gathered: _Facts, month: str, site_id: str, workers: set[str] | None) -> None:
    """Corrections that bring something to this worker, or into this month, and what they are about."""
    correction = EventType.CORRECTION.value
    if workers is not None:
        gathered.named("worker_id", workers, (correction,))
    first, last = f"{month}-01", f"{month}-31"
    gathered.own(
        _own.join(mention, mention.c.seq == event.c.seq).where(
            mention.c.type == correction, mention.c.site_id == site_id, mention.c.work_day.between(first, last)
        )
    )
    gathered.remote(
        remote_event.c.type == correction,
        remote_event.c.site_id == site_id,
        remote_event.c.work_day.between(first, last),
    )
    targets = {str(f.payload.get("target")) for f in gathered.found.values() if f.type == correction}
    gathered.with_ids(targets - set(gathered.found))


def _of_site(facts: list[Fact], site_id: str) -> list[Fact]:
    """Touches and entries of the site; whatever names them, wherever it was made."""
    counted = (EventType.TOUCH, EventType.ENTRY)
    return [fact for fact in facts if fact.type not in counted or fact.site_id == site_id]


def _cards_of(connection: sa.Connection, worker_ids: Collection[str], site_id: str) -> set[str]:
    """Card keys that were ever bound to them here or elsewhere, or are theirs on the roster."""
    kinds = (EventType.CARD_BINDING.value, EventType.ROSTER_CHANGE.value)
    found: set[str] = set()
    for chunk in _chunks(worker_ids):
        queries = (
            sa.select(mention.c.card_key).where(mention.c.worker_id.in_(chunk), mention.c.type.in_(kinds)),
            sa.select(remote_event.c.card_key).where(
                remote_event.c.worker_id.in_(chunk), remote_event.c.type.in_(kinds)
            ),
            sa.select(roster_item.c.id).where(
                roster_item.c.site_id == site_id, roster_item.c.worker_id.in_(chunk), roster_item.c.kind == "card"
            ),
        )
        found |= {key for query in queries for key in connection.execute(query).scalars() if key}
    return found


def _chunks(values: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
