"""The gate's database: opened once per data folder, shared by the gate's, the sync's and the window's threads.

Writers take turns in this process by a lock (SQLite's own waiting polls and is unfair) and against other connections by
`BEGIN IMMEDIATE`; readers see a steady snapshot and never wait. The house's two ways in:

- `read()` and `write()`: SQLAlchemy connections in a transaction;
- `looking()` and `hot()`: the driver's connection itself, for the way of a touch and for bulk.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa
import sqlalchemy.exc
from sqlalchemy.pool import QueuePool

from app.clock import Clock
from app.errors import StorageTrouble
from app.files import make_file, make_private
from app.store import driver, schema
from app.store.engine import make_engine
from app.store.folder import FolderLock
from app.store.keyid import has_key_id, write_key_id
from app.store.opening import is_empty, make_current, revision
from app.store.rescue import Rescue, refuse_damaged, rescue
from app.store.troubles import trouble

_FAULTS = (driver.Error, sqlalchemy.exc.DBAPIError, sqlalchemy.exc.TimeoutError)


class Database:
    """See the module. Every method may be called from any thread; troubles are StorageTrouble, faults of ours crash."""

    def __init__(self, path: Path, key: bytes, clock: Clock, *, lock: FolderLock | None) -> None:
        """Use `open` or `look`."""
        self.path = path
        self._key = key
        self.clock = clock
        self.read_only = lock is None
        self._lock = lock
        self._closed = False
        self._turn = threading.Lock()
        self._holder: int | None = None
        self._engine = make_engine(path, key, QueuePool, read_only=self.read_only)
        self._writer = None if self.read_only else driver.open_connection(path, key)
        self._files: list[tuple[str, int]] = []
        if self._writer is not None:
            self._writer.execute("SELECT count(*) FROM sqlite_master").fetchall()
            self._files = [(name, os.stat(name).st_ino) for name in (str(path), f"{path}-wal")]

    @classmethod
    def open(cls, path: Path, key: bytes, clock: Clock) -> Database:
        """Open, create or upgrade (after a verified backup) a database, for this program alone.

        A log damaged since the last time is put aside and what is sound in it taken (`app.store.rescue`).

        `key`: 32 bytes. Raises StorageTrouble: `store.in_use`, `wrong_key`, `damaged`, `lost`, `tampered`, `not_ours`,
        `newer_database`, `disk_full`, `read_only`, `no_access`, `disk_error`.
        """
        driver.assert_version()
        lock = FolderLock.beside(path)
        with _told(path):
            make_private(path.parent)
            lock.take()
        try:
            with _told(path):
                if is_empty(path) and has_key_id(path):
                    # there was a database here once: a new one would begin a second chain under the same station
                    raise StorageTrouble("store.lost", str(path))
                make_file(path)
                rescued = rescue(path, key, clock)
                make_current(path, key, clock)
                if not has_key_id(path):
                    write_key_id(path, key)
                opened = cls(path, key, clock, lock=lock)
            if rescued is not None:
                opened._note_rescue(rescued)
            return opened
        except BaseException:
            lock.release()
            raise

    @classmethod
    def look(cls, path: Path, key: bytes, clock: Clock) -> Database:
        """For diagnosis beside a running program: reads only, takes no lock, upgrades nothing.

        Raises StorageTrouble as `open` does, `store.older_database` for a schema that `open` would upgrade, and
        `store.log_damaged` for what `open` would put aside.
        """
        driver.assert_version()
        with _told(path):
            if not path.exists():
                raise StorageTrouble("store.lost" if has_key_id(path) else "store.no_access", str(path))
            if not FolderLock.beside(path).held():  # a running program's log is its own
                refuse_damaged(path)
            found = revision(path, key)
            if found != schema.HEAD:
                code = "store.older_database" if found in (None, *schema.REVISIONS) else "store.newer_database"
                raise StorageTrouble(code, str(path), found=found or "-", known=schema.HEAD)
            return cls(path, key, clock, lock=None)

    @property
    def schema_version(self) -> str:
        """Alembic revision of the file; always the head once open."""
        return schema.HEAD

    @property
    def sqlite_version(self) -> str:
        """Version of the SQLite inside SQLCipher."""
        return driver.SQLITE_VERSION

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A steady snapshot. Close it soon: while it stands, the WAL cannot shrink."""
        self._check_open()
        with self._told(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is committed at the end, or rolled back if the body raises."""
        self._take_turn()
        try:
            with self._told(), self._engine.connect() as connection:
                marked = connection.execution_options(genba_writer=True)
                with marked.begin():
                    yield marked
        finally:
            self._end_turn()

    @contextmanager
    def looking(self) -> Iterator[Any]:
        """The driver's connection for single statements of reading (each its own snapshot)."""
        self._check_open()
        with self._told():
            pooled = self._engine.raw_connection()
            try:
                yield pooled.driver_connection
            finally:
                pooled.close()

    def spare_memory(self) -> None:
        """Keep the pages that SQLite remembers to about a megabyte in this whole process: for one that runs through
        everything once."""
        with self.looking() as connection:
            connection.execute("PRAGMA soft_heap_limit=1000000").fetchall()

    def hot(self) -> _Hot:
        """`with db.hot() as connection:` the driver's connection in BEGIN IMMEDIATE … COMMIT (ROLLBACK on an error)."""
        return _Hot(self)

    def compact(self) -> bool:
        """Write the file anew without the space of what was deleted, log included; False when a reader kept some of the
        log from being taken in. Blocks writers. Raises StorageTrouble."""
        self._take_turn()
        try:
            with self._told():
                self._writer.execute("VACUUM")  # type: ignore[union-attr]
                row = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # type: ignore[union-attr]
            return bool(row[0] == 0)
        finally:
            self._end_turn()

    def connect_to(self, path: Path) -> Any:
        """A connection of its own to another file under this database's key (a copy). The caller closes it.

        Raises the driver's errors."""
        return driver.open_bare(path, self._key)

    def close(self) -> None:
        """Wait for the writer, checkpoint, close and let go of the folder. A second call does nothing."""
        with self._turn:
            if self._closed:
                return
            self._closed = True
            self._engine.dispose()
            if self._writer is not None:
                self._writer.close()
            if self._lock is not None:
                self._lock.release()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _note_rescue(self, done: Rescue) -> None:
        try:
            at, detail = self.clock.now().isoformat(timespec="milliseconds"), f"{done.folder.name}, seq {done.seq}"
            with self.write() as connection:
                row = sa.insert(schema.audit).values(at=at, action="log_rescued", ok=int(not done.lost), detail=detail)
                connection.execute(row)
        except BaseException:
            self.close()
            raise

    def _check_open(self) -> None:
        if self._closed:
            raise StorageTrouble("store.closed", str(self.path))

    def _take_turn(self) -> None:
        me = threading.get_ident()
        if self._holder == me:
            raise RuntimeError("a write inside a write of the same thread would wait for itself")
        self._turn.acquire()
        try:
            self._check_open()
            if self.read_only:
                raise StorageTrouble("store.read_only", str(self.path))
            # SQLite goes on writing into a file that somebody deleted or moved: gone at the next start
            for name, inode in self._files:
                if _inode(name) != inode:
                    raise StorageTrouble("store.file_gone", name)
        except BaseException:
            self._turn.release()
            raise
        self._holder = me

    def _end_turn(self) -> None:
        self._holder = None
        self._turn.release()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except _FAULTS as exc:
            known = trouble(exc, self.path)
            if known is None:
                raise
            raise known from exc


class _Hot:
    """The hot path's transaction; a class, because a generator costs more than the statements it wraps."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def __enter__(self) -> Any:
        db = self._db
        db._take_turn()
        try:
            db._writer.execute("BEGIN IMMEDIATE")  # type: ignore[union-attr]
        except BaseException as exc:
            db._end_turn()
            self._raise(exc)
        return db._writer

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        db = self._db
        writer: Any = db._writer
        try:
            if exc is None:
                writer.execute("COMMIT")
        except BaseException as failed:
            exc = failed
        finally:
            try:
                if exc is not None and writer.in_transaction:
                    writer.execute("ROLLBACK")
            finally:
                db._end_turn()
        if exc is not None:
            self._raise(exc)

    def _raise(self, exc: BaseException) -> None:
        known = trouble(exc, self._db.path) if isinstance(exc, _FAULTS) else None
        if known is None:
            raise exc
        raise known from exc


def _inode(name: str) -> int:
    try:
        return os.stat(name).st_ino
    except OSError:
        return -1


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (*_FAULTS, OSError) as exc:
        known = trouble(exc, path)
        if known is None:
            raise
        raise known from exc
