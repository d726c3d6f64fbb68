"""本日のタッチ: the last touches, latest first, each with what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.domain.verdict import Outcome
from app.gate.news import Delivery, TouchLine
from app.ui.content import LOOKS
from app.ui.pads import Rule
from app.ui.shapes import Shape
from app.ui.text import BOLD, Text
from app.ui.theme import BRAND, INK, INK_2, SKINS, Look, Theme
from app.ui.words import Words

ROW = 44
"""Height of a row at 100 %."""
_MOST = 16


class TouchRow(QWidget):
    """One touch: shape, time, name, direction, delivery."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        self.shape = Shape(theme, 24)
        self.time = Text(theme, 18, ink=INK_2, tabular=True, widest="00:00")
        self.name = Text(theme, 22, lines=2)
        right = Qt.AlignmentFlag.AlignRight
        self.direction = Text(theme, 15, ink=INK_2)
        self.delivery = Text(theme, 15, ink=INK_2, align=right, widest=words.title("gate.waiting"))
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.shape)
        row.addWidget(self.time)
        row.addWidget(self.name, 1)
        row.addWidget(self.direction)
        row.addWidget(self.delivery)
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._row = row
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(Rule(theme))
        box.addLayout(row, 1)
        self.restyle()
        theme.changed.connect(self.restyle)

    def restyle(self) -> None:
        """The scale has changed."""
        self._row.setSpacing(self._theme.px(12))
        self._row.setContentsMargins(0, self._theme.px(4), 0, self._theme.px(4))

    def show_line(self, line: TouchLine) -> None:
        """Show another touch."""
        words = self._words
        look = Look.PENDING if line.entered else LOOKS[line.outcome][0]
        self.shape.show_look(look)
        self.time.say(words.clock(line.at))
        self.name.say(line.name or _nameless(line.outcome, words))
        lost = line.outcome in (Outcome.REFUSED, Outcome.UNREADABLE)
        side = words.title("gate.entered_short") if line.entered else words.direction(line.direction)
        self.direction.say("" if lost else side)
        self.delivery.say(words.title(f"gate.{line.delivery.value}"))
        look_needed = line.delivery is Delivery.NEEDS_LOOK
        self.delivery.paint_with(SKINS[Look.CHECK].strong if look_needed else INK_2)
        self.name.paint_with(INK if line.name else INK_2)
        parts = (self.time, self.name, self.direction, self.delivery)
        self.setAccessibleName(" ".join(part.text() for part in parts if part.text()))


def _nameless(outcome: Outcome, words: Words) -> str:
    if outcome is Outcome.REFUSED:
        return words.title("gate.refused_name")
    if outcome is Outcome.UNREADABLE:
        return words.title("outcome.unreadable")
    return words.title("gate.unknown_name")


class TouchList(QWidget):
    """Heading with 入場 N 人, and as many rows as fit."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        self._lines: Sequence[TouchLine] = ()
        self._heading = Text(theme, 22, words.title("gate.today"))
        self.present = Text(theme, 28, weight=BOLD, ink=BRAND, align=Qt.AlignmentFlag.AlignRight, tabular=True)
        self.empty = Text(theme, 18, words.title("gate.no_touches"), ink=INK_2)
        head = QWidget(self)
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._heading)
        row.addWidget(self.present, 1)
        self._head = head
        self.empty.setParent(self)
        self.rows = [TouchRow(theme, words) for _ in range(_MOST)]
        for touch_row in self.rows:
            touch_row.setParent(self)
        self.setAccessibleName(words.title("gate.today"))
        self.show_today((), 0)
        theme.changed.connect(self._arrange)

    def show_today(self, lines: Sequence[TouchLine], present: int) -> None:
        """Show the last touches and the number of people in."""
        self._lines = lines[:_MOST]
        self.present.say(self._words.title("gate.present", count=present))
        for row, line in zip(self.rows, self._lines, strict=False):
            row.show_line(line)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        head, step = self._theme.px(48), self._theme.px(ROW)
        self._head.setGeometry(0, 0, self.width(), head)
        self.empty.setGeometry(0, head, self.width(), step)
        self.empty.setVisible(not self._lines)
        room = min(_MOST, max(1, (self.height() - head) // step))
        step = max(step, (self.height() - head) // room)  # no gap below the last row
        for index, row in enumerate(self.rows):
            row.setGeometry(0, head + index * step, self.width(), step)
            row.setVisible(index < min(room, len(self._lines)))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self._theme.px(48 + ROW))

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(348), self._theme.px(48 + 9 * ROW))
