"""The centre's database: SQLite by default, PostgreSQL by URL; the only file that opens connections.

Writers are serialised by SQLite itself (`BEGIN IMMEDIATE`), on PostgreSQL by row locks that the callers take. No
state lives in this process: the lock here only spares SQLite's writers the waiting in steps of its busy handler.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from app.central.schema import SCHEMA_VERSION, create_all, schema_version
from app.central.upgrades import upgrade
from app.errors import InputRefused, StorageTrouble

T = TypeVar("T")

OLDEST_SQLITE = (3, 51, 3)
"""First release without the WAL-reset bug (two connections that write or checkpoint at once: corruption)."""
BUSY_SECONDS = 15.0
_WAL_TRIES = 300
_POOL = {"poolclass": QueuePool, "pool_size": 8, "max_overflow": 12, "pool_timeout": 30}
"""Per process: four of them stay below the 100 connections that PostgreSQL allows unless told otherwise."""
_TRIES = 5
_SCHEMA_LOCK = 0x67656E6261  # 'genba': PostgreSQL advisory lock while the tables are made
_RETRY = frozenset({"40001", "40P01", "23505"})  # serialisation failure, deadlock, the same key made at once


class CentralDatabase:
    """Connections to the centre's database. Any thread may call any method."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = threading.Lock() if engine.dialect.name == "sqlite" else None

    @classmethod
    def open(cls, url: str, *, new: bool = True) -> CentralDatabase:
        """Open; make the tables when there are none, bring those of an older version up to date.

        `new`: an SQLite file that is not there is made; else StorageTrouble `central.no_database`.

        `url`: `sqlite:///PATH` or `postgresql+psycopg://USER@HOST/DATABASE` (password from PGPASSFILE or PGPASSWORD).
        Raises InputRefused for another URL or one with a password in it, StorageTrouble when the database cannot be
        opened or is a newer version's.
        """
        accepted = _accepted(url)
        if not new and accepted.drivername == "sqlite":
            _check_there(Path(str(accepted.database)))
        database = cls(_engine(accepted))
        try:
            database.write(_prepare)
        except DBAPIError as exc:
            database.close()
            where = make_url(url).render_as_string()
            raise StorageTrouble("central.database_unreachable", where=where, reason=exc.orig) from exc
        except BaseException:
            database.close()
            raise
        return database

    @property
    def kind(self) -> str:
        """'sqlite' or 'postgresql'."""
        return self._engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot to read from; nothing that is written stays."""
        with self._engine.connect() as connection:
            if self.kind == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction that is durable on return.

        `work` is called again from the start after a deadlock or serialisation failure, so it must not keep anything
        outside the transaction. Raises sqlalchemy.exc.OperationalError when the database stays busy or is gone.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                return self._write_once(work)
            except DBAPIError as exc:
                if attempt == _TRIES or getattr(exc.orig, "sqlstate", None) not in _RETRY:
                    raise
        raise AssertionError("unreachable")

    def _write_once(self, work: Callable[[Connection], T]) -> T:
        if self._writer is None:
            with self._engine.begin() as tx:
                return work(tx)
        with self._writer, self._engine.connect() as connection:
            connection = connection.execution_options(genba_write=True)
            with connection.begin():
                return work(connection)

    def close(self) -> None:
        """Give all connections back to the system."""
        self._engine.dispose()


def _accepted(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise InputRefused("central.database_url", where=url.partition("@")[2] or url) from exc
    shown = parsed.render_as_string()
    if parsed.password is not None or "password" in parsed.query:
        raise InputRefused("central.password_in_url", where=parsed.set(password=None, query={}).render_as_string())
    if parsed.drivername == "sqlite" and parsed.database and parsed.database != ":memory:" and not parsed.query:
        return parsed
    if parsed.drivername in ("postgresql", "postgresql+psycopg") and parsed.database:
        return parsed.set(drivername="postgresql+psycopg")
    raise InputRefused("central.database_url", where=shown)


def _check_there(file: Path) -> None:
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise StorageTrouble("central.no_database", str(file)) from exc
    except OSError:
        return  # the opening says what is wrong with it


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        return _sqlite_engine(str(url.database))
    from psycopg.types.array import ListBinaryDumper

    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, **_POOL)

    @event.listens_for(engine, "connect")
    def _lists_travel_binary(connection: Any, _: object) -> None:
        # a list as text is quoted item by item in Python: 11 ms for a batch of 1,000 against 1.6
        connection.adapters.register_dumper(list, ListBinaryDumper)

    return engine


def _sqlite_module() -> Any:
    """The standard library's sqlite3 when new enough, else the newer SQLite inside sqlcipher3 (used without a key)."""
    if sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        return sqlite3
    from sqlcipher3 import dbapi2  # type: ignore[import-untyped,unused-ignore]

    if dbapi2.sqlite_version_info < OLDEST_SQLITE:
        raise StorageTrouble("central.sqlite_too_old", found=dbapi2.sqlite_version)
    return dbapi2


def _sqlite_engine(path: str) -> Engine:
    module = _sqlite_module()

    def connect() -> Any:
        connection = module.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        _switch_to_wal(connection, module.OperationalError)
        for pragma in (
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",  # or INSERT OR REPLACE slips past the append-only trigger
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        return connection

    engine = create_engine("sqlite://", creator=connect, module=module, hide_parameters=True, **_POOL)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("genba_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _switch_to_wal(connection: Any, operational_error: type[Exception]) -> None:
    """SQLite does not wait for others when it changes the journal's kind: two that open a new file at once collide."""
    pause = threading.Event()
    for attempt in range(_WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
            return
        except operational_error:
            if attempt == _WAL_TRIES - 1:
                raise
            pause.wait(BUSY_SECONDS / _WAL_TRIES)


def _prepare(tx: Connection) -> None:
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")
    if not inspect(tx).has_table(schema_version.name):
        create_all(tx)
        return
    found = tx.execute(select(schema_version.c.version)).scalar_one()
    if found > SCHEMA_VERSION:
        raise StorageTrouble("central.database_newer", found=found, known=SCHEMA_VERSION)
    upgrade(tx, found)


def is_busy(error: OperationalError) -> bool:
    """Whether another writer merely held the database too long (waiting helps)."""
    return "locked" in str(error.orig) or getattr(error.orig, "sqlstate", None) in _RETRY
