"""Opens the gate window and runs until it is closed. The only door for `wiring`."""

from __future__ import annotations

from collections.abc import Callable

from app.clock import Clock, SystemClock
from app.gate.look import DeliveryPort
from app.gate.port import GatePort
from app.readers.port import ReaderEvent
from app.ui.bridge import Bridge
from app.ui.card_tray import TraySpec
from app.ui.diagnosis_page import Diagnose
from app.ui.host import application, run_until_closed, show
from app.ui.inhibit import Inhibitor
from app.ui.sound import SoundPlayer
from app.ui.status import SyncStatus
from app.ui.support_sheet import SupportPort
from app.ui.timing import Timing
from app.ui.wedge import WedgeFilter
from app.ui.window import GateWindow

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
    support: SupportPort | None = None,
    on_network: Callable[[], None] = lambda: None,
) -> int:
    """Show the gate until it is closed; 0 when all went well. Call on the main thread.

    `seconds`: close by itself after so long (demo, smoke test), kiosk or not. `tray`: the demo's cards. `on_open`:
    called once on the GUI thread when the window is up and listens (start the readers there). `wedge`: takes the
    events of a keyboard-wedge reader, when the gate has one. `diagnose`, `support`: the checks and the file
    for support behind the diagnosis page.
    `on_network`: called on the GUI thread when the machine is connected again. SIGINT and SIGTERM close the window.
    Starts nothing and stops nothing but its own things: threads are the caller's.
    """
    app = application(language)
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
        support=support,
    )
    gate.listen(bridge.take_news)
    readers(bridge.take_reader)
    sync(bridge.take_sync)
    gate.refresh()
    show(window, kiosk=kiosk)
    if wedge is not None:
        WedgeFilter(window, window_clock, wedge).start()
    inhibitor.start()
    try:
        return run_until_closed(app, window, seconds=seconds, on_open=on_open, on_network=on_network)
    finally:
        bridge.close()
        inhibitor.stop()
        player.close()
        window.deleteLater()
