"""入力漏れ候補: likely missed days one after the other, each with its reason; one key accepts, one sets aside.

It types into the month's drafts, so that the month shows what was accepted here, and both save the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QHBoxLayout

from app.clock import Clock
from app.domain.events import JST
from app.office.port import OfficeNews, OfficePort
from app.office.shapes import REASONS, Candidate, EntryWanted, Outcome, Right, SignedIn
from app.ui.bridge import Bridge
from app.ui.office.list_table import Column, ListTable
from app.ui.office.month_model import Place
from app.ui.office.month_page import MonthPage
from app.ui.office.page import OfficePage
from app.ui.office.saving import save_file
from app.ui.office.style import button
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, Look
from app.ui.words import Words


class CandidatePage(OfficePage):
    """See the module. The month's page finds the candidates and stores the drafts."""

    back = Signal()

    def __init__(self, words: Words, office: OfficePort, bridge: Bridge, clock: Clock, month: MonthPage) -> None:
        super().__init__(month.theme, words)
        self._office, self._bridge, self._clock, self._month = office, bridge, clock, month
        self._undo: list[Sequence[Place] | None] = []
        """What was done here: places set aside, or None for a step of the drafts."""
        theme = self.theme
        self.title = Text(theme, 28, weight=BOLD)
        self.back_button = button(f"‹ {words.title('office.page_month')}")
        self.csv = button("CSV")
        self.hint = Text(theme, 15, words.title("candidates.hint"), ink=INK_2, lines=2)
        self.table: ListTable[Candidate] = ListTable(theme, self._columns(), words.title("mark.candidate"))
        self.sum = Text(theme, 15, ink=INK_2)
        self.reason = QComboBox()
        self.reason.setAccessibleName(words.title("month.reason"))
        for code in REASONS:
            self.reason.addItem(words.title(f"entry_reason.{code}"), code)
        self.yes = button(words.title("month.accept"), "primary")
        self.no = button(words.title("month.set_aside"))
        self.save = button(words.title("month.save"), "primary")
        self._lay_out()
        self.back_button.clicked.connect(lambda _=False: self.back.emit())
        self.csv.clicked.connect(lambda _=False: self.save_csv())
        self.yes.clicked.connect(lambda _=False: self.accept())
        self.no.clicked.connect(lambda _=False: self.refuse())
        self.save.clicked.connect(lambda _=False: month.save())
        self.table.entered.connect(self.accept)
        self.table.chosen_changed.connect(self._show_chosen)
        month.loader.candidates_came.connect(self._show)
        month.typing.changed.connect(self._show)
        for name, deed in (("Del", self.refuse), ("Backspace", self.refuse), ("Ctrl+Z", self.undo)):
            shortcut = QShortcut(QKeySequence(name), self.table)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(deed)
        saving = QShortcut(QKeySequence("Ctrl+S"), self)
        saving.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        saving.activated.connect(month.save)

    def _columns(self) -> Sequence[Column[Candidate]]:
        say = self.words.title
        return (
            Column(say("approval.day"), lambda c: self.words.month_day(c.day), 120, order=lambda c: c.day),
            Column(say("month.name"), lambda c: c.name, 150),
            Column(say("approval.company"), lambda c: c.company, 140),
            Column(say("candidates.why"), self._why, 0),
            Column(say("approval.times"), lambda c: f"{c.in_at or '--:--'} – {c.out_at or '--:--'}", 130),
            Column(say("candidates.state"), self._state, 100, look=self._look),
        )

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.addWidget(self.sum, 1)
        foot.addWidget(Text(self.theme, 13, self.words.title("month.reason"), ink=INK_2))
        for widget in (self.reason, self.no, self.yes, self.save):
            foot.addWidget(widget)
        self.lay_out([self.title, self.back_button], [self.csv], [self.hint, self.table], foot)

    # ---- coming and going ----------------------------------------------------------------------------------------

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        may = person is not None and Right.ENTER in person.rights
        for widget in (self.reason, self.no, self.yes, self.save):
            widget.setVisible(may)

    def enter(self) -> None:
        self.keys.emit(self.words.title("candidates.keys"))
        self._undo = []
        self._show()
        self.table.setFocus()

    def take(self, news: OfficeNews) -> None:
        self._month.take(news)

    def _show(self) -> None:
        model, drafts = self._month.model, self._month.typing.drafts
        self.title.say(f"{self.words.title('candidates.title')}  {self.words.month(self._month.month)}")
        here = max(0, self.table.currentIndex().row())
        self.table.show_rows(list(model.candidates.values()), lambda c: (c.worker_id, c.day))
        if self.table.list.rows and not self.table.chosen():
            self.table.selectRow(min(here, len(self.table.list.rows) - 1))
        self.save.setEnabled(len(drafts) > 0)
        self._show_chosen()

    def _show_chosen(self) -> None:
        chosen, rows = len(self.table.chosen()), f"{len(self.table.list.rows):,}"
        typed = self.words.title("month.unsaved", count=len(self._month.typing.drafts))
        self.sum.say(f"{self.words.title('approval.sum', chosen=chosen, count=rows)}  {typed}")
        self.yes.setEnabled(chosen > 0)
        self.no.setEnabled(chosen > 0)

    # ---- words ---------------------------------------------------------------------------------------------------

    def _why(self, one: Candidate) -> str:
        return "。".join(self.words.title(f"why.{why.value}", **values) for why, values in one.why)

    def _drafted(self, one: Candidate) -> bool:
        return self._month.typing.drafts.get((one.worker_id, one.day)) is not None

    def _state(self, one: Candidate) -> str:
        return self.words.title("mark.draft") if self._drafted(one) else ""

    def _look(self, one: Candidate) -> Look | None:
        return Look.RECORDED if self._drafted(one) else None

    # ---- doing ---------------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Type entries of the chosen candidates, with the times proposed; then on to the next one."""
        chosen = self.table.chosen()
        if not chosen or not self._month.typing.may_enter:
            return
        reason = str(self.reason.currentData())
        last = max(index.row() for index in self.table.selectionModel().selectedRows())
        self._month.typing.put([EntryWanted(c.worker_id, c.day, reason, c.in_at, c.out_at) for c in chosen])
        self._undo.append(None)
        self._go(last + 1)

    def refuse(self) -> None:
        """Take what was typed out; where nothing was, set the candidates aside."""
        chosen = self.table.chosen()
        if not chosen or not self._month.typing.may_enter:
            return
        first = min(index.row() for index in self.table.selectionModel().selectedRows())
        typed = [(c.worker_id, c.day) for c in chosen if self._drafted(c)]
        if typed:
            self._month.typing.refuse(typed)
            self._undo.append(None)
            return
        places = [(c.worker_id, c.day) for c in chosen]
        for worker_id, day in places:
            self._month.model.candidates.pop((worker_id, day), None)
            self._office.set_aside(worker_id, day, True, self._bridge.reply(self._answered))
        self._undo.append(places)
        self._month.bar.show_candidates(len(self._month.model.candidates))
        self._show()
        self._go(first)

    def undo(self) -> None:
        """One step back of what was done on this page."""
        if not self._undo:
            return
        places = self._undo.pop()
        if places is None:
            self._month.typing.undo()
            return
        for worker_id, day in places:
            self._office.set_aside(worker_id, day, False, self._bridge.reply(self._answered))

    def _go(self, row: int) -> None:
        if self.table.list.rows:
            self.table.selectRow(min(row, len(self.table.list.rows) - 1))

    def _answered(self, outcome: Outcome) -> None:
        if outcome.error:
            message = self.words.known(outcome.error, "office.bug")
            self.told.emit("bad", f"{message.title} → {message.remedy}")

    def save_csv(self) -> None:
        """The list as a file."""
        stamp = f"{self._clock.now().astimezone(JST):%Y%m%d-%H%M%S}"
        name = f"{self.words.title('candidates.title')}-{self._month.month}-{stamp}.csv"
        self.told.emit(*save_file(name, self.table.list.csv(), self.words))
