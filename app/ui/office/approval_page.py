"""承認: direct entries that wait for the 元請's word; one or many at once, refused only with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit

from app.clock import Clock
from app.domain.events import JST
from app.office.port import Changed, Counted, OfficeNews, OfficePort
from app.office.shapes import Deadline, Outcome, Right, SignedIn, Waiting
from app.ui.bridge import Bridge
from app.ui.office.cell_panel import reason_word
from app.ui.office.list_table import Column, ListTable
from app.ui.office.page import OfficePage
from app.ui.office.saving import save_file
from app.ui.office.style import button
from app.ui.text import BOLD, Text
from app.ui.theme import INK, INK_2, SKINS, Look, Theme
from app.ui.words import Words

AMBER_DAYS = 3


class ApprovalPage(OfficePage):
    """See the module."""

    back = Signal()
    """To the month."""
    decisions_wanted = Signal()
    """To what he has decided himself."""

    def __init__(self, theme: Theme, words: Words, office: OfficePort, bridge: Bridge, clock: Clock) -> None:
        super().__init__(theme, words)
        self._office, self._bridge, self._clock = office, bridge, clock
        self.title = Text(theme, 28, words.title("approval.title"), weight=BOLD)
        self.back_button = button(f"‹ {words.title('office.page_month')}")
        self.due = Text(theme, 15, ink=INK_2, lines=2)
        self.table: ListTable[Waiting] = ListTable(theme, self._columns(), words.title("approval.title"))
        self.note = Text(theme, 15, words.title("approval.gate_station"), ink=SKINS[Look.CHECK].strong, lines=2)
        self.sum = Text(theme, 15, ink=INK_2, lines=2)
        self.reason = QLineEdit()
        self.reason.setPlaceholderText(words.title("approval.reason"))
        self.reason.setAccessibleName(words.title("approval.reason"))
        self.reason.setMaxLength(200)
        self.all = button(words.title("approval.all"))
        self.yes = button(words.title("approval.yes"), "primary")
        self.no = button(words.title("approval.no"))
        self.take_back = button(words.title("approval.take_back"))
        self.decided = button(words.title("decision.open"))
        self.csv = button("CSV")
        self._lay_out()
        self.back_button.clicked.connect(lambda _=False: self.back.emit())
        self.all.clicked.connect(lambda _=False: self.choose_all())
        self.yes.clicked.connect(lambda _=False: self.decide(True))
        self.no.clicked.connect(lambda _=False: self.decide(False))
        self.take_back.clicked.connect(lambda _=False: self.void())
        self.decided.clicked.connect(lambda _=False: self.decisions_wanted.emit())
        self.csv.clicked.connect(lambda _=False: self.save_csv())
        self.table.chosen_changed.connect(self._show_chosen)
        self.reason.textChanged.connect(lambda _="": self._show_chosen())

    def _columns(self) -> Sequence[Column[Waiting]]:
        say = self.words.title
        return (
            Column(say("approval.left"), self._left, 95, look=_look, order=lambda w: w.days_left),
            Column(say("approval.day"), lambda w: self.words.month_day(w.day), 120, order=lambda w: w.day),
            Column(say("month.name"), lambda w: w.name, 130),
            Column(say("approval.company"), lambda w: w.company, 130),
            Column(say("approval.times"), lambda w: f"{w.in_at or '--:--'} – {w.out_at or '--:--'}", 118),
            Column(say("approval.work"), lambda w: f"{w.occupation}・{w.role}", 170),
            Column(say("month.reason"), self._reason, 125),
            Column(say("approval.by"), self._by, 0, look=lambda w: Look.CHECK if w.own or w.unsent else None),
        )

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.addWidget(self.all)
        foot.addWidget(self.sum, 2)
        foot.addWidget(self.take_back)
        foot.addWidget(self.reason, 2)
        foot.addWidget(self.no)
        foot.addWidget(self.yes)
        self.lay_out([self.title, self.back_button], [self.decided, self.csv], [self.due, self.note, self.table], foot)

    # ---- coming and going ----------------------------------------------------------------------------------------

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        approves = person is not None and Right.APPROVE in person.rights
        for widget in (self.yes, self.no, self.reason, self.all, self.decided):
            widget.setVisible(approves)
        self.note.setVisible(person is not None and Right.APPROVE in person.withheld)
        self.take_back.setVisible(person is not None and Right.ENTER in person.rights)

    def enter(self) -> None:
        self.keys.emit(self.words.title("approval.keys"))
        self._ask()
        self.table.setFocus()

    def take(self, news: OfficeNews) -> None:
        if isinstance(news, Changed):
            self._ask()
        elif isinstance(news, Counted):
            self._office.deadlines(self._bridge.reply(self._took_deadlines))

    def _ask(self) -> None:
        if not self.table.list.rows:
            self.sum.say(self.words.title("backfill.looking"))
        self._office.waiting(self._bridge.reply(self._took))
        self._office.deadlines(self._bridge.reply(self._took_deadlines))

    def _took(self, waiting: Sequence[Waiting]) -> None:
        self.table.show_rows(waiting, lambda w: w.entry_id)
        self._show_chosen()

    def _took_deadlines(self, deadlines: Sequence[Deadline]) -> None:
        """Entry and approval are counted down apart, month by month."""
        sentences, say = [], self.words.title
        for one in deadlines:
            past = "approval.due_unsent" if one.unsent else "approval.due_past"
            code = past if one.level == "past" else "approval.due"
            sentences.append(
                self.words.title(
                    code,
                    month=self.words.short_month(one.month),
                    until=self.words.month_day(one.until),
                    days=max(0, one.days_left),
                    waiting=one.waiting,
                    unsent=one.unsent,
                    candidates=say("approval.not_counted") if one.candidates is None else f"{one.candidates:,}",
                )
            )
        levels = {one.level for one in deadlines if one.waiting or one.unsent}
        ink = INK if "remind" in levels else INK_2
        if levels & {"amber", "past"}:
            ink = SKINS[Look.BAD if "past" in levels else Look.CHECK].strong
        self.due.paint_with(ink)
        self.due.say("   ".join(sentences))

    # ---- words ---------------------------------------------------------------------------------------------------

    def _left(self, one: Waiting) -> str:
        if one.days_left < 0:
            return self.words.title("approval.past")
        return self.words.title("approval.days_left", days=one.days_left)

    def _reason(self, one: Waiting) -> str:
        return reason_word(one.reason, self.words)

    def _by(self, one: Waiting) -> str:
        at = self.words.when(one.entered_at, self._clock.now().astimezone(JST))
        notes = [self.words.title("approval.own_note")] if one.own else []
        notes += [self.words.title("month.unsent")] if one.unsent else []
        return f"{one.entered_by} {at}" + (f" ({'・'.join(notes)})" if notes else "")

    def _show_chosen(self) -> None:
        rows = self.table.chosen()
        chosen, own = len(rows), sum(not self._may_approve(one) for one in rows)
        said = self.words.title("approval.sum", chosen=chosen, count=f"{len(self.table.list.rows):,}")
        if own and self.yes.isVisibleTo(self):
            said += self.words.title("approval.sum_own", own=own)
        self.sum.say(said)
        self.yes.setEnabled(chosen > own)
        self.no.setEnabled(chosen > 0 and bool(self.reason.text().strip()))
        self.take_back.setEnabled(chosen > 0)

    def _may_approve(self, one: Waiting) -> bool:
        return not one.own or self._office.site.self_approval

    def choose_all(self) -> None:
        """Every line; for an approver, those he may approve, where there are any."""
        may = self._may_approve if self.yes.isVisibleTo(self) else None
        self.table.choose_all(may if may and any(map(may, self.table.list.rows)) else None)

    # ---- doing ---------------------------------------------------------------------------------------------------

    def decide(self, approved: bool) -> None:
        """The 元請's word on the chosen entries, all or none; nobody approves his own."""
        ids = [one.entry_id for one in self.table.chosen() if not approved or self._may_approve(one)]
        if ids:
            reason = self.reason.text()
            self._office.decide(ids, approved, reason, self._bridge.reply(lambda o: self._decided(o, approved)))

    def void(self) -> None:
        """Take chosen entries back: they were a mistake."""
        ids = [one.entry_id for one in self.table.chosen()]
        self._office.take_back(ids, self.reason.text(), self._bridge.reply(self._took_back))

    def _decided(self, outcome: Outcome, approved: bool) -> None:
        if self._failed(outcome):
            return
        self.reason.clear()
        code = "approval.done_yes" if approved else "approval.done_no"
        self.told.emit("recorded", self.words.title(code, count=outcome.stored))

    def _took_back(self, outcome: Outcome) -> None:
        if not self._failed(outcome):
            self.told.emit("recorded", self.words.title("approval.done_back", count=outcome.stored))

    def _failed(self, outcome: Outcome) -> bool:
        code = outcome.error or (outcome.problems[0].code if outcome.problems else "")
        if not code:
            return False
        message = self.words.known(code, "office.bug", dict(outcome.problems[0].values) if outcome.problems else {})
        where = ""
        if outcome.problems and outcome.problems[0].day:
            one = outcome.problems[0]
            names = {row.worker_id: row.name for row in self.table.list.rows}
            where = f"{names.get(one.worker_id, one.worker_id)} {self.words.month_day(one.day)}: "
        self.told.emit("bad", f"{where}{message.title} → {message.remedy}" if message.remedy else message.title)
        return True

    def save_csv(self) -> None:
        """The queue as a file."""
        stamp = f"{self._clock.now().astimezone(JST):%Y%m%d-%H%M%S}"
        name = f"{self.words.title('approval.title')}-{stamp}.csv"
        self.told.emit(*save_file(name, self.table.list.csv(), self.words))


def _look(one: Waiting) -> Look | None:
    return Look.BAD if one.days_left < 0 else Look.CHECK if one.days_left <= AMBER_DAYS else None
