"""SQLAlchemy over SQLCipher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import Pool, QueuePool

from app.store import driver

POOL_SIZE = 5


def make_engine(
    path: Path, key: bytes, pool: type[Pool], *, read_only: bool = False, foreign_keys: bool = True
) -> sa.Engine:
    """An engine over SQLCipher whose transactions begin as they should. Opens nothing yet."""

    def connect() -> Any:
        connection = driver.open_connection(path, key)
        if read_only:
            connection.execute("PRAGMA query_only=ON").fetchall()
        if not foreign_keys:
            connection.execute("PRAGMA foreign_keys=OFF").fetchall()
        return connection

    sizes = {"pool_size": POOL_SIZE, "max_overflow": POOL_SIZE} if pool is QueuePool else {}
    engine = sa.create_engine("sqlite://", creator=connect, module=driver.MODULE, poolclass=pool, **sizes)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writer = connection.get_execution_options().get("genba_writer", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine
