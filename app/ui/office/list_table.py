"""A list that sorts, is chosen from, and can be copied or saved: the one table of every office page but the month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QKeySequence, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from app.office.tables import csv_bytes, tab_text
from app.ui.theme import SKINS, Look, Theme, colour

T = TypeVar("T")
Index = QModelIndex | QPersistentModelIndex
_USUAL_WIDTH, _WIDEST = 1260, 1.5
"""Of a table in a window of 1366 pixels, for which columns say their widths; how much wider these become at most."""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """`text`: what stands there; `order`: what it is sorted by (the text when None); `width`: pixels, 0 stretches."""

    title: str
    text: Callable[[T], str]
    width: int = 0
    right: bool = False
    order: Callable[[T], Any] | None = None
    look: Callable[[T], Look | None] = lambda _: None


class ListModel(QAbstractTableModel, Generic[T]):
    """Rows of one kind."""

    def __init__(self, columns: Sequence[Column[T]]) -> None:
        super().__init__()
        self.columns = columns
        self.rows: list[T] = []
        self._by: tuple[int, bool] | None = None

    def show(self, rows: Sequence[T]) -> None:
        """Other rows, in the order in force."""
        self.beginResetModel()
        self.rows = list(rows)
        self._sort()
        self.endResetModel()

    def _sort(self) -> None:
        if self._by is not None:
            column = self.columns[self._by[0]]
            self.rows.sort(key=column.order or column.text, reverse=self._by[1])

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if not 0 <= column < len(self.columns):
            return
        self._by = (column, order == Qt.SortOrder.DescendingOrder)
        self.layoutAboutToBeChanged.emit()
        self._sort()
        self.layoutChanged.emit()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        column, row = self.columns[index.column()], self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return column.text(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole and (look := column.look(row)) is not None:
            return colour(SKINS[look].strong)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self.columns[section].right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def head(self) -> list[str]:
        """Titles of the columns."""
        return [column.title for column in self.columns]

    def texts(self, rows: Sequence[T] | None = None) -> list[list[str]]:
        """Rows in words."""
        return [[column.text(row) for column in self.columns] for row in (self.rows if rows is None else rows)]

    def csv(self) -> bytes:
        """The list as a file."""
        return csv_bytes(self.head(), self.texts())


class _Painter(QStyledItemDelegate):
    """A chosen line keeps the colours of its words."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        ink = index.data(Qt.ItemDataRole.ForegroundRole)
        if ink is not None:
            palette: QPalette = option.palette
            palette.setColor(QPalette.ColorRole.HighlightedText, ink)
            option.palette = palette


class ListTable(QTableView, Generic[T]):
    """Whole lines are chosen; Ctrl+A all, Ctrl+C copies."""

    chosen_changed = Signal()
    entered = Signal()
    """Enter, or a double click."""

    def __init__(self, theme: Theme, columns: Sequence[Column[T]], name: str) -> None:
        super().__init__()
        self.list: ListModel[T] = ListModel(columns)
        self.setModel(self.list)
        self._theme = theme
        self.setItemDelegate(_Painter(self))
        self.setAccessibleName(name)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.px(34))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        for number, column in enumerate(columns):
            if not column.width:
                header.setSectionResizeMode(number, QHeaderView.ResizeMode.Stretch)
        self.setSortingEnabled(True)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen_changed.emit())
        self.list.modelReset.connect(self.chosen_changed)
        self.doubleClicked.connect(lambda _: self.entered.emit())
        self._widen()

    def _widen(self) -> None:
        """In a wide window every column gets its share, not the one that stretches alone."""
        share = min(max(self.viewport().width() / self._theme.px(_USUAL_WIDTH), 1.0), _WIDEST)
        for number, column in enumerate(self.list.columns):
            if column.width:
                self.setColumnWidth(number, round(self._theme.px(column.width) * share))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._widen()

    def chosen(self) -> list[T]:
        """Chosen rows, in the order of the list."""
        return [self.list.rows[index.row()] for index in sorted(self.selectionModel().selectedRows())]

    def choose_all(self, fits: Callable[[T], bool] | None = None) -> None:
        """Choose every row, or every one that fits."""
        if fits is None:
            self.selectAll()
            return
        lines = QItemSelection()
        for number, row in enumerate(self.list.rows):
            if fits(row):
                lines.select(self.list.index(number, 0), self.list.index(number, len(self.list.columns) - 1))
        self.selectionModel().select(lines, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def show_rows(self, rows: Sequence[T], key: Callable[[T], object]) -> None:
        """Other rows; those that were chosen stay chosen. `key`: tells rows apart."""
        before = {key(row) for row in self.chosen()}
        line, top = self.currentIndex().row(), self.verticalScrollBar().value()
        here = key(self.list.rows[line]) if 0 <= line < len(self.list.rows) else None
        self.list.show(rows)
        model = self.selectionModel()
        for number, row in enumerate(self.list.rows):
            if here is not None and key(row) == here:
                model.setCurrentIndex(self.list.index(number, 0), QItemSelectionModel.SelectionFlag.NoUpdate)
        self.verticalScrollBar().setValue(top)
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for number, row in enumerate(self.list.rows):
            if key(row) in before:
                model.select(self.list.index(number, 0), flags)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QApplication.clipboard().setText(tab_text([self.list.head(), *self.list.texts(self.chosen())]))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        else:
            super().keyPressEvent(event)
