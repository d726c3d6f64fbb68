"""Touches from files: stored with what they are known by, all of a file or none, each once however often it comes.

A batch that was taken back does not count any more: its rows may come again. They are then known by the device's name
with the number of batches taken back so far behind it, since no row is ever changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

from app import codec
from app.domain.events import GENESIS, Direction, next_hash
from app.domain.verdict import LastTouch, Outcome
from app.store.database import Database
from app.store.events import Appender
from app.store.rows import from_ms

_KNOWN = "SELECT seq FROM import_row WHERE at = ? AND card = ? AND nth = ? AND (device = ? OR device GLOB ?)"
_SPAN = "SELECT at, device, card, nth, seq FROM import_row WHERE at BETWEEN ? AND ? LIMIT ?"
_ROW = "INSERT INTO import_row (seq, at, device, card, nth, number) VALUES (?, ?, ?, ?, ?, ?)"
_BATCH = (
    "INSERT INTO import_batch (at, format, device, site_id, digest, rows, first_seq, last_seq, file, first_at, last_at,"
    " counts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_TAKEN = (
    "SELECT b.first_seq, b.last_seq FROM import_taken_back t JOIN import_batch b ON b.n = t.batch ORDER BY b.first_seq"
)
_LAST = (
    "SELECT seq, id, at_ms, direction, work_day, outcome FROM touch WHERE card_key = ? AND at_ms <= ?"
    " AND suppressed_by IS NULL AND outcome <> 'refused' AND site_id = ? ORDER BY at_ms DESC, seq DESC"
)
_NEXT = (
    "SELECT seq, at_ms FROM touch WHERE card_key = ? AND at_ms > ?"
    " AND suppressed_by IS NULL AND outcome <> 'refused' AND site_id = ? ORDER BY at_ms"
)
_READ_BACK = (
    "SELECT e.seq, e.body, e.hash, o.seq, t.seq, r.seq FROM event e LEFT JOIN outbox o ON o.seq = e.seq"
    " LEFT JOIN touch t ON t.seq = e.seq LEFT JOIN import_row r ON r.seq = e.seq WHERE e.seq > ? AND e.seq <= ?"
    " ORDER BY e.seq LIMIT 5000"
)
AGAIN = "\x1f"
"""Between a device and the count, in a row that came again. No device has it in its name."""
NEVER_MS = 1 << 62

_CACHE = -16384
"""KiB of pages in memory: with the usual 2 MiB, large imports decrypt the same index pages again and again."""


Mark = tuple[str, str, str, int]
"""What a touch from a file is known by: time as the device wrote it, device, card, which of equal ones in it (from
1)."""


class Near(NamedTuple):
    """A card's touches around a moment: the last one not after it, and when the next one was (Unix ms)."""

    last: LastTouch | None
    next_ms: int


class CameFrom(NamedTuple):
    """What a batch is kept with. `at`: RFC 3339; `file`: its name without the folder; times in Unix ms."""

    at: str
    format: str
    device: str
    site_id: str
    digest: str
    rows: int
    file: str
    first_ms: int | None
    last_ms: int | None
    counts: Mapping[str, int]


