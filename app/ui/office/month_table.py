"""The month's table as a spreadsheet: arrows, Enter, Del, digits, Ctrl+Z. It says what is asked; the page does it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QTableView

from app.ui.office.month_model import NAME, MonthModel, Place
from app.ui.office.month_paint import DayHeader, MonthDelegate
from app.ui.theme import Theme
from app.ui.words import Words

NAME_WIDTH, DAYS_WIDTH, YEN_WIDTH = 190, 58, 98
ROW, LEAST_DAY = 30, 24


class MonthTable(QTableView):
    """See the module. Places are (worker id, day)."""

    enter_wanted = Signal(list)
    """Enter on these places."""
    delete_wanted = Signal(list)
    time_typed = Signal(str)
    """A digit: somebody types a time."""
    reason_wanted = Signal()
    undo_wanted = Signal()
    moved = Signal()
    """Another cell is the current one, or what it says may have changed."""

    def __init__(self, theme: Theme, words: Words, model: MonthModel, today: str) -> None:
        super().__init__()
        self._theme, self._month = theme, model
        self.painter = MonthDelegate(theme, words, today)
        self.setModel(model)
        self.setItemDelegate(self.painter)
        self.setHorizontalHeader(DayHeader(theme, words, model))
        self.horizontalHeader().setMinimumSectionSize(theme.px(LEAST_DAY))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.px(ROW))
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setTabKeyNavigation(False)
        model.modelReset.connect(self.lay_out)
        self.selectionModel().currentChanged.connect(lambda *_: self.moved.emit())
        model.dataChanged.connect(lambda *_: self.moved.emit())

    def lay_out(self) -> None:
        """Column widths for the window's width, and companies' lines over the whole of it."""
        px, days = self._theme.px, len(self._month.days)
        self.clearSpans()
        if not days:
            return
        room = self.viewport().width() - px(NAME_WIDTH) - px(DAYS_WIDTH) - px(YEN_WIDTH)
        day = max(px(LEAST_DAY), room // days)
        self.setColumnWidth(NAME, self.viewport().width() - day * days - px(DAYS_WIDTH) - px(YEN_WIDTH))
        if self.columnWidth(NAME) < px(NAME_WIDTH):
            self.setColumnWidth(NAME, px(NAME_WIDTH))
        for column in range(1, days + 1):
            self.setColumnWidth(column, day)
        self.setColumnWidth(days + 1, px(DAYS_WIDTH))
        self.setColumnWidth(days + 2, px(YEN_WIDTH))
        for number in range(len(self._month.lines)):
            if self._month.row_at(self._month.index(number, 0)) is None:
                self.setSpan(number, 0, 1, days + 3)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.lay_out()

    def first_line(self) -> int:
        """The topmost line on the screen."""
        return max(0, self.rowAt(0))

    def chosen(self) -> list[Place]:
        """Places of the selection, by line and day."""
        indexes = sorted(self.selectionModel().selectedIndexes(), key=lambda i: (i.row(), i.column()))
        return [place for index in indexes if (place := self._month.place(index)) is not None]

    def current(self) -> Place | None:
        """The current cell."""
        return self._month.place(self.currentIndex())

    def go_to(self, place: Place) -> None:
        """Make a cell the current one and show it."""
        index = self._month.find(place)
        if index.isValid():
            self.show_index(index)

    def show_index(self, index: QModelIndex) -> None:
        """Make a cell the current one and show it."""
        self.setCurrentIndex(index)
        self.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Arrows step over companies' lines and stay among the days."""
        here = self.currentIndex()
        index = super().moveCursor(action, modifiers)
        moves = QAbstractItemView.CursorAction
        step = -1 if action in (moves.MoveUp, moves.MovePageUp, moves.MoveHome) else 1
        row = index.row()
        while 0 <= row < len(self._month.lines) and self._month.row_at(self._month.index(row, 0)) is None:
            row += step
        if not 0 <= row < len(self._month.lines):
            return here
        column = min(max(1, index.column()), len(self._month.days)) if self._month.days else index.column()
        if action in (moves.MoveUp, moves.MoveDown, moves.MovePageUp, moves.MovePageDown) and here.column() >= 1:
            column = here.column()
        return self._month.index(row, column)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, text = event.key(), event.text()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.enter_wanted.emit(self.chosen())
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_wanted.emit(self.chosen())
        elif event.matches(QKeySequence.StandardKey.Undo):
            self.undo_wanted.emit()
        elif key == Qt.Key.Key_Space:
            self.reason_wanted.emit()
        elif text.isascii() and text.isdigit() and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.time_typed.emit(text)
        else:
            super().keyPressEvent(event)
