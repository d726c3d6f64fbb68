"""One result: a solid band with shape and outcome, below it the name and what to know."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.ui.content import CardContent, Chip
from app.ui.pads import Pill, Plate, paint_plate
from app.ui.shapes import Shape
from app.ui.text import BOLD, Text
from app.ui.theme import INK, LEVELS, RADIUS, SKINS, SURFACE, Theme, colour

_NARROW = 600
"""Under this width (at 100 %) chips stand below each other; under `_SLIM` the shape stands above the words."""
_SLIM = 400


class ResultCard(QWidget):
    """Shows a `CardContent`. The same widget is used again for the next card."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._content: CardContent | None = None
        self._arranged: tuple[object, ...] | None = None
        self.shape = Shape(theme, 112, inverted=True)
        self.title = Text(theme, 56, weight=BOLD, ink=SURFACE, lines=2, worth=1.3)
        self.sub = Text(theme, 28, ink=SURFACE, tabular=True)
        self.headline = Text(theme, 80, weight=BOLD, lines=2, worth=1.4)
        self.chips = [Pill(theme, 28) for _ in range(3)]
        self.note = Text(theme, 28, weight=BOLD)
        self.note_plate = Plate(theme, SURFACE, None)
        self.figure = Text(theme, 44, weight=BOLD, tabular=True)
        self.advice = Text(theme, 28, lines=2, tabular=True)
        self._build()
        theme.changed.connect(self.restyle)
        self.restyle()

    def _build(self) -> None:
        self._band = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._words = QVBoxLayout()
        self._words.addWidget(self.title, 1)
        self._words.addWidget(self.sub)
        self._band.addWidget(self.shape, 0, Qt.AlignmentFlag.AlignVCenter)
        self._band.addLayout(self._words, 1)
        self._band_area = QWidget()
        self._band_area.setLayout(self._band)
        note_row = QHBoxLayout(self.note_plate)
        note_row.addWidget(self.note)
        self._note_row = note_row
        self._chip_row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for chip in self.chips:
            self._chip_row.addWidget(chip)
        self._chip_row.addStretch(1)
        self._body = QVBoxLayout()
        self._body.addWidget(self.headline, 8)
        self._body.addLayout(self._chip_row)
        self._body.addWidget(self.note_plate)
        self._body.addStretch(1)
        self._foot = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._foot.addWidget(self.figure)
        self._foot.addWidget(self.advice, 1)
        self._body.addLayout(self._foot)
        self._all = QVBoxLayout(self)
        self._all.addWidget(self._band_area)
        self._all.addLayout(self._body, 1)

    @property
    def content(self) -> CardContent | None:
        """What is shown."""
        return self._content

    def show_content(self, content: CardContent) -> None:
        """Show another result at once."""
        self._content = content
        strong = SKINS[content.look].strong
        self.shape.show_look(content.look)
        self.title.say(content.title)
        self.sub.say(content.sub)
        self.sub.setVisible(bool(content.sub))
        self.headline.say(content.headline)
        self._show_chips(content.chips)
        self.note.say("\n".join(content.notes))
        self._note_lines()
        self._chip_lines()
        self.note.paint_with(strong)
        self.note_plate.setVisible(bool(content.notes))
        self.figure.say(content.figure)
        self.figure.setVisible(bool(content.figure))
        self.advice.say(content.advice)
        self.advice.setVisible(bool(content.advice))
        self.advice.paint_with(SURFACE if content.loud else INK)
        self.headline.paint_with(SURFACE if content.loud else INK)
        self.setAccessibleName(content.spoken)
        self._arrange()
        self.update()

    def _show_chips(self, chips: tuple[Chip, ...]) -> None:
        for index, pill in enumerate(self.chips):
            pill.setVisible(index < len(chips))
            pill.say("")
            if index < len(chips):
                pill.say(chips[index].text)
                level = LEVELS.get(chips[index].level or 0)
                pill.colour_with(level.paper if level else SURFACE, level.strong if level else INK)

    def _note_lines(self) -> None:
        notes = len(self._content.notes) if self._content else 0
        px = self._theme.px
        slim = self.width() < px(_SLIM)
        lines = max(1, notes + (self.width() < px(_NARROW)) + slim)
        self.note.set_lines(lines)
        self.note.setMinimumHeight(px((22 if self.width() < px(_NARROW) else 28) * lines * 1.15))
        # in a slim lane the reasons need the room of the lesser facts
        for chip in self.chips[1:]:
            chip.setVisible(bool(chip.text()) and not (slim and notes))

    def _chip_lines(self) -> None:
        # a company's long name takes a second line before it becomes too small to read
        room = self.width() - 2 * self._body.contentsMargins().left()
        for chip in self.chips:
            chip.set_lines(2 if chip.sizeHint().width() > room * 1.4 else 1)

    def restyle(self) -> None:
        """The scale has changed."""
        self._arranged = None
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
        self._chip_lines()

    def _arrange(self) -> None:
        px = self._theme.px
        width, height = self.width() / self._theme.scale, self.height() / self._theme.scale
        narrow, slim, low = width < _NARROW, width < _SLIM, height < 420
        key = (narrow, slim, low, bool(self.note.text()), self._theme.scale)
        if key == self._arranged:
            return
        self._arranged = key
        beside, below = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        stacked = slim and not low
        self._band.setDirection(below if stacked else beside)
        align = Qt.AlignmentFlag.AlignHCenter if stacked else Qt.AlignmentFlag.AlignLeft
        for text in (self.title, self.sub):
            text.setAlignment(align | Qt.AlignmentFlag.AlignVCenter)
        self._band.setAlignment(self.shape, Qt.AlignmentFlag.AlignCenter)
        self.shape.set_size(72 if slim or low else 96 if narrow else 112)
        self.title.set_size(44 if narrow or low else 56)
        self.sub.set_size(22 if narrow or low else 28)
        self._band_area.setFixedHeight(px(104 if low else 212 if stacked else 164 if narrow else 152))
        side = px(16 if slim else 24 if narrow else 36)
        self._band.setContentsMargins(side, px(8), side, px(8))
        self._band.setSpacing(px(4 if stacked else 16 if narrow else 28))
        self._words.setSpacing(px(2))
        self._chip_row.setDirection(below if narrow and not low else beside)
        self._chip_row.setSpacing(px(8))
        for index, chip in enumerate(self.chips):
            chip.set_size(22 if narrow or low else 28)
            left = Qt.AlignmentFlag.AlignLeft if narrow and not low else Qt.AlignmentFlag(0)
            self._chip_row.setAlignment(self.chips[index], left)
        self.note.set_size(22 if narrow or low else 28)
        self._note_lines()
        self._note_row.setContentsMargins(px(16), px(8), px(16), px(8))
        self.figure.set_size(28 if slim or low or (narrow and self.note.text()) else 44)
        self.advice.set_size(22 if narrow or low else 28)
        self._foot.setDirection(below if narrow else beside)
        self._foot.setSpacing(px(4 if narrow else 32))
        self._body.setContentsMargins(side, px(8), side, px(12 if low else 20))
        self._body.setSpacing(px(4 if low else 12))
        self._all.setContentsMargins(0, 0, 0, 0)
        self._all.setSpacing(0)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self._theme.px(120))

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(400), self._theme.px(400))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._content is None:
            return
        skin = SKINS[self._content.look]
        painter = QPainter(self)
        box, radius = QRectF(self.rect()), self._theme.px(RADIUS[2])
        if self._content.loud:
            paint_plate(painter, box, radius, skin.strong, None, 0)
            painter.end()
            return
        paint_plate(painter, box, radius, skin.paper, skin.strong, self._theme.px(6))
        shape = QPainterPath()
        shape.addRoundedRect(box, radius, radius)
        painter.setClipPath(shape)
        painter.fillRect(self._band_area.geometry(), colour(skin.strong))
        painter.end()
