"""Broken chains as a person sees them: what differs at which station, and closing it after a look, with a reason."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select

from app.central import schema as t
from app.central.audit import Act, write_down
from app.central.database import CentralDatabase
from app.clock import Clock
from app.errors import InputRefused


@dataclass(frozen=True, slots=True)
class Incident:
    """`kind`: 'hash_mismatch' or 'seq_reused'. `closed_at`, `reason`: None while it is open. Moments as stored."""

    id: str
    station_id: str
    station: str
    kind: str
    seq: int
    event_id: str
    first_at: str
    last_at: str
    times: int
    closed_at: str | None
    closed_by: str | None
    reason: str | None


_closed = and_(
    *(t.incident_closure.c[name] == t.chain_incident.c[name] for name in ("station_id", "kind", "seq", "event_id"))
)


def incidents(db: CentralDatabase) -> list[Incident]:
    """All incidents, open ones first, then the newest first."""
    with db.read() as tx:
        rows = tx.execute(
            select(
                t.chain_incident,
                t.client.c.name,
                t.audit.c.at.label("closed_at"),
                t.audit.c.who.label("closed_by"),
                t.audit.c.reason,
            )
            .join(t.client, t.client.c.id == t.chain_incident.c.station_id)
            .outerjoin(t.incident_closure, _closed)
            .outerjoin(t.audit, t.audit.c.number == t.incident_closure.c.audit_number)
        ).all()
    found = [
        Incident(
            _id(row), row.station_id, row.name, row.kind, row.seq, row.event_id, row.first_at, row.last_at, row.times,
            row.closed_at, row.closed_by, row.reason,
        )
        for row in rows
    ]  # fmt: skip
    newest = sorted(found, key=lambda one: (one.last_at, one.id), reverse=True)
    return sorted(newest, key=lambda one: one.closed_at is not None)


def close_incident(db: CentralDatabase, clock: Clock, incident_id: str, act: Act) -> None:
    """Somebody has looked: the station's chain is whole again once its last open incident is closed.

    The rows stay. What comes again of the same fault is counted on the closed one; another fault is a new incident.
    Raises InputRefused: `central.incident_unknown` (closed already, too).
    """

    def work(tx: Any) -> None:
        row = next((one for one in tx.execute(select(t.chain_incident)) if _id(one) == incident_id), None)
        if row is None:
            raise InputRefused("central.incident_unknown", where=incident_id[:40])
        tx.execute(select(t.station.c.id).where(t.station.c.id == row.station_id).with_for_update()).one()
        still = (
            select(t.chain_incident)
            .outerjoin(t.incident_closure, _closed)
            .where(t.chain_incident.c.station_id == row.station_id, t.incident_closure.c.audit_number.is_(None))
        )
        unclosed = {_id(one) for one in tx.execute(still)}
        if incident_id not in unclosed:
            raise InputRefused("central.incident_unknown", where=incident_id)
        detail = {"kind": row.kind, "seq": row.seq, "event_id": row.event_id}
        number = write_down(tx, clock.now(), act, "close-incident", row.station_id, detail)
        tx.execute(t.incident_closure.insert().values(station_id=row.station_id, audit_number=number, **detail))
        if unclosed == {incident_id}:
            tx.execute(t.station.update().where(t.station.c.id == row.station_id).values(chain_broken=False))

    db.write(work)


def _id(row: Any) -> str:
    """Twelve hex digits that name an incident for good."""
    key = f"{row.station_id} {row.kind} {row.seq} {row.event_id}"
    return hashlib.sha256(key.encode()).hexdigest()[:12]
