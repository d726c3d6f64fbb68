"""Tables of the centre (SQLAlchemy Core), the same on SQLite and PostgreSQL.

Moments are text in UTC of one fixed width (`stamp`), so that comparing text is comparing time; days are ISO dates.
`event` is append-only, which triggers hold on both databases (app.central.triggers). Numbers called `change` and
`receipt` only grow, and in the order of commits within a site, because who takes one holds the site's row (PostgreSQL)
or the database's write lock (SQLite): that is what makes a cursor safe.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
)

from app.central.metadata import METADATA
from app.central.metadata import Number as _Number
from app.central.schema_chain import chain_claim as chain_claim
from app.central.schema_chain import chain_incident as chain_incident
from app.central.schema_chain import chain_point as chain_point
from app.central.schema_chain import incident_closure as incident_closure
from app.central.schema_chain import odd_event as odd_event
from app.central.schema_chain import shared_event as shared_event
from app.central.schema_chain import station_branch as station_branch
from app.central.schema_drop import drop_letter as drop_letter
from app.central.schema_drop import drop_station as drop_station
from app.central.triggers import triggers
from app.domain.events import rfc3339

SCHEMA_VERSION = 4
"""Raised with every change of the tables, which app.central.upgrades must then know how to make."""

schema_version = Table("schema_version", METADATA, Column("version", Integer, nullable=False))

client = Table(
    "client",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # 'station', 'administrator' or 'viewer'
    Column("name", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("secret_used_at", Text),
    Column("revoked_at", Text),
    Column("created_at", Text, nullable=False),
    Column("next_secret_hash", LargeBinary),  # opens as well; the first time it does, the other ends
    Column("rotation_asked_at", Text),
    Column("lost_at", Text),  # delivers what waits, is handed nothing, is asked to wipe
    Column("withdrawn_at", Text),  # a lost station has said that it has wiped
)

token = Table(
    "token",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    Column("client_id", Text, ForeignKey("client.id"), nullable=False, index=True),
    Column("expires_at", Text, nullable=False),
)

enrolment_code = Table(
    "enrolment_code",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    Column("role", Text, nullable=False),
    Column("site_ids", Text, nullable=False),  # JSON array
    Column("uses", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
)

station = Table(
    "station",
    METADATA,
    Column("id", Text, ForeignKey("client.id"), primary_key=True),
    Column("installation_id", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),  # 'gate' or 'office'
    Column("app_version", Text, nullable=False),
    Column("enrolled_with", LargeBinary, ForeignKey("enrolment_code.hash"), nullable=False),
    Column("enrolled_at", Text, nullable=False),
    Column("chain_seq", _Number, nullable=False),
    Column("chain_hash", LargeBinary, nullable=False),
    Column("chain_broken", Boolean, nullable=False),
    Column("top_seq", _Number, nullable=False),  # highest seq held here
)

site = Table(
    "site",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("fields", Text, nullable=False),  # JSON object
    Column("deleted", Boolean, nullable=False),
    Column("change", _Number, nullable=False),  # over all sites
    Column("roster_change", _Number, nullable=False),  # last number given in this site's roster
    Column("record_change", _Number, nullable=False),  # last number given in this site's work records
    Column("closed_on", Text),  # last work day, once an administrator closed the site
)

counter = Table(
    "counter",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", _Number, nullable=False),
)
"""Numbers over everything: 'site_change'."""

station_site = Table(
    "station_site",
    METADATA,
    Column("station_id", Text, ForeignKey("station.id"), nullable=False),
    Column("site_id", Text, ForeignKey("site.id"), nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("change", _Number, nullable=False),  # of counter 'site_change'
    Column("withdrawn_at", Text),  # what happened there before is still taken
    PrimaryKeyConstraint("station_id", "site_id"),
)

roster_item = Table(
    "roster_item",
    METADATA,
    Column("site_id", Text, ForeignKey("site.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("change", _Number, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("fields", Text, nullable=False),  # JSON object as it travels; kept when deleted
    Column("worker_id", Text),  # of assignments and cards
    Column("due_on", Text),  # day from which a gate is told `visit_office`, see app.central.roster
    PrimaryKeyConstraint("site_id", "kind", "id"),
    Index("ix_roster_item_change", "site_id", "change"),
    Index("ix_roster_item_worker", "site_id", "kind", "worker_id"),
)

RECEIPT = Sequence("event_receipt", metadata=METADATA)
"""PostgreSQL only; SQLite counts on under its write lock."""

event = Table(
    "event",
    METADATA,
    Column("receipt", _Number, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("station_id", Text, ForeignKey("station.id"), nullable=False),
    Column("seq", _Number, nullable=False),
    Column("site_id", Text, ForeignKey("site.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text),  # card key of touches and bindings, id named by corrections and approvals
    Column("received_at", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),  # canonical bytes
    UniqueConstraint("station_id", "seq"),
    Index("ix_event_site_receipt", "site_id", "receipt"),
    Index("ix_event_subject", "site_id", "type", "subject"),
)

rejected_event = Table(
    "rejected_event",
    METADATA,
    Column("station_id", Text, ForeignKey("station.id"), nullable=False),
    Column("id", Text, nullable=False),
    Column("seq", _Number, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),  # canonical bytes: the chain runs over them
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("first_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("times", Integer, nullable=False),
    PrimaryKeyConstraint("station_id", "id"),
    UniqueConstraint("station_id", "seq"),
)
"""Events that were refused. One that is accepted later moves to `event` with its seq and bytes unchanged."""

work_record = Table(
    "work_record",
    METADATA,
    Column("site_id", Text, ForeignKey("site.id"), nullable=False),
    Column("worker_id", Text, nullable=False),
    Column("work_day", Text, nullable=False),
    Column("change", _Number, nullable=False),
    Column("assurance", Text, nullable=False),
    Column("first_in", Text),
    Column("last_out", Text),
    Column("company_id", Text),
    Column("occupation", Text),
    Column("role", Text),
    Column("events", Text, nullable=False),  # JSON array; empty: withdrawn
    Column("received_month", Text, nullable=False),
    PrimaryKeyConstraint("site_id", "worker_id", "work_day"),
    Index("ix_work_record_change", "site_id", "change"),
)

record_event = Table(
    "record_event",
    METADATA,
    Column("event_id", Text, primary_key=True),
    Column("site_id", Text, nullable=False),
    Column("worker_id", Text, nullable=False),
    Column("work_day", Text, nullable=False),
    Index("ix_record_event_key", "site_id", "worker_id", "work_day"),
)
"""Which record an event counts in: exactly the ids in `work_record.events`."""

heartbeat = Table(
    "heartbeat",
    METADATA,
    Column("station_id", Text, ForeignKey("station.id"), primary_key=True),
    Column("received_at", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON of wire.Heartbeat
)
"""The latest of each station."""

attempt = Table(
    "attempt",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("until", Text, nullable=False),
)
"""Wrong codes and secrets by where they came from, see app.central.guard."""

station_day = Table(
    "station_day",
    METADATA,
    Column("station_id", Text, ForeignKey("station.id"), nullable=False),
    Column("day", Text, nullable=False),  # Japan's
    Column("heard", Integer, nullable=False),  # bit n: heard in the hour from n o'clock
    Column("working", Integer, nullable=False),  # bit n: heard with a working reader
    PrimaryKeyConstraint("station_id", "day"),
    Index("ix_station_day_day", "day"),
)
"""What is kept of heartbeats: one row a station and day."""

audit = Table(
    "audit",
    METADATA,
    Column("number", _Number, primary_key=True),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON object
)
"""What administrators did. Append-only."""

event_erasure = Table(
    "event_erasure",
    METADATA,
    Column("event_id", Text, nullable=False),
    Column("audit_number", _Number, ForeignKey("audit.number"), nullable=False),
    Column("subject", Text),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("event_id", "audit_number"),
)
"""The one door in `event`: its body and subject may become exactly what the newest row here says. Append-only."""

secret = Table(
    "secret",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""Keys of this database: 'pseudonyms' (app.central.erasure), 'drop' (app.central.drop)."""


def create_all(tx: Connection) -> None:
    """Tables, indexes and triggers in an empty database, and its version. Runs inside the caller's transaction."""
    METADATA.create_all(tx)
    for statement in triggers(tx.dialect.name):
        tx.exec_driver_sql(statement)
    tx.execute(schema_version.insert().values(version=SCHEMA_VERSION))
    tx.execute(counter.insert().values(name="site_change", value=0))


def stamp(moment: datetime) -> str:
    """A moment as it is stored: RFC 3339 in UTC with milliseconds."""
    return rfc3339(moment, UTC)
