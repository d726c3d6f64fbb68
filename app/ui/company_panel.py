"""会社別: people in today, against the typed head-count (総出面) or, where nobody typed one, against the roster.

A gate never sees people without a card. So a bar is a rate only against a typed head-count: then it is dark.
Against the roster it is pale and says 名簿; with neither there is no bar. More people than the total is shown as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.gate.news import CompanyCount
from app.ui.pads import Rule, paint_plate
from app.ui.text import Text
from app.ui.theme import BRAND, BRAND_SOFT, INK_2, SKINS, TRACK, Look, Theme
from app.ui.words import Words

SHOWN = 3
"""Companies on the panel; the others are counted, and listed on the head-count page."""


class CountBar(QWidget):
    """A bar: share of a total, dark when the total is a typed head-count."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.share = 0.0
        self.typed = False
        self.over = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_count(self, count: CompanyCount) -> None:
        """Show one company's count."""
        self.typed = count.headcount is not None
        total = count.on_roster if count.headcount is None else count.headcount
        self.over = self.typed and count.present > total
        self.share = min(1.0, count.present / total) if total > 0 else 0.0
        self.setVisible(total > 0)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(80), self._theme.px(8))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        box = QRectF(self.rect())
        radius = box.height() / 2
        paint_plate(painter, box, radius, TRACK, None, 0)
        if self.share > 0:
            fill = SKINS[Look.CHECK].strong if self.over else BRAND if self.typed else BRAND_SOFT
            box.setWidth(max(box.height(), box.width() * self.share))
            paint_plate(painter, box, radius, fill, None, 0)
        painter.end()


class CompanyRow(QWidget):
    """Name and numbers over the bar."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        self.name = Text(theme, 18)
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.numbers = Text(theme, 18, ink=INK_2, align=Qt.AlignmentFlag.AlignRight, tabular=True)
        self.bar = CountBar(theme)
        self._line = QHBoxLayout()
        self._line.addWidget(self.name, 1)
        self._line.addWidget(self.numbers)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.addLayout(self._line)
        self._box.addWidget(self.bar)
        theme.changed.connect(self.restyle)
        self.restyle()

    def restyle(self) -> None:
        """The scale has changed."""
        self._line.setSpacing(self._theme.px(8))
        self._box.setSpacing(self._theme.px(2))

    def show_count(self, count: CompanyCount) -> None:
        """Show one company's count."""
        self.name.say(count.company)
        if count.headcount is not None:
            code, total = "gate.of_headcount", count.headcount
        elif count.on_roster:
            code, total = "gate.of_roster", count.on_roster
        else:
            code, total = "gate.of_nothing", 0
        self.numbers.say(self._words.title(code, present=count.present, total=total))
        self.bar.show_count(count)
        self.setAccessibleName(f"{count.company} {self.numbers.text()}")


class CompanyPanel(QWidget):
    """The first companies and how many more there are."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        heading = Text(theme, 18, words.title("gate.companies"), ink=INK_2)
        self.more = Text(theme, 15, ink=INK_2, align=Qt.AlignmentFlag.AlignRight)
        self.rows = [CompanyRow(theme, words) for _ in range(SHOWN)]
        self._head = QHBoxLayout()
        self._head.addWidget(heading)
        self._head.addWidget(self.more, 1)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.addWidget(Rule(theme))
        self._box.addLayout(self._head)
        for row in self.rows:
            self._box.addWidget(row)
        self.setAccessibleName(words.title("gate.companies"))
        self.show_companies(())
        theme.changed.connect(self.restyle)
        self.restyle()

    def show_companies(self, companies: Sequence[CompanyCount]) -> None:
        """Show the counts, in the order given."""
        self.setVisible(bool(companies))
        for index, row in enumerate(self.rows):
            row.setVisible(index < len(companies))
            if index < len(companies):
                row.show_count(companies[index])
        rest = len(companies) - SHOWN
        self.more.say(self._words.title("gate.more_companies", count=rest) if rest > 0 else "")

    def restyle(self) -> None:
        """The scale has changed."""
        self._box.setSpacing(self._theme.px(8))
