"""What the centre's tables share (app.central.schema)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

METADATA = MetaData()
Number = BigInteger().with_variant(Integer(), "sqlite")
"""A number that only grows."""
