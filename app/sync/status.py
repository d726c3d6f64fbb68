"""What the screen may know of sync. Immutable; share it between threads freely."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.errors import GenbaError


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """How delivery stands. Codes are message codes; datetimes are aware.

    `rejected` counts conflicts too. `oldest_pending_at`: when the oldest waiting event happened. `last_sync_at`: the
    centre's last valid answer to a push or a heartbeat. `next_attempt_at`: None when nothing holds sync back.
    `online`: None before the first try. `roster_at`: when the oldest of the sites' rosters was pulled or confirmed.
    `chain_state`: 'ok', 'waiting', 'broken', or None before the first batch. `skew_ms`: PC minus centre. `paused`:
    code of what somebody must do, '' when running. `changes`: moves whenever a pull brought something, so that whoever
    works with the roster takes it anew. `held`: the centre itself asked to wait until then; no button shortens it.
    `handed`: of `pending`, how many lie in letters that somebody carries (docs/file-drop.md): on their way, not sent.
    """

    pending: int = 0
    rejected: int = 0
    accepted: int = 0
    oldest_pending_at: datetime | None = None
    last_sync_at: datetime | None = None
    last_error: str | None = None
    next_attempt_at: datetime | None = None
    online: bool | None = None
    roster_at: datetime | None = None
    chain_state: str | None = None
    skew_ms: int | None = None
    paused: str = ""
    changes: int = 0
    held: bool = False
    handed: int = 0


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What `genba-touch sync --once` did. `error`: the first trouble; what was done before it stays done."""

    accepted: int
    rejected: int
    conflict: int
    pulled: int
    pending: int
    chain_state: str | None = None
    error: GenbaError | None = None
    handed: int = 0
    """Of `pending`: in letters that somebody carries."""
