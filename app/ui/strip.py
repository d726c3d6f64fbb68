"""While a page lies over the lanes, results of cards show here: the line is never held up."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.ui.content import CardContent
from app.ui.pads import Plate
from app.ui.shapes import Shape
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, LINE, RADIUS, SKINS, SURFACE, Theme
from app.ui.words import Words


class StripCell(Plate):
    """A result in one line."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, SURFACE, None, RADIUS[1])
        self.shape = Shape(theme, 48, inverted=True)
        self.title = Text(theme, 28, weight=BOLD, ink=SURFACE)
        self.headline = Text(theme, 44, weight=BOLD, ink=SURFACE, lines=2)
        self.headline.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self.shape)
        self._row.addWidget(self.title)
        self._row.addWidget(self.headline, 1)
        theme.changed.connect(self.restyle)
        self.restyle()

    def show_content(self, content: CardContent) -> None:
        """Show a result."""
        self.fill = SKINS[content.look].strong
        self.shape.show_look(content.look)
        self.title.say(content.title)
        self.headline.say(content.headline)
        self.setAccessibleName(content.spoken)
        self.update()

    def restyle(self) -> None:
        """The scale has changed."""
        px = self.theme.px
        self._row.setContentsMargins(px(16), px(4), px(16), px(4))
        self._row.setSpacing(px(16))


class ResultStrip(QWidget):
    """One cell per lane with a result; without any, the word that cards are still taken."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme = theme
        self.cells: dict[str, StripCell] = {}
        self.rest = Plate(theme, SURFACE, LINE, RADIUS[1])
        self.rest_text = Text(theme, 22, words.title("gate.strip"), ink=INK_2, align=Qt.AlignmentFlag.AlignHCenter)
        box = QVBoxLayout(self.rest)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.rest_text)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self.rest, 1)
        theme.changed.connect(self.restyle)
        self.restyle()

    def show_result(self, lane: str, content: CardContent) -> None:
        """A lane shows a result."""
        cell = self.cells.get(lane)
        if cell is None:
            cell = self.cells[lane] = StripCell(self._theme)
            self._row.addWidget(cell, 1)
        cell.show_content(content)
        self.rest.hide()

    def clear(self, lane: str) -> None:
        """A lane has returned to idle."""
        cell = self.cells.pop(lane, None)
        if cell is not None:
            self._row.removeWidget(cell)
            cell.hide()
            cell.deleteLater()
        self.rest.setVisible(not self.cells)

    def restyle(self) -> None:
        """The scale has changed."""
        self.setFixedHeight(self._theme.px(64))
        self._row.setSpacing(self._theme.px(12))
