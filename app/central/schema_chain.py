"""Tables of the stations' chains and what is odd in them: part of app.central.schema, through which they are used."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text

from app.central.metadata import METADATA, Number

chain_point = Table(
    "chain_point",
    METADATA,
    Column("station_id", Text, ForeignKey("station.id"), nullable=False),
    Column("seq", Number, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("station_id", "seq"),
)
"""Hashes worked out here, one every so many events: from the nearest one any other is quickly found."""

chain_claim = Table(
    "chain_claim",
    METADATA,
    Column("station_id", Text, ForeignKey("station.id"), nullable=False),
    Column("seq", Number, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("station_id", "seq", "hash"),
)
"""Hashes a station gave for a seq that the chain has not reached here; checked when it does."""

chain_incident = Table(
    "chain_incident",
    METADATA,
    Column("station_id", Text, ForeignKey("station.id"), nullable=False),
    Column("kind", Text, nullable=False),  # 'hash_mismatch' or 'seq_reused'
    Column("seq", Number, nullable=False),
    Column("event_id", Text, nullable=False),  # of the second event; '' for a hash
    Column("claimed", LargeBinary, nullable=False),  # the station's hash, or the second event's canonical bytes
    Column("known", LargeBinary, nullable=False),  # our hash, or the digest of the first event
    Column("first_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
    Column("times", Integer, nullable=False),
    PrimaryKeyConstraint("station_id", "kind", "seq", "event_id"),
)

incident_closure = Table(
    "incident_closure",
    METADATA,
    Column("station_id", Text, ForeignKey("station.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("seq", Number, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("audit_number", Number, ForeignKey("audit.number"), nullable=False),
    Column("rebased_seq", Number),  # of a hash: from here on the station's own hash was taken over; null: not yet
    PrimaryKeyConstraint("station_id", "kind", "seq", "event_id"),
)
"""Which rows of `chain_incident` somebody has looked at and closed."""

odd_event = Table(
    "odd_event",
    METADATA,
    Column("event_id", Text, primary_key=True),
    Column("station_id", Text, ForeignKey("station.id"), nullable=False),
    Column("site_id", Text, ForeignKey("site.id"), nullable=False),
    Column("code", Text, nullable=False),  # see app.central.oddities
    Column("detail", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Index("ix_odd_event_site", "site_id", "received_at"),
)
"""Touches and entries that were accepted though their times cannot be right."""

station_branch = Table(
    "station_branch",
    METADATA,
    Column("station_id", Text, ForeignKey("station.id"), primary_key=True),
    Column("predecessor", Text, ForeignKey("station.id"), nullable=False),
    Column("base_seq", Number, nullable=False),
    Column("base_hash", LargeBinary, nullable=False),
)
"""Stations that go on from a restored copy of another station's file: their chain begins where both still agree."""

shared_event = Table(
    "shared_event",
    METADATA,
    Column("station_id", Text, ForeignKey("station.id"), nullable=False),
    Column("seq", Number, nullable=False),
    Column("event_id", Text, nullable=False),
    PrimaryKeyConstraint("station_id", "seq"),
)
"""Events of its predecessor that a branched station has delivered too (`duplicate`): its chain runs over them."""
