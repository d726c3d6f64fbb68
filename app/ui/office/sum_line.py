"""Under the month: how many people each day has, of the lines that are shown, and the sums of the sums."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from app.office.shapes import Row
from app.ui.office.month_model import NAME, MonthModel
from app.ui.office.month_table import MonthTable
from app.ui.theme import BOLD, INK, INK_2, LINE, SURFACE, Theme, colour, make_font
from app.ui.words import Words


class SumLine(QWidget):
    """Lies under the table's columns. Before all marks have come it says so instead of a sum that is too small."""

    def __init__(self, theme: Theme, words: Words, model: MonthModel, table: MonthTable) -> None:
        super().__init__()
        self._theme, self._words, self._model, self._table = theme, words, model, table
        self.texts: list[str] = []
        """By column, as painted."""
        self.setFixedHeight(theme.px(28))
        model.modelReset.connect(self._count)
        model.dataChanged.connect(lambda *_: self._count())
        table.horizontalScrollBar().valueChanged.connect(lambda _: self.update())
        table.horizontalHeader().sectionResized.connect(lambda *_: self.update())

    def _count(self) -> None:
        model = self._model
        rows = [line for line in model.lines if isinstance(line, Row)]
        title = self._words.title("month.sum", count=f"{len(rows):,}")
        if any(row.worker_id not in model.marks for row in rows):
            self.texts = [f"{title} …", *("" for _ in range(len(model.days) + 2))]
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
            self.texts = [title, *sums, f"{sum(by_day.values()):,}", f"{yen:,}"]
        self.setAccessibleName(" ".join(self.texts))
        self.update()

    def paintEvent(self, event: object) -> None:
        painter, px, table = QPainter(self), self._theme.px, self._table
        painter.fillRect(self.rect(), colour(SURFACE))
        painter.setPen(colour(LINE))
        painter.drawLine(0, 0, self.width(), 0)
        left = table.viewport().x()
        for column, text in enumerate(self.texts):
            box = QRect(left + table.columnViewportPosition(column), 0, table.columnWidth(column), self.height())
            painter.setPen(colour(INK_2 if column == len(self.texts) - 1 else INK))
            day = NAME < column <= len(self._model.days)
            painter.setFont(make_font(self._fit(text, box.width(), 13 if day else 15), BOLD, tabular=True))
            if column == NAME:
                painter.drawText(box.adjusted(px(12), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)
            elif day:
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            else:
                flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                painter.drawText(box.adjusted(0, 0, -px(10), 0), flags, text)
        painter.end()

    def _fit(self, text: str, width: int, size: int) -> int:
        """Four figures in a narrow day shrink before they would touch their neighbours."""
        return max(8, min(self._theme.px(size), round(width * 1.6 / max(1, len(text)))))
