"""The log of events: appended in one durable transaction, never changed, tied by a chain of hashes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from app import codec
from app.domain.events import GENESIS, Draft, EventType, next_hash
from app.domain.verdict import LastTouch
from app.domain.work_records import Fact
from app.store import day, facts
from app.store.about import about
from app.store.database import Database
from app.store.rows import StoreCounts, Stored, TodayRows, TouchRow

_HEAD = "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1"
_EVENT = (
    "INSERT INTO event (seq, id, type, site_id, occurred_at, recorded_at, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_TOUCH = (
    "INSERT INTO touch (seq, id, site_id, card_key, worker_id, direction, work_day, assurance, outcome, reasons,"
    " suppressed_by, reader, source, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_MENTION = (
    "INSERT INTO mention (seq, type, site_id, worker_id, work_day, card_key, target) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_OUTBOX = "INSERT INTO outbox (seq, state, attempts) VALUES (?, 'waiting', 0)"
_SCAN = (
    "SELECT e.seq, e.id, e.body, e.hash, o.seq FROM event e LEFT JOIN outbox o ON o.seq = e.seq"
    " WHERE e.seq > ? ORDER BY e.seq LIMIT 2000"
)
_TOUCHES = frozenset((EventType.TOUCH, EventType.REFUSAL))


class EventLog:
    """Any thread. Every method may raise StorageTrouble; after it, nothing of the call is stored."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def append(self, draft: Draft, touch: TouchRow | None = None) -> Stored:
        """Store an event with its row for the gate and its place in the outbox. On return it is on disk.

        `touch`: for types touch and refusal; without it, it is made from the payload. ValueError for a payload with
        a float or a touch without its fields; an id that is there already crashes (IntegrityError): ids are made once.
        """
        if touch is None and draft.type in _TOUCHES:
            touch = TouchRow.from_draft(draft)
        with self._db.hot() as connection:
            execute = connection.execute
            head = execute(_HEAD).fetchone()
            seq = head[0] + 1 if head else 1
            body = codec.canonical(draft.numbered(seq).as_wire())
            link = next_hash(head[1] if head else GENESIS, body)
            execute(_EVENT, _event_row(draft, seq, body, link))
            if touch is not None:
                execute(_TOUCH, _touch_row(draft, seq, touch))
            else:
                execute(_MENTION, _mention_row(draft, seq))
            execute(_OUTBOX, (seq,))
        return Stored(seq, draft.id, link)

    def append_many(self, drafts: Sequence[Draft], touches: Mapping[str, TouchRow] | None = None) -> list[Stored]:
        """Many events in one transaction, in the order given. `touches` by event id, where a verdict was made.

        A gate waits while this runs: give some thousand at a time. Errors as `append`; all are stored or none.
        """
        with self._db.hot() as connection:
            return Appender(connection).add(drafts, touches or {})

    def chain_head(self) -> tuple[int, bytes]:
        """Last seq and its hash; (0, GENESIS) for an empty log."""
        with self._db.looking() as connection:
            return _head(connection)

    def newest_recorded_at(self) -> datetime | None:
        """When the last event was stored, by the PC's clock of then; None for an empty log."""
        with self._db.looking() as connection:
            row = connection.execute("SELECT recorded_at FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def verify_chain(self) -> int | None:
        """The first seq where body, hash, order or outbox do not fit; None when all do. Reads the whole log."""
        last, link = 0, GENESIS
        while True:
            with self._db.looking() as connection:
                rows = connection.execute(_SCAN, (last,)).fetchall()
            if not rows:
                return None
            for seq, id_, body, stored_hash, queued in rows:
                # SQLite lets somebody put text where bytes were
                link = next_hash(link, body) if isinstance(body, bytes) else GENESIS
                if seq != last + 1 or link != stored_hash or queued is None or not _says(body, seq, id_):
                    return last + 1
                last = seq

    def last_unsuppressed(
        self, card_key: str, *, site_id: str | None = None, not_after: datetime | None = None
    ) -> LastTouch | None:
        """The card's latest touch here (by time) that was neither suppressed nor refused.

        `not_after` leaves out touches from the future of a clock that was wrong; `site_id`, those of another site.
        """
        with self._db.looking() as connection:
            return day.last_unsuppressed(connection, card_key, site_id, not_after)

    def month_facts(self, worker_id: str, month: str, site_id: str) -> list[Fact]:
        """Everything `work_records.derive` needs for a worker's month ('YYYY-MM') at a site. See `app.store.facts`."""
        return self.workers_facts((worker_id,), month, site_id)

    def workers_facts(self, worker_ids: Collection[str], month: str, site_id: str) -> list[Fact]:
        """The same for some workers at once."""
        with self._db.read() as connection:
            return facts.workers_facts(connection, worker_ids, month, site_id)

    def days_elsewhere(self, worker_id: str, month: str, site_id: str, known: Collection[str]) -> set[str]:
        """Work days of a worker's month that the centre has a record for which stands on events not `known` (ids).

        Touches of other gates do not come down, but what they add up to does. A record of known events alone is left
        out: those are judged here, newer corrections included.
        """
        with self._db.read() as connection:
            return facts.days_elsewhere(connection, worker_id, month, site_id, known)

    def site_facts(self, month: str, site_id: str) -> list[Fact]:
        """The same for everybody at a site."""
        with self._db.read() as connection:
            return facts.site_facts(connection, month, site_id)

    def today(self, site_id: str, work_day: str, limit: int = 200) -> TodayRows:
        """A work day ('YYYY-MM-DD') as the gate's right-hand side needs it; at most `limit` rows, latest first."""
        with self._db.read() as connection:
            return day.today(connection, site_id, work_day, limit)

    def headcounts(self, site_id: str, work_day: str) -> dict[str, int]:
        """総出面 by company as last typed, here or at another station."""
        with self._db.read() as connection:
            return day.headcounts_today(connection, site_id, work_day)

    def counts(self) -> StoreCounts:
        """For the status line; costs as much as what waits, not as what is stored."""
        with self._db.read() as connection:
            return day.counts(connection)


class Appender:
    """Puts many events at the end of the log inside one `hot` transaction, in as many calls as it likes."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._seq, self._link = _head(connection)

    @property
    def seq(self) -> int:
        """Of the last event."""
        return self._seq

    def add(self, drafts: Iterable[Draft], touches: Mapping[str, TouchRow]) -> list[Stored]:
        """See `EventLog.append_many`. Memory grows with the drafts of one call alone."""
        seq, link = self._seq, self._link
        stored: list[Stored] = []
        events, touch_rows, mentions = [], [], []
        for draft in drafts:
            seq += 1
            body = codec.canonical(draft.numbered(seq).as_wire())
            link = next_hash(link, body)
            events.append(_event_row(draft, seq, body, link))
            if draft.type in _TOUCHES:
                row = touches.get(draft.id) or TouchRow.from_draft(draft)
                touch_rows.append(_touch_row(draft, seq, row))
            else:
                mentions.append(_mention_row(draft, seq))
            stored.append(Stored(seq, draft.id, link))
        self._connection.executemany(_EVENT, events)
        self._connection.executemany(_TOUCH, touch_rows)
        self._connection.executemany(_MENTION, mentions)
        self._connection.executemany(_OUTBOX, [(one.seq,) for one in stored])
        self._seq, self._link = seq, link
        return stored

    def add_rows(self, events: Sequence[tuple[Any, ...]], touches: Sequence[tuple[Any, ...]]) -> None:
        """Touches and refusals that are ready made: rows of `event` without their hash, numbered from `seq` + 1 with
        canonical bodies, and rows of `touch`, in the same order."""
        link, rows = self._link, []
        for row in events:
            link = sha256(link + row[6]).digest()  # next_hash, without the call
            rows.append((*row, link))
        self._connection.executemany(_EVENT, rows)
        self._connection.executemany(_TOUCH, touches)
        self._connection.executemany(_OUTBOX, [(row[0],) for row in events])
        self._seq, self._link = self._seq + len(rows), link


def _head(connection: Any) -> tuple[int, bytes]:
    row = connection.execute(_HEAD).fetchone()
    return (row[0], row[1]) if row else (0, GENESIS)


def _event_row(draft: Draft, seq: int, body: bytes, link: bytes) -> tuple[object, ...]:
    return (
        seq,
        draft.id,
        draft.type.value,
        draft.site_id,
        draft.occurred_at,
        draft.recorded_at,
        body,
        link,
    )


def _touch_row(draft: Draft, seq: int, touch: TouchRow) -> tuple[object, ...]:
    return (
        seq,
        draft.id,
        draft.site_id,
        touch.card_key,
        touch.worker_id,
        touch.direction,
        touch.work_day,
        touch.assurance,
        touch.outcome,
        " ".join(touch.reasons),
        touch.suppressed_by,
        touch.reader,
        touch.source,
        touch.at_ms,
    )


def _mention_row(draft: Draft, seq: int) -> tuple[object, ...]:
    return (seq, draft.type.value, draft.site_id, *about(draft.type.value, draft.payload))


def _says(body: bytes, seq: int, id_: str) -> bool:
    try:
        event = codec.decode(body, dict)
    except codec.DecodeError:
        return False
    return event.get("seq") == seq and event.get("id") == id_
