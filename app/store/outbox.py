"""The outbox: which events still have to reach the centre, in which order, and what the centre said.

A table, not a queue: rows are read in (attempts, seq), so one bad row sinks and never blocks the line; rejected rows
are kept, shown, and can be sent again with the same id. Network back-off is the engine's (`sync_state`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.domain.events import GENESIS
from app.domain.outbox import OutboxCounts, OutboxState, Outgoing, Settled, SyncState
from app.store.database import Database
from app.store.schema import event, outbox, sync_state

# literal states, so that SQLite sees the partial indexes
_NEXT = (
    "SELECT o.seq, e.id, o.attempts, e.body FROM outbox o JOIN event e ON e.seq = o.seq"
    " WHERE o.state = 'waiting' AND (o.attempts, o.seq) > (?, ?) ORDER BY o.attempts, o.seq LIMIT ?"
)
_SETTLE = (
    "UPDATE outbox SET state = ?, code = ?, detail = ?, settled_at = ?, receipt = ?"
    " WHERE state = 'waiting' AND seq = (SELECT seq FROM event WHERE id = ?)"
)
_FAILED = (
    "UPDATE outbox SET attempts = attempts + 1 WHERE state = 'waiting' AND seq = (SELECT seq FROM event WHERE id = ?)"
)
_RESEND = (
    "UPDATE outbox SET state = 'waiting', attempts = 0, code = NULL, detail = NULL, settled_at = NULL,"
    " receipt = NULL WHERE state IN ('rejected', 'conflict') AND seq = (SELECT seq FROM event WHERE id = ?)"
)
_RESEND_AFTER = (
    "UPDATE outbox SET state = 'waiting', attempts = 0, code = NULL, detail = NULL, settled_at = NULL,"
    " receipt = NULL WHERE seq > ?"
)
_UNTIL = (
    "SELECT coalesce((SELECT min(seq) FROM outbox WHERE state IN ('waiting', 'conflict')),"
    " (SELECT coalesce(max(seq), 0) + 1 FROM outbox)) - 1"
)
_LOOK = "SELECT state, count(*) FROM outbox WHERE state IN ('rejected', 'conflict') GROUP BY state"
_SETTLED_STATES = frozenset((OutboxState.ACCEPTED, OutboxState.REJECTED, OutboxState.CONFLICT))


class Outbox:
    """Any thread (the sync engine's, usually). Every method may raise StorageTrouble; then nothing has changed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def next_batch(self, limit: int, max_bytes: int, after: tuple[int, int] = (-1, 0)) -> list[Outgoing]:
        """Waiting rows in (attempts, seq) order, bodies together at most `max_bytes`; at least one if there is any.

        `after`: only rows behind this (attempts, seq).
        """
        batch: list[Outgoing] = []
        size = 0
        with self._db.looking() as connection:
            for seq, id_, attempts, body in connection.execute(_NEXT, (*after, limit)):
                size += len(body)
                if batch and size > max_bytes:
                    break
                batch.append(Outgoing(seq, id_, attempts, body))
        return batch

    def unknown(self, ids: Iterable[str]) -> int:
        """How many of these are no events of this station."""
        query = "SELECT 1 FROM event WHERE id = ?"
        with self._db.looking() as connection:
            return sum(connection.execute(query, (id_,)).fetchone() is None for id_ in ids)

    def chain_hash(self, seq: int) -> bytes:
        """The chain's hash at an event of this station, 32 bytes; GENESIS at 0. KeyError for a seq not given yet."""
        if seq == 0:
            return GENESIS
        with self._db.looking() as connection:
            row = connection.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise KeyError(seq)
        found: bytes = row[0]
        return found

    def settle(self, verdicts: Sequence[Settled], at: datetime) -> None:
        """Write the centre's verdicts, all or none. An id that is not waiting (or not ours) is left alone.

        ValueError for a state that settles nothing.
        """
        for one in verdicts:
            if one.state not in _SETTLED_STATES:
                raise ValueError(f"not a settled state: {one.state!r}")
        when = at.isoformat()
        with self._db.hot() as connection:
            known = connection.execute("SELECT max(receipt) FROM remote_event").fetchone()[0] or 0
            connection.executemany(
                _SETTLE,
                [
                    (str(v.state), v.code, v.detail, when, known if v.receipt is None else v.receipt, v.id)
                    for v in verdicts
                ],
            )

    def count_failure(self, ids: Iterable[str]) -> None:
        """`attempts` + 1 for these waiting rows alone."""
        with self._db.hot() as connection:
            connection.executemany(_FAILED, [(id_,) for id_ in ids])

    def resend(self, ids: Iterable[str]) -> int:
        """Rejected or conflicting rows wait again, with the same id. How many did."""
        with self._db.hot() as connection:
            return sum(connection.execute(_RESEND, (id_,)).rowcount for id_ in ids)

    def needing_look(self, limit: int = 200) -> list[tuple[int, Settled]]:
        """Rejected and conflicting rows (seq, verdict), oldest first."""
        return [(row.seq, settled) for row, settled in self.look(limit)]

    def look(self, limit: int) -> list[tuple[Outgoing, Settled]]:
        """The same with the events themselves."""
        query = (
            sa.select(outbox, event.c.id, event.c.body)
            .join(event, event.c.seq == outbox.c.seq)
            .where(sa.text("outbox.state IN ('rejected', 'conflict')"))
            .order_by(outbox.c.seq)
            .limit(limit)
        )
        with self._db.read() as connection:
            return [
                (
                    Outgoing(row.seq, row.id, row.attempts, row.body),
                    Settled(row.id, row.state, row.code, row.detail),
                )
                for row in connection.execute(query)
            ]

    def settled_until(self) -> int:
        """The last seq up to which the centre holds every event; 0 for none."""
        with self._db.looking() as connection:
            row = connection.execute(_UNTIL).fetchone()
        return int(row[0])

    def resend_after(self, seq: int) -> int:
        """Every row after a seq waits, accepted ones too: a new station delivers them once more. How many do."""
        with self._db.hot() as connection:
            return int(connection.execute(_RESEND_AFTER, (seq,)).rowcount)

    def counts(self) -> OutboxCounts:
        """How many rows stand where; costs as much as what is not accepted."""
        with self._db.read() as connection:
            total = connection.exec_driver_sql("SELECT coalesce(max(seq), 0) FROM event").scalar_one()
            pending, oldest = _pending(connection)
            look: dict[str, int] = {row[0]: row[1] for row in connection.exec_driver_sql(_LOOK)}
        rejected, conflict = look.get("rejected", 0), look.get("conflict", 0)
        return OutboxCounts(pending, rejected, conflict, total - pending - rejected - conflict, oldest)

    def sync_state(self) -> SyncState:
        """The engine's memory; a fresh one if there is none yet."""
        with self._db.read() as connection:
            row = connection.execute(sa.select(sync_state)).one_or_none()
        if row is None:
            return SyncState()
        return SyncState(
            _moment(row.next_attempt_at), row.failures, _moment(row.last_sync_at), row.last_error, row.paused
        )

    def save_sync_state(self, state: SyncState) -> None:
        """Keep the engine's memory."""
        values = {
            "next_attempt_at": _text(state.next_attempt_at),
            "failures": state.failures,
            "last_sync_at": _text(state.last_sync_at),
            "last_error": state.last_error,
            "paused": state.paused,
        }
        with self._db.write() as connection:
            if connection.execute(sa.update(sync_state).values(values)).rowcount == 0:
                connection.execute(sa.insert(sync_state).values(only=1, **values))


def _pending(connection: sa.Connection) -> tuple[int, datetime | None]:
    row = connection.exec_driver_sql("SELECT count(*), min(seq) FROM outbox WHERE state = 'waiting'").one()
    pending, first = row
    if first is None:
        return 0, None
    when: Any = connection.execute(sa.select(event.c.occurred_at).where(event.c.seq == first)).scalar_one()
    return pending, datetime.fromisoformat(when)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
