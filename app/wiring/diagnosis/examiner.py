"""The checks for a gate's window, on a thread of their own: neither the gate's thread nor the window's ever waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing

from app.settings import DataDir
from app.wiring.diagnosis.check import Finding, Live
from app.wiring.doctor import findings

log = logging.getLogger(__name__)

Take = Callable[[Finding | None], None]
"""Takes one finding after the other, then None: that was all. Called on the examination's thread."""
CLOSE_S = 3.0


class Examiner:
    """One examination at a time; a new wish ends the one that is going on after its present check. Any thread."""

    def __init__(self, data: DataDir, language: str, live: Live) -> None:
        self._data, self._language, self.live = data, language, live
        self._lock = threading.Lock()
        self._wish: Take | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def examine(self, take: Take) -> None:
        """Begin (again), and tell `take`."""
        with self._lock:
            self._wish = take
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="diagnosis", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End after the present check. A check that hangs (a locked keyring, a dead disk) is left behind."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join(CLOSE_S)

    def _run(self) -> None:
        while True:
            with self._lock:
                take, self._wish = self._wish, None
                if take is None or self._closed:
                    self._thread = None
                    return
            try:
                self._tell(take)
            except Exception:  # the gate goes on without
                log.exception("diagnosis failed")
                take(None)

    def _tell(self, take: Take) -> None:
        with closing(findings(self._data, self._language, live=self.live)) as found:
            for finding in found:
                if self._closed or self._wish is not None:
                    return
                take(finding)
        take(None)
