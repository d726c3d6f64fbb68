"""From an older version of the tables to this one, step by step, inside the transaction that opens the database.

A step holds the tables as they were made then (app.central.schema holds them as they are now); a test compares what
all steps leave with what is made afresh. Both databases undo a step that fails, so nothing is ever half upgraded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from app.central.triggers import triggers

_Number = BigInteger().with_variant(Integer(), "sqlite")


def upgrade(tx: Connection, found: int) -> None:
    """Run every step after `found`. The caller holds the lock under which tables are made."""
    for version in sorted(STEPS):
        if version > found:
            STEPS[version](tx)
            tx.execute(text("UPDATE schema_version SET version = :to"), {"to": version})


def _chain_tables(tables: MetaData) -> list[Table]:
    """Closing incidents, odd events, restored stations."""
    return [
        Table(
            "incident_closure",
            tables,
            Column("station_id", Text, ForeignKey("station.id"), nullable=False),
            Column("kind", Text, nullable=False),
            Column("seq", _Number, nullable=False),
            Column("event_id", Text, nullable=False),
            Column("audit_number", _Number, ForeignKey("audit.number"), nullable=False),
            Column("rebased_seq", _Number),
            PrimaryKeyConstraint("station_id", "kind", "seq", "event_id"),
        ),
        Table(
            "odd_event",
            tables,
            Column("event_id", Text, primary_key=True),
            Column("station_id", Text, ForeignKey("station.id"), nullable=False),
            Column("site_id", Text, ForeignKey("site.id"), nullable=False),
            Column("code", Text, nullable=False),
            Column("detail", Text, nullable=False),
            Column("received_at", Text, nullable=False),
            Index("ix_odd_event_site", "site_id", "received_at"),
        ),
        Table(
            "station_branch",
            tables,
            Column("station_id", Text, ForeignKey("station.id"), primary_key=True),
            Column("predecessor", Text, ForeignKey("station.id"), nullable=False),
            Column("base_seq", _Number, nullable=False),
            Column("base_hash", LargeBinary, nullable=False),
        ),
        Table(
            "shared_event",
            tables,
            Column("station_id", Text, ForeignKey("station.id"), nullable=False),
            Column("seq", _Number, nullable=False),
            Column("event_id", Text, nullable=False),
            PrimaryKeyConstraint("station_id", "seq"),
        ),
    ]


def _to_2(tx: Connection) -> None:
    """Attempts, days of stations, closing and moving, the audit trail, erasure with its door in `event`."""
    tables = MetaData()
    Table("station", tables, Column("id", Text, primary_key=True))
    Table("site", tables, Column("id", Text, primary_key=True))
    made = [
        Table(
            "attempt",
            tables,
            Column("key", Text, primary_key=True),
            Column("failures", Integer, nullable=False),
            Column("last_at", Text, nullable=False),
            Column("until", Text, nullable=False),
        ),
        Table(
            "station_day",
            tables,
            Column("station_id", Text, ForeignKey("station.id"), nullable=False),
            Column("day", Text, nullable=False),
            Column("heard", Integer, nullable=False),
            Column("working", Integer, nullable=False),
            PrimaryKeyConstraint("station_id", "day"),
            Index("ix_station_day_day", "day"),
        ),
        Table(
            "audit",
            tables,
            Column("number", _Number, primary_key=True),
            Column("at", Text, nullable=False),
            Column("who", Text, nullable=False),
            Column("action", Text, nullable=False),
            Column("subject", Text, nullable=False),
            Column("reason", Text, nullable=False),
            Column("detail", Text, nullable=False),
        ),
        Table(
            "event_erasure",
            tables,
            Column("event_id", Text, nullable=False),
            Column("audit_number", _Number, ForeignKey("audit.number"), nullable=False),
            Column("subject", Text),
            Column("body", LargeBinary, nullable=False),
            PrimaryKeyConstraint("event_id", "audit_number"),
        ),
        Table(
            "secret",
            tables,
            Column("name", Text, primary_key=True),
            Column("value", LargeBinary, nullable=False),
        ),
        *_chain_tables(tables),
    ]
    tables.create_all(tx, made, checkfirst=False)
    tx.exec_driver_sql("ALTER TABLE site ADD COLUMN closed_on TEXT")
    tx.exec_driver_sql("ALTER TABLE station_site ADD COLUMN withdrawn_at TEXT")
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql("DROP TRIGGER event_no_change ON event")
    else:
        tx.exec_driver_sql("DROP TRIGGER event_no_update")
        tx.exec_driver_sql("DROP TRIGGER event_no_delete")
    for statement in triggers(tx.dialect.name):
        tx.exec_driver_sql(statement)


def _to_3(tx: Connection) -> None:
    """Letters that are carried."""
    tables = MetaData()
    Table("station", tables, Column("id", Text, primary_key=True))
    made = [
        Table(
            "drop_station",
            tables,
            Column("fingerprint", Text, primary_key=True),
            Column("station_id", Text, ForeignKey("station.id"), nullable=False, unique=True),
            Column("keys", Text, nullable=False),
            Column("number", _Number, nullable=False),
        ),
        Table(
            "drop_letter",
            tables,
            Column("digest", LargeBinary, primary_key=True),
            Column("station_id", Text, ForeignKey("station.id"), nullable=False),
            Column("taken_at", Text, nullable=False),
            Column("receipt", LargeBinary, nullable=False),
            Index("ix_drop_letter_station", "station_id", "taken_at"),
        ),
    ]
    tables.create_all(tx, made, checkfirst=False)


def _to_4(tx: Connection) -> None:
    """Secrets that are changed, and stations that are lost."""
    binary = "BYTEA" if tx.dialect.name == "postgresql" else "BLOB"
    tx.exec_driver_sql(f"ALTER TABLE client ADD COLUMN next_secret_hash {binary}")
    for name in ("rotation_asked_at", "lost_at", "withdrawn_at"):
        tx.exec_driver_sql(f"ALTER TABLE client ADD COLUMN {name} TEXT")


STEPS: Mapping[int, Callable[[Connection], None]] = {2: _to_2, 3: _to_3, 4: _to_4}
"""By the version that each leads to."""