class Looker:
    """Questions of an import, for one connection. What was taken back is as if it had never been."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        spans = connection.execute(_TAKEN).fetchall()
        self._starts = [first for first, _ in spans]
        self._ends = [last for _, last in spans]

    @property
    def taken_back(self) -> int:
        """Batches taken back so far."""
        return len(self._starts)

    def known(self, marks: Sequence[Mark]) -> set[int]:
        """Places in `marks` of those that came before, in this file or another."""
        if not marks:
            return set()
        texts = [mark[0] for mark in marks]
        most = 2 * len(marks) + 1000
        rows = self._connection.execute(_SPAN, (min(texts), max(texts), most)).fetchall()
        if len(rows) == most:  # not in the order of time: what lies between first and last is too much to look through
            return {place for place, mark in enumerate(marks) if self._is_known(mark)}
        if not rows:
            return set()
        there = {
            (at, device.partition(AGAIN)[0], card, nth)
            for at, device, card, nth, seq in rows
            if not self._is_taken(seq)
        }
        return {place for place, mark in enumerate(marks) if mark in there}

    def near(self, card_key: str, site_id: str, at_ms: int) -> Near:
        """Of touches here that were neither suppressed nor refused."""
        last, next_ms = None, NEVER_MS
        for seq, id_, ms, direction, day, outcome in self._connection.execute(_LAST, (card_key, at_ms, site_id)):
            if not self._is_taken(seq):
                last = LastTouch(id_, from_ms(ms), Direction(direction), date.fromisoformat(day), Outcome(outcome))
                break
        for seq, ms in self._connection.execute(_NEXT, (card_key, at_ms, site_id)):
            if not self._is_taken(seq):
                next_ms = ms
                break
        return Near(last, next_ms)

    def _is_known(self, mark: Mark) -> bool:
        at, device, card, nth = mark
        values = (at, card, nth, device, f"{_literal(device)}{AGAIN}*")
        return any(not self._is_taken(seq) for (seq,) in self._connection.execute(_KNOWN, values))

    def _is_taken(self, seq: int) -> bool:
        place = bisect_right(self._starts, seq)
        return place > 0 and seq <= self._ends[place - 1]


class Batch(Looker):
    """One file inside its transaction."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._appender = Appender(connection)
        self._first = self._appender.seq + 1
        self._suffix = f"{AGAIN}{self.taken_back}" if self.taken_back else ""

    @property
    def seq(self) -> int:
        """Of the last event, those of this batch included."""
        return self._appender.seq

    def add(
        self,
        events: Sequence[tuple[Any, ...]],
        touches: Sequence[tuple[Any, ...]],
        marks: Sequence[tuple[int, str, str, str, int, int]],
    ) -> None:
        """Store new touches: see `Appender.add_rows`; `marks`: seq, the four of Mark, the device's number."""
        self._appender.add_rows(events, touches)
        if self._suffix:
            marks = [(seq, at, device + self._suffix, card, nth, n) for seq, at, device, card, nth, n in marks]
        self._connection.executemany(_ROW, marks)

    def note(self, came_from: CameFrom) -> int | None:
        """What the events of this batch came from; the batch's number. Nothing is noted where nothing was added."""
        if self._appender.seq < self._first:
            return None
        one = came_from
        row = (one.at, one.format, one.device, one.site_id, one.digest, one.rows, self._first, self._appender.seq)
        more = (one.file, _text(one.first_ms), _text(one.last_ms), codec.encode(dict(one.counts)).decode())
        return int(self._connection.execute(_BATCH, (*row, *more)).lastrowid)


class ImportStore:
    """Any thread. Raises StorageTrouble; then nothing of the batch is stored."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @contextmanager
    def looking(self) -> Iterator[Looker]:
        """Questions alone; nobody waits for them."""
        with self._db.looking() as connection:
            yield Looker(connection)

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """One transaction, FULL at its end: all is stored, or with an exception nothing.

        Everybody else who writes waits while it is open.
        """
        with self._db.hot() as connection:
            usual = connection.execute("PRAGMA cache_size").fetchone()[0]
            connection.execute(f"PRAGMA cache_size = {_CACHE}")
            try:
                yield Batch(connection)
            finally:
                connection.execute(f"PRAGMA cache_size = {usual}")

    def span(self, batch: int) -> tuple[int, int]:
        """First and last seq of a batch. KeyError for none of this number."""
        with self._db.looking() as connection:
            row = connection.execute("SELECT first_seq, last_seq FROM import_batch WHERE n = ?", (batch,)).fetchone()
        if row is None:
            raise KeyError(batch)
        return row[0], row[1]

    def read_back(self, batch: int, progress: Callable[[int], None] = lambda done: None) -> bool:
        """Whether every row of a batch is on disk as it was stored: bodies and chain, outbox, what it is known by."""
        first, last = self.span(batch)
        with self._db.looking() as connection:
            row = connection.execute("SELECT hash FROM event WHERE seq = ?", (first - 1,)).fetchone()
            link, seen = row[0] if row else GENESIS, first - 1
            while seen < last:
                rows = connection.execute(_READ_BACK, (seen, last)).fetchall()
                for seq, body, stored, *others in rows:
                    link = next_hash(link, body)
                    if seq != seen + 1 or link != stored or others != [seq, seq, seq]:
                        return False
                    seen = seq
                if not rows:
                    return False
                progress(seen - first + 1)
        return True


def _text(at_ms: int | None) -> str | None:
    return None if at_ms is None else from_ms(at_ms).isoformat(timespec="milliseconds")


def _literal(text: str) -> str:
    """For GLOB."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)
