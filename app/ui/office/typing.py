"""Typing into the month: what keys make of drafts. Nothing is stored here but a candidate set aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.office.port import OfficePort
from app.office.shapes import EntryWanted, MarkKind, Outcome
from app.office.sheet_typing import read_ticks
from app.ui.bridge import Bridge
from app.ui.office.cell_panel import CellPanel
from app.ui.office.drafts import Drafts
from app.ui.office.month_model import Cell, MonthModel, Place
from app.ui.office.month_table import MonthTable


class MonthTyping(QObject):
    """GUI thread. `may_enter`: whether who sits here has the right; `failed`: told of what could not be stored."""

    changed = Signal()
    """Other drafts."""

    def __init__(
        self,
        office: OfficePort,
        bridge: Bridge,
        model: MonthModel,
        table: MonthTable,
        panel: CellPanel,
        failed: Callable[[Outcome], None],
    ) -> None:
        super().__init__()
        self._office, self._bridge, self._model, self._table, self._panel = office, bridge, model, table, panel
        self._failed = failed
        self.drafts = Drafts()
        self.may_enter = False

    def accept(self, places: Sequence[Place]) -> None:
        """Make entries of these cells: a candidate with the times proposed, others with what the panel says."""
        if not self.may_enter:
            return
        made: list[EntryWanted] = []
        for place in places:
            cell = self._model.cell(self._model.find(place))
            if cell is None or not _open(cell):
                continue
            wanted = self._panel.wanted(*place)
            if wanted is None:
                return
            if cell.candidate is not None and len(places) > 1:
                wanted = replace(wanted, in_at=cell.candidate.in_at, out_at=cell.candidate.out_at)
            made.append(self._fitting(wanted))
        self.drafts.put(made)
        self._drafted()

    def put(self, entries: Sequence[EntryWanted]) -> None:
        """Type these, as they are."""
        self.drafts.put(entries)
        self._drafted()

    def _fitting(self, wanted: EntryWanted) -> EntryWanted:
        """Company, 職種 and 立場 are said only for those whose assignment does not say them."""
        row = self._model.row_at(self._model.find((wanted.worker_id, wanted.day)))
        if row is None or not row.described_on(wanted.day):
            return wanted
        return replace(wanted, company_id=None, occupation=None, role=None)

    def accept_fields(self) -> None:
        """What the panel's fields say, for the chosen cells; then back to the table."""
        places = self._table.chosen()
        if not places or self._panel.wanted(*places[0]) is None:
            return
        self.drafts.drop(places)  # what the fields say now replaces what was typed before
        self._model.show_drafts(self.drafts.state())
        self.accept(places)
        self._table.setFocus()

    def refuse(self, places: Sequence[Place]) -> None:
        """Take drafts out; where there is none, take candidates off the list."""
        drafted = [place for place in places if self.drafts.get(place) is not None]
        if drafted:
            self.drafts.drop(drafted)
            self._drafted()
            return
        for worker_id, day in [place for place in places if place in self._model.candidates]:
            self._office.set_aside(worker_id, day, True, self._bridge.reply(self._failed))

    def copy_down(self) -> None:
        """The topmost draft of each chosen day, into the chosen cells below it."""
        self._spread(by_day=True)

    def fill_right(self) -> None:
        """The first draft of each chosen worker, into his chosen days after it."""
        self._spread(by_day=False)

    def _spread(self, *, by_day: bool) -> None:
        made: list[EntryWanted] = []
        sources: dict[str, EntryWanted] = {}
        for place in self._table.chosen():
            group = place[1] if by_day else place[0]
            draft, cell = self.drafts.get(place), self._model.cell(self._model.find(place))
            if draft is not None:
                sources.setdefault(group, draft)
            elif group in sources and cell is not None and not cell.day.future and cell.mark is None:
                made.append(self._fitting(replace(sources[group], worker_id=place[0], day=place[1])))
        self.drafts.put(made)
        self._drafted()

    def type_sheet(self, text: str, company: str | None) -> tuple[str, int] | str:
        """A line of the printed sheet of a company: drafts for the days ticked that have nothing yet.

        The worker's name and how many days, or the piece of the text that makes no sense.
        """
        month = self._model.month
        group = next((g for g in month.groups if g.company_id == company), None) if month else None
        ticked = read_ticks(text, len(group.rows), len(self._model.days)) if group else text
        if group is None or isinstance(ticked, str):
            return ticked if isinstance(ticked, str) and ticked else text
        row = group.rows[ticked.line - 1]
        before = len(self.drafts)
        self.accept([(row.worker_id, self._model.days[day - 1].day) for day in ticked.days])
        return row.name, len(self.drafts) - before

    def undo(self) -> None:
        """One step back in what is typed."""
        if self.drafts.undo():
            self._drafted()

    def saved(self) -> None:
        """Everything typed is stored."""
        self.drafts.saved()
        self._drafted()

    def _drafted(self) -> None:
        self._model.show_drafts(self.drafts.state())
        self.changed.emit()


def _open(cell: Cell) -> bool:
    """Whether something can be entered: no draft yet, no day to come, no record but one that lacks a time."""
    if cell.draft is not None or cell.day.future:
        return False
    if cell.mark is None or cell.candidate is not None:
        return True
    return not cell.mark.counts and cell.mark.kind is not MarkKind.WAITING
