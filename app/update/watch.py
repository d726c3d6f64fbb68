"""Beside a running gate or office: looks for updates in quiet hours, on a thread of its own that nobody waits for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from app.clock import Clock
from app.errors import GenbaError
from app.update import schedule
from app.update.port import Stopped, Stopping

log = logging.getLogger(__name__)

_JOIN_S = 1.0
"""A share that does not answer may hold the thread for long: it is left behind, and ends with the program. It writes
to its own folder alone."""
_LOOK_S = 60.0


class UpdateWatch:
    """`start` and `stop` from one thread; `touched` from any.

    `look(stopped)`: look and fetch; raises GenbaErrors, Stopping. `opened`: called at the beginning, when the program
    has opened the records, until it comes to an end without an error.
    """

    def __init__(
        self,
        look: Callable[[Stopped], object],
        opened: Callable[[], object],
        clock: Clock,
        station_id: str,
        *,
        first_after_s: float = schedule.FIRST_AFTER_S,
    ) -> None:
        self._look = look
        self._opened = opened
        self._clock = clock
        self._station_id = station_id
        self._first_after_s = first_after_s
        self._touch_at: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="updates", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End it; waits a moment at most."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def touched(self) -> None:
        """Somebody stands at the gate: nothing is fetched for a while, and what is being fetched goes on later."""
        self._touch_at = self._clock.monotonic()

    def _busy(self) -> bool:
        at = self._touch_at
        since = None if at is None else self._clock.monotonic() - at
        return self._stop.is_set() or not schedule.is_quiet(self._clock.now(), since)

    def _run(self) -> None:
        noted = self._once(self._opened)
        spread = schedule.spread_s(self._station_id, self._clock.now()) if self._first_after_s else 0.0
        due = self._clock.monotonic() + self._first_after_s + spread
        while not self._stop.wait(min(_LOOK_S, max(0.05, due - self._clock.monotonic()))):
            noted = noted or self._once(self._opened)
            if self._clock.monotonic() < due or self._busy():
                continue
            done = self._once(lambda: self._look(self._busy))
            due = self._clock.monotonic() + (schedule.EVERY_S if done else schedule.AGAIN_S)

    def _once(self, deed: Callable[[], object]) -> bool:
        try:
            deed()
            return True
        except Stopping:
            return False
        except GenbaError as error:
            log.info("updates: %s", error)
        except Exception:
            log.exception("updates")
        return False
