"""Below a table, and always in sight: sums under its columns."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QTableView, QWidget

from app.office.shapes import Row
from app.ui.office.month_model import MonthModel
from app.ui.office.month_table import MonthTable
from app.ui.theme import BOLD, INK, INK_2, LINE, SURFACE, Theme, colour, make_font
from app.ui.words import Words


class ColumnLine(QWidget):
    """Lies under a table's columns, wherever they are scrolled or moved to; the first one names the line."""

    def __init__(self, theme: Theme, table: QTableView) -> None:
        super().__init__()
        self._theme, self._table = theme, table
        self.texts: list[str] = []
        """By column, as painted."""
        self.setFixedHeight(theme.px(28))
        table.horizontalScrollBar().valueChanged.connect(lambda _: self.update())
        table.horizontalHeader().sectionResized.connect(lambda *_: self.update())

    def say(self, texts: Sequence[str]) -> None:
        """Show them."""
        self.texts = list(texts)
        self.setAccessibleName(" ".join(self.texts))
        self.update()

    def look(self, column: int) -> tuple[int, str, Qt.AlignmentFlag, int]:
        """Size of the letters, colour, side, and how far from it; of the columns after the first."""
        raise NotImplementedError

    def paintEvent(self, event: object) -> None:
        painter, px, table = QPainter(self), self._theme.px, self._table
        painter.fillRect(self.rect(), colour(SURFACE))
        painter.setPen(colour(LINE))
        painter.drawLine(0, 0, self.width(), 0)
        left = table.viewport().x()
        for column, text in enumerate(self.texts):
            box = QRect(left + table.columnViewportPosition(column), 0, table.columnWidth(column), self.height())
            size, ink, side, gap = self.look(column) if column else (15, INK, Qt.AlignmentFlag.AlignLeft, 12)
            painter.setPen(colour(ink))
            box = box.adjusted(px(gap) if side == Qt.AlignmentFlag.AlignLeft else 0, 0, 0, 0)
            box = box.adjusted(0, 0, -px(gap) if side == Qt.AlignmentFlag.AlignRight else 0, 0)
            painter.setFont(make_font(self._fit(text, box.width(), size), BOLD, tabular=True))
            painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()

    def _fit(self, text: str, width: int, size: int) -> int:
        """Four figures in a narrow day shrink before they would touch their neighbours."""
        return max(8, min(self._theme.px(size), round(width * 1.6 / max(1, len(text)))))


class SumLine(ColumnLine):
    """Of the month: how many people each day has, of the lines that are shown, and the sums of the sums. Before all
    marks have come it says so instead of a sum that is too small."""

    def __init__(self, theme: Theme, words: Words, model: MonthModel, table: MonthTable) -> None:
        super().__init__(theme, table)
        self._words, self._model = words, model
        model.modelReset.connect(self._count)
        model.dataChanged.connect(lambda *_: self._count())

    def look(self, column: int) -> tuple[int, str, Qt.AlignmentFlag, int]:
        if column <= len(self._model.days):
            return 13, INK, Qt.AlignmentFlag.AlignHCenter, 0
        return 15, INK_2 if column == len(self.texts) - 1 else INK, Qt.AlignmentFlag.AlignRight, 10

    def _count(self) -> None:
        model = self._model
        rows = [line for line in model.lines if isinstance(line, Row)]
        title = self._words.title("month.sum", count=f"{len(rows):,}")
        if any(row.worker_id not in model.marks for row in rows):
            self.say([f"{title} …", *("" for _ in range(len(model.days) + 2))])
        else:
            by_day = dict.fromkeys((day.day for day in model.days), 0)
            yen = 0
            for row in rows:
                counted = [day for day, mark in model.marks[row.worker_id].items() if mark.counts and day in by_day]
                yen += len(counted) * model.yen_a_day if row.kentaikyo else 0
                for day in counted:
                    by_day[day] += 1
            future = {day.day for day in model.days if day.future}
            sums = ("" if day in future else str(n) for day, n in by_day.items())
            self.say([title, *sums, f"{sum(by_day.values()):,}", f"{yen:,}"])
