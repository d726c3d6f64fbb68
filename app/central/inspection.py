"""What a centre holds, for those who look into its database: the demonstration, and whoever runs it."""

from __future__ import annotations

from sqlalchemy import func, select

from app.central import schema as t
from app.central.database import CentralDatabase


def event_ids(db: CentralDatabase) -> list[str]:
    """Ids of every event taken, in the order of receipt."""
    with db.read() as tx:
        return list(tx.execute(select(t.event.c.id).order_by(t.event.c.receipt)).scalars())


def count_work_records(db: CentralDatabase) -> int:
    """Work records that stand (a withdrawn one has no events)."""
    with db.read() as tx:
        query = select(func.count()).select_from(t.work_record).where(t.work_record.c.events != "[]")
        return int(tx.execute(query).scalar_one())
