"""What administrators did, when and why: rows that cannot be changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from app import codec
from app.central import schema as t
from app.central.database import CentralDatabase
from app.central.schema import stamp
from app.errors import InputRefused

MAX_REASON = 300


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something, and why. Raises InputRefused without a reason in printable characters."""

    who: str
    reason: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.reason.strip()) <= MAX_REASON or not self.reason.isprintable():
            raise InputRefused("central.reason_needed", most=MAX_REASON)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One thing done. `subject`: the station, site or pseudonym it was done to."""

    number: int
    at: str
    who: str
    action: str
    subject: str
    reason: str
    detail: Mapping[str, Any]


def write_down(
    tx: Connection, now: datetime, act: Act, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> int:
    """Add a row in the caller's transaction; its number."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('genba audit'))")
    number = (tx.execute(select(func.max(t.audit.c.number))).scalar() or 0) + 1
    tx.execute(
        t.audit.insert().values(
            number=number,
            at=stamp(now),
            who=act.who,
            action=action,
            subject=subject,
            reason=act.reason.strip(),
            detail=codec.encode(detail or {}).decode(),
        )
    )
    return number


def rows(db: CentralDatabase, last: int) -> list[AuditRow]:
    """The newest rows, newest first."""
    with db.read() as tx:
        found = tx.execute(select(t.audit).order_by(t.audit.c.number.desc()).limit(last)).mappings().all()
    return [AuditRow(**{**row, "detail": codec.decode(row["detail"], dict[str, Any])}) for row in found]
