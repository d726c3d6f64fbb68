"""How long things stay on the gate's screen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things stay, in milliseconds."""

    result_ms: int = 3_000
    alarm_ms: int = 10_000
    page_ms: int = 30_000
    tick_ms: int = 200
    """How often the clock is looked at; it is drawn once a second."""
    diagnosis_ms: int = 120_000
    """Whoever plugs a reader in is under the table for a while."""
