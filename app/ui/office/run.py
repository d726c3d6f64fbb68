"""Opens the office's window and runs until it is closed. The only door for `wiring`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QTimer

from app.clock import Clock
from app.gate.look import DeliveryPort
from app.gate.port import GatePort
from app.office.import_port import ImportPort
from app.office.port import OfficePort
from app.readers.port import ReaderEvent
from app.ui.bridge import Bridge
from app.ui.card_tray import TraySpec
from app.ui.diagnosis_page import Diagnose
from app.ui.host import application, run_until_closed, show
from app.ui.inhibit import Inhibitor
from app.ui.office.approval_page import ApprovalPage
from app.ui.office.backfill_page import BackfillPage
from app.ui.office.candidate_page import CandidatePage
from app.ui.office.decision_page import DecisionPage
from app.ui.office.delivery_page import DeliveryPage
from app.ui.office.headcount_page import HeadcountMonthPage
from app.ui.office.import_batches import BatchesPage
from app.ui.office.import_cards import UnknownCardsPage
from app.ui.office.import_page import ImportPage
from app.ui.office.month_page import MonthPage
from app.ui.office.page import OfficePage
from app.ui.office.rail import RailItem
from app.ui.office.style import sheet
from app.ui.office.window import OfficeWindow
from app.ui.run import Readers, Sync
from app.ui.sound import SoundPlayer
from app.ui.support_sheet import SupportPort
from app.ui.theme import SKINS, Look, Theme
from app.ui.wedge import WedgeFilter
from app.ui.window import GateWindow
from app.ui.words import Words

TICK_MS = 30_000
"""How often 'today' and 'in 5 minutes' are said anew."""


@dataclass(frozen=True, slots=True)
class OfficeParts:
    """What the pages stand on."""

    office: OfficePort
    delivery: DeliveryPort
    sync: Sync
    """Takes a listener for the sync engine's status; may call it from any thread."""
    imports: ImportPort | None = None


@dataclass(frozen=True, slots=True)
class GateParts:
    """A gate that runs in the same window. As in `app.ui.run.run_gate_window`."""

    gate: GatePort
    readers: Readers
    wedge: Callable[[ReaderEvent], None] | None = None
    diagnose: Diagnose | None = None
    support: SupportPort | None = None
    tray: TraySpec | None = None


def make_window(
    parts: OfficeParts, bridge: Bridge, clock: Clock, language: str, gate: GateWindow | None = None
) -> OfficeWindow:
    """The window with all its pages, the gate's first when there is one. GUI thread."""
    theme = Theme()
    words = Words(language, parts.office.site.zone)
    month = MonthPage(theme, words, parts.office, bridge, clock)
    approval = ApprovalPage(theme, words, parts.office, bridge, clock)
    decided = DecisionPage(theme, words, parts.office, bridge, clock)
    heads = HeadcountMonthPage(theme, words, parts.office, bridge, clock)
    backfill = BackfillPage(theme, words, parts.office, bridge, clock)
    found = CandidatePage(words, parts.office, bridge, clock, month)
    delivery = DeliveryPage(theme, words, parts.delivery, bridge, clock)
    items: list[tuple[RailItem, OfficePage]] = [(RailItem("month", "month", words.title("office.page_month")), month)]
    under: dict[str, tuple[str, OfficePage]] = {
        "candidates": ("month", found),
        "approval": ("month", approval),
        "decisions": ("month", decided),
        "heads": ("month", heads),
        "backfill": ("month", backfill),
    }
    imports: ImportPage | None = None
    if parts.imports is not None:
        imports = ImportPage(theme, words, parts.imports, bridge, clock, parts.office.site.id)
        batches = BatchesPage(theme, words, parts.imports, bridge, clock)
        cards = UnknownCardsPage(theme, words, parts.imports, parts.office, bridge, clock)
        items.append((RailItem("import", "import", words.title("office.page_import")), imports))
        under |= {"batches": ("import", batches), "cards": ("import", cards)}
    items.append((RailItem("sync", "sync", words.title("office.page_sync")), delivery))
    window = OfficeWindow(
        parts.office,
        bridge,
        clock,
        words,
        items,
        under,
        gate,
    )
    for page in window.pages.values():
        if page is not delivery:  # the gate's own page, painted like the gate's
            page.setStyleSheet(sheet(theme))
    window.line.setStyleSheet(sheet(theme))
    month.open_page.connect(window.go)
    for child in (found, approval, heads, backfill):
        child.back.connect(lambda: window.go("month"))
    approval.decisions_wanted.connect(lambda: window.go("decisions"))
    decided.back.connect(lambda: window.go("approval"))
    if imports is not None:
        imports.open_page.connect(window.go)
        for other in (batches, cards):
            other.back.connect(lambda: window.go("import"))
    return window


def run_office_window(
    parts: OfficeParts,
    *,
    clock: Clock,
    language: str = "ja",
    seconds: float | None = None,
    gate: GateParts | None = None,
    banner: str = "",
    on_open: Callable[[], None] | None = None,
    on_network: Callable[[], None] = lambda: None,
) -> int:
    """Show the office until it is closed; 0 when all went well. Main thread. Starts and stops nothing of others."""
    app = application(language)
    bridge, player = Bridge(), SoundPlayer()
    inhibitor = Inhibitor("gate is open")
    inner: GateWindow | None = None
    if gate is not None:
        inner = GateWindow(
            gate.gate, bridge, clock=clock, player=player, language=language, delivery=parts.delivery,
            diagnose=gate.diagnose, support=gate.support, tray=gate.tray,
        )  # fmt: skip
        gate.gate.listen(bridge.take_news)
        gate.readers(bridge.take_reader)
        gate.gate.refresh()
        inhibitor.start()
    window = make_window(parts, bridge, clock, language, inner)
    window.banner.setText(banner)
    window.banner.setStyleSheet(f"background: {SKINS[Look.CHECK].paper}; padding: 6px 24px")
    window.banner.setVisible(bool(banner))
    parts.sync(bridge.take_sync)
    if gate is not None and gate.wedge is not None:
        WedgeFilter(window, clock, gate.wedge).start()
    tick = QTimer(window)
    tick.timeout.connect(window.tick)
    tick.start(TICK_MS)
    show(window)
    try:
        return run_until_closed(app, window, seconds=seconds, on_open=on_open, on_network=on_network)
    finally:
        bridge.close()
        inhibitor.stop()
        player.close()
        window.deleteLater()
