"""Fetches a month for its table: lines first, then marks by handfuls, those on the screen first, then candidates.

GUI thread. Answers about a month that is not shown any more are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from app.office.port import OfficePort
from app.office.shapes import Candidate, Marks, Month
from app.ui.bridge import Bridge
from app.ui.office.month_model import MonthModel
from app.ui.office.month_table import MonthTable

HANDFUL = 60
"""Workers whose marks are asked for at once: about a screen and a half."""


class MonthLoader(QObject):
    """Puts what comes into the model, and says so."""

    month_came = Signal()
    marks_came = Signal()
    candidates_came = Signal()
    searching = Signal(float)
    """How far the search for missed days is, 0 to 1."""

    def __init__(self, office: OfficePort, bridge: Bridge, model: MonthModel, table: MonthTable) -> None:
        super().__init__()
        self._office, self._bridge, self._model, self._table = office, bridge, model, table
        self._month = ""
        self._round = 0
        self._asking = False
        table.verticalScrollBar().valueChanged.connect(lambda _: self._pull())

    def ask(self, month: str, *, keep: bool) -> None:
        """A month, anew. `keep`: what is shown stays until newer comes."""
        self._month = month
        self._round += 1
        self._asking = False
        this = self._round
        self._office.month(month, self._bridge.reply(lambda came: self._took_month(this, came, keep)))

    def look_again(self) -> None:
        """Marks of those on the screen, anew; the others keep theirs until the next `ask`."""
        if self._model.month is None:
            return
        this = self._round
        wanted = self._in_order(self._model.month, set(self._model.marks))[:HANDFUL]

        def took(marks: Marks) -> None:
            if this == self._round:
                self._model.take_marks(marks)
                self.marks_came.emit()

        if wanted:
            self._office.marks(self._month, wanted, self._bridge.reply(took))

    def gave_up(self) -> None:
        """An answer will not come: ask again when something moves."""
        self._asking = False

    def _took_month(self, this: int, month: Month, keep: bool) -> None:
        if this != self._round:
            return
        place, top = self._table.current(), self._table.verticalScrollBar().value()
        old = dict(self._model.marks) if keep else {}
        other = self._model.show_month(month, keep_marks=keep)
        self.month_came.emit()
        if other:
            self._table.verticalScrollBar().setValue(top if keep else 0)
            if place is not None:
                self._table.go_to(place)
        if old:
            self._refresh(this, self._in_order(month, set(old)))
        else:
            self._pull()

    def _in_order(self, month: Month, known: set[str]) -> list[str]:
        """Workers with marks, those on the screen first."""
        first = self._table.first_line()
        shown = [r.worker_id for n in range(first, first + HANDFUL) if (r := self._model.row_number(n)) is not None]
        every = [row.worker_id for group in month.groups for row in group.rows]
        return [one for one in dict.fromkeys([*shown, *every]) if one in known]

    def _refresh(self, this: int, left: Sequence[str]) -> None:
        if not left:
            self._pull()
            return

        def took(marks: Marks) -> None:
            if this == self._round:
                self._model.take_marks(marks)
                self.marks_came.emit()
                self._refresh(this, left[HANDFUL:])

        self._office.marks(self._month, left[:HANDFUL], self._bridge.reply(took))

    def _pull(self) -> None:
        """Ask for marks that are not there, from the top of the screen on; when all are, for candidates."""
        if self._asking or self._model.month is None or self._model.month.month != self._month:
            return
        this = self._round
        wanted = self._model.unloaded(self._table.first_line(), HANDFUL)
        if not wanted:
            if self._model.asked_candidates != this:
                self._model.asked_candidates = this
                self._office.candidates(
                    self._month,
                    self._bridge.reply(lambda found: self._took_candidates(this, found)),
                    self._bridge.reply(lambda share: self._searched(this, share)),
                )
            return
        self._asking = True

        def took(marks: Marks) -> None:
            if this != self._round:
                return
            self._asking = False
            self._model.take_marks(marks)
            self.marks_came.emit()
            QTimer.singleShot(0, self._pull)

        self._office.marks(self._month, wanted, self._bridge.reply(took))

    def _searched(self, this: int, share: float) -> None:
        if this == self._round:
            self.searching.emit(share)

    def _took_candidates(self, this: int, candidates: Sequence[Candidate]) -> None:
        if this == self._round:
            self._model.take_candidates(candidates)
            self.candidates_came.emit()
