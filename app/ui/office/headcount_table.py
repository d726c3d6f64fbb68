"""総出面 of a month: companies × days, typed like in a spreadsheet, beside what the gate saw."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.office.shapes import HeadcountDay
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
        self.companies: list[tuple[str, str]] = []
        self._cells: dict[tuple[str, str], HeadcountDay] = {}
        self.editable = False

    def show(self, rows: Sequence[HeadcountDay]) -> None:
        """Another month, or newer numbers. Companies with nobody here and nothing typed stand last."""
        self.beginResetModel()
        self.days = sorted({row.day for row in rows})
        self._cells = {(row.company_id, row.day): row for row in rows}
        busy = {row.company_id for row in rows if row.present or row.count}
        names = {row.company_id: row.company for row in rows}
        self.companies = sorted(names.items(), key=lambda one: (one[0] not in busy, one[1], one[0]))
        self.endResetModel()

    def cell(self, index: Index) -> HeadcountDay | None:
        """What stands at a place."""
        if not 1 <= index.column() <= len(self.days) or not 0 <= index.row() < len(self.companies):
            return None
        return self._cells.get((self.companies[index.row()][0], self.days[index.column() - 1]))

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.companies)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.days) + 2

    def flags(self, index: Index) -> Qt.ItemFlag:
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return plain | Qt.ItemFlag.ItemIsEditable if self.editable and self.cell(index) is not None else plain

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
        if role == Qt.ItemDataRole.ForegroundRole and cell is not None:
            if cell.count is not None and cell.present > cell.count:
                return colour(SKINS[Look.CHECK].strong)
        if role == Qt.ItemDataRole.ToolTipRole and cell is not None:
            code = "heads.tip" if cell.count is not None else "heads.tip_none"
            values = {"company": cell.company, "day": self._words.month_day(cell.day), "present": cell.present}
            return self._words.title(code, count=cell.count or 0, **values)
        return None

    def text(self, index: Index) -> str:
        """'5/3': typed and seen; '–/3' where nobody typed anything: then no rate can be told."""
        if index.column() == 0:
            return self.companies[index.row()][1]
        if index.column() == len(self.days) + 1:
            company = self.companies[index.row()][0]
            typed = [c.count for d in self.days if (c := self._cells.get((company, d))) and c.count is not None]
            seen = sum(c.present for d in self.days if (c := self._cells.get((company, d))))
            return f"{sum(typed)}/{seen}" if typed else f"–/{seen}"
        cell = self.cell(index)
        if cell is None or (cell.count is None and not cell.present):
            return ""
        return f"{'–' if cell.count is None else cell.count}/{cell.present}"

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        cell, text = self.cell(index), str(value).strip()
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

    def lines(self) -> list[list[str]]:
        """Head and rows in words."""
        head = [self._words.title("approval.company"), *self.days, self._words.title("heads.sum")]
        width = self.columnCount()
        return [head, *([self.text(self.index(n, c)) for c in range(width)] for n in range(len(self.companies)))]
