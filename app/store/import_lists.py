"""Lists about imports: batches, unknown cards; and the taking back of a batch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import codec
from app.domain.events import Draft
from app.store.database import Database
from app.store.events import Appender

_BATCHES = (
    "SELECT b.n, b.at, b.format, b.device, b.site_id, b.rows, b.first_seq, b.last_seq, b.file, b.first_at,"
    " b.last_at, b.counts, t.at, t.operator_id, t.reason,"
    " (SELECT count(*) FROM outbox o WHERE o.state = 'waiting' AND o.seq BETWEEN b.first_seq AND b.last_seq)"
    " FROM import_batch b LEFT JOIN import_taken_back t ON t.batch = b.n ORDER BY b.n DESC"
)
_UNKNOWN = (
    "SELECT card_key, count(*), min(work_day), max(work_day), max(seq) FROM touch INDEXED BY touch_nobody"
    " WHERE worker_id IS NULL AND site_id = ? AND outcome IN ('unknown_card', 'suppressed') AND NOT EXISTS"
    " (SELECT 1 FROM import_taken_back t CROSS JOIN import_batch b ON b.n = t.batch"
    " WHERE touch.seq BETWEEN b.first_seq AND b.last_seq) GROUP BY card_key ORDER BY count(*) DESC, card_key"
)
"""SQLite would look at every touch of the site; CROSS: the few batches that were taken back before all batches."""
_FORMATS = "SELECT first_seq, last_seq, format FROM import_batch ORDER BY first_seq"
_NOTE = "INSERT INTO import_taken_back (at, batch, operator_id, reason, first_seq, last_seq) VALUES (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch as it stands."""

    batch: int
    at: datetime
    format: str
    device: str
    site_id: str
    rows: int
    events: int
    unsent: int
    file: str
    first_at: datetime | None
    last_at: datetime | None
    counts: Mapping[str, int]
    taken_back_at: datetime | None
    operator_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """A card that was touched and was nobody's then."""

    card_key: str
    touches: int
    first_day: str
    last_day: str
    source: str


class ImportLists:
    """Any thread. Raises StorageTrouble."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def batches(self) -> list[BatchRow]:
        """Everything imported here, newest first."""
        with self._db.looking() as connection:
            rows = connection.execute(_BATCHES).fetchall()
        return [_batch(*row) for row in rows]

    def unknown_cards(self, site_id: str) -> list[UnknownRow]:
        """The card with most touches first; those that have been bound since are among them."""
        with self._db.looking() as connection:
            rows = connection.execute(_UNKNOWN, (site_id,)).fetchall()
            batches = connection.execute(_FORMATS).fetchall()
        return [UnknownRow(key, count, first, last, _source(batches, seq)) for key, count, first, last, seq in rows]

    def take_back(
        self,
        batch: int,
        at: datetime,
        operator_id: str,
        reason: str,
        drafts: Callable[[Iterable[str]], Iterator[Draft]],
        step: Callable[[int], None] = lambda done: None,
    ) -> int:
        """Void every touch of a batch in one transaction; how many. `drafts`: corrections of these event ids.

        KeyError for none of this number, ValueError for one that was taken back already. `step` may raise.
        """
        with self._db.hot() as connection:
            row = connection.execute(
                "SELECT b.first_seq, b.last_seq, t.n FROM import_batch b LEFT JOIN import_taken_back t ON t.batch = b.n"
                " WHERE b.n = ?",
                (batch,),
            ).fetchone()
            if row is None:
                raise KeyError(batch)
            first, last, taken = row
            if taken is not None:
                raise ValueError(batch)
            appender = Appender(connection)
            before, done = appender.seq, 0
            for ids in _ids(connection, first, last):
                done += len(appender.add(drafts(ids), {}))
                step(done)
            if done == 0:  # refusals alone: nothing to void, but its rows may come again
                note = (at.isoformat(timespec="milliseconds"), batch, operator_id, reason, last, last)
            else:
                note = (at.isoformat(timespec="milliseconds"), batch, operator_id, reason, before + 1, appender.seq)
            connection.execute(_NOTE, note)
        return done


def _batch(
    n: int,
    at: str,
    format_: str,
    device: str,
    site_id: str,
    rows: int,
    first_seq: int,
    last_seq: int,
    file: str | None,
    first_at: str | None,
    last_at: str | None,
    counts: str | None,
    taken_back_at: str | None,
    operator_id: str | None,
    reason: str | None,
    unsent: int,
) -> BatchRow:
    """A row of `_BATCHES`."""
    return BatchRow(
        batch=n,
        at=datetime.fromisoformat(at),
        format=format_,
        device=device,
        site_id=site_id,
        rows=rows,
        events=last_seq - first_seq + 1,
        unsent=unsent,
        file=file or "",
        first_at=_moment(first_at),
        last_at=_moment(last_at),
        counts=codec.decode(counts or "{}", dict[str, int]),
        taken_back_at=_moment(taken_back_at),
        operator_id=operator_id or "",
        reason=reason or "",
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _ids(connection: Any, first: int, last: int) -> Iterator[Sequence[str]]:
    ids = [
        id_
        for (id_,) in connection.execute(
            "SELECT id FROM touch WHERE seq BETWEEN ? AND ? AND outcome <> 'refused' ORDER BY seq", (first, last)
        )
    ]
    for start in range(0, len(ids), 2000):
        yield ids[start : start + 2000]


def _source(batches: Sequence[tuple[int, int, str]], seq: int) -> str:
    """The format of the batch that a touch is in; '' for none, which is the gate."""
    place = bisect_right(batches, seq, key=lambda one: one[0]) - 1
    return batches[place][2] if place >= 0 and seq <= batches[place][1] else ""
