"""記録できませんでした: over the whole width, solid red, the loudest thing there is."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.ui.content import CardContent
from app.ui.pads import Plate
from app.ui.shapes import Shape
from app.ui.text import BOLD, Text
from app.ui.theme import RADIUS, SKINS, SURFACE, Look, Theme


class AlarmPage(Plate):
    """A card was read and could not be stored."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, SKINS[Look.BAD].strong, None, RADIUS[2])
        self.shape = Shape(theme, 200, Look.BAD, inverted=True)
        self.title = Text(theme, 80, weight=BOLD, ink=SURFACE, lines=2)
        self.cause = Text(theme, 28, weight=BOLD, ink=SKINS[Look.BAD].strong, lines=3)
        self.advice = Text(theme, 44, weight=BOLD, ink=SURFACE, lines=3)
        self._cause_plate = Plate(theme, SURFACE, None)
        self._cause_row = QHBoxLayout(self._cause_plate)
        self._cause_row.addWidget(self.cause)
        self._top = QHBoxLayout()
        self._top.addWidget(self.shape)
        self._top.addWidget(self.title, 1)
        self._box = QVBoxLayout(self)
        self._box.addLayout(self._top, 3)
        self._box.addWidget(self.advice, 2)
        self._box.addWidget(self._cause_plate, 1)
        theme.changed.connect(self.restyle)
        self.restyle()

    def show_content(self, content: CardContent) -> None:
        """Show an alarm."""
        self.title.say(content.title)
        self.cause.say("\n".join(content.notes))
        self._cause_plate.setVisible(bool(content.notes))
        self.advice.say(content.advice)
        self.setAccessibleName(content.spoken)

    def restyle(self) -> None:
        """The scale has changed."""
        px = self.theme.px
        self._box.setContentsMargins(px(48), px(32), px(48), px(32))
        self._box.setSpacing(px(16))
        self._top.setSpacing(px(40))
        self._cause_row.setContentsMargins(px(24), px(12), px(24), px(12))
