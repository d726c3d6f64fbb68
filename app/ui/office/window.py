"""The office's window: rail, pages, and one line at the bottom. Nobody gets behind the rail without a PIN.

No dialog ever opens here. Where a gate runs in the same window, its cards are answered in a strip above every page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor, QPalette
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.clock import Clock
from app.gate.news import StorageAlarm
from app.office.port import Changed, OfficeNews, OfficePort, PinRefused, PinShared, Seated, Trouble
from app.office.shapes import SignedIn
from app.ui.bridge import Bridge
from app.ui.office.page import OfficePage
from app.ui.office.rail import Rail, RailItem
from app.ui.office.status_line import StatusLine
from app.ui.pin_pad import PinPad
from app.ui.status import SyncStatus, sync_sentence
from app.ui.strip import ResultStrip
from app.ui.theme import BACKGROUND, Theme
from app.ui.window import GateWindow
from app.ui.words import Words

IDLE_MINUTES = 15
"""Without input for so long, whoever sat here is signed out: typed and unsaved things stay behind the PIN."""
_INPUT = (QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress, QEvent.Type.Wheel)
Answer = Callable[["PinSaid"], None]


class PinSaid:
    """What the pad wants to know of an answer (`app.gate.port.PinAnswer`)."""

    def __init__(self, ok: bool, wait_s: int) -> None:
        self.ok, self.wait_s = ok, wait_s


class OfficeWindow(QWidget):
    """Everything arrives through `bridge`; everything asked goes to `office`. `pages`: code → page, in rail order."""

    closed = Signal()

    def __init__(
        self,
        office: OfficePort,
        bridge: Bridge,
        clock: Clock,
        words: Words,
        pages: Sequence[tuple[RailItem, OfficePage]],
        under: Mapping[str, tuple[str, OfficePage]] = MappingProxyType({}),
        gate: GateWindow | None = None,
    ) -> None:
        """`under`: pages that are reached from others: code → code of the rail's item and page. `gate`: the gate's
        window, to stand behind the rail's first item; open to everybody."""
        super().__init__()
        self._office, self.bridge, self._clock, self.words = office, bridge, clock, words
        self.theme = pages[0][1].theme if pages else Theme()
        self.person: SignedIn | None = None
        self._status: SyncStatus | None = None
        self._day = clock.now().astimezone(words.zone).date()
        self.setWindowTitle(f"{office.site.name} — {words.title('office.window')}")
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(BACKGROUND))
        self.setPalette(palette)
        self.setAutoFillBackground(True)
        self.pages = {item.code: page for item, page in pages} | {code: page for code, (_, page) in under.items()}
        self._rail_of = {code: item for code, (item, _) in under.items()}
        items = [item for item, _ in pages]
        if gate is not None:
            items.insert(0, RailItem(GATE, "gate", words.title("office.gate")))
        self.rail = Rail(self.theme, items)
        self.rail.chosen.connect(self.go)
        self.pin = PinPad(
            self.theme, words, self._ask, IDLE_MINUTES * 60_000, title="office.sign_in", choose=self._choose
        )
        self.pin.close_pad.hide()
        self.stack = QStackedWidget()
        for widget in (self.pin, *self.pages.values(), *((gate,) if gate else ())):
            self.stack.addWidget(widget)
        self._gate = gate
        self.strip = ResultStrip(self.theme, words)
        self.strip.hide()
        self.line = StatusLine(self.theme, words)
        self.line.leave.connect(self.sign_out)
        self._build()
        self._wanted = items[0].code if items else ""
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE_MINUTES * 60_000)
        self._idle.timeout.connect(self.sign_out)
        self._listen()
        self.go(self._wanted)

    def _build(self) -> None:
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        self.banner = QLabel()
        self.banner.setTextFormat(Qt.TextFormat.PlainText)
        self.banner.setWordWrap(True)
        self.banner.hide()
        right.addWidget(self.banner)
        right.addWidget(self.strip)
        right.addWidget(self.stack, 1)
        right.addWidget(self.line)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addLayout(right, 1)

    def _listen(self) -> None:
        self._office.listen(self.bridge.reply(self.take))
        self.bridge.sync.connect(self.show_sync)
        if self._gate is not None:
            self._gate.board.shown.connect(self.strip.show_result)
            self._gate.board.cleared.connect(self.strip.clear)
            self.bridge.news.connect(self._on_gate_news)
        for page in self.pages.values():
            page.told.connect(self.line.tell)
            page.keys.connect(self.line.show_keys)
        application = QApplication.instance()
        if application is not None:
            application.installEventFilter(self)

    # ---- pages ---------------------------------------------------------------------------------------------------

    @property
    def current(self) -> str:
        """Code of the page that was chosen, whether the PIN still lies before it or not."""
        return self._wanted

    def go(self, code: str) -> None:
        """Show a page, or the PIN before it; a page with something unsaved keeps its place."""
        here = self.pages.get(self._wanted)
        if here is not None and self.stack.currentWidget() is here and code != self._wanted:
            if not here.may_leave():
                self.rail.show_chosen(self._rail_of.get(self._wanted, self._wanted))
                return
            self.line.turn_page()
            here.leave()
        self._wanted = code
        self.rail.show_chosen(self._rail_of.get(code, code))
        self.strip.setVisible(self._gate is not None and code != GATE)
        self.line.setVisible(code != GATE)
        if code == GATE and self._gate is not None:
            self.stack.setCurrentWidget(self._gate)
            self._gate.setFocus()
        elif self.person is None:
            self._show_pin()
        else:
            self.stack.setCurrentWidget(self.pages[code])
            self.line.show_keys("")
            self.pages[code].enter()

    def _show_pin(self) -> None:
        self.stack.setCurrentWidget(self.pin)
        self.pin.enter()
        self.line.show_keys("")
        if not self._office.has_operators:
            message = self.words.title("office.no_operators")
            self.line.tell("check", f"{message} → {self.words.remedy('office.no_operators')}")

    # ---- who sits here -------------------------------------------------------------------------------------------

    def _ask(self, pin: str, reply: Answer) -> None:
        def answered(answer: SignedIn | PinRefused | PinShared) -> None:
            if isinstance(answer, PinShared):
                self.pin.ask_who(answer.people)
            else:
                self._said(answer, reply)

        self._office.sign_in(pin, self.bridge.reply(answered))

    def _choose(self, operator_id: str, reply: Answer) -> None:
        self._office.sign_in_as(operator_id, self.bridge.reply(lambda answer: self._said(answer, reply)))

    def _said(self, answer: SignedIn | PinRefused, reply: Answer) -> None:
        if isinstance(answer, PinRefused):
            reply(PinSaid(False, answer.wait_s))
            return
        reply(PinSaid(True, 0))
        self.sit_down(answer)

    def sit_down(self, person: SignedIn) -> None:
        """His PIN was right: he sees the page he asked for."""
        self.person = person
        for page in self.pages.values():
            page.sit_down(person)
        self.line.show_person(person.name)
        self._idle.start()
        self.go(self._wanted)

    def sign_out(self) -> None:
        """Nobody sits here any more; what was typed and not saved stays where it is, behind the PIN."""
        if self.person is None:
            return
        self.person = None
        self._idle.stop()
        self._office.sign_out()
        for page in self.pages.values():
            page.sit_down(None)
        self.line.show_person("")
        if self._wanted != GATE:
            self._show_pin()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _INPUT and self.person is not None:
            self._idle.start()
        return False

    # ---- news ----------------------------------------------------------------------------------------------------

    def take(self, news: OfficeNews) -> None:
        """From the office, on the GUI thread."""
        if isinstance(news, Trouble):
            message = self.words.known(news.code, "office.bug", dict(news.values))
            self.line.tell("bad", f"{message.title} → {message.remedy}" if message.remedy else message.title)
        if isinstance(news, Seated):
            self._seat(news.person)
        page = self.pages.get(self._wanted)
        if page is not None and self.stack.currentWidget() is page:
            page.take(news)

    def _seat(self, person: SignedIn | None) -> None:
        """The roster has changed the rights of who sits here, or taken him out."""
        if self.person is None or (person is not None and person.operator_id != self.person.operator_id):
            return
        if person is None:
            self.sign_out()
            self.line.tell("check", self.words.title("office.no_operator_now"))
            return
        self.person = person
        for page in self.pages.values():
            page.sit_down(person)

    def _on_gate_news(self, news: object) -> None:
        """A card could not be stored: that goes before whatever is typed here."""
        if isinstance(news, StorageAlarm):
            self.go(GATE)

    def show_sync(self, status: SyncStatus) -> None:
        """How delivery stands."""
        self._status = status
        self.line.show_sync(sync_sentence(status, self.words, self._clock.now()))
        button = self.rail.buttons.get("sync")
        if button is not None:
            button.count(status.rejected)

    def tick(self) -> None:
        """Time goes on."""
        if self._status is not None:
            self.show_sync(self._status)
        day = self._clock.now().astimezone(self.words.zone).date()
        if day != self._day:
            self._day = day
            page = self.pages.get(self._wanted)
            if page is not None and self.stack.currentWidget() is page:
                page.take(Changed())

    def leave_now(self) -> None:
        """Close, whatever is on the screen (the system shuts down, a signal, a test)."""
        for page in self.pages.values():
            page.leave()
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        page = self.pages.get(self._wanted)
        if page is not None and self.stack.currentWidget() is page and event.spontaneous() and not page.may_leave():
            event.ignore()
            return
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)
        event.accept()
        self.closed.emit()


GATE = "gate"
"""The rail's item for the gate's own window."""
