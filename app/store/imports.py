"""Touches from files: stored with what they are known by, all of a file or none, each once however often it comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from app.domain.events import Draft
from app.domain.verdict import LastTouch
from app.store import day
from app.store.database import Database
from app.store.events import Appender
from app.store.rows import TouchRow

_KNOWN = "SELECT 1 FROM import_row WHERE at = ? AND device = ? AND card = ? AND nth = ?"
_ROW = "INSERT INTO import_row (seq, at, device, card, nth, number) VALUES (?, ?, ?, ?, ?, ?)"
_BATCH = (
    "INSERT INTO import_batch (at, format, device, site_id, digest, rows, first_seq, last_seq)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)

_CACHE = -16384
"""KiB of pages in memory: with the usual 2 MiB, large imports decrypt the same index pages again and again."""


class Mark(NamedTuple):
    """What a touch from a file is known by. `at`: as the device wrote it; `nth`: of equal ones in the file, from 1."""

    at: str
    device: str
    card: str
    nth: int


class Batch:
    """One file inside its transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._appender = Appender(connection)
        self._first = self._appender.seq + 1

    def is_known(self, mark: Mark) -> bool:
        """Whether it came before, in this file or another."""
        return self._connection.execute(_KNOWN, mark).fetchone() is not None

    def last(self, card_key: str, site_id: str, not_after: datetime) -> LastTouch | None:
        """See `EventLog.last_unsuppressed`; what this batch has added counts."""
        return day.last_unsuppressed(self._connection, card_key, site_id, not_after)

    def add(self, drafts: Sequence[Draft], touches: Mapping[str, TouchRow], marks: Sequence[tuple[Mark, int]]) -> None:
        """Store new touches. `touches`: by event id; `marks`: with the device's numbers, in the order of `drafts`."""
        stored = self._appender.add(drafts, touches)
        self._connection.executemany(
            _ROW, [(one.seq, *mark, number) for one, (mark, number) in zip(stored, marks, strict=True)]
        )

    def note(self, at: datetime, format_: str, device: str, site_id: str, digest: str, rows: int) -> None:
        """What the events of this batch came from. Nothing is noted where nothing was added."""
        if self._appender.seq >= self._first:
            stamp = at.isoformat(timespec="milliseconds")
            row = (stamp, format_, device, site_id, digest, rows, self._first, self._appender.seq)
            self._connection.execute(_BATCH, row)


class _Undo(Exception):
    pass


class ImportStore:
    """Any thread. Raises StorageTrouble; then nothing of the batch is stored."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @contextmanager
    def batch(self, *, dry_run: bool = False) -> Iterator[Batch]:
        """One transaction, FULL at its end: all is stored, or with an exception (or `dry_run`) nothing.

        Everybody else who writes waits while it is open.
        """
        try:
            with self._db.hot() as connection:
                usual = connection.execute("PRAGMA cache_size").fetchone()[0]
                connection.execute(f"PRAGMA cache_size = {_CACHE}")
                try:
                    yield Batch(connection)
                finally:
                    connection.execute(f"PRAGMA cache_size = {usual}")
                if dry_run:
                    raise _Undo
        except _Undo:
            pass
