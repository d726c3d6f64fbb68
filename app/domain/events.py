"""Events: the facts a station keeps for ever, and the chain that ties them.

An event is written once. Its `canonical bytes` (`app.codec.canonical` of `as_wire`) are what is stored, hashed and
compared; the contract is `docs/contract.md`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

GENESIS = bytes(32)
"""Hash before the first event of a station."""

JST = timezone(timedelta(hours=9), "JST")


class EventType(StrEnum):
    """Types of version 1 of the contract."""

    TOUCH = "touch"
    REFUSAL = "refusal"
    ENTRY = "entry"
    APPROVAL = "approval"
    CORRECTION = "correction"
    CARD_BINDING = "card_binding"
    ROSTER_CHANGE = "roster_change"
    HEADCOUNT = "headcount"


class Direction(StrEnum):
    """入場 / 退場 / not known."""

    IN = "in"
    OUT = "out"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of one station.

    `id`: UUIDv7 made when it happened, the key at both ends. `seq`: 1, 2, 3 … per station over all types.
    `occurred_at`, `recorded_at`: RFC 3339 with offset, milliseconds. `payload`: per type, plain JSON without floats.
    """

    id: str
    seq: int
    type: str
    site_id: str
    occurred_at: str
    recorded_at: str
    payload: Mapping[str, Any]

    def as_wire(self) -> dict[str, Any]:
        """The object that travels; its canonical bytes are hashed."""
        return {
            "id": self.id,
            "seq": self.seq,
            "type": self.type,
            "site_id": self.site_id,
            "occurred_at": self.occurred_at,
            "recorded_at": self.recorded_at,
            "payload": dict(self.payload),
        }


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before the store gives it its `seq`."""

    id: str
    type: EventType
    site_id: str
    occurred_at: str
    recorded_at: str
    payload: Mapping[str, Any]

    def numbered(self, seq: int) -> Event:
        """The event with its place in the station's order."""
        return Event(self.id, seq, self.type.value, self.site_id, self.occurred_at, self.recorded_at, self.payload)


def next_hash(previous: bytes, canonical_event: bytes) -> bytes:
    """`hash_n = SHA-256(hash_{n-1} ‖ canonical bytes of event n)`; 32 bytes."""
    return hashlib.sha256(previous + canonical_event).digest()


def digest(canonical_event: bytes) -> bytes:
    """Digest by which the centre knows the same id with another payload (`conflict`); 32 bytes."""
    return hashlib.sha256(canonical_event).digest()


def rfc3339(moment: datetime, zone: timezone = JST) -> str:
    """An aware datetime as RFC 3339 with offset and milliseconds, in `zone`."""
    return moment.astimezone(zone).isoformat(timespec="milliseconds")
