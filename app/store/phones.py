"""Phones whose files are taken: registered and revoked by an operator, row after row, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.store.database import Database
from app.store.schema import audit, phone


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone as it stands. `id`: fingerprint of its key; `public_key`: Ed25519, 32 bytes; `at`: of its last row."""

    id: str
    public_key: bytes
    label: str
    worker_id: str | None
    company_id: str | None
    revoked: bool
    at: datetime
    operator_id: str
    reason: str = ""


_NEWEST = sa.select(sa.func.max(phone.c.n)).group_by(phone.c.phone_id)


class PhoneStore:
    """Any thread; StorageTrouble."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> list[Phone]:
        """Every phone there ever was, in the order of their last change."""
        query = sa.select(phone).where(phone.c.n.in_(_NEWEST)).order_by(phone.c.n)
        with self._db.read() as connection:
            return [_phone(row) for row in connection.execute(query)]

    def get(self, phone_id: str) -> Phone | None:
        """None: never registered."""
        query = sa.select(phone).where(phone.c.phone_id == phone_id).order_by(phone.c.n.desc()).limit(1)
        with self._db.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _phone(row)

    def put(self, one: Phone) -> None:
        """The phone stands like this from now on; the audit trail says so in the same transaction."""
        at = one.at.isoformat(timespec="milliseconds")
        row = {
            "at": at,
            "phone_id": one.id,
            "public_key": one.public_key,
            "label": one.label,
            "worker_id": one.worker_id,
            "company_id": one.company_id,
            "state": "revoked" if one.revoked else "registered",
            "operator_id": one.operator_id,
            "reason": one.reason,
        }
        note = {
            "at": at,
            "action": "phone_revoke" if one.revoked else "phone_register",
            "ok": 1,
            "operator_id": one.operator_id,
            "detail": one.id,
        }
        with self._db.write() as connection:
            connection.execute(sa.insert(phone).values(row))
            connection.execute(sa.insert(audit).values(note))


def _phone(row: sa.Row[tuple[object, ...]]) -> Phone:
    return Phone(
        row.phone_id,
        row.public_key,
        row.label,
        row.worker_id,
        row.company_id,
        row.state == "revoked",
        datetime.fromisoformat(row.at),
        row.operator_id,
        row.reason,
    )
