"""Notices a PC/SC service that neither answers nor ends: its calls return to nobody, so another thread has to look.

Was run: a pcscd that is stopped (SIGSTOP) holds SCardGetStatusChange far beyond the wait that it was given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HUNG_S = 5.0
"""Seconds after which a call that should take at most half a second counts as hanging."""
_LOOK_S = 1.0


class Watchdog:
    """Looks while it is entered (once). `hung` is called on its thread when a call hangs, and only while it does: the
    caller's thread, once its call returns after all, waits until `hung` is through."""

    def __init__(self, name: str, monotonic: Callable[[], float], hung: Callable[[], None]) -> None:
        self._monotonic = monotonic
        self._hung = hung
        self._lock = threading.Lock()
        self._since: float | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._main, name=f"watchdog:{name}", daemon=True)

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Around each call that may hang, on the caller's thread."""
        self._since = self._monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._since = None

    def _main(self) -> None:
        while not self._ended.wait(_LOOK_S):
            with self._lock:
                since = self._since
                if since is not None and self._monotonic() - since > HUNG_S:
                    self._hung()
