"""The gate cannot open (keyring locked, disk, another gate running): a sentence, what to do, and it tries again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QEventLoop, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor, QPalette, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from app.errors import GenbaError
from app.messages import say
from app.ui.host import leaves_on_signals
from app.ui.pads import Pad, Plate
from app.ui.shapes import Shape
from app.ui.text import BOLD, Text
from app.ui.theme import BACKGROUND, INK_2, SKINS, Look, Theme, make_font

T = TypeVar("T")
RETRY_MS = 10_000


class TroubleWindow(QWidget):
    """Shows a trouble. `again` is emitted by its button; closing it gives up."""

    again = Signal()
    given_up = Signal()

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language
        self.theme = Theme()
        self.setWindowTitle(say("trouble.window", language).title)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(BACKGROUND))
        self.setPalette(palette)
        theme = self.theme
        self.plate = Plate(theme)
        self.shape = Shape(theme, 140, Look.CHECK)
        self.title = Text(theme, 44, weight=BOLD, ink=SKINS[Look.CHECK].strong, lines=3)
        self.remedy = Text(theme, 28, lines=4)
        self.where = Text(theme, 15, ink=INK_2, lines=2)
        self.hint = Text(theme, 18, ink=INK_2)
        self.hint.say(say("trouble.retry_hint", language).title)
        self.button = Pad(theme, say("trouble.retry", language).title, primary=True, min_width=220)
        self.button.clicked.connect(self.again)
        self._top = QHBoxLayout()
        self._top.addWidget(self.shape)
        self._top.addWidget(self.title, 1)
        self._foot = QHBoxLayout()
        self._foot.addWidget(self.hint, 1)
        self._foot.addWidget(self.button)
        self._box = QVBoxLayout(self.plate)
        self._box.addLayout(self._top, 3)
        self._box.addWidget(self.remedy, 3)
        self._box.addWidget(self.where, 1)
        self._box.addLayout(self._foot)
        self._root = QVBoxLayout(self)
        self._root.addWidget(self.plate)

    def show_trouble(self, error: GenbaError) -> None:
        """Say what is wrong and what to do."""
        message = say(error.code, self._language, where=error.where, **error.values)
        self.title.say(message.title)
        self.remedy.say(message.remedy)
        self.where.say(error.where)
        self.setAccessibleName(f"{message.title} {message.remedy}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.theme.fit(event.size().width(), event.size().height())
        px = self.theme.px
        self._root.setContentsMargins(px(48), px(48), px(48), px(48))
        self._box.setContentsMargins(px(48), px(32), px(48), px(32))
        self._box.setSpacing(px(16))
        self._top.setSpacing(px(32))

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self.given_up.emit()


def open_until_ready(
    opening: Callable[[], T], *, language: str, seconds: float | None = None, retry_ms: int = RETRY_MS
) -> T:
    """What `opening` returns, as soon as it does; until then its GenbaError is on the screen. Main thread.

    Raises the last GenbaError when the window is closed, or after `seconds`.
    """
    try:
        return opening()
    except GenbaError as error:
        first = error
    present = QApplication.instance()
    application = present if isinstance(present, QApplication) else QApplication(sys.argv[:1])
    application.setFont(make_font(15))
    window = TroubleWindow(language)
    window.show_trouble(first)
    found: list[T] = []
    last = [first]
    loop = QEventLoop()

    def attempt() -> None:
        try:
            found.append(opening())
        except GenbaError as error:
            last[0] = error
            window.show_trouble(error)
        else:
            loop.quit()

    timer = QTimer(window)
    timer.timeout.connect(attempt)
    timer.start(retry_ms)
    window.again.connect(attempt)
    window.given_up.connect(loop.quit)
    if seconds is not None:
        QTimer.singleShot(round(seconds * 1000), loop.quit)
    window.resize(1366, 768)
    window.show()
    with leaves_on_signals(loop.quit):
        loop.exec()
    timer.stop()
    window.given_up.disconnect()
    window.close()
    window.deleteLater()
    if not found:
        raise last[0]
    return found[0]
