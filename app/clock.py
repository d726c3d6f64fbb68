"""The only file that reads the time (ruff's DTZ rules and a test hold this)."""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the rest of the program may know of time. Methods may be called from any thread."""

    def now(self) -> datetime:
        """The PC's time, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def skew_ms(self) -> int | None:
        """Estimated PC time minus centre time in milliseconds; None while never measured."""

    def learn_server_time(self, server_now: datetime, *, round_trip_s: float) -> None:
        """Take a server's `Date` into the estimate. `round_trip_s`: seconds the request took."""


class SystemClock:
    """The machine's clock, with the skew last learned from the centre.

    The skew is carried on by the steady counter, so a clock that is set by hand while offline shows at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._learned: tuple[datetime, float] | None = None
        """The centre's time and the steady counter at one moment."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return _steady()

    def skew_ms(self) -> int | None:
        with self._lock:
            learned = self._learned
        if learned is None:
            return None
        centre, then = learned
        elapsed = timedelta(seconds=self.monotonic() - then)
        return round((self.now() - (centre + elapsed)).total_seconds() * 1000)

    def learn_server_time(self, server_now: datetime, *, round_trip_s: float) -> None:
        # HTTP's Date has whole seconds: half a second, and half the way, are the best guess in the middle.
        centre = server_now + timedelta(seconds=0.5 + round_trip_s / 2)
        with self._lock:
            self._learned = (centre, self.monotonic())


# Linux's monotonic clock stands still in suspend, BOOTTIME does not; Windows' and macOS' count on by themselves.
if sys.platform == "linux":

    def _steady() -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:

    def _steady() -> float:
        return time.monotonic()
