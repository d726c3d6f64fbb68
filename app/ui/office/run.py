"""Opens the office's window and runs until it is closed. The only door for `wiring`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QTimer

from app.clock import Clock
from app.gate.look import DeliveryPort
from app.office.port import OfficePort
from app.ui.bridge import Bridge
from app.ui.host import application, run_until_closed, show
from app.ui.office.approval_page import ApprovalPage
from app.ui.office.backfill_page import BackfillPage
from app.ui.office.delivery_page import DeliveryPage
from app.ui.office.headcount_page import HeadcountMonthPage
from app.ui.office.month_page import MonthPage
from app.ui.office.rail import RailItem
from app.ui.office.style import sheet
from app.ui.office.window import OfficeWindow
from app.ui.status import SyncStatus
from app.ui.theme import Theme
from app.ui.words import Words

Sync = Callable[[Callable[[SyncStatus], None]], None]
TICK_MS = 30_000
"""How often 'today' and 'in 5 minutes' are said anew."""


@dataclass(frozen=True, slots=True)
class OfficeParts:
    """What the pages stand on."""

    office: OfficePort
    delivery: DeliveryPort
    sync: Sync
    """Takes a listener for the sync engine's status; may call it from any thread."""


def make_window(parts: OfficeParts, bridge: Bridge, clock: Clock, language: str) -> OfficeWindow:
    """The window with all its pages. GUI thread."""
    theme = Theme()
    words = Words(language, parts.office.site.zone)
    month = MonthPage(theme, words, parts.office, bridge, clock)
    approval = ApprovalPage(theme, words, parts.office, bridge, clock)
    heads = HeadcountMonthPage(theme, words, parts.office, bridge, clock)
    backfill = BackfillPage(theme, words, parts.office, bridge, clock)
    delivery = DeliveryPage(theme, words, parts.delivery, bridge, clock)
    window = OfficeWindow(
        parts.office,
        bridge,
        clock,
        words,
        [
            (RailItem("month", "month", words.title("office.page_month")), month),
            (RailItem("sync", "sync", words.title("office.page_sync")), delivery),
        ],
        {"approval": ("month", approval), "heads": ("month", heads), "backfill": ("month", backfill)},
    )
    window.setStyleSheet(sheet(theme))
    month.open_page.connect(window.go)
    for page in (approval, heads, backfill):
        page.back.connect(lambda: window.go("month"))
    return window


def run_office_window(
    parts: OfficeParts,
    *,
    clock: Clock,
    language: str = "ja",
    seconds: float | None = None,
    on_open: Callable[[], None] | None = None,
    on_network: Callable[[], None] = lambda: None,
) -> int:
    """Show the office until it is closed; 0 when all went well. Main thread. Starts and stops nothing of others."""
    app = application()
    bridge = Bridge()
    window = make_window(parts, bridge, clock, language)
    parts.sync(bridge.take_sync)
    tick = QTimer(window)
    tick.timeout.connect(window.tick)
    tick.start(TICK_MS)
    show(window)
    try:
        return run_until_closed(app, window, seconds=seconds, on_open=on_open, on_network=on_network)
    finally:
        bridge.close()
        window.deleteLater()
