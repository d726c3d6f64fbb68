"""送信 behind the rail: the gate's page of the same name, without its clock and its close button."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from app.clock import Clock
from app.gate.look import DeliveryPort
from app.ui.bridge import Bridge
from app.ui.office.page import OfficePage
from app.ui.status import SyncStatus
from app.ui.sync_page import SyncPage
from app.ui.theme import Theme
from app.ui.words import Words

_NEVER_MS = 2**31 - 1


class DeliveryPage(OfficePage):
    """See the module."""

    def __init__(self, theme: Theme, words: Words, delivery: DeliveryPort, bridge: Bridge, clock: Clock) -> None:
        super().__init__(theme, words)
        self._clock = clock
        self.sync = SyncPage(theme, words, delivery, bridge.reply, _NEVER_MS)
        self.sync.close_pad.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(theme.px(24), theme.px(12), theme.px(24), theme.px(12))
        box.addWidget(self.sync)
        bridge.sync.connect(self._show)

    def _show(self, status: SyncStatus) -> None:
        self.sync.show_sync(status, self._clock.now())

    def enter(self) -> None:
        self.sync.enter()

    def leave(self) -> None:
        self.sync.leave()
