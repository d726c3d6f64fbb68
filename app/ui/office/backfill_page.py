"""遡及修正: what records lack and the contract tree knows, shown first, then stored as corrections."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.clock import Clock
from app.domain.events import JST
from app.office.calendar import months_later
from app.office.port import Changed, OfficeNews, OfficePort
from app.office.shapes import Backfill, Outcome, Right, SignedIn
from app.ui.bridge import Bridge
from app.ui.office.list_table import Column, ListTable
from app.ui.office.page import OfficePage
from app.ui.office.saving import save_file
from app.ui.office.style import button
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, Look, Theme
from app.ui.words import Words


class BackfillPage(OfficePage):
    """See the module."""

    back = Signal()

    def __init__(self, theme: Theme, words: Words, office: OfficePort, bridge: Bridge, clock: Clock) -> None:
        super().__init__(theme, words)
        self._office, self._bridge, self._clock = office, bridge, clock
        self.month = f"{clock.now().astimezone(JST):%Y-%m}"
        self.title = Text(theme, 28, weight=BOLD)
        self.back_button = button(f"‹ {words.title('office.page_month')}")
        self.before, self.after, self.csv = button(""), button(""), button("CSV")
        self.hint = Text(theme, 15, words.title("backfill.hint"), ink=INK_2, lines=2)
        self.table: ListTable[Backfill] = ListTable(theme, self._columns(), words.title("backfill.title"))
        self.sum = Text(theme, 15, ink=INK_2)
        self.all = button(words.title("approval.all"))
        self.store = button(words.title("backfill.store"), "primary")
        self.back_button.clicked.connect(lambda _=False: self.back.emit())
        self.before.clicked.connect(lambda _=False: self.show_month(months_later(self.month, -1)))
        self.after.clicked.connect(lambda _=False: self.show_month(months_later(self.month, 1)))
        self.all.clicked.connect(lambda _=False: self.table.choose_all())
        self.store.clicked.connect(lambda _=False: self.save())
        self.csv.clicked.connect(lambda _=False: self.save_csv())
        self.table.chosen_changed.connect(self._show_chosen)
        px = theme.px
        head, foot, box = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        head.setSpacing(px(8))
        for widget in (self.title, self.back_button, self.before, self.after):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.csv)
        foot.setSpacing(px(8))
        foot.addWidget(self.all)
        foot.addWidget(self.sum, 1)
        foot.addWidget(self.store)
        box.setContentsMargins(px(24), px(12), px(24), px(12))
        box.setSpacing(px(8))
        box.addLayout(head)
        box.addWidget(self.hint)
        box.addWidget(self.table, 1)
        box.addLayout(foot)

    def _columns(self) -> Sequence[Column[Backfill]]:
        say = self.words.title
        return (
            Column(say("approval.day"), lambda b: self.words.month_day(b.day), 140, order=lambda b: b.day),
            Column(say("month.name"), lambda b: b.name, 180),
            Column(say("month.missing_company"), lambda b: b.names[0], 190),
            Column(say("month.missing_occupation"), lambda b: b.names[1], 140),
            Column(say("month.missing_role"), lambda b: b.names[2], 140),
            Column(say("backfill.note"), self._note, 0, look=lambda b: Look.CHECK if b.note else None),
        )

    def _note(self, one: Backfill) -> str:
        return self.words.title(one.note) if one.note else self.words.title("backfill.ready")

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        may = person is not None and Right.CORRECT in person.rights
        self.store.setVisible(may)
        withheld = person is not None and Right.CORRECT in person.withheld
        self.hint.say(self.words.title("approval.gate_station" if withheld else "backfill.hint"))
        self.all.setVisible(may)

    def enter(self) -> None:
        self.keys.emit(self.words.title("backfill.keys"))
        self.show_month(self.month)
        self.table.setFocus()

    def take(self, news: OfficeNews) -> None:
        if isinstance(news, Changed) and news.month in ("", self.month):
            self._ask()

    def show_month(self, month: str) -> None:
        """Another month."""
        self.month = month
        self.title.say(f"{self.words.title('backfill.title')}  {self.words.month(month)}")
        self.before.setText(f"‹ {self.words.short_month(months_later(month, -1))}")
        self.after.setText(f"{self.words.short_month(months_later(month, 1))} ›")
        self.sum.say(self.words.title("backfill.looking"))
        self._ask()

    def _ask(self) -> None:
        month = self.month

        def took(found: Sequence[Backfill]) -> None:
            if month == self.month:
                self.table.show_rows(found, lambda b: b.event_id)
                self._show_chosen()

        self._office.backfill(month, self._bridge.reply(took))

    def _show_chosen(self) -> None:
        ready = [one for one in self.table.chosen() if not one.note]
        values = {"chosen": len(ready), "count": len(self.table.list.rows)}
        self.sum.say(self.words.title("approval.sum", **values))
        self.store.setEnabled(bool(ready))

    def save(self) -> None:
        """Store corrections for the chosen lines that can be filled in."""
        ids = [one.event_id for one in self.table.chosen() if not one.note]
        self._office.apply_backfill(self.month, ids, self._bridge.reply(self._answered))

    def _answered(self, outcome: Outcome) -> None:
        if outcome.error:
            message = self.words.known(outcome.error, "office.bug")
            self.told.emit("bad", f"{message.title} → {message.remedy}")
        else:
            self.told.emit("recorded", self.words.title("backfill.saved", count=outcome.stored))

    def save_csv(self) -> None:
        """The list as a file."""
        stamp = f"{self._clock.now().astimezone(JST):%Y%m%d-%H%M%S}"
        name = f"{self.words.title('backfill.title')}-{self.month}-{stamp}.csv"
        self.told.emit(*save_file(name, self.table.list.csv(), self.words))
