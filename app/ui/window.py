"""The gate window: puts the parts together and hands each piece of news to the one that shows it.

No dialog ever opens here: pages lie inside the window, and a card touched meanwhile still gets its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor, QKeyEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.clock import Clock
from app.domain.events import Direction
from app.gate.look import DeliveryPort
from app.gate.news import Announcement, DirectionState, StorageAlarm, Today
from app.gate.port import GatePort, PinAnswer
from app.readers.port import ReaderState
from app.ui.alarm_page import AlarmPage
from app.ui.bridge import Bridge
from app.ui.card_tray import CardTray, TraySpec
from app.ui.company_panel import CompanyPanel
from app.ui.content import CardContent, Sound, alarm_content, card_content
from app.ui.diagnosis_page import Diagnose, DiagnosisPage
from app.ui.headcount_page import HeadcountPage
from app.ui.header import ActionBar, Header
from app.ui.lane_board import LaneBoard
from app.ui.no_card_page import NoCardPage
from app.ui.pads import Plate
from app.ui.page import Page
from app.ui.pin_pad import PinPad
from app.ui.status_bar import StatusBar
from app.ui.strip import ResultStrip
from app.ui.support_sheet import SupportPort
from app.ui.sync_page import SyncPage
from app.ui.theme import BACKGROUND, Theme
from app.ui.timing import Timing
from app.ui.touch_list import TouchList
from app.ui.words import Words


class Player(Protocol):
    """What plays sounds."""

    def play(self, sound: Sound) -> None: ...


OUT = "station.withdrawn"
"""The standing warning with which nothing is recorded any more: what says so stays over the whole window."""


class GateWindow(QWidget):
    """The whole window. Everything arrives through `bridge`; everything asked goes to `gate`."""

    closed = Signal()

    def __init__(
        self,
        gate: GatePort,
        bridge: Bridge,
        *,
        clock: Clock,
        player: Player,
        language: str = "ja",
        kiosk: bool = False,
        tray: TraySpec | None = None,
        timing: Timing | None = None,
        delivery: DeliveryPort,
        diagnose: Diagnose | None = None,
        support: SupportPort | None = None,
    ) -> None:
        super().__init__()
        self._gate, self.bridge, self._clock, self._player, self._support = gate, bridge, clock, player, support
        self._timing = timing or Timing()
        self._may_close, self._out = not kiosk, False
        self.kiosk = kiosk
        self.theme = Theme()
        self.words = Words(language, gate.site.zone)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setWindowTitle(f"{gate.site.name} — {self.words.title('gate.window')}")
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(BACKGROUND))
        self.setPalette(palette)
        if kiosk:
            self.setWindowFlags(Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self._build(tray, delivery, diagnose)
        self._alarm_timer = QTimer(self)
        self._alarm_timer.setSingleShot(True)
        self._alarm_timer.timeout.connect(self._end_alarm)
        self._listen()
        self._second = QTimer(self)
        self._second.timeout.connect(self._tick)
        self._second.start(self._timing.tick_ms)
        self._tick()
        self.restyle()
        self.setFocus()

    def _build(self, tray: TraySpec | None, delivery: DeliveryPort, diagnose: Diagnose | None) -> None:
        theme, words, site = self.theme, self.words, self._gate.site
        page_ms = self._timing.page_ms
        self.header = Header(theme, words, site.name, kiosk=self.kiosk)
        self.action_bar = ActionBar(theme, words)
        self.board = LaneBoard(theme, words, site.greetings, self._timing.result_ms)
        self.touches = TouchList(theme, words)
        self.companies = CompanyPanel(theme, words)
        self.status = StatusBar(theme, words, diagnosis=diagnose is not None)
        self.strip = ResultStrip(theme, words)
        self.alarm = AlarmPage(theme)
        self.no_card = NoCardPage(
            theme, words, lambda text, reply: self._gate.search(text, self.bridge.reply(reply)), page_ms
        )
        self.headcount = HeadcountPage(theme, words, page_ms)
        self.pin = PinPad(theme, words, self._check_pin, page_ms)
        self.sync = SyncPage(theme, words, delivery, self.bridge.reply, page_ms)
        long_ms = self._timing.diagnosis_ms
        self.diagnosis = DiagnosisPage(theme, words, diagnose, self.bridge.reply, long_ms, self._support)
        self.main = QWidget()
        self._main = QHBoxLayout(self.main)
        self._main.setContentsMargins(0, 0, 0, 0)
        self._left = QVBoxLayout()
        self._left.addWidget(self.action_bar)
        self._left.addWidget(self.board, 1)
        self.side = Plate(theme)
        self._side = QVBoxLayout(self.side)
        self._side.addWidget(self.touches, 1)
        self._side.addWidget(self.companies)
        self._main.addLayout(self._left, 1)
        self._main.addWidget(self.side)
        self.pages = QStackedWidget()
        for page in (self.main, self.no_card, self.headcount, self.pin, self.sync, self.diagnosis, self.alarm):
            self.pages.addWidget(page)
        self.pages.setMinimumSize(1, 1)  # a tall page must not make the window grow beyond the screen
        self._body = QVBoxLayout()
        self._body.addWidget(self.strip)
        self._body.addWidget(self.pages, 1)
        self.strip.hide()
        self.stage = QWidget()
        column = QVBoxLayout(self.stage)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addLayout(self._body, 1)
        column.addWidget(self.status)
        root = QHBoxLayout(self)
        root.setContentsMargins(0, 0, 0, 0)
        root.setSpacing(0)
        self.tray: CardTray | None = None
        if tray is not None:
            self._tray_theme = Theme()
            self.tray = CardTray(self._tray_theme, words, tray)
            root.addWidget(self.tray)
        root.addWidget(self.stage, 1)
        self.stage.installEventFilter(self)

    def _listen(self) -> None:
        self.bridge.news.connect(self._on_news)
        self.bridge.reader.connect(self._on_reader)
        self.bridge.sync.connect(self._on_sync)
        self.action_bar.chosen.connect(self._choose)
        self.action_bar.no_card.connect(lambda: self.open_page(self.no_card))
        self.action_bar.headcount.connect(lambda: self.open_page(self.headcount))
        self.header.leave.connect(lambda: self.open_page(self.pin))
        self.board.shown.connect(self.strip.show_result)
        self.board.cleared.connect(self.strip.clear)
        self.status.reader_pressed.connect(lambda: self.open_page(self.diagnosis))
        self.status.sync_pressed.connect(lambda: self.open_page(self.sync))
        for page in (self.no_card, self.headcount, self.pin, self.sync, self.diagnosis):
            page.closed.connect(self._page_closed)
        self.no_card.confirmed.connect(lambda worker, reason: self._gate.enter_forgotten(worker, reason))
        self.headcount.saved.connect(self._save_headcounts)
        self.pin.allowed.connect(self.leave_now)

    # ---- news ----------------------------------------------------------------------------------------------------

    def _on_news(self, news: object) -> None:
        match news:
            case Announcement():
                self.announce(news)
            case StorageAlarm():
                self.raise_alarm(news)
            case Today():
                self.touches.show_today(news.lines, news.present)
                self.companies.show_companies(news.companies)
                self.headcount.show_companies(news.companies)
            case DirectionState():
                self.action_bar.show_state(news)
                self.action_bar.tick(self._clock.now())
                chosen = "" if news.chosen is None else self.words.direction(news.chosen)
                self.board.say_direction(chosen)
            case tuple():
                self.status.warn(news)
                if not self._out and any(warning.code == OUT for warning in news):
                    self._may_close = self._out = True  # no PIN is left that could open the kiosk
                    self.raise_alarm(StorageAlarm("", self._clock.now(), OUT))

    def announce(self, news: Announcement) -> None:
        """Show a result in its lane; it is stored already, so the sound may come."""
        content = card_content(news, self.words, self.board.label_of(news.lane))
        if news.id is not None:
            self._end_alarm()
        self.board.show_result(news.lane, content)
        self.diagnosis.card_told(news)
        self._player.play(content.sound)

    def raise_alarm(self, alarm: StorageAlarm) -> None:
        """Over everything; it stays in its lane when another lane's success has taken the whole width back."""
        content: CardContent = alarm_content(alarm, self.words)
        self._close_page()
        self.alarm.show_content(content)
        self.board.show_result(alarm.lane, content, self._timing.alarm_ms)
        self.pages.setCurrentWidget(self.alarm)
        self._alarm_timer.start(self._timing.alarm_ms)
        self._player.play(content.sound)

    def _end_alarm(self) -> None:
        self._alarm_timer.stop()
        if not self._out and self.pages.currentWidget() is self.alarm:
            self.pages.setCurrentWidget(self.main)

    def _on_reader(self, event: object) -> None:
        if isinstance(event, ReaderState):
            self.board.reader_changed(event)
            self.status.reader_changed(event)
            self.diagnosis.reader_changed(event)

    def _on_sync(self, status: object) -> None:
        for part in (self.status, self.sync):
            part.show_sync(status, self._clock.now())  # type: ignore[arg-type]

    def _tick(self) -> None:
        now = self._clock.now()
        self.header.tick(now)
        self.action_bar.tick(now)
        self.status.tick(now)
        self.sync.tick(now)

    # ---- pages ---------------------------------------------------------------------------------------------------

    def open_page(self, page: Page) -> None:
        """Lay a page over lanes and lists; an alarm is not covered."""
        if self._out and page is self.pin:
            self.leave_now()
        if self.pages.currentWidget() is self.alarm:
            return
        self._close_page()
        self.pages.setCurrentWidget(page)
        self.strip.show()
        page.enter()

    def _close_page(self) -> None:
        current = self.pages.currentWidget()
        if isinstance(current, Page):
            current.leave()

    def _page_closed(self) -> None:
        self.strip.hide()
        if self.pages.currentWidget() is not self.alarm:
            self.pages.setCurrentWidget(self.main)
        self.setFocus()

    def _choose(self, direction: Direction | None) -> None:
        self._gate.choose_direction(direction)

    def _save_headcounts(self, changes: list[tuple[str, int]]) -> None:
        for company_id, count in changes:
            self._gate.set_headcount(company_id, count)

    def _check_pin(self, pin: str, reply: Callable[[PinAnswer], None]) -> None:
        self._gate.check_pin(pin, "leave_kiosk", self.bridge.reply(reply))

    # ---- window --------------------------------------------------------------------------------------------------

    def leave_now(self) -> None:
        """Close, kiosk or not (PIN given, or the system is shutting down)."""
        self._may_close = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._may_close:
            event.ignore()
            self.open_page(self.pin)
            return
        self._second.stop()
        self._close_page()
        event.accept()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.kiosk and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return
        super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.stage and isinstance(event, QResizeEvent):
            self.theme.fit(event.size().width(), event.size().height())
            self.restyle()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.tray is not None:
            self._tray_theme.fit(event.size().width(), event.size().height())

    def restyle(self) -> None:
        """The scale has changed."""
        px = self.theme.px
        self._body.setContentsMargins(px(16), px(10), px(16), px(6))
        self._body.setSpacing(px(12))
        self._main.setSpacing(px(16))
        self._left.setSpacing(px(12))
        self._side.setContentsMargins(px(20), px(8), px(20), px(16))
        self._side.setSpacing(px(12))
        self.side.setFixedWidth(px(388))
