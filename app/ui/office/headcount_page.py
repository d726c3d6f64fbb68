"""総出面: how many people of each company were here, as the foreman says; the denominator of every rate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.clock import Clock
from app.office.port import OfficePort
from app.office.shapes import HeadcountDay, Right, SignedIn
from app.office.tables import csv_bytes
from app.ui.bridge import Bridge
from app.ui.office.headcount_table import HeadcountModel
from app.ui.office.month_paint import paint_day
from app.ui.office.month_subpage import MonthSubPage
from app.ui.office.sum_line import ColumnLine
from app.ui.theme import INK, INK_2, LINE, SURFACE, Theme, colour, make_font
from app.ui.words import Words


class HeadcountHeader(QHeaderView):
    """Number and weekday over each day, closed days as in the month."""

    def __init__(self, theme: Theme, words: Words, model: HeadcountModel) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theme, self._words, self._days = theme, words, model
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setMinimumSectionSize(theme.px(30))

    def sizeHint(self) -> QSize:
        return QSize(0, self._theme.px(44))

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        painter.save()
        days, px = self._days.days, self._theme.px
        painter.fillRect(rect, colour(SURFACE))
        if 1 <= section <= len(days):
            day = days[section - 1]
            shut, festive = day in self._days.closed, day in self._days.holidays
            word = self._words.weekday(date.fromisoformat(day).weekday())
            word = self._words.title("month.holiday") if festive else word
            paint_day(self._theme, painter, rect, day, word, shut=shut, red=shut or festive)
        else:
            painter.setPen(colour(INK_2))
            painter.setFont(make_font(px(13)))
            side = Qt.AlignmentFlag.AlignRight if section else Qt.AlignmentFlag.AlignLeft
            text = str(self._days.headerData(section, Qt.Orientation.Horizontal))
            painter.drawText(rect.adjusted(px(11), 0, -px(11), 0), side | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setPen(colour(LINE))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.restore()

    def put_sum_second(self) -> None:
        """The sum stands beside the company: there it is seen without scrolling."""
        for section in range(self.count()):
            self.moveSection(self.visualIndex(section), section)
        if self.count() > 2:
            self.moveSection(self.count() - 1, 1)


class HeadcountSums(ColumnLine):
    """The model's last line: with a hundred companies it would stand far below."""

    def look(self, column: int) -> tuple[int, str, Qt.AlignmentFlag, int]:
        return 13, INK, Qt.AlignmentFlag.AlignRight, 11


class HeadcountMonthPage(MonthSubPage):
    """See the module."""

    def __init__(self, theme: Theme, words: Words, office: OfficePort, bridge: Bridge, clock: Clock) -> None:
        super().__init__(theme, words, office, bridge, clock, "heads")
        self.model = HeadcountModel(words)
        self.table = QTableView()
        self.header = HeadcountHeader(theme, words, self.model)
        self.table.setHorizontalHeader(self.header)
        self.table.setModel(self.model)
        self.table.setAccessibleName(words.title("heads.title"))
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(theme.px(34))
        self.table.setTabKeyNavigation(False)
        triggers = QAbstractItemView.EditTrigger
        self.table.setEditTriggers(
            triggers.AnyKeyPressed | triggers.DoubleClicked | triggers.EditKeyPressed | triggers.SelectedClicked
        )
        self.model.typed.connect(self._typed)
        self.model.modelReset.connect(self._widths)
        self.sums = HeadcountSums(theme, self.table)
        self.box.addWidget(self.table, 1)
        self.box.addWidget(self.sums)

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        self.model.editable = person is not None and Right.ENTER in person.rights

    def enter(self) -> None:
        super().enter()
        self.table.setFocus()

    def ask(self) -> None:
        month = self.month
        if not self.model.rowCount():
            self.sums.say([self.words.title("backfill.looking")])

        def took(rows: Sequence[HeadcountDay]) -> None:
            if month == self.month:
                self.model.show(rows)
                self.sums.say(self.model.line(self.model.rowCount() - 1))
                hints = ("heads.hint", "heads.hint_brackets") if self.model.brackets else ("heads.hint",)
                self.hint.say("".join(self.words.title(hint) for hint in hints))

        self._office.headcounts(month, self._bridge.reply(took))

    def _widths(self) -> None:
        px, last = self.theme.px, self.model.columnCount() - 1
        for column in range(last + 1):
            self.table.setColumnWidth(column, px(190 if column == 0 else 110 if column == last else 58))
        self.header.put_sum_second()
        if self.model.rowCount():
            self.table.setRowHidden(self.model.rowCount() - 1, True)  # it is `sums`

    def _typed(self, company_id: str, day: str, count: int) -> None:
        self._office.set_headcount(company_id, day, count, self._bridge.reply(self.answered))

    def csv(self) -> bytes:
        head, *rows = self.model.lines()
        return csv_bytes(head, rows)
