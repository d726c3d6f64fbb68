"""総出面 of a month: companies × days, typed like in a spreadsheet, beside what the gate saw."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.office.calendar import holiday
from app.office.shapes import HeadcountDay
from app.ui.office.month_paint import SHUT
from app.ui.theme import SKINS, Look, colour
from app.ui.words import Words

Index = QModelIndex | QPersistentModelIndex
MOST = 100_000


class HeadcountModel(QAbstractTableModel):
    """Columns: company, the days, sum. A typed number goes out by `typed` and stands when it is stored."""

    typed = Signal(str, str, int)
    """Company, day, people."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words
        self.days: list[str] = []
        self.closed: set[str] = set()
        self.holidays: set[str] = set()
        self.companies: list[tuple[str, str]] = []
        self._cells: dict[tuple[str, str], HeadcountDay] = {}
        self.editable = False

    def show(self, rows: Sequence[HeadcountDay]) -> None:
        """Another month, or newer numbers: then no line moves, and whoever types goes on typing.

        Companies with nobody here and nothing typed stand last.
        """
        days, cells = sorted({row.day for row in rows}), {(row.company_id, row.day): row for row in rows}
        names = {row.company_id: row.company or self._words.title("month.no_company") for row in rows}
        self.closed = {row.day for row in rows if row.closed}
        self.holidays = {row.day for row in rows if row.holiday}
        if days == self.days and names == dict(self.companies):
            old, self._cells = self._cells, cells
            for line, (company_id, _) in enumerate(self.companies):
                for column, day in enumerate(days, 1):
                    if old.get((company_id, day)) != cells.get((company_id, day)):
                        for index in (
                            self.index(line, column),
                            self.index(line, len(days) + 1),
                            self.index(len(self.companies), column),
                            self.index(len(self.companies), len(days) + 1),
                        ):
                            self.dataChanged.emit(index, index)
            return
        self.beginResetModel()
        self.days, self._cells = days, cells
        busy = {row.company_id for row in rows if row.present or row.count}
        self.companies = sorted(names.items(), key=lambda one: (not one[0], one[0] not in busy, one[1], one[0]))
        self.endResetModel()

    def cell(self, index: Index) -> HeadcountDay | None:
        """What stands at a place."""
        if not 1 <= index.column() <= len(self.days) or not 0 <= index.row() < len(self.companies):
            return None
        return self._cells.get((self.companies[index.row()][0], self.days[index.column() - 1]))

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if (parent is not None and parent.isValid()) or not self.companies else len(self.companies) + 1

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.days) + 2

    def flags(self, index: Index) -> Qt.ItemFlag:
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        cell = self.cell(index)
        return plain | Qt.ItemFlag.ItemIsEditable if self.editable and cell is not None and cell.company_id else plain

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        cell = self.cell(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(index)
        if role == Qt.ItemDataRole.EditRole:
            return "" if cell is None or cell.count is None else str(cell.count)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if index.column() == 0 else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.BackgroundRole and 1 <= index.column() <= len(self.days):
            return colour(SHUT) if self.days[index.column() - 1] in self.closed else None
        if role == Qt.ItemDataRole.ForegroundRole and cell is not None:
            if cell.count is not None and cell.present > cell.count:
                return colour(SKINS[Look.CHECK].strong)
        if role == Qt.ItemDataRole.ToolTipRole and cell is not None:
            code = "heads.tip" if cell.count is not None else "heads.tip_none"
            values = {
                "company": self.companies[index.row()][1],
                "day": self._words.month_day(cell.day),
                "present": cell.present,
            }
            said = self._words.title(code, count=cell.count or 0, **values)
            name = holiday(date.fromisoformat(cell.day), self._words.language)
            closed = self._words.title("month.closed") if cell.closed and not name else ""
            return " ".join(part for part in (said, name, closed) if part)
        return None

    def text(self, index: Index) -> str:
        """'5/3': typed and seen; '–/3' where nobody typed anything: then no rate can be told. The last line and
        column add up; in brackets where somebody was seen of whom nobody typed anything."""
        last = index.row() == len(self.companies)
        if index.column() == 0:
            return self._words.title("heads.sum") if last else self.companies[index.row()][1]
        companies = [id_ for id_, _ in self.companies] if last else [self.companies[index.row()][0]]
        whole = index.column() == len(self.days) + 1
        days = self.days if whole else [self.days[index.column() - 1]]
        cells = [cell for id_ in companies for day in days if (cell := self._cells.get((id_, day))) is not None]
        typed, seen = [cell.count for cell in cells if cell.count is not None], sum(cell.present for cell in cells)
        if not typed and not seen and not whole:
            return ""
        some = any(cell.count is None and cell.present for cell in cells)
        text = f"{sum(typed)}" if typed else "–"
        return f"({text})/{seen}" if typed and some else f"{text}/{seen}"

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        cell, text = self.cell(index), unicodedata.normalize("NFKC", str(value)).strip()
        if cell is None or not text.isascii() or not text.isdigit() or int(text) > MOST:
            return False
        if int(text) != cell.count:
            self.typed.emit(cell.company_id, cell.day, int(text))
        return True

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if section == 0 else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if section == 0:
            return self._words.title("approval.company")
        if section <= len(self.days):
            return str(int(self.days[section - 1][8:]))
        return self._words.title("heads.sum")

    @property
    def brackets(self) -> bool:
        """Whether a sum in brackets stands anywhere."""
        places = ((n, c) for n in range(self.rowCount()) for c in range(1, self.columnCount()))
        return any(self.text(self.index(n, c)).startswith("(") for n, c in places)

    def line(self, row: int) -> list[str]:
        """A row in words."""
        return [self.text(self.index(row, column)) for column in range(self.columnCount())] if row >= 0 else []

    def lines(self) -> list[list[str]]:
        """Head and rows in words."""
        head = [self._words.title("approval.company"), *self.days, self._words.title("heads.sum")]
        return [head, *(self.line(row) for row in range(self.rowCount()))]
