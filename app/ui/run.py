"""Opens the gate window and runs until it is closed. The only door for `wiring`."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app.clock import Clock, SystemClock
from app.gate.look import DeliveryPort
from app.gate.port import GatePort
from app.readers.port import ReaderEvent
from app.resources import resource
from app.ui.bridge import Bridge
from app.ui.card_tray import TraySpec
from app.ui.diagnosis_page import Diagnose
from app.ui.inhibit import Inhibitor
from app.ui.network import NetworkWatch
from app.ui.sound import SoundPlayer
from app.ui.status import SyncStatus
from app.ui.theme import make_font
from app.ui.wedge import WedgeFilter
from app.ui.window import GateWindow, Timing

log = logging.getLogger(__name__)

Readers = Callable[[Callable[[ReaderEvent], None]], None]
"""Takes a listener for reader events; may call it from any thread, at once with the present states."""
Sync = Callable[[Callable[[SyncStatus], None]], None]
"""Takes a listener for the sync engine's status; may call it from any thread, at once with the present one."""


def run_gate_window(
    gate: GatePort,
    readers: Readers,
    sync: Sync,
    delivery: DeliveryPort,
    *,
    language: str = "ja",
    kiosk: bool = False,
    seconds: float | None = None,
    tray: TraySpec | None = None,
    clock: Clock | None = None,
    timing: Timing | None = None,
    on_open: Callable[[], None] | None = None,
    wedge: Callable[[ReaderEvent], None] | None = None,
    diagnose: Diagnose | None = None,
    on_network: Callable[[], None] = lambda: None,
) -> int:
    """Show the gate until it is closed; 0 when all went well. Call on the main thread.

    `seconds`: close by itself after so long (demo, smoke test), kiosk or not. `tray`: the demo's cards. `on_open`:
    called once on the GUI thread when the window is up and listens (start the readers there). `wedge`: takes the
    events of a keyboard-wedge reader, when the gate has one. `diagnose`: the checks behind the diagnosis page.
    `on_network`: called on the GUI thread when the machine is connected again. SIGINT and SIGTERM close the window.
    Starts nothing and stops nothing but its own things: threads are the caller's.
    """
    present = QApplication.instance()
    application = present if isinstance(present, QApplication) else QApplication(sys.argv[:1])
    application.setApplicationName("genba-touch")
    application.setFont(make_font(15))
    icon = resource("icons", "genba-touch.png")
    if icon.exists():
        application.setWindowIcon(QIcon(str(icon)))
    window_clock = clock or SystemClock()
    bridge, player = Bridge(), SoundPlayer()
    inhibitor = Inhibitor("gate is open")
    window = GateWindow(
        gate,
        bridge,
        clock=window_clock,
        player=player,
        language=language,
        kiosk=kiosk,
        tray=tray,
        timing=timing,
        delivery=delivery,
        diagnose=diagnose,
    )
    window.closed.connect(application.quit)
    # the system is shutting down: even a kiosk must not hold it up
    application.commitDataRequest.connect(window.leave_now)
    # only `closed` ends the loop: Qt's own Quit for the last window may arrive after it, and would end the next one
    quits_alone = application.quitOnLastWindowClosed()
    application.setQuitOnLastWindowClosed(False)
    gate.listen(bridge.take_news)
    readers(bridge.take_reader)
    sync(bridge.take_sync)
    gate.refresh()
    _show(window, kiosk)
    if wedge is not None:
        WedgeFilter(window, window_clock, wedge).start()
    if seconds is not None:
        end = QTimer(window)  # goes with the window
        end.setSingleShot(True)
        end.timeout.connect(window.leave_now)
        end.start(max(0, round(seconds * 1000)))
    if on_open is not None:
        QTimer.singleShot(0, on_open)
    inhibitor.start()
    network = NetworkWatch(on_network)
    try:
        with _signals(window):
            return application.exec()
    finally:
        bridge.close()
        network.close()
        inhibitor.stop()
        player.close()
        window.deleteLater()
        application.setQuitOnLastWindowClosed(quits_alone)


def _show(window: GateWindow, kiosk: bool) -> None:
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


@contextmanager
def _signals(window: GateWindow) -> Iterator[None]:
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
