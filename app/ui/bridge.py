"""The only bridge from the program's threads to the window's: everything that arrives is queued onto the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.gate.news import News
from app.readers.port import ReaderEvent
from app.ui.status import SyncStatus

T = TypeVar("T")


class Bridge(QObject):
    """Made on the GUI thread. `take_*` may be called from any thread, at once and without blocking.

    The signals are always delivered on the GUI thread, in the order of arrival. After `close` whatever still arrives is
    dropped: other threads may outlive the window for a moment.
    """

    news = Signal(object)
    reader = Signal(object)
    sync = Signal(object)
    _arrived = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._open = True
        self._lock = threading.Lock()
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def take_news(self, news: News) -> None:
        """A listener for `GatePort.listen`."""
        self._post(lambda: self.news.emit(news))

    def take_reader(self, event: ReaderEvent) -> None:
        """A listener for reader events."""
        self._post(lambda: self.reader.emit(event))

    def take_sync(self, status: SyncStatus) -> None:
        """A listener for the sync engine's status."""
        self._post(lambda: self.sync.emit(status))

    def reply(self, function: Callable[[T], None]) -> Callable[[T], None]:
        """`function`, but run on the GUI thread whoever calls it."""
        return lambda answer: self._post(lambda: function(answer))

    def close(self) -> None:
        """Deliver nothing any more."""
        with self._lock:
            self._open = False

    def _post(self, deed: Callable[[], None]) -> None:
        # under the lock, so that no thread is inside `emit` when the window takes the bridge down
        with self._lock:
            if self._open:
                self._arrived.emit(deed)

    @Slot(object)
    def _deliver(self, deed: Callable[[], None]) -> None:
        if self._open:
            deed()
