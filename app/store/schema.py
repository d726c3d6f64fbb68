"""The tables as they are now; `migrations/` is how a database gets there (a test holds both equal).

Append-only tables (`APPEND_ONLY`) refuse UPDATE, DELETE and REPLACE by trigger.
REPLACE is refused before the row is looked at, so it holds on a foreign connection without `recursive_triggers` too.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Every schema this program knows, oldest first; the last one is the tables below."""
HEAD = REVISIONS[-1]

metadata = MetaData()

event = Table(
    "event",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("occurred_at", Text, nullable=False),
    Column("recorded_at", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("id", name="event_id"),
    CheckConstraint("length(hash) = 32", name="event_hash"),
)
"""Every event of this station, in its order. `body`: canonical JSON bytes, as hashed and as sent."""

touch = Table(
    "touch",
    metadata,
    Column("seq", Integer, ForeignKey("event.seq"), primary_key=True),
    Column("id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("card_key", Text, nullable=False),
    Column("worker_id", Text),
    Column("direction", Text, nullable=False),
    Column("work_day", Text, nullable=False),
    Column("assurance", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("suppressed_by", Text),
    Column("reader", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at_ms", Integer, nullable=False),
    Index("touch_card", "card_key", "at_ms"),
    Index("touch_day", "site_id", "work_day"),
    Index("touch_worker", "worker_id", "work_day", sqlite_where=text("worker_id IS NOT NULL")),
    Index("touch_outcome", "outcome", sqlite_where=text("outcome IN ('suppressed', 'refused', 'unknown_card')")),
    # the card first: a question for a site's day must never take this one for its own
    Index("touch_nobody", "card_key", "site_id", "work_day", "outcome", sqlite_where=text("worker_id IS NULL")),
)
"""What the gate needs to know of touches and refusals. `at_ms`: Unix time, milliseconds; `reasons`: blank-separated."""

mention = Table(
    "mention",
    metadata,
    Column("seq", Integer, ForeignKey("event.seq"), primary_key=True),
    Column("type", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("worker_id", Text),
    Column("work_day", Text),
    Column("card_key", Text),
    Column("target", Text),
    Index("mention_type", "type", "site_id", "work_day"),
    Index("mention_worker", "worker_id", sqlite_where=text("worker_id IS NOT NULL")),
    Index("mention_card", "card_key", sqlite_where=text("card_key IS NOT NULL")),
    Index("mention_target", "target", sqlite_where=text("target IS NOT NULL")),
)
"""Whom and what an event that is no touch is about. `target`: id of the event, company or roster item it names."""

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Integer, ForeignKey("event.seq"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("code", Text),
    Column("detail", Text),
    Column("settled_at", Text),
    Column("receipt", Integer),
    CheckConstraint("state IN ('waiting', 'accepted', 'rejected', 'conflict')", name="outbox_state"),
    Index("outbox_waiting", "attempts", "seq", sqlite_where=text("state = 'waiting'")),
    Index("outbox_look", "state", "seq", sqlite_where=text("state IN ('rejected', 'conflict')")),
)
"""One row for each event. `receipt`: the centre's number, or the highest one known when it was accepted."""

sync_state = Table(
    "sync_state",
    metadata,
    Column("only", Integer, primary_key=True),
    Column("next_attempt_at", Text),
    Column("failures", Integer, nullable=False),
    Column("last_sync_at", Text),
    Column("last_error", Text),
    Column("paused", Text, nullable=False),
    CheckConstraint("only = 1", name="sync_state_only"),
)

cursor = Table(
    "cursor",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("site_id", Text),
    Column("value", Text, nullable=False),
    Column("etag", Text),
    Column("at", Text, nullable=False),
)

site = Table(
    "site",
    metadata,
    Column("id", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

roster_item = Table(
    "roster_item",
    metadata,
    Column("site_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("worker_id", Text),
    Column("body", LargeBinary, nullable=False),
    Index("roster_worker", "site_id", "worker_id", sqlite_where=text("worker_id IS NOT NULL")),
)
"""The roster as pulled. `worker_id`: of cards and assignments."""

remote_event = Table(
    "remote_event",
    metadata,
    Column("receipt", Integer, primary_key=True),
    Column("station_id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("occurred_at", Text, nullable=False),
    Column("worker_id", Text),
    Column("work_day", Text),
    Column("card_key", Text),
    Column("target", Text),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("id", name="remote_event_id"),
    Index("remote_type", "type", "site_id", "work_day"),
    Index("remote_worker", "worker_id", sqlite_where=text("worker_id IS NOT NULL")),
    Index("remote_card", "card_key", sqlite_where=text("card_key IS NOT NULL")),
    Index("remote_target", "target", sqlite_where=text("target IS NOT NULL")),
)
"""Events that other stations made, with the centre's receipt number."""

centre_record = Table(
    "centre_record",
    metadata,
    Column("site_id", Text, primary_key=True),
    Column("work_day", Text, primary_key=True),
    Column("worker_id", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""Work records as the centre derived them."""

audit = Table(
    "audit",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("operator_id", Text),
    Column("ok", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    CheckConstraint("ok IN (0, 1)", name="audit_ok"),
)
"""Who did what with which right; tries that failed too."""

aside = Table(
    "aside",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("worker_id", Text, nullable=False),
    Column("work_day", Text, nullable=False),
    Column("aside", Integer, nullable=False),
    Column("operator_id", Text, nullable=False),
    CheckConstraint("aside IN (0, 1)", name="aside_flag"),
    Index("aside_day", "site_id", "work_day"),
)
"""Candidates that somebody has taken off the list, or put back: the last row of a worker's day holds."""

reader_log = Table(
    "reader_log",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("at_ms", Integer, nullable=False),
    Column("reader", Text, nullable=False),
    Column("usable", Integer, nullable=False),
    CheckConstraint("usable IN (0, 1)", name="reader_log_usable"),
    Index("reader_log_at", "at_ms"),
)
"""When a reader began or ceased to work; a gate that starts or ends says so for each of its readers."""

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

phone = Table(
    "phone",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("phone_id", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("label", Text, nullable=False),
    Column("worker_id", Text),
    Column("company_id", Text),
    Column("state", Text, nullable=False),
    Column("operator_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint("state IN ('registered', 'revoked')", name="phone_state"),
    CheckConstraint("length(public_key) = 32", name="phone_key"),
)
"""Phones whose files are taken: of several rows of a phone the last one holds. `public_key`: Ed25519."""

import_batch = Table(
    "import_batch",
    metadata,
    Column("n", Integer, primary_key=True),
    *(Column(name, Text, nullable=False) for name in ("at", "format", "device", "site_id", "digest")),
    Column("rows", Integer, nullable=False),
    *(Column(name, Integer, ForeignKey("event.seq"), nullable=False) for name in ("first_seq", "last_seq")),
    *(Column(name, Text) for name in ("file", "first_at", "last_at", "counts")),
)
"""Files that added something: all events from `first_seq` to `last_seq`. `digest`: SHA-256, hex; `file`: its name;
`first_at`, `last_at`: of its touches, UTC; `counts`: JSON, name → rows. The last four are NULL in rows before 0006."""

import_row = Table(
    "import_row",
    metadata,
    Column("seq", Integer, ForeignKey("event.seq"), primary_key=True),
    Column("at", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("nth", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    UniqueConstraint("at", "device", "card", "nth", name="import_row_once"),
)
"""What a touch from a file is known by. `at`: as the device wrote it, which makes new rows lie together in the index
(with the card first it is four times slower); `number`: the device's own. `device`: see `app.store.imports`."""

import_taken_back = Table(
    "import_taken_back",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("batch", Integer, ForeignKey("import_batch.n"), nullable=False),
    *(Column(name, Integer, ForeignKey("event.seq"), nullable=False) for name in ("first_seq", "last_seq")),
    *(Column(name, Text, nullable=False) for name in ("at", "operator_id", "reason")),
    UniqueConstraint("batch", name="import_taken_back_once"),
)
"""Batches whose events were voided, by the corrections from `first_seq` to `last_seq`."""

_TAKEN = {
    "event": "seq = NEW.seq OR id = NEW.id",
    "touch": "seq = NEW.seq",
    "mention": "seq = NEW.seq",
    "remote_event": "receipt = NEW.receipt OR id = NEW.id",
    "audit": "n = NEW.n",
    "aside": "n = NEW.n",
    "reader_log": "n = NEW.n",
    "phone": "n = NEW.n",
    "import_batch": "n = NEW.n",
    "import_taken_back": "n = NEW.n OR batch = NEW.batch",
    "import_row": "seq = NEW.seq OR (at = NEW.at AND device = NEW.device AND card = NEW.card AND nth = NEW.nth)",
}
APPEND_ONLY = tuple(_TAKEN)


def _triggers() -> dict[str, str]:
    found: dict[str, str] = {}
    for table, taken in _TAKEN.items():
        for verb in ("UPDATE", "DELETE"):
            name = f"{table}_no_{verb.lower()}"
            found[name] = (
                f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        name = f"{table}_no_replace"
        found[name] = (
            f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE INSERT ON {table} "  # noqa: S608 - names of our own
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
    found["event_gapless"] = (
        "CREATE TRIGGER IF NOT EXISTS event_gapless BEFORE INSERT ON event "
        "WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM event) "
        "BEGIN SELECT RAISE(ABORT, 'event seq has no gaps'); END"
    )
    found["outbox_no_delete"] = (
        "CREATE TRIGGER IF NOT EXISTS outbox_no_delete BEFORE DELETE ON outbox "
        "BEGIN SELECT RAISE(ABORT, 'outbox rows stay'); END"
    )
    found["outbox_no_replace"] = (
        "CREATE TRIGGER IF NOT EXISTS outbox_no_replace BEFORE INSERT ON outbox "
        "WHEN EXISTS (SELECT 1 FROM outbox WHERE seq = NEW.seq) "
        "BEGIN SELECT RAISE(ABORT, 'outbox rows stay'); END"
    )
    return found


TRIGGERS = _triggers()
"""Name → SQL. Put back after every migration: Alembic's batch recreation drops them silently."""
