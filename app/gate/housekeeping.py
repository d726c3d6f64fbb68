"""What nobody should have to remember: the daily verified backup. A thread of its own, so the gate is never held up."""

from __future__ import annotations

import logging
import threading

from app.errors import StorageTrouble
from app.store.backup import Backups

log = logging.getLogger(__name__)

FIRST_AFTER_S = 120.0
"""Not while the line is waiting for the program to start."""
EVERY_S = 1800.0
"""How often it looks whether today's copy is there, and tries again when it failed."""


class Housekeeping:
    """`start` and `stop` from one thread; `trouble` from any."""

    def __init__(self, backups: Backups, *, first_after_s: float = FIRST_AFTER_S, every_s: float = EVERY_S) -> None:
        self._backups = backups
        self._first_after_s = first_after_s
        self._every_s = every_s
        self._stop = threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End it; waits for a copy that is being made."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def trouble(self) -> tuple[str, ...]:
        """Message codes for the gate's standing warnings."""
        return ("health.backup_failed",) if self._failed else ()

    def _run(self) -> None:
        wait = self._first_after_s
        while not self._stop.wait(wait):
            wait = self._every_s
            try:
                self._backups.daily()
                self._failed = False
            except StorageTrouble as trouble:
                log.error("backup: %s", trouble)
                self._failed = True
            except Exception:
                log.exception("backup failed")
                self._failed = True
