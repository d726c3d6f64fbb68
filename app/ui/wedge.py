"""Listens to the keyboard for a wedge reader, wherever the focus is, and keeps its digits out of everything else."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.clock import Clock
from app.domain.assurance import Assurance
from app.readers.port import CardSeen, CardUnreadable, ReaderCondition, ReaderEvent, ReaderState
from app.readers.wedge import BURST_GAP_S, WedgeListener

READER = "wedge"


class WedgeFilter(QObject):
    """Holds back each key that could begin a burst for `BURST_GAP_S`; a person's keys then go where they were meant.

    GUI thread. `emit` takes reader events as a reader's thread would give them. The reader is always 'ready':
    nobody can tell a reader from a keyboard before it types.
    """

    def __init__(self, window: QWidget, clock: Clock, emit: Callable[[ReaderEvent], None]) -> None:
        super().__init__(window)
        self._window, self._clock, self._emit = window, clock, emit
        self._listener = WedgeListener()
        self._held: list[QKeyEvent] = []
        self._giving_back = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(BURST_GAP_S * 1000) + 10)
        self._timer.timeout.connect(self._give_back)

    def start(self) -> None:
        """Begin to listen."""
        application = QApplication.instance()
        assert application is not None  # noqa: S101 - the window exists
        application.installEventFilter(self)
        self._emit(ReaderState(READER, "キーボード型", ReaderCondition.READY))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._giving_back or not isinstance(event, QKeyEvent) or not isinstance(watched, QWidget):
            return False
        if watched.window() is not self._window or event.type() not in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            return False
        char = event.text()
        if len(char) != 1 or not self._listener.wants(char) or event.isAutoRepeat():
            return False
        if event.type() is QEvent.Type.KeyRelease:
            return bool(self._held)
        burst = self._listener.take(char, self._clock.monotonic())
        if burst is None:
            if char in "\r\n":
                self._give_back()
                return False
            self._held.append(event.clone())
            self._timer.start()
            return True
        self._held.clear()
        self._timer.stop()
        now = self._clock.now()
        if burst.key is None:
            self._emit(CardUnreadable(READER, now, "digits of an unknown layout"))
        else:
            self._emit(CardSeen(READER, burst.key, Assurance.UID, now, source="wedge"))
        return True

    def _give_back(self) -> None:
        self._timer.stop()
        self._listener.forget()
        held, self._held = self._held, []
        target = QApplication.focusWidget() or self._window
        self._giving_back = True
        try:
            for event in held:
                QApplication.sendEvent(target, event)
        finally:
            self._giving_back = False
