"""How a program without a window is told to end."""

from __future__ import annotations

import queue
import signal
import sys
import time


class Stop:
    """Told by SIGINT, by SIGTERM or by any thread; waited for by the main thread.

    Not a `threading.Event`: `set` takes a lock which the interrupted thread may hold, in `wait`, and then neither ever
    goes on. `queue.SimpleQueue.put` is made to be called from a signal's handler (the library's documentation).
    """

    _SLICE_S = 0.5
    """Windows looks at Ctrl-C between waits only."""

    def __init__(self) -> None:
        self._told: queue.SimpleQueue[None] = queue.SimpleQueue()

    def tell(self) -> None:
        """End. Any thread, and signal handlers."""
        self._told.put(None)

    def on_signals(self) -> Stop:
        """Also on SIGINT and SIGTERM. Main thread."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.tell())
        return self

    def wait(self, seconds: float | None = None) -> bool:
        """Until told, or for so many seconds; whether it was told. Once told, it stays so."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            step = min(left, self._SLICE_S) if left is not None else self._SLICE_S
            try:
                self._told.get(timeout=step if sys.platform == "win32" else left)
            except queue.Empty:
                if until is not None and time.monotonic() >= until:
                    return False
            else:
                self._told.put(None)
                return True
