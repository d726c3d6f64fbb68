"""The office's window, with the gate behind its rail where this PC has readers. Imported only when a window opens."""

from __future__ import annotations

from collections.abc import Sequence

from app.errors import GenbaError
from app.readers.specs import parse_spec
from app.settings import DataDir
from app.ui.office.run import GateParts, OfficeParts, run_office_window
from app.ui.trouble_window import open_until_ready
from app.wiring.delivery import Delivery
from app.wiring.gate import open_gate
from app.wiring.office import OfficeDelivery, OfficeRun, build_beside, open_office
from app.wiring.support_desk import SupportDesk
from app.wiring.window import examiner_of, readers_of, set_up_first


def open_office_window(
    data: DataDir, *, site_id: str | None, reader_specs: Sequence[str], seconds: float | None, language: str
) -> int:
    """The office of a data folder. What keeps it from opening is shown until it is mended. Main thread.

    With readers, named here or in the settings, the gate runs in the same window. Raises the GenbaError that still
    stood when the person gave up.
    """
    wanted = [parse_spec(text) for text in reader_specs]  # a wrong command line is nothing to wait for
    if not set_up_first(data, language=language, seconds=seconds):
        return 0

    def opening() -> OfficeRun:
        if wanted or _has_readers(data):
            return build_beside(open_gate(data, site_id=site_id, reader_specs=wanted))
        return open_office(data, site_id)

    run = open_until_ready(opening, language=language, seconds=seconds)
    return show_office(run, seconds=seconds, language=language)


def show_office(run: OfficeRun, *, seconds: float | None, language: str | None = None, banner: str = "") -> int:
    """Open the window, run the office behind it, and stop everything when it is closed. Main thread. `banner`: said
    above every page."""
    spoken = language or run.station.settings.language
    gate = run.gate
    examiner = examiner_of(gate, spoken) if gate else None
    inner: GateParts | None = None
    if gate is not None and examiner is not None:
        wedge = gate.on_reader if gate.wedge else None
        support = SupportDesk(run.station.data, spoken, examiner.live)
        inner = GateParts(gate.gate, readers_of(gate), wedge, examiner.examine, support)
    delivery = Delivery(gate.gate, run.station.outbox, run.engine) if gate else OfficeDelivery(run)
    try:
        return run_office_window(
            OfficeParts(run.service, delivery, gate.listen_sync if gate else run.listen_sync, run.imports),
            clock=run.station.clock,
            language=spoken,
            seconds=seconds,
            gate=inner,
            banner=banner,
            on_open=run.start,
            on_network=lambda: run.engine.wake("network"),
        )
    finally:
        if examiner is not None:
            examiner.close()
        run.stop()


def _has_readers(data: DataDir) -> bool:
    """Whether the settings name readers; settings that cannot be read are for the opening to complain about."""
    try:
        return bool(data.settings().readers)
    except GenbaError:
        return False
