"""A page inside the window (never a dialog): title, close button, and a clock that closes it when nobody touches it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from app.ui.pads import Pad, Plate
from app.ui.text import BOLD, Text
from app.ui.theme import LINE, RADIUS, SURFACE, Theme
from app.ui.words import Words

_INPUT = (QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress, QEvent.Type.TouchBegin, QEvent.Type.Wheel)


class Page(Plate):
    """Base of カードをお持ちでない方, 総出面 and the PIN pad."""

    closed = Signal()

    def __init__(self, theme: Theme, words: Words, title: str, idle_ms: int) -> None:
        """`idle_ms`: closes after so long without input."""
        super().__init__(theme, SURFACE, LINE, RADIUS[2])
        self.words = words
        self.title = Text(theme, 28, title, weight=BOLD)
        self.close_pad = Pad(theme, words.title("gate.close"), min_width=128)
        self.close_pad.clicked.connect(lambda _=False: self.leave())
        self.head = QHBoxLayout()
        self.head.addWidget(self.title, 1)
        self.head.addWidget(self.close_pad)
        self.body = QVBoxLayout(self)
        self.body.addLayout(self.head)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(idle_ms)
        self._timer.timeout.connect(self.leave)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.changed.connect(self.restyle)

    def enter(self) -> None:
        """The page comes up: start afresh."""
        self._timer.start()
        application = QApplication.instance()
        if application is not None:
            application.installEventFilter(self)
        self.setFocus()

    def leave(self) -> None:
        """Close the page; what was not confirmed is dropped."""
        self._timer.stop()
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)
        self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _INPUT and isinstance(watched, QWidget) and (watched is self or self.isAncestorOf(watched)):
            self._timer.start()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def restyle(self) -> None:
        """The scale has changed."""
        px = self.theme.px
        self.body.setContentsMargins(px(20), px(16), px(20), px(16))
        self.body.setSpacing(px(12))
        self.head.setSpacing(px(16))
