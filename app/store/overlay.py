"""Own changes over the pulled roster, and bindings that the roster has no card for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app import codec
from app.domain.events import EventType
from app.domain.outbox import OutboxState
from app.store.schema import event, mention, outbox, remote_event

Items = dict[tuple[str, str], dict[str, Any]]
"""(kind, id) → the item as it travels."""
_BINDING = EventType.CARD_BINDING.value
_CHANGE = EventType.ROSTER_CHANGE.value
_CORRECTION = EventType.CORRECTION.value


def overlay(connection: sa.Connection, items: Items, site_id: str, day: str, pulled_at: datetime | None) -> None:
    """Change `items` in place.

    Ours that are unsent, or were accepted after the roster was last pulled, win over the roster. Older bindings, and
    those of other stations, count where the roster has no card of that key (as in `work_records.derive`): a gate must
    know a bound card whether or not the centre makes a roster item of it. Corrections of bindings are obeyed; what the
    centre rejected does not count.
    """
    fixes = _fixes(connection, site_id)
    fresh: list[tuple[str, dict[str, Any]]] = []
    known: list[tuple[str, int, str, dict[str, Any]]] = []

    def know(receipt: int, id_: str, payload: dict[str, Any]) -> None:
        known.append((str(payload.get("valid_from") or ""), receipt, id_, payload))

    for row in connection.execute(_own(site_id)):
        payload = _corrected(row.body, fixes.get(row.id))
        if payload is None:
            continue
        if row.state == OutboxState.WAITING.value or _is_after(row.settled_at, pulled_at):
            fresh.append((row.type, payload))
        elif row.type == _BINDING:
            know(row.receipt or 0, row.id, payload)
    others = sa.select(remote_event.c.receipt, remote_event.c.id, remote_event.c.body).where(
        remote_event.c.type == _BINDING, remote_event.c.site_id == site_id
    )
    for row in connection.execute(others):
        payload = _corrected(row.body, fixes.get(row.id))
        if payload is not None:
            know(row.receipt, row.id, payload)
    pulled_cards = {key for kind, key in items if kind == "card"}
    for _, _, _, payload in sorted(known, key=lambda one: one[:3]):
        if str(payload.get("card_key")) not in pulled_cards:
            _bind(items, payload, day)
    for kind, payload in fresh:
        if kind == _BINDING:
            _bind(items, payload, day)
        else:
            _change(items, payload)


def turning_days(connection: sa.Connection, site_id: str) -> list[str]:
    """Days from which some binding of the site holds (or, corrected, may hold); between two of them `overlay` gives
    the same for every day."""
    kinds = (_BINDING, _CORRECTION)
    own = sa.select(event.c.body).join(mention, mention.c.seq == event.c.seq)
    queries = (
        own.where(mention.c.type.in_(kinds), mention.c.site_id == site_id),
        sa.select(remote_event.c.body).where(remote_event.c.type.in_(kinds), remote_event.c.site_id == site_id),
    )
    days: set[str] = set()
    for query in queries:
        for body in connection.execute(query).scalars():
            payload = _payload(body)
            fields = payload.get("fields")
            for said in (payload, fields if isinstance(fields, Mapping) else {}):
                if isinstance(said.get("valid_from"), str):
                    days.add(said["valid_from"])
    return sorted(days)


def _own(site_id: str) -> sa.Select[Any]:
    return (
        sa.select(event.c.id, event.c.type, event.c.body, outbox.c.state, outbox.c.settled_at, outbox.c.receipt)
        .join(mention, mention.c.seq == event.c.seq)
        .join(outbox, outbox.c.seq == event.c.seq)
        .where(
            mention.c.type.in_((_CHANGE, _BINDING)),
            mention.c.site_id == site_id,
            outbox.c.state.in_((OutboxState.WAITING.value, OutboxState.ACCEPTED.value)),
        )
        .order_by(event.c.seq)
    )


def _fixes(connection: sa.Connection, site_id: str) -> dict[str, Mapping[str, Any]]:
    """The correction in force for each target: others' by receipt, then ours."""
    own = (
        sa.select(event.c.body)
        .join(mention, mention.c.seq == event.c.seq)
        .join(outbox, outbox.c.seq == event.c.seq)
        .where(
            mention.c.type == _CORRECTION,
            mention.c.site_id == site_id,
            outbox.c.state != OutboxState.REJECTED.value,
        )
        .order_by(event.c.seq)
    )
    others = (
        sa.select(remote_event.c.body)
        .where(remote_event.c.type == _CORRECTION, remote_event.c.site_id == site_id)
        .order_by(remote_event.c.receipt)
    )
    fixes: dict[str, Mapping[str, Any]] = {}
    for query in (others, own):
        for body in connection.execute(query).scalars():
            payload = _payload(body)
            fixes[str(payload.get("target"))] = payload
    return fixes


def _corrected(body: bytes, fix: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The payload as corrected; None when it was taken out."""
    payload = _payload(body)
    if fix is None:
        return payload
    if fix.get("op") == "void":
        return None
    fields = fix.get("fields")
    if not isinstance(fields, Mapping):
        return payload
    return payload | {name: fields[name] for name in ("worker_id", "valid_from") if name in fields}


def _bind(items: Items, payload: Mapping[str, Any], day: str) -> None:
    key, worker = payload.get("card_key"), payload.get("worker_id")
    if not isinstance(key, str) or not isinstance(worker, str) or str(payload.get("valid_from") or "") > day:
        return
    before = items.get(("card", key), {})
    kept = before if before.get("worker_id") == worker else {}
    items[("card", key)] = {**kept, "kind": "card", "id": key, "worker_id": worker}


def _change(items: Items, payload: Mapping[str, Any]) -> None:
    kind, key, fields = payload.get("kind"), payload.get("key"), payload.get("fields")
    if not isinstance(kind, str) or not isinstance(key, str) or not isinstance(fields, Mapping):
        return
    if fields.get("deleted") is True:
        items.pop((kind, key), None)
        return
    items[(kind, key)] = {**items.get((kind, key), {}), **fields, "kind": kind, "id": key}


def _payload(body: bytes) -> dict[str, Any]:
    payload = codec.decode(body, dict).get("payload")
    return payload if isinstance(payload, dict) else {}


def _is_after(settled_at: str | None, pulled_at: datetime | None) -> bool:
    if settled_at is None or pulled_at is None:
        return pulled_at is None
    return datetime.fromisoformat(settled_at) >= pulled_at
