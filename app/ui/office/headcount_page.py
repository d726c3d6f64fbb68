"""総出面: how many people of each company were here, as the foreman says; the denominator of every rate."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableView, QVBoxLayout

from app.clock import Clock
from app.domain.events import JST
from app.office.calendar import months_later
from app.office.port import Changed, OfficeNews, OfficePort
from app.office.shapes import Outcome, Right, SignedIn
from app.office.tables import csv_bytes
from app.ui.bridge import Bridge
from app.ui.office.headcount_table import HeadcountModel
from app.ui.office.page import OfficePage
from app.ui.office.saving import save_file
from app.ui.office.style import button
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, Theme
from app.ui.words import Words


class HeadcountMonthPage(OfficePage):
    """See the module."""

    back = Signal()

    def __init__(self, theme: Theme, words: Words, office: OfficePort, bridge: Bridge, clock: Clock) -> None:
        super().__init__(theme, words)
        self._office, self._bridge, self._clock = office, bridge, clock
        self.month = f"{clock.now().astimezone(JST):%Y-%m}"
        self.title = Text(theme, 28, weight=BOLD)
        self.hint = Text(theme, 15, words.title("heads.hint"), ink=INK_2, lines=2)
        self.back_button = button(f"‹ {words.title('office.page_month')}")
        self.before, self.after, self.csv = button(""), button(""), button("CSV")
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
        self.back_button.clicked.connect(lambda _=False: self.back.emit())
        self.before.clicked.connect(lambda _=False: self.show_month(months_later(self.month, -1)))
        self.after.clicked.connect(lambda _=False: self.show_month(months_later(self.month, 1)))
        self.csv.clicked.connect(lambda _=False: self.save_csv())
        self.model.typed.connect(self._typed)
        self.model.modelReset.connect(self._widths)
        px = theme.px
        head, box = QHBoxLayout(), QVBoxLayout(self)
        head.setSpacing(px(8))
        for widget in (self.title, self.back_button, self.before, self.after):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.csv)
        box.setContentsMargins(px(24), px(12), px(24), px(12))
        box.setSpacing(px(8))
        box.addLayout(head)
        box.addWidget(self.hint)
        box.addWidget(self.table, 1)

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        self.model.editable = person is not None and Right.ENTER in person.rights

    def enter(self) -> None:
        self.keys.emit(self.words.title("heads.keys"))
        self.show_month(self.month)
        self.table.setFocus()

    def take(self, news: OfficeNews) -> None:
        if isinstance(news, Changed) and news.month in ("", self.month):
            self._ask()

    def show_month(self, month: str) -> None:
        """Another month."""
        self.month = month
        self.title.say(f"{self.words.title('heads.title')}  {self.words.month(month)}")
        self.before.setText(f"‹ {self.words.short_month(months_later(month, -1))}")
        self.after.setText(f"{self.words.short_month(months_later(month, 1))} ›")
        self._ask()

    def _ask(self) -> None:
        month = self.month

        def took(rows):  # type: ignore[no-untyped-def]
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
        self._office.set_headcount(company_id, day, count, self._bridge.reply(self._answered))

    def _answered(self, outcome: Outcome) -> None:
        if outcome.error:
            message = self.words.known(outcome.error, "office.bug")
            self.told.emit("bad", f"{message.title} → {message.remedy}")
        else:
            self.told.emit("recorded", self.words.title("heads.saved"))

    def save_csv(self) -> None:
        """The table as a file."""
        head, *rows = self.model.lines()
        stamp = f"{self._clock.now().astimezone(JST):%Y%m%d-%H%M%S}"
        name = f"{self.words.title('heads.title')}-{self.month}-{stamp}.csv"
        self.told.emit(*save_file(name, csv_bytes(head, rows), self.words))
