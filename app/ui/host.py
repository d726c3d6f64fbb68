"""What every main window needs around it: the application, signals, the network's return, an end after some seconds."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from PySide6.QtCore import (
    QLibraryInfo,
    QMessageLogContext,
    QTimer,
    QtMsgType,
    QTranslator,
    SignalInstance,
    qInstallMessageHandler,
)
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QWidget

from app.resources import resource
from app.ui.network import NetworkWatch
from app.ui.theme import make_font

_QT_LEVELS = {
    QtMsgType.QtFatalMsg: logging.CRITICAL,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtWarningMsg: logging.INFO,
}
_BEAT_MS = 200


class MainWindow(Protocol):
    """A window that can be left at any moment."""

    @property
    def closed(self) -> SignalInstance:
        """Emitted once, when it is gone."""

    def leave_now(self) -> None:
        """Close, whatever is on the screen."""


def application(language: str = "ja") -> QApplication:
    """The one application, made when there is none yet; Qt's own words in `language`. GUI thread."""
    present = QApplication.instance()
    if present is None:
        qInstallMessageHandler(_log_qt)
    made = present if isinstance(present, QApplication) else QApplication(sys.argv[:1])
    made.setApplicationName("genba-touch")
    made.setFont(make_font(15))
    icon = resource("icons", "genba-touch.png")
    if icon.exists():
        made.setWindowIcon(QIcon(str(icon)))
    _translate(made, language)
    return made


def _translate(made: QApplication, language: str) -> None:
    for old in made.findChildren(QTranslator):
        made.removeTranslator(old)
        old.deleteLater()
    words = QTranslator(made)
    if words.load(f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        made.installTranslator(words)  # without the file they stay English


def _log_qt(level: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """What Qt says, into our log: after a fatal message the process ends, and nobody sees the terminal. Any thread."""
    logging.getLogger("qt").log(_QT_LEVELS.get(level, logging.DEBUG), "%s: %s", context.category or "qt", text)


def show(window: QWidget, *, kiosk: bool = False) -> None:
    """Show a main window as large as the screen deserves."""
    if kiosk:
        window.setGeometry(window.screen().geometry())  # a bare X server has nobody who makes it full
        window.showFullScreen()
        return
    window.resize(1366, 768)
    screen = window.screen().availableGeometry()
    if screen.width() <= 1400 or screen.height() <= 800:
        window.showMaximized()
    else:
        window.resize(round(screen.width() * 0.9), round(screen.height() * 0.9))
        window.move(screen.center() - window.rect().center())
        window.show()


def run_until_closed(
    app: QApplication,
    window: MainWindow,
    *,
    seconds: float | None = None,
    on_open: Callable[[], None] | None = None,
    on_network: Callable[[], None] = lambda: None,
) -> int:
    """Run the loop until the window is closed; 0 when all went well. Main thread.

    `seconds`: close by itself after so long. `on_open`: called once when the loop runs. SIGINT and SIGTERM close it.
    """
    window.closed.connect(app.quit)
    # the system is shutting down: even a kiosk must not hold it up
    app.commitDataRequest.connect(window.leave_now)
    # only `closed` ends the loop: Qt's own Quit for the last window may arrive after it, and would end the next one
    quits_alone = app.quitOnLastWindowClosed()
    app.setQuitOnLastWindowClosed(False)
    end = QTimer()
    if seconds is not None:
        end.setSingleShot(True)
        end.timeout.connect(window.leave_now)
        end.start(max(0, round(seconds * 1000)))
    if on_open is not None:
        QTimer.singleShot(0, on_open)
    network = NetworkWatch(on_network)
    try:
        with leaves_on_signals(window.leave_now):
            return app.exec()
    finally:
        network.close()
        end.stop()
        app.setQuitOnLastWindowClosed(quits_alone)


@contextmanager
def leaves_on_signals(leave_now: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM call it, on the GUI thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(_number: int, _frame: FrameType | None) -> None:
        leave_now()

    beat = QTimer()  # Python sees a signal only between two of its own lines
    beat.timeout.connect(lambda: None)
    beat.start(_BEAT_MS)
    old = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        beat.stop()
        for number, handler in old.items():
            signal.signal(number, handler)
