"""The bottom line: each reader with its remedy, standing warnings, and the calm count of what waits to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.gate.news import StandingWarning, WarningLevel
from app.messages import Message
from app.readers.port import ReaderCondition, ReaderState
from app.ui.flow import Flow
from app.ui.pads import Pad, Plate
from app.ui.shapes import Shape
from app.ui.status import SyncStatus, reader_sentence, sync_sentence
from app.ui.text import BOLD, Text
from app.ui.theme import INK, INK_2, REGULAR, SKINS, SURFACE, Look, Theme
from app.ui.words import Words


class StatusItem(QWidget):
    """Shape and sentence."""

    def __init__(self, theme: Theme, look: Look, text: str, *, size: int = 18, ink: str = INK) -> None:
        super().__init__()
        self._theme = theme
        self.shape = Shape(theme, 22, look)
        self.text = Text(theme, size, text, ink=ink, weight=BOLD if size > 18 else REGULAR)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self.shape)
        self._row.addWidget(self.text, 1)
        self.setAccessibleName(text)
        self.restyle()
        theme.changed.connect(self.restyle)

    def restyle(self) -> None:
        """The scale has changed."""
        self._row.setSpacing(self._theme.px(8))


class SyncPad(Pad):
    """The sync sentence, to be pressed by a glove; a long one takes two lines."""

    def sizeHint(self) -> QSize:
        wanted = super().sizeHint()
        return QSize(min(wanted.width(), self._theme.px(560)), wanted.height())


class StatusBar(Plate):
    """Shouted warnings above, then one flowing line and the sync sentence at its right."""

    sync_pressed = Signal()
    reader_pressed = Signal()

    def __init__(self, theme: Theme, words: Words, *, diagnosis: bool = False) -> None:
        """`diagnosis`: there is a page that says more of the readers."""
        super().__init__(theme, SURFACE, None, 0)
        self._words = words
        self._readers: dict[str, ReaderState] = {}
        self._warnings: Sequence[StandingWarning] = ()
        self._status: SyncStatus | None = None
        self._now: datetime | None = None
        self.shouts = QWidget()
        self._shout_box = QVBoxLayout(self.shouts)
        self.flow = Flow(theme, 32, 28)
        self.sync = SyncPad(theme, "", size=18, name=words.title("sync_page.title"))
        self.sync.clicked.connect(lambda _=False: self.sync_pressed.emit())
        self.reader = Pad(theme, words.title("diagnosis.open"), size=18, min_width=96)
        self.reader.clicked.connect(lambda _=False: self.reader_pressed.emit())
        self.reader.setVisible(diagnosis)
        self._line = QHBoxLayout()
        self._line.addWidget(self.reader)
        self._line.addWidget(self.flow, 1)
        self._line.addWidget(self.sync)
        self._box = QVBoxLayout(self)
        self._box.addWidget(self.shouts)
        self._box.addLayout(self._line)
        self.items: list[StatusItem] = []
        self.shout_items: list[StatusItem] = []
        theme.changed.connect(self.restyle)
        self.restyle()
        self._show_items()
        self._show_shouts()

    def reader_changed(self, state: ReaderState) -> None:
        """A reader's condition."""
        if state.condition is ReaderCondition.STOPPED:
            self._readers.pop(state.reader, None)
        else:
            self._readers[state.reader] = state
        self._show_items()

    def warn(self, warnings: Sequence[StandingWarning]) -> None:
        """All standing warnings; none that is not in the list stays."""
        if tuple(warnings) != tuple(self._warnings):
            self._warnings = warnings
            self._show_items()
            self._show_shouts()

    def show_sync(self, status: SyncStatus, now: datetime) -> None:
        """The sync engine's status."""
        self._status = status
        self.tick(now)

    def tick(self, now: datetime) -> None:
        """Time goes on: 'today' may have become 'yesterday'."""
        if self._status is None:
            return
        sentence = sync_sentence(self._status, self._words, now)
        if sentence != self.sync.text():
            self.sync.setText(sentence)
            self.sync.setAccessibleName(self._words.title("sync_page.open", sentence=sentence))
            self.sync.updateGeometry()

    def _show_items(self) -> None:
        theme, words = self.theme, self._words
        wanted: list[tuple[Look, str, str]] = []
        for state in self._readers.values():
            look, sentence = reader_sentence(state, words)
            wanted.append((look, sentence, SKINS[Look.BAD].strong if look is Look.BAD else INK))
        if not self._readers:
            wanted.append((Look.PENDING, words.title("gate.readers_unknown"), INK_2))
        for warning in self._warnings:
            if warning.level is WarningLevel.WHISPER:
                wanted.append((Look.CHECK, self._message(warning).title, INK_2))
        if [(i.shape.look, i.text.text(), i.text.ink) for i in self.items] == wanted:
            return
        old, self.items = self.items, [StatusItem(theme, look, text, ink=ink) for look, text, ink in wanted]
        self.flow.place(list(self.items))
        _forget(old)

    def _show_shouts(self) -> None:
        loud = [w for w in self._warnings if w.level is WarningLevel.SHOUT]
        old = self.shout_items
        ink = SKINS[Look.CHECK].strong
        self.shout_items = [StatusItem(self.theme, Look.CHECK, self._sentence(w), size=22, ink=ink) for w in loud]
        for item in self.shout_items:
            self._shout_box.addWidget(item)
        self.shouts.setVisible(bool(loud))
        _forget(old)

    def _message(self, warning: StandingWarning) -> Message:
        return self._words.known(warning.code, "gate.needs_look", dict(warning.values))

    def _sentence(self, warning: StandingWarning) -> str:
        message = self._message(warning)
        return f"{message.title} → {message.remedy}" if message.remedy else message.title

    def restyle(self) -> None:
        """The scale has changed."""
        px = self.theme.px
        self._box.setContentsMargins(px(24), px(2), px(16), px(2))
        self._box.setSpacing(px(4))
        self._line.setSpacing(px(20))
        self._shout_box.setContentsMargins(0, 0, 0, 0)
        self._shout_box.setSpacing(px(4))


def _forget(items: Sequence[QWidget]) -> None:
    for item in items:
        item.hide()
        item.setParent(None)
        item.deleteLater()
