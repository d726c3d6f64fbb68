"""What is in a database file, and how it becomes the one this program knows."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy.pool import NullPool

from app.clock import Clock
from app.errors import StorageTrouble
from app.store import driver, schema
from app.store.engine import make_engine
from app.store.keyid import is_key_of


def check_access(path: Path, *folders: Path) -> None:
    """Whether this user may write what `Database.open` writes, and in these folders, as far as they are there.

    Nothing is opened: closing a file would end the locks that SQLite holds on it in this process.
    Raises StorageTrouble `store.no_access`.
    """
    for name in (str(path), f"{path}-wal", f"{path}-shm", f"{path}.lock"):
        if os.path.exists(name) and not os.access(name, os.R_OK | os.W_OK):
            raise StorageTrouble("store.no_access", name)
    for folder in folders:
        if folder.exists() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise StorageTrouble("store.no_access", str(folder))


def is_empty(path: Path) -> bool:
    """Whether there is no file, or one without a byte. OSError."""
    return not path.exists() or path.stat().st_size == 0


def revision(path: Path, key: bytes) -> str | None:
    """Alembic revision of a file, None for an empty one.

    Raises StorageTrouble `store.wrong_key` or `store.damaged` where the first page cannot be read; the driver's errors.
    """
    connection = None
    try:
        connection = driver.open_bare(path, key)
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "alembic_version" not in names:
            if names:
                raise StorageTrouble("store.not_ours", str(path))
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None
    except driver.Error as exc:
        if getattr(exc, "sqlite_errorcode", 0) & 0xFF == driver.SQLITE_NOTADB:
            code = "store.damaged" if is_key_of(path, key) else "store.wrong_key"
            raise StorageTrouble(code, str(path)) from exc
        raise
    finally:
        if connection is not None:
            connection.close()


def make_current(path: Path, key: bytes, clock: Clock) -> None:
    """Create or upgrade a file (after a verified backup), or refuse it.

    Raises StorageTrouble: `store.newer_database`, `tampered`, those of `revision` and of the backup;
    the driver's errors.
    """
    found = revision(path, key)
    if found == schema.HEAD:
        _check_triggers(path, key)
        return
    if found is not None and found not in schema.REVISIONS:
        raise StorageTrouble("store.newer_database", str(path), found=found, known=schema.HEAD)
    # Alembic takes a third of a second to load: only when there is something to do
    from app.store.migrate import upgrade

    if found is not None:
        from app.store.backup import before_upgrade

        before_upgrade(path, key, found, clock.now())
    engine = make_engine(path, key, NullPool, foreign_keys=False)
    try:
        upgrade(engine)
    finally:
        engine.dispose()


def _check_triggers(path: Path, key: bytes) -> None:
    connection = driver.open_connection(path, key)
    try:
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    finally:
        connection.close()
    if not there >= set(schema.TRIGGERS):
        raise StorageTrouble("store.tampered", str(path))
