"""Standing warnings of the gate: clock, disk, keys, roster. Each is a sentence for as long as it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.verdict import ClockState
from app.gate.news import StandingWarning, WarningLevel
from app.store.backup import DiskSpace, SpaceLevel

CLOCK_SHOWN_MS = 120_000
"""From this skew on the clock is suspect: tagged on touches, shown (sync facts: 2 minutes)."""
ROSTER_OLD = timedelta(days=7)
QUIET = frozenset({"health.secure_crl_old"})
"""Standing trouble that refuses nobody and loses nothing yet."""


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """What the warnings are made of."""

    now: datetime
    skew_ms: int | None
    last_recorded_at: datetime | None
    """When the newest event was stored; a clock before it has gone back."""
    disk: DiskSpace
    key_file: bool
    roster_size: int
    roster_at: datetime | None
    trouble: tuple[str, ...] = ()
    """Message codes of standing trouble elsewhere (a failed backup, a revocation list …)."""


def clock_state(skew_ms: int | None, now: datetime, last_recorded_at: datetime | None) -> ClockState:
    """Whether the PC's clock can be believed. `last_recorded_at`: when the newest event was stored."""
    skewed = skew_ms is not None and abs(skew_ms) >= CLOCK_SHOWN_MS
    # A known skew beats the guess: after a clock ran ahead and was set right, the newest event lies in the future.
    back = skew_ms is None and went_back(now, last_recorded_at)
    return ClockState(skew_ms, skewed or back)


def went_back(now: datetime, last_recorded_at: datetime | None) -> bool:
    """Whether the clock stands before the newest event that was stored by it."""
    return last_recorded_at is not None and now < last_recorded_at - timedelta(seconds=5)


def warnings(facts: HealthFacts) -> tuple[StandingWarning, ...]:
    """Loudest first."""
    loud = [code for code in facts.trouble if code not in QUIET]
    found: list[StandingWarning] = [StandingWarning(code, WarningLevel.SHOUT) for code in loud]

    def warn(code: str, level: WarningLevel = WarningLevel.WHISPER, **values: str) -> None:
        found.append(StandingWarning(code, level, tuple(sorted(values.items()))))

    free_mb = str(facts.disk.free // 1024**2)
    if facts.disk.level is SpaceLevel.CRITICAL:
        warn("health.disk_nearly_full", WarningLevel.SHOUT, free=free_mb)
    elif facts.disk.level is SpaceLevel.LOW:
        warn("health.disk_low", free=free_mb)
    if facts.skew_ms is None and went_back(facts.now, facts.last_recorded_at):
        warn("health.clock_went_back", WarningLevel.SHOUT)
    elif facts.skew_ms is not None and abs(facts.skew_ms) >= CLOCK_SHOWN_MS:
        way = "ahead" if facts.skew_ms > 0 else "behind"
        warn(f"health.clock_{way}", WarningLevel.SHOUT, minutes=str(abs(facts.skew_ms) // 60_000))
    if facts.roster_size == 0:
        warn("health.roster_empty", WarningLevel.SHOUT)
    elif facts.roster_at is not None and facts.now - facts.roster_at > ROSTER_OLD:
        warn("health.roster_old", days=str((facts.now - facts.roster_at).days))
    for code in facts.trouble:
        if code in QUIET:
            warn(code)
    if facts.key_file:
        warn("health.key_file")
    return tuple(found)
