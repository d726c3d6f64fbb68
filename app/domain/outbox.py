"""The outbox as values: what the store hands to the sync engine, and what it gets back.

`waiting` rows are sent in (attempts, seq) order; `accepted` is the end of the road; `rejected` and `conflict` are kept,
shown, and can be sent again with the same id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class OutboxState(StrEnum):
    """送信待ち / 送信済 / 要確認 (the last two)."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event that waits to be sent. `body`: its canonical JSON bytes, exactly as they travel and were hashed."""

    seq: int
    id: str
    attempts: int
    """Failures of this row alone; an unreachable centre is not one."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """The centre's word on one event. `state`: 'accepted' (a duplicate too), 'rejected' or 'conflict'."""

    id: str
    state: str
    code: str | None = None
    detail: str | None = None
    receipt: int | None = None
    """The centre's running number, where it tells it: orders our corrections among those of others exactly."""


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """How many rows stand where. `oldest_pending_at`: `occurred_at` of the waiting event with the lowest seq, aware."""

    pending: int = 0
    rejected: int = 0
    conflict: int = 0
    accepted: int = 0
    oldest_pending_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SyncState:
    """The engine's memory across restarts. Datetimes are aware.

    `failures`: rounds in a row without an answer. `last_error`: message code. `paused`: reason code (revoked …),
    '' when running.
    """

    next_attempt_at: datetime | None = None
    failures: int = 0
    last_sync_at: datetime | None = None
    last_error: str | None = None
    paused: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a feed was pulled: the centre's opaque cursor and the answer's ETag."""

    value: str
    etag: str | None = None


SITES_SCOPE = "sites"
"""Cursor of `GET /v1/sites`."""


def roster_scope(site_id: str) -> str:
    """Cursor of a site's roster."""
    return f"roster:{site_id}"


def feed_scope(site_id: str) -> str:
    """Cursor of the events that other stations made at a site; `RosterStore.apply_feed` keeps it."""
    return f"events:{site_id}"


def records_scope(site_id: str, month: str) -> str:
    """Cursor of the work records that the centre derived for a site and month ('YYYY-MM')."""
    return f"work-records:{site_id}:{month}"
