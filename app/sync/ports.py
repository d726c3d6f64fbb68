"""What sync asks of the store. `app.store` has classes of these shapes; tests have others.

All methods are called on the engine's thread alone and may raise `app.errors.StorageTrouble`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from app.domain.outbox import Cursor, OutboxCounts, Outgoing, Settled, SyncState
from app.sync.wire import FeedEvent

__all__ = ["Cursor", "Outbox", "OutboxCounts", "Outgoing", "RosterStore", "Settled", "SyncState"]


class Outbox(Protocol):
    """The table of events on their way to the centre."""

    def next_batch(self, limit: int, max_bytes: int, after: tuple[int, int] = ...) -> list[Outgoing]:
        """Waiting rows in (attempts, seq) order; at least one if there is any, whatever its size.

        `after`: only rows behind this (attempts, seq).
        """

    def unknown(self, ids: Sequence[str]) -> int:
        """How many of these are no events of this station."""

    def chain_hash(self, seq: int) -> bytes:
        """The chain's hash at an event of this station; 32 bytes."""

    def settle(self, verdicts: Sequence[Settled], at: datetime) -> None:
        """Write the centre's verdicts, all or none. An id that is not waiting is left alone."""

    def count_failure(self, ids: Sequence[str]) -> None:
        """`attempts` + 1 for these rows alone."""

    def resend(self, ids: Sequence[str]) -> int:
        """Rejected or conflicting rows wait again, with the same id. How many did."""

    def counts(self) -> OutboxCounts:
        """How many rows stand where."""

    def sync_state(self) -> SyncState:
        """The engine's memory; a fresh one if there is none yet."""

    def save_sync_state(self, state: SyncState) -> None:
        """Keep the engine's memory."""


class RosterStore(Protocol):
    """What was pulled. Scopes: 'sites', 'roster:<site>', 'events:<site>', 'work-records:<site>:<YYYY-MM>'."""

    def cursor(self, scope: str) -> Cursor | None:
        """How far a scope was pulled; None: never."""

    def apply_page(
        self,
        scope: str,
        site_id: str | None,
        items: Sequence[Mapping[str, Any]],
        cursor: Cursor,
        at: datetime,
    ) -> None:
        """Upsert items, delete the deleted and keep the cursor, all or none. Items were checked before."""

    def confirm(self, scope: str, at: datetime) -> None:
        """The centre answered that nothing changed: what was pulled is as fresh as that."""

    def roster_at(self, site_id: str) -> datetime | None:
        """When a site's roster was last pulled or confirmed, aware; None: never."""

    def apply_feed(self, site_id: str, items: Sequence[FeedEvent], cursor: Cursor, at: datetime) -> None:
        """Take events made elsewhere and keep the cursor, all or none. The same receipt twice counts once."""
