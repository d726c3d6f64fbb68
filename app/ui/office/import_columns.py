"""A file's first rows under a line of choices: what is this column?"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QTableWidget, QTableWidgetItem

from app.office.import_port import Cells, Part
from app.ui.office import import_guess as guess
from app.ui.theme import INK_2, SKINS, Look, Theme, colour
from app.ui.words import Words

_SHOWN = 30
"""Rows on the screen; more are looked at."""
ORDER = (
    Part.CARD,
    Part.AT,
    Part.DATE,
    Part.TIME,
    Part.DIRECTION,
    Part.WORKER,
    Part.DEVICE,
    Part.NUMBER,
    Part.PHONE,
    Part.OCCUPATION,
    Part.ROLE,
)


class Choice(QComboBox):
    """Values with their names: message `wizard.<kind>_<value>`."""

    def __init__(self, words: Words, kind: str, values: Sequence[str]) -> None:
        super().__init__()
        self._words, self._kind = words, kind
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        for value in values:
            self.addItem(self._name(value), value)

    def _name(self, value: str) -> str:
        word = _WORDS.get(value, value.replace("-", "_") or "none")
        return self._words.title(f"wizard.{self._kind}_{word}")

    def value(self) -> str:
        """What is chosen; '' for nothing."""
        return str(self.currentData() or "")

    def choose(self, value: str) -> None:
        """Choose a value."""
        self.setCurrentIndex(max(0, self.findData(value)))

    def fill(self, values: Sequence[tuple[str, str]]) -> None:
        """Other values, with their names; what was chosen stays chosen where it can."""
        before = self.value()
        self.blockSignals(True)
        self.clear()
        for name, value in values:
            self.addItem(name, value)
        self.setCurrentIndex(max(0, self.findData(before)) if values else -1)
        self.blockSignals(False)

    def found(self, value: str) -> None:
        """What was found out for 'auto'."""
        if self.value() == "auto" and self.findData(value) > 0:
            self.setItemText(0, self._words.title("wizard.auto_is", found=self._name(value)))


_WORDS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", "": "none"}


class ColumnsTable(QTableWidget):
    """The first line is for choosing. No part stands for two columns: the later choice takes it."""

    changed = Signal()

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        self.cells: Cells | None = None
        self.choices: list[QComboBox] = []
        self._widths: list[int] = []
        self.setAccessibleName(words.title("wizard.first_rows"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme.px(30))
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)

    def show_cells(self, cells: Cells) -> None:
        """Other cells. What somebody has chosen stays while the columns are the same."""
        same = self.cells is not None and self.cells.columns == cells.columns and bool(self.choices)
        parts = self.parts() if same else dict(cells.guessed)
        self.cells = cells
        self.clear()
        self.choices = []
        self.setRowCount(1 + min(_SHOWN, len(cells.rows)))
        self.setColumnCount(len(cells.columns))
        self.setHorizontalHeaderLabels([_header(name, self._words) for name in cells.columns])
        self.setRowHeight(0, self._theme.px(42))
        by_column = {column: part for part, column in parts.items()}
        for place, column in enumerate(cells.columns):
            self._add_choice(place, column, by_column.get(column))
            for number, row in enumerate(cells.rows[:_SHOWN], 1):
                self.setItem(number, place, QTableWidgetItem(row[place] if place < len(row) else ""))
        # every column wide enough for its choice's words
        header = self.horizontalHeader()
        header.setMinimumSectionSize(self._theme.px(150))
        self.resizeColumnsToContents()
        self._widths = [min(self.columnWidth(place), self._theme.px(300)) for place in range(self.columnCount())]
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self._widen()

    def _widen(self) -> None:
        """Room that is left is every column's, up to half of its own."""
        room = self.viewport().width() / max(1, sum(self._widths))
        for place, width in enumerate(self._widths):
            self.setColumnWidth(place, round(width * min(max(room, 1.0), 1.5)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._widen()

    def _add_choice(self, place: int, column: str, part: Part | None) -> None:
        choice = QComboBox()
        choice.setAccessibleName(_header(column, self._words))
        choice.addItem(self._words.title("wizard.part_ignore"), None)
        for one in ORDER:
            choice.addItem(self._words.title(f"wizard.part_{one.value}"), one)
        choice.setCurrentIndex(ORDER.index(part) + 1 if part is not None else 0)
        choice.currentIndexChanged.connect(lambda _, here=place: self._chosen(here))
        self.setCellWidget(0, place, choice)
        self.choices.append(choice)
        self._paint(place)

    def _chosen(self, place: int) -> None:
        part = self.choices[place].currentData()
        for other, choice in enumerate(self.choices):
            if other != place and part is not None and choice.currentData() == part:
                choice.setCurrentIndex(0)
        self._paint(place)
        self.changed.emit()

    def _paint(self, place: int) -> None:
        """A column that is ignored steps back."""
        used = self.choices[place].currentData() is not None
        for number in range(1, self.rowCount()):
            item = self.item(number, place)
            if item is not None:
                item.setForeground(colour(SKINS[Look.ALREADY].strong if used else INK_2))

    def parts(self) -> dict[Part, str]:
        """Part → column, as chosen."""
        columns: Sequence[str] = self.cells.columns if self.cells is not None else ()
        chosen = zip(self.choices, columns, strict=True)
        return {Part(choice.currentData()): name for choice, name in chosen if choice.currentData() is not None}

    def texts(self, column: str) -> list[str]:
        """All that is seen in a column."""
        if self.cells is None or column not in self.cells.columns:
            return []
        place = self.cells.columns.index(column)
        return [row[place] if place < len(row) else "" for row in self.cells.rows]

    def show_read(self, part: Part, pattern: str, texts: Sequence[str]) -> None:
        """Mark the times that the pattern reads, and say how in a tip; those it does not are red."""
        column = self.parts().get(part)
        if self.cells is None or column is None:
            return
        place = self.cells.columns.index(column)
        for number, text in enumerate(texts[:_SHOWN], 1):
            item = self.item(number, place)
            if item is not None:
                read = guess.read(pattern, text) if pattern else ""
                item.setToolTip(read.replace("T", " "))
                item.setForeground(colour(SKINS[Look.ALREADY if read else Look.BAD].strong))


def _header(name: str, words: Words) -> str:
    return words.title("wizard.nth_column", number=name) if name.isdigit() else name
