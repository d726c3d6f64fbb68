"""The only importer of sqlcipher3: one way to open a connection, with everything that must hold on each.

Facts: SQLite before 3.51.3 may corrupt a WAL that two connections write or checkpoint at once (sqlite.org, "The
WAL-reset bug"); a raw 32-byte key opens in 0.3 ms where a passphrase takes 120 ms; without `check_same_thread=False` a
pool's threads fail at once; without `recursive_triggers` REPLACE slips past a DELETE trigger.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import sqlcipher3.dbapi2 as _dbapi  # type: ignore[import-untyped]

MODULE: ModuleType = _dbapi
Error: type[Exception] = _dbapi.Error
SQLITE_VERSION: str = _dbapi.sqlite_version
OLDEST_SQLITE = (3, 51, 3)
KEY_BYTES = 32
BUSY_TIMEOUT_S = 10.0

# primary result codes (sqlite.org/rescode.html)
SQLITE_PERM = 3
SQLITE_BUSY = 5
SQLITE_LOCKED = 6
SQLITE_READONLY = 8
SQLITE_IOERR = 10
SQLITE_CORRUPT = 11
SQLITE_FULL = 13
SQLITE_CANTOPEN = 14
SQLITE_CONSTRAINT = 19
SQLITE_NOTADB = 26

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=16777216",
)


def cipher_version() -> str:
    """SQLCipher's version."""
    connection = _dbapi.connect(":memory:")
    try:
        row = connection.execute("PRAGMA cipher_version").fetchone()
    finally:
        connection.close()
    return str(row[0]) if row else ""


def assert_version(version: str = SQLITE_VERSION) -> None:
    """RuntimeError when this SQLite has the WAL-reset bug: no data may be trusted to it."""
    if tuple(int(part) for part in version.split(".")[:3]) < OLDEST_SQLITE:
        raise RuntimeError(f"SQLite {version} can corrupt a WAL; {'.'.join(map(str, OLDEST_SQLITE))} is needed")


def open_bare(path: Path, key: bytes) -> Any:
    """A keyed connection without our pragmas, in driver-level autocommit. Nothing has been read yet."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a database key has {KEY_BYTES} bytes, not {len(key)}")
    connection = _dbapi.connect(
        str(path), timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        # SQLCipher writes to stderr by itself otherwise
        connection.execute("PRAGMA cipher_log_level=NONE").fetchall()
        connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def open_connection(path: Path, key: bytes) -> Any:
    """A connection as every part of the program uses it: keyed, WAL, FULL, foreign keys, triggers on REPLACE too.

    Raises the driver's errors. Any thread may use it, one at a time.
    """
    connection = open_bare(path, key)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()
    except BaseException:
        connection.close()
        raise
    return connection
