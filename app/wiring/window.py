"""The gate's window around a `GateRun`. Imported only when a window opens: Qt takes its time to load."""

from __future__ import annotations

from collections.abc import Callable

from app.gate.roads import RoadFilter
from app.readers.port import ReaderEvent
from app.ui.card_tray import TraySpec
from app.ui.run import run_gate_window
from app.wiring.gate import GateRun


def show_window(
    run: GateRun,
    *,
    kiosk: bool,
    seconds: float | None,
    language: str | None = None,
    tray: TraySpec | None = None,
) -> int:
    """Open the window, run the gate behind it, and stop everything when it is closed. Main thread."""

    def readers(listener: Callable[[ReaderEvent], None]) -> None:
        run.listen_readers(listener if run.asked_roads else RoadFilter(listener).take)

    try:
        return run_gate_window(
            run.gate,
            readers,
            run.listen_sync,
            language=language or run.station.settings.language,
            kiosk=kiosk,
            seconds=seconds,
            tray=tray,
            clock=run.station.clock,
            on_open=run.start,
        )
    finally:
        run.stop()
