"""総出面: how many people of each company were here, as the foreman says; the denominator of every rate."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.clock import Clock
from app.office.port import OfficePort
from app.office.shapes import HeadcountDay, Right, SignedIn
from app.office.tables import csv_bytes
from app.ui.bridge import Bridge
from app.ui.office.headcount_table import HeadcountModel
from app.ui.office.month_subpage import MonthSubPage
from app.ui.theme import Theme
from app.ui.words import Words


class HeadcountMonthPage(MonthSubPage):
    """See the module."""

    def __init__(self, theme: Theme, words: Words, office: OfficePort, bridge: Bridge, clock: Clock) -> None:
        super().__init__(theme, words, office, bridge, clock, "heads")
        self.model = HeadcountModel(words)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setAccessibleName(words.title("heads.title"))
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(theme.px(34))
        self.table.setTabKeyNavigation(False)
        triggers = QAbstractItemView.EditTrigger
        self.table.setEditTriggers(
            triggers.AnyKeyPressed | triggers.DoubleClicked | triggers.EditKeyPressed | triggers.SelectedClicked
        )
        self.model.typed.connect(self._typed)
        self.model.modelReset.connect(self._widths)
        self.box.addWidget(self.table, 1)

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        self.model.editable = person is not None and Right.ENTER in person.rights

    def enter(self) -> None:
        super().enter()
        self.table.setFocus()

    def ask(self) -> None:
        month = self.month

        def took(rows: Sequence[HeadcountDay]) -> None:
            if month == self.month:
                self.model.show(rows)

        self._office.headcounts(month, self._bridge.reply(took))

    def _widths(self) -> None:
        px, header = self.theme.px, self.table.horizontalHeader()
        header.setMinimumSectionSize(px(30))
        if self.model.columnCount() > 2:
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
            self.table.setColumnWidth(0, px(190))
            for column in range(1, self.model.columnCount() - 1):
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
                self.table.setColumnWidth(column, px(60))

    def _typed(self, company_id: str, day: str, count: int) -> None:
        self._office.set_headcount(company_id, day, count, self._bridge.reply(self.answered))

    def csv(self) -> bytes:
        head, *rows = self.model.lines()
        return csv_bytes(head, rows)
