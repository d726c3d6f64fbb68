"""The kinds of work of a round, and what a trouble means for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.clock import Clock
from app.domain.events import rfc3339
from app.domain.outbox import OutboxCounts
from app.errors import GenbaError
from app.sync.trouble import (
    AuthFailed,
    BadAnswer,
    BadRequest,
    Busy,
    Forbidden,
    Offline,
    SomebodyInBetween,
    TooLarge,
    UpgradeNeeded,
)
from app.sync.wire import Heartbeat, PcReport, ReaderReport


@dataclass(slots=True)
class Job:
    """One kind of work. `due`: by the monotonic clock. `run` says whether the centre was reached."""

    name: str
    run: Callable[[], bool]
    every: float = math.inf
    for_station: bool = False
    """What it does concerns the station itself, not one site: a 403 stops everything."""
    due: float = 0.0
    failures: int = 0
    error: str | None = None
    again_at: datetime | None = None
    """When it is tried again after a trouble of its own, by the time of day."""


def stops_all(job: Job, trouble: GenbaError) -> bool:
    """Whether it concerns every job (no way to the centre) and not this one's matter alone."""
    if isinstance(trouble, Forbidden):  # of a roster: that site's matter; of a push: the station's
        return job.for_station
    if isinstance(trouble, BadAnswer):
        return False
    return isinstance(trouble, Offline | Busy | AuthFailed | SomebodyInBetween | UpgradeNeeded)


def pauses(trouble: GenbaError) -> bool:
    """Whether somebody must do something first: waiting alone does not help."""
    return isinstance(trouble, AuthFailed | Forbidden | UpgradeNeeded)


def reached(trouble: GenbaError) -> bool | None:
    """Whether the centre itself answered; None: the trouble says nothing about it (the store's …)."""
    if isinstance(trouble, BadAnswer):
        return True
    if isinstance(trouble, Offline | SomebodyInBetween):
        return False
    return True if isinstance(trouble, Busy | AuthFailed | Forbidden | BadRequest | TooLarge | UpgradeNeeded) else None


def heartbeat_of(
    counts: OutboxCounts, clock: Clock, readers: Sequence[ReaderReport], version: str, pc: PcReport | None
) -> Heartbeat:
    """Alive, and so much waits."""
    oldest = counts.oldest_pending_at
    return Heartbeat(
        app_version=version,
        pending=counts.pending,
        rejected=counts.rejected + counts.conflict,
        oldest_pending_at=None if oldest is None else rfc3339(oldest),
        skew_ms=clock.skew_ms(),
        readers=list(readers),
        pc=pc,
    )
