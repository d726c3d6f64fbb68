"""Who did what with which right: append-only, kept on the PC, tries that failed included."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.store.database import Database
from app.store.schema import audit


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`at`: aware, UTC. `action`: 'leave_kiosk', 'enrol' … `operator_id`: None when nobody was recognised."""

    n: int
    at: datetime
    action: str
    operator_id: str | None
    ok: bool
    detail: str


class AuditTrail:
    """Any thread; StorageTrouble. Never hand it a PIN, a secret or an unmasked card key."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(self, action: str, *, ok: bool, operator_id: str | None = None, detail: str = "") -> None:
        """Put a line at the end; on return it is on disk."""
        at = self._db.clock.now().isoformat(timespec="milliseconds")
        row = {"at": at, "action": action, "ok": int(ok), "operator_id": operator_id, "detail": detail}
        with self._db.write() as connection:
            connection.execute(sa.insert(audit).values(row))

    def latest(self, limit: int = 100, *, action: str | None = None) -> list[AuditEntry]:
        """Newest first."""
        query = sa.select(audit).order_by(audit.c.n.desc()).limit(limit)
        if action is not None:
            query = query.where(audit.c.action == action)
        with self._db.read() as connection:
            return [
                AuditEntry(row.n, datetime.fromisoformat(row.at), row.action, row.operator_id, bool(row.ok), row.detail)
                for row in connection.execute(query)
            ]

    def noted(self, details: Collection[str], limit: int) -> list[tuple[datetime, str]]:
        """When and which of these `details` was recorded, newest first."""
        query = sa.select(audit.c.at, audit.c.detail).where(audit.c.detail.in_(details))
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(audit.c.n.desc()).limit(limit))
            return [(datetime.fromisoformat(at), detail) for at, detail in rows]
