"""The gate's window around a `GateRun`. Imported only when a window opens: Qt takes its time to load."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.errors import InputRefused
from app.gate.roads import RoadFilter
from app.readers.port import ReaderEvent
from app.readers.specs import parse_spec
from app.settings import DataDir
from app.sync.status import SyncStatus
from app.ui.card_tray import TraySpec
from app.ui.first_start import run_first_start
from app.ui.run import run_gate_window
from app.ui.trouble_window import open_until_ready
from app.wiring import first_start
from app.wiring.delivery import Delivery
from app.wiring.diagnosis.check import Live
from app.wiring.diagnosis.examiner import Examiner
from app.wiring.gate import GateRun, open_gate
from app.wiring.support_desk import SupportDesk


def open_window(
    data: DataDir,
    *,
    site_id: str | None,
    reader_specs: Sequence[str],
    kiosk: bool,
    seconds: float | None,
    language: str,
) -> int:
    """The gate of a data folder, in its window. What keeps it from opening is shown until it is mended. Main thread.

    Raises the GenbaError that still stood when the person gave up.
    """
    wanted = [parse_spec(text) for text in reader_specs]  # a wrong command line is nothing to wait for
    if not set_up_first(data, language=language, seconds=seconds):
        return 0
    run = open_until_ready(
        lambda: open_gate(data, site_id=site_id, reader_specs=wanted), language=language, seconds=seconds
    )
    return show_window(run, kiosk=kiosk or run.station.settings.kiosk, seconds=seconds)


def set_up_first(data: DataDir, *, language: str, seconds: float | None) -> bool:
    """Where this PC was never set up to the end: the first start, in a window. Whether to go on. Main thread.

    Raises InputRefused when it was closed before there was a station.
    """
    if not first_start.needed(data):
        return True
    if run_first_start(first_start.FirstStart(data, language).attempt, language=language, seconds=seconds):
        return True
    if first_start.needed(data):
        raise InputRefused("settings.not_enrolled", str(data.root))
    return False


def show_window(
    run: GateRun,
    *,
    kiosk: bool,
    seconds: float | None,
    language: str | None = None,
    tray: TraySpec | None = None,
) -> int:
    """Open the window, run the gate behind it, and stop everything when it is closed. Main thread."""
    examiner = examiner_of(run, language)
    spoken = language or run.station.settings.language
    try:
        return run_gate_window(
            run.gate,
            readers_of(run),
            run.listen_sync,
            Delivery(run.gate, run.station.outbox, run.engine),
            language=spoken,
            kiosk=kiosk,
            seconds=seconds,
            tray=tray,
            clock=run.station.clock,
            on_open=run.start,
            wedge=run.on_reader if run.wedge else None,
            on_network=lambda: run.engine.wake("network"),
            diagnose=examiner.examine,
            support=SupportDesk(run.station.data, spoken, examiner.live),
        )
    finally:
        examiner.close()
        run.stop()


def readers_of(run: GateRun) -> Callable[[Callable[[ReaderEvent], None]], None]:
    """What a window listens to: a road without a reader that nobody asked for is not shown."""

    def readers(listener: Callable[[ReaderEvent], None]) -> None:
        run.listen_readers(listener if run.asked_roads else RoadFilter(listener).take)

    return readers


def examiner_of(run: GateRun, language: str | None) -> Examiner:
    """The checks behind a window's diagnosis page. To be closed."""
    said: list[SyncStatus] = []
    run.listen_sync(lambda status: said.__setitem__(slice(None), [status]))
    live = Live(lambda: tuple(run.supervisor.states().values()), lambda: said[0] if said else None)
    return Examiner(run.station.data, language or run.station.settings.language, live)
