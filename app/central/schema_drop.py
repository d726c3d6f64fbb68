"""Tables of letters that are carried (app.central.drop)."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text

from app.central.metadata import METADATA, Number

drop_station = Table(
    "drop_station",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    Column("station_id", Text, ForeignKey("station.id"), nullable=False, unique=True),
    Column("keys", Text, nullable=False),  # public
    Column("number", Number, nullable=False),  # highest of its letters that were taken
)
"""Whose letters are taken."""

drop_letter = Table(
    "drop_letter",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the file
    Column("station_id", Text, ForeignKey("station.id"), nullable=False),
    Column("taken_at", Text, nullable=False),
    Column("receipt", LargeBinary, nullable=False),  # JSON array of batch answers, zstd
    Index("ix_drop_letter_station", "station_id", "taken_at"),
)
"""What was answered to the last letters of each station: the same file again gets the same."""
