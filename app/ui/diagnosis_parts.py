"""リーダーの診断: a check with its shape, and the one thing to do now."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.messages import Message
from app.ui.pads import Plate
from app.ui.shapes import Shape
from app.ui.text import BOLD, Text
from app.ui.theme import INK, INK_2, RADIUS, SKINS, Look, Theme


class Row(QWidget):
    """Shape and words."""

    def __init__(self, theme: Theme, words: str, *, shape: int = 26, size: int = 22) -> None:
        super().__init__()
        self._theme = theme
        self.shape = Shape(theme, shape, Look.PENDING)
        self.text = Text(theme, size, words, ink=INK_2, lines=2, worth=1.6)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self.shape)
        self._row.addWidget(self.text, 1)
        theme.changed.connect(self.restyle)
        self.restyle()

    def show_state(self, look: Look, words: str) -> None:
        """Show how it is."""
        self.shape.show_look(look)
        self.text.say(words)
        strong = SKINS[look].strong if look in (Look.BAD, Look.CHECK, Look.UNKNOWN) else INK
        self.text.paint_with(INK_2 if look is Look.PENDING else strong)
        self.setAccessibleName(words)

    def restyle(self) -> None:
        """The scale has changed."""
        self._row.setSpacing(self._theme.px(12))


class Advice(Plate):
    """The one thing to do now, large."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, SKINS[Look.PENDING].paper, None, RADIUS[1])
        self.shape = Shape(theme, 72, Look.PENDING)
        left = Qt.AlignmentFlag.AlignLeft
        self.title = Text(theme, 44, weight=BOLD, lines=3, align=left | Qt.AlignmentFlag.AlignBottom)
        self.remedy = Text(theme, 28, lines=3, align=left | Qt.AlignmentFlag.AlignTop)
        self._words = QVBoxLayout()
        self._words.addWidget(self.title, 3)
        self._words.addWidget(self.remedy, 2)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self.shape)
        self._row.addLayout(self._words, 1)
        theme.changed.connect(self.restyle)
        self.restyle()

    def show_advice(self, look: Look, message: Message) -> None:
        """Say what is wrong (or that nothing is) and what to do."""
        self.fill = SKINS[look].paper
        self.shape.show_look(look)
        self.title.say(message.title)
        self.title.paint_with(SKINS[look].strong)
        self.remedy.say(message.remedy)
        self.setAccessibleName(f"{message.title} {message.remedy}")
        self.update()

    def restyle(self) -> None:
        """The scale has changed."""
        px = self.theme.px
        self._row.setContentsMargins(px(24), px(12), px(20), px(12))
        self._row.setSpacing(px(20))
        self._words.setSpacing(px(12))
