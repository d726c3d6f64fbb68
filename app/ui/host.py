"""What every main window needs around it: the application, signals, the network's return, an end after some seconds."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from PySide6.QtCore import QTimer, SignalInstance
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QWidget

from app.resources import resource
from app.ui.network import NetworkWatch
from app.ui.theme import make_font


class MainWindow(Protocol):
    """A window that can be left at any moment."""

    @property
    def closed(self) -> SignalInstance:
        """Emitted once, when it is gone."""

    def leave_now(self) -> None:
        """Close, whatever is on the screen."""


def application() -> QApplication:
    """The one application, made when there is none yet. GUI thread."""
    present = QApplication.instance()
    made = present if isinstance(present, QApplication) else QApplication(sys.argv[:1])
    made.setApplicationName("genba-touch")
    made.setFont(make_font(15))
    icon = resource("icons", "genba-touch.png")
    if icon.exists():
        made.setWindowIcon(QIcon(str(icon)))
    return made


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
        with _signals(window):
            return app.exec()
    finally:
        network.close()
        end.stop()
        app.setQuitOnLastWindowClosed(quits_alone)


@contextmanager
def _signals(window: MainWindow) -> Iterator[None]:
    """SIGINT and SIGTERM close the window; the clock's timer lets Python see them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(_number: int, _frame: FrameType | None) -> None:
        window.leave_now()

    old = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
