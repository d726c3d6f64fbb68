"""A wait before the next attempt, by two clocks."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.clock import Clock


class Hold:
    """Engine's thread only. Seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._end = 0.0
        self.until: datetime | None = None
        """The end by the time of day, for the screen and for the next start."""
        self.asked = False
        """The centre itself asked for it (`Retry-After`): not even a person's button shortens it."""

    def put(self, seconds: float, asked: bool = False) -> datetime:
        """Hold everything back from now; the end by the time of day."""
        self._end = self._clock.monotonic() + seconds
        self.until = self._clock.now() + timedelta(seconds=seconds)
        self.asked = asked and seconds > 0
        return self.until

    def lift(self) -> None:
        """Hold nothing back."""
        self._end, self.until, self.asked = 0.0, None, False

    def left(self) -> float:
        """Seconds to go; 0: free.

        The monotonic clock stands still while a PC sleeps, so the time of day may end a wait as well (and never
        lengthen one), but not one that the centre asked for.
        """
        if self.until is None:
            return 0.0
        left = self._end - self._clock.monotonic()
        if not self.asked:
            left = min(left, (self.until - self._clock.now()).total_seconds())
        return max(0.0, left)
