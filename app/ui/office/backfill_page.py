"""遡及修正: what records lack and the contract tree knows, shown first, then stored as corrections."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout

from app.clock import Clock
from app.office.port import OfficePort
from app.office.shapes import Backfill, Right, SignedIn
from app.ui.bridge import Bridge
from app.ui.office.list_table import Column, ListTable
from app.ui.office.month_subpage import MonthSubPage
from app.ui.office.style import button
from app.ui.text import Text
from app.ui.theme import INK_2, Look, Theme
from app.ui.words import Words


class BackfillPage(MonthSubPage):
    """See the module."""

    def __init__(self, theme: Theme, words: Words, office: OfficePort, bridge: Bridge, clock: Clock) -> None:
        super().__init__(theme, words, office, bridge, clock, "backfill")
        self.table: ListTable[Backfill] = ListTable(theme, self._columns(), words.title("backfill.title"))
        self.sum = Text(theme, 15, ink=INK_2)
        self.all = button(words.title("backfill.all"))
        self.store = button(words.title("backfill.store"), "primary")
        self.all.clicked.connect(lambda _=False: self.choose_all())
        self.store.clicked.connect(lambda _=False: self.save())
        self.table.chosen_changed.connect(self._show_chosen)
        foot = QHBoxLayout()
        foot.setSpacing(theme.px(8))
        foot.addWidget(self.all)
        foot.addWidget(self.sum, 1)
        foot.addWidget(self.store)
        self.box.addWidget(self.table, 1)
        self.box.addLayout(foot)

    def _columns(self) -> Sequence[Column[Backfill]]:
        say = self.words.title
        return (
            Column(say("approval.day"), lambda b: self.words.month_day(b.day), 130, order=lambda b: b.day),
            Column(say("month.name"), lambda b: b.name, 140),
            Column(say("month.missing_company"), lambda b: b.names[0], 125),
            Column(say("month.missing_occupation"), lambda b: b.names[1], 100),
            Column(say("month.missing_role"), lambda b: b.names[2], 70),
            Column(say("backfill.note"), self._note, 0, look=lambda b: Look.CHECK if b.note else None),
        )

    def _note(self, one: Backfill) -> str:
        what = "・".join(self.words.title(f"month.missing_{name}") for name in one.missing)
        message = self.words.known(one.note or "backfill.ready", "office.bug", {"what": what})
        return f"{message.title} → {message.remedy}" if message.remedy else message.title

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        may = person is not None and Right.CORRECT in person.rights
        self.store.setVisible(may)
        withheld = person is not None and Right.CORRECT in person.withheld
        self.hint.say(self.words.title("approval.gate_station" if withheld else "backfill.hint"))
        self.all.setVisible(may)

    def enter(self) -> None:
        super().enter()
        self.table.setFocus()

    def ask(self) -> None:
        month = self.month
        self.sum.say(self.words.title("backfill.looking"))

        def took(found: Sequence[Backfill]) -> None:
            if month == self.month:
                self.table.show_rows(found, lambda b: b.event_id)
                self._show_chosen()

        self._office.backfill(month, self._bridge.reply(took))

    def _show_chosen(self) -> None:
        chosen = self.table.chosen()
        ready = [one for one in chosen if not one.note]
        said = self.words.title("approval.sum", chosen=len(chosen), count=f"{len(self.table.list.rows):,}")
        if len(ready) < len(chosen):
            said += self.words.title("backfill.sum_ready", ready=len(ready))
        self.sum.say(said if self.table.list.rows else self.words.title("backfill.none"))
        self.all.setEnabled(any(not one.note for one in self.table.list.rows))
        self.store.setEnabled(bool(ready))

    def choose_all(self) -> None:
        """Every line that can be filled in."""
        self.table.choose_all(lambda one: not one.note)

    def save(self) -> None:
        """Store corrections for the chosen lines that can be filled in."""
        ids = [one.event_id for one in self.table.chosen() if not one.note]
        self._office.apply_backfill(self.month, ids, self._bridge.reply(self.answered))

    def csv(self) -> bytes:
        return self.table.list.csv()
