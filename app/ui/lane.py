"""A lane per reader: the idle invitation, or the result of the card that was touched there last."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout

from app.ui.content import CardContent
from app.ui.pads import Plate
from app.ui.result_card import ResultCard
from app.ui.shapes import CardPicture, Shape
from app.ui.text import BOLD, BREAK, Text
from app.ui.theme import BRAND, INK, INK_2, LINE, RADIUS, SKINS, SURFACE, Look, Theme
from app.ui.words import Words


class IdleCard(Plate):
    """カードをタッチしてください, in the site's languages."""

    def __init__(self, theme: Theme, words: Words, greetings: tuple[str, ...]) -> None:
        super().__init__(theme, SURFACE, LINE, RADIUS[2])
        self._words = words
        centre = Qt.AlignmentFlag.AlignHCenter
        self.label = Text(theme, 28, ink=INK_2, align=centre)
        self.picture = CardPicture(theme)
        self.shape = Shape(theme, 144, Look.BAD)
        self.prompt = Text(theme, 56, weight=BOLD, lines=3, align=centre)
        self.note = Text(theme, 28, weight=BOLD, ink=BRAND, lines=4, align=centre)
        others = [words.title(f"gate.greeting_{code}") for code in _others(words, greetings)]
        self.greeting = Text(theme, 22, f" · {BREAK}".join(others), ink=INK_2, lines=3, align=centre)
        self._box = QVBoxLayout(self)
        self._box.addWidget(self.label)
        self._box.addWidget(self.picture, 3)
        self._box.addWidget(self.shape, 0, Qt.AlignmentFlag.AlignHCenter)
        self._box.addWidget(self.prompt, 2)
        self._box.addWidget(self.greeting, 1)
        self._box.addWidget(self.note, 1)
        theme.changed.connect(self.restyle)
        self.restyle()

    def invite(self, label: str, direction: str) -> None:
        """A usable reader: invite. `direction`: the word chosen by hand, '' for 自動."""
        self._invite(True)
        self.prompt.paint_with(INK)
        self.prompt.say(self._words.title("gate.touch"))
        self._below(label, self._words.title("gate.direction_set", direction=direction) if direction else "")

    def explain(self, title: str, remedy: str, look: Look) -> None:
        """No reader can take a card: say so, and what to do, instead of inviting."""
        self._invite(False)
        self.shape.show_look(look)
        self.prompt.paint_with(SKINS[look].strong)
        self.prompt.say(title)
        self._below("", remedy)

    def _invite(self, invite: bool) -> None:
        self.picture.setVisible(invite)
        self.greeting.setVisible(invite)
        self.shape.setVisible(not invite)

    def _below(self, label: str, note: str) -> None:
        self.label.say(label)
        self.label.setVisible(bool(label))
        self.note.say(note)
        self.note.setVisible(bool(note))

    def restyle(self) -> None:
        """The scale has changed."""
        px = self.theme.px
        self._box.setContentsMargins(px(24), px(20), px(24), px(28))
        self._box.setSpacing(px(8))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < self.theme.px(600)
        self.prompt.set_size(44 if narrow else 80)
        self.greeting.set_size(22 if narrow else 28)


def _others(words: Words, greetings: tuple[str, ...]) -> list[str]:
    known = {"ja", "en", "vi", "id", "zh"}
    wanted = ["ja", *greetings] if words.language != "ja" else list(greetings)
    return [code for code in dict.fromkeys(wanted) if code in known and code != words.language]


class Lane(QStackedWidget):
    """One reader's place on the screen. Returns to idle by itself."""

    cleared = Signal(str)

    def __init__(self, theme: Theme, words: Words, name: str, greetings: tuple[str, ...], show_ms: int) -> None:
        super().__init__()
        self.name = name
        self._theme = theme
        self._show_ms = show_ms
        self.idle = IdleCard(theme, words, greetings)
        self.card = ResultCard(theme)
        self.addWidget(self.idle)
        self.addWidget(self.card)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.clear)

    @property
    def showing(self) -> CardContent | None:
        """The result on show; None when idle."""
        return self.card.content if self.currentWidget() is self.card else None

    def show_result(self, content: CardContent, show_ms: int | None = None) -> None:
        """Show a result at once, whatever was there, for `show_ms` (default: the lane's own)."""
        self.card.show_content(content)
        self.setCurrentWidget(self.card)
        self._timer.start(self._show_ms if show_ms is None else show_ms)

    def clear(self) -> None:
        """Back to idle."""
        self._timer.stop()
        self.setCurrentWidget(self.idle)
        self.cleared.emit(self.name)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self._theme.px(160))
