"""A clock that stands still until it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Implements `app.clock.Clock`. Starts on Friday 2026-11-20, 07:40 in Japan."""

    def __init__(self, start: datetime = datetime(2026, 11, 19, 22, 40, tzinfo=UTC)) -> None:
        self.time = start
        self.steady = 1000.0
        self.skew: int | None = 0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.steady

    def skew_ms(self) -> int | None:
        return self.skew

    def learn_server_time(self, server_now: datetime, *, round_trip_s: float) -> None:
        self.skew = round((self.time - server_now).total_seconds() * 1000)

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)
        self.steady += seconds
