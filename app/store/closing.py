"""A data folder in which nothing is recorded any more: its PC was withdrawn, or what is in it has moved elsewhere.

A trigger refuses every new event, for any program that opens the file, so that no screen can say "recorded" for
something that was not. What waits is still sent. `StorageTrouble` with the closing's own code comes out of the log.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from app.store.database import Database
from app.store.schema import meta
from app.store.troubles import CLOSED

WITHDRAWN, MOVED = CLOSED
_KEY, _DETAIL = "closed", "closed_detail"
_TRIGGER = "event_closed"


@dataclass(frozen=True, slots=True)
class Closing:
    """`code`: message code, WITHDRAWN or MOVED. `detail`: how far a withdrawal is, or where it moved."""

    code: str
    detail: str


def closing(db: Database) -> Closing | None:
    """None: records may be made. Raises StorageTrouble."""
    with db.read() as connection:
        rows = sa.select(meta.c.key, meta.c.value).where(meta.c.key.in_((_KEY, _DETAIL)))
        kept = {row.key: row.value for row in connection.execute(rows)}
    return Closing(kept[_KEY], kept.get(_DETAIL, "")) if _KEY in kept else None


def close_for(db: Database, code: str, detail: str = "") -> None:
    """From here on no event is stored; again with another `detail`: that is kept instead. Raises StorageTrouble."""
    if code not in CLOSED:
        raise ValueError(code)
    with db.write() as connection:
        for key, value in ((_KEY, code), (_DETAIL, detail)):
            row = insert(meta).values(key=key, value=value)
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {_TRIGGER}")
        connection.exec_driver_sql(
            f"CREATE TRIGGER {_TRIGGER} BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, '{code}'); END"
        )


def reopen(db: Database) -> None:
    """Records may be made again. Raises StorageTrouble."""
    with db.write() as connection:
        connection.execute(sa.delete(meta).where(meta.c.key.in_((_KEY, _DETAIL))))
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {_TRIGGER}")
