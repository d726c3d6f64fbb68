"""Small facts about this station (station id, installation id …) by name."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from app.store.database import Database
from app.store.schema import meta


class Meta:
    """Any thread; StorageTrouble. Secrets belong in the vault, not here."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, key: str) -> str | None:
        """None: never set."""
        with self._db.read() as connection:
            return connection.execute(sa.select(meta.c.value).where(meta.c.key == key)).scalar()

    def set(self, key: str, value: str) -> None:
        """Keep or replace a value."""
        with self._db.write() as connection:
            connection.execute(
                insert(meta)
                .values(key=key, value=value)
                .on_conflict_do_update(index_elements=["key"], set_={"value": value})
            )
