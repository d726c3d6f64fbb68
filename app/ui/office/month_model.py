"""The month as a table: companies' lines, workers' lines, days. Marks come by handfuls; drafts lie over them.

GUI thread. The model knows nothing of the office's thread: the page hands it what came.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from enum import IntEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.domain.retirement import yen_a_day
from app.office.calendar import holiday
from app.office.shapes import Candidate, Day, EntryWanted, Group, Mark, MarkKind, Marks, Month, Row
from app.ui.words import Words

Index = QModelIndex | QPersistentModelIndex
Place = tuple[str, str]
"""Worker id and day."""
NAME = 0


class Show(IntEnum):
    """What the delegate asks for."""

    CELL = Qt.ItemDataRole.UserRole + 1
    """`Cell` of a day; None elsewhere."""
    GROUP = Qt.ItemDataRole.UserRole + 2
    """`Group` of a company's line; None on workers' lines."""


class Cell:
    """One day of one worker as it is painted."""

    __slots__ = ("candidate", "day", "draft", "loaded", "mark")

    def __init__(
        self, day: Day, mark: Mark | None, candidate: Candidate | None, draft: EntryWanted | None, loaded: bool
    ) -> None:
        self.day, self.mark, self.candidate, self.draft, self.loaded = day, mark, candidate, draft, loaded


class MonthModel(QAbstractTableModel):
    """Columns: name, the days, 日数, 建退共."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words
        self.month: Month | None = None
        self.days: Sequence[Day] = ()
        self.lines: list[Group | Row] = []
        self.marks: dict[str, Mapping[str, Mark]] = {}
        self.candidates: dict[Place, Candidate] = {}
        self.drafts: Mapping[Place, EntryWanted] = {}
        self._line_of: dict[str, int] = {}
        self._wanted: Collection[str] | None = None
        self.asked_candidates = 0
        """The loader's round in which candidates were asked for."""

    # ---- what is shown -------------------------------------------------------------------------------------------

    def show_month(self, month: Month, *, keep_marks: bool) -> bool:
        """Another month, or the same with other lines. False: nothing of it is new, and selections stay."""
        old, self.month = self.month, month
        if keep_marks and old is not None and (old.groups, old.days) == (month.groups, month.days):
            return False
        self.beginResetModel()
        self.days = month.days
        if not keep_marks:
            self.marks = {}
            self.candidates = {}
        self._lay_out(self._lines())
        self.endResetModel()
        return True

    def only(self, worker_ids: Collection[str] | None) -> None:
        """Show these workers alone; None shows all."""
        self._wanted = worker_ids
        lines = self._lines()
        if lines != self.lines:
            self.beginResetModel()
            self._lay_out(lines)
            self.endResetModel()

    def _lines(self) -> list[Group | Row]:
        lines: list[Group | Row] = []
        for group in self.month.groups if self.month else ():
            rows = [row for row in group.rows if self._wanted is None or row.worker_id in self._wanted]
            if rows:
                lines += [group, *rows]
        return lines

    def _lay_out(self, lines: list[Group | Row]) -> None:
        self.lines = lines
        self._line_of = {line.worker_id: n for n, line in enumerate(lines) if isinstance(line, Row)}

    def take_marks(self, marks: Marks) -> None:
        """Marks of some workers have come."""
        self.marks.update(marks)
        self._changed(marks)

    def take_candidates(self, candidates: Iterable[Candidate]) -> None:
        """All candidates of the month."""
        old = self.candidates
        self.candidates = {(one.worker_id, one.day): one for one in candidates}
        self._changed({worker for worker, _ in (*old, *self.candidates)})

    def show_drafts(self, drafts: Mapping[Place, EntryWanted]) -> None:
        """What is typed and not saved."""
        touched = {worker for worker, _ in (*self.drafts, *drafts)}
        self.drafts = dict(drafts)
        self._changed(touched)

    def _changed(self, workers: Iterable[str]) -> None:
        lines = [self._line_of[worker] for worker in workers if worker in self._line_of]
        if lines:
            self.dataChanged.emit(self.index(min(lines), 0), self.index(max(lines), self.columnCount() - 1))

    def unloaded(self, first_line: int, most: int) -> list[str]:
        """Workers without marks, from a line on and round to the beginning; at most so many."""
        shown = [line for line in (*self.lines[first_line:], *self.lines[:first_line]) if isinstance(line, Row)]
        hidden = [row for group in self.month.groups for row in group.rows] if self.month else []
        found = dict.fromkeys(row.worker_id for row in (*shown, *hidden) if row.worker_id not in self.marks)
        return list(found)[:most]

    # ---- places --------------------------------------------------------------------------------------------------

    def row_at(self, index: Index) -> Row | None:
        """The worker of a line; None on a company's."""
        return self.row_number(index.row())

    def row_number(self, line: int) -> Row | None:
        """The worker of the nth line; None on a company's, and past the end."""
        found = self.lines[line] if 0 <= line < len(self.lines) else None
        return found if isinstance(found, Row) else None

    def place(self, index: Index) -> Place | None:
        """Worker and day of a cell; None where there is no day."""
        row = self.row_at(index)
        if row is None or not 1 <= index.column() <= len(self.days):
            return None
        return row.worker_id, self.days[index.column() - 1].day

    def find(self, place: Place) -> QModelIndex:
        """Where a worker's day is; not valid when it is not shown."""
        line = self._line_of.get(place[0], -1)
        column = next((n for n, day in enumerate(self.days, 1) if day.day == place[1]), -1)
        return self.index(line, column) if line >= 0 and column > 0 else QModelIndex()

    def cell(self, index: Index) -> Cell | None:
        """What is at a place."""
        place = self.place(index)
        if place is None:
            return None
        worker, day = place
        marks = self.marks.get(worker)
        return Cell(
            self.days[index.column() - 1],
            (marks or {}).get(day),
            self.candidates.get(place),
            self.drafts.get(place),
            marks is not None,
        )

    def total(self, row: Row) -> int | None:
        """日数: records of the month; None before the marks have come."""
        marks = self.marks.get(row.worker_id)
        return None if marks is None else sum(1 for mark in marks.values() if mark.counts)

    # ---- Qt ------------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.days) + 3

    def flags(self, index: Index) -> Qt.ItemFlag:
        if self.row_at(index) is None:
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        if role == Show.CELL:
            return self.cell(index)
        line = self.lines[index.row()]
        if role == Show.GROUP:
            return line if isinstance(line, Group) else None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(index)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole) and isinstance(line, Row):
            return self.spoken(index)
        return None

    def text(self, index: Index) -> str:
        """A cell in words, for the clipboard and for CSV; names and sums as they are painted."""
        line, column = self.lines[index.row()], index.column()
        if isinstance(line, Group):
            return line.company or self._words.title("month.no_company") if column == NAME else ""
        if column == NAME:
            return line.name
        total = self.total(line)
        if column == len(self.days) + 1:
            return "" if total is None else str(total)
        if column == len(self.days) + 2:
            return "" if total is None or not line.kentaikyo else f"{total * self.yen_a_day:,}"
        cell = self.cell(index)
        return self.word(cell) if cell else ""

    @property
    def yen_a_day(self) -> int:
        """建退共 見込み; a rate changes with a month, never in it."""
        return yen_a_day(self.days[0].day) if self.days else 0

    def word(self, cell: Cell) -> str:
        """What a cell is, in one word of the legend."""
        if cell.draft is not None:
            return self._words.title("month.draft")
        if cell.mark is not None:
            return self._words.title(f"mark.{cell.mark.kind.value}")
        return self._words.title("mark.candidate") if cell.candidate else ""

    def spoken(self, index: Index) -> str:
        """Name, day and what it rests on, for a tool tip and for a screen reader."""
        row, cell = self.row_at(index), self.cell(index)
        if row is None or cell is None:
            return ""
        times = ""
        if cell.mark is not None and (cell.mark.first_in or cell.mark.last_out):
            times = f"{cell.mark.first_in or '--:--'}–{cell.mark.last_out or '--:--'}"
        festive = holiday(date.fromisoformat(cell.day.day), self._words.language)
        parts = [row.name, cell.day.day, festive, self.word(cell), times]
        if cell.mark is not None and cell.mark.unsent and cell.mark.kind is not MarkKind.NOT_TAKEN:
            parts.append(self._words.title("month.unsent"))
        return " ".join(part for part in parts if part)
