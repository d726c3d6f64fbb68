"""自分が決めたもの: what an approver has approved or refused, and may still take back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit

from app.clock import Clock
from app.domain.events import JST
from app.office.decisions import Decision
from app.office.port import Changed, OfficeNews, OfficePort
from app.office.shapes import Outcome, Right, SignedIn
from app.ui.bridge import Bridge
from app.ui.office.list_table import Column, ListTable
from app.ui.office.page import OfficePage
from app.ui.office.style import button
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, Look, Theme
from app.ui.words import Words


class DecisionPage(OfficePage):
    """See the module."""

    back = Signal()
    """To the queue."""

    def __init__(self, theme: Theme, words: Words, office: OfficePort, bridge: Bridge, clock: Clock) -> None:
        super().__init__(theme, words)
        self._office, self._bridge, self._clock = office, bridge, clock
        say = words.title
        self.title = Text(theme, 28, say("decision.title"), weight=BOLD)
        self.back_button = button(f"‹ {say('approval.title')}")
        self.hint = Text(theme, 15, say("decision.hint"), ink=INK_2, lines=2)
        self.table: ListTable[Decision] = ListTable(theme, self._columns(), say("decision.title"))
        self.sum = Text(theme, 15, ink=INK_2, lines=2)
        self.reason = QLineEdit()
        self.reason.setMaxLength(200)
        self.reason.setPlaceholderText(say("decision.reason"))
        self.reason.setAccessibleName(say("decision.reason"))
        self.undo = button(say("decision.undo"))
        foot = QHBoxLayout()
        foot.addWidget(self.sum, 1)
        foot.addWidget(self.reason, 1)
        foot.addWidget(self.undo)
        self.lay_out([self.title, self.back_button], [], [self.hint, self.table], foot)
        self.back_button.clicked.connect(lambda _=False: self.back.emit())
        self.undo.clicked.connect(lambda _=False: self.take_back())
        self.reason.returnPressed.connect(self.take_back)
        self.table.chosen_changed.connect(self._show_chosen)
        self.reason.textChanged.connect(lambda _="": self._show_chosen())

    def _columns(self) -> Sequence[Column[Decision]]:
        say, words = self.words.title, self.words
        return (
            Column(say("decision.at"), self._at, 130, order=lambda d: d.at),
            Column(say("decision.what"), self._what, 130, look=lambda d: None if d.approved else Look.BAD),
            Column(say("approval.day"), lambda d: words.month_day(d.entry.day), 120, order=lambda d: d.entry.day),
            Column(say("month.name"), lambda d: d.entry.name, 150),
            Column(say("approval.company"), lambda d: d.entry.company, 160),
            Column(say("approval.left"), lambda d: words.title("approval.days_left", days=d.entry.days_left), 110,
                   order=lambda d: d.entry.days_left),
            Column(say("backfill.note"), self._note, 0),
        )  # fmt: skip

    def _at(self, one: Decision) -> str:
        return self.words.when(one.at, self._clock.now().astimezone(JST))

    def _what(self, one: Decision) -> str:
        return self.words.title("decision.approved" if one.approved else "decision.refused")

    def _note(self, one: Decision) -> str:
        return "  ".join(part for part in (one.reason, self.words.title("month.unsent") if one.unsent else "") if part)

    # ---- coming and going ----------------------------------------------------------------------------------------

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        may = person is not None and Right.APPROVE in person.rights
        self.reason.setVisible(may)
        self.undo.setVisible(may)

    def enter(self) -> None:
        self.keys.emit(self.words.title("decision.keys"))
        self._ask()
        self.table.setFocus()

    def take(self, news: OfficeNews) -> None:
        if isinstance(news, Changed):
            self._ask()

    def _ask(self) -> None:
        if not self.table.list.rows:
            self.sum.say(self.words.title("backfill.looking"))
        self._office.decisions(self._bridge.reply(self._took))

    def _took(self, found: Sequence[Decision]) -> None:
        self.table.show_rows(found, lambda d: d.approval_id)
        self._show_chosen()

    def _show_chosen(self) -> None:
        chosen, count = len(self.table.chosen()), len(self.table.list.rows)
        code = "decision.sum" if chosen else "decision.choose" if count else "decision.none"
        self.sum.say(self.words.title(code, chosen=chosen))
        self.undo.setEnabled(chosen > 0 and bool(self.reason.text().strip()))

    # ---- doing ---------------------------------------------------------------------------------------------------

    def take_back(self) -> None:
        """Take the chosen decisions back, all or none."""
        ids = [one.approval_id for one in self.table.chosen()]
        if ids and self.undo.isEnabled():
            self._office.undo(ids, self.reason.text(), self._bridge.reply(self._undone))

    def _undone(self, outcome: Outcome) -> None:
        code = outcome.error or (outcome.problems[0].code if outcome.problems else "")
        if code:
            message = self.words.known(code, "office.bug", dict(outcome.problems[0].values) if outcome.problems else {})
            self.told.emit("bad", f"{message.title} → {message.remedy}" if message.remedy else message.title)
            return
        self.reason.clear()
        self.told.emit("recorded", self.words.title("decision.done", count=outcome.stored))
