"""The line at the bottom: what the keys do, what just happened, what waits to be sent, who sits here."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from app.ui.pads import Plate
from app.ui.text import Text
from app.ui.theme import INK_2, LINE, SKINS, SURFACE, Look, Theme
from app.ui.words import Words

TOLD_MS = 8_000


class StatusLine(Plate):
    """A sentence stays for some seconds, then the keys' line is back. A trouble stays until something else is said.

    Neither outlives the page it was said on.
    """

    leave = Signal()

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__(theme, SURFACE, LINE, 0)
        self._words = words
        self._keys = ""
        self.left = Text(theme, 15, ink=INK_2)
        self.sync = Text(theme, 15, ink=INK_2, align=Qt.AlignmentFlag.AlignRight, tabular=True)
        self.person = QPushButton()
        self.person.setFlat(True)
        self.person.setCursor(Qt.CursorShape.PointingHandCursor)
        self.person.clicked.connect(lambda _=False: self.leave.emit())
        self.person.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(24), theme.px(3), theme.px(16), theme.px(3))  # a button is 34 high
        row.setSpacing(theme.px(16))
        row.addWidget(self.left, 1)
        row.addWidget(self.sync)
        row.addWidget(self.person)
        self.setFixedHeight(theme.px(40))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TOLD_MS)
        self._timer.timeout.connect(self._back)

    def show_keys(self, keys: str) -> None:
        """What the keys of the page do."""
        self._keys = keys
        if not self._timer.isActive():
            self._back()

    def tell(self, look: str, sentence: str) -> None:
        """Something happened. `look`: a name of `Look`, '' for plain."""
        ink = SKINS[Look(look)].strong if look else INK_2
        self.left.paint_with(ink)
        self.left.say(sentence)
        if look in (Look.BAD.value, Look.CHECK.value):
            self._timer.stop()
        else:
            self._timer.start()

    def turn_page(self) -> None:
        """Another page comes up: what was said belongs to the one before."""
        self._timer.stop()
        self._keys = ""
        self._back()

    def show_sync(self, sentence: str) -> None:
        """How delivery stands."""
        self.sync.say(sentence)

    def show_person(self, name: str) -> None:
        """Who sits here; '' for nobody."""
        self.person.setText(self._words.title("office.person", name=name) if name else "")
        self.person.setVisible(bool(name))

    def _back(self) -> None:
        self.left.paint_with(INK_2)
        self.left.say(self._keys)
