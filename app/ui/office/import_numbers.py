"""What an import does, in numbers that add up; each number opens its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.office.import_port import Plan, PreviewRow
from app.ui.office import import_words
from app.ui.office.import_words import bad_kind, moment, reason, remedy, sentence
from app.ui.office.list_table import Column, ListTable
from app.ui.office.style import button
from app.ui.text import BOLD, Text
from app.ui.theme import INK, INK_2, SKINS, Look, Theme
from app.ui.words import Words

READ = ("new", "known", "bad")
NEW = ("recorded", "recorded_check", "unknown_card", "suppressed", "refused")
BAD = (import_words.UNREADABLE, import_words.FUTURE, import_words.OUTSIDE)
PROPOSALS = "proposals"
_READ, _TEXT = (1, 2, 3), (4,)
"""Columns of rows that were read, and of those that could not be."""


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A row behind a number."""

    line: int = 0
    """0: it is no line of the file."""
    at: str = ""
    card: str = ""
    name: str = ""
    text: str = ""
    """As it stands in the file."""
    said: str = ""
    todo: str = ""
    look: Look | None = None


class NumbersBoard(QWidget):
    """Three sums and the rows of the number that is chosen. `number_chosen`: its name."""

    number_chosen = Signal(str)

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        self.plan = Plan()
        self.chosen = self._about = ""
        self._done: set[str] = set()
        self.buttons: dict[str, QPushButton] = {}
        self._group = QButtonGroup(self)
        self._signs: list[Text] = []
        say = words.title
        self.head = Text(theme, 18, ink=INK, weight=BOLD)
        self.read = Text(theme, 18, ink=INK, weight=BOLD)
        self.table: ListTable[NumberRow] = ListTable(theme, self._columns(), say("wizard.rows"))
        self.note = Text(theme, 15, ink=INK_2, lines=2)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.px(8))
        grid.setVerticalSpacing(theme.px(6))
        self.new_sum = Text(theme, 15, ink=INK_2)
        self.bad_sum = Text(theme, 15, ink=INK_2)
        for row, (title, names) in enumerate(((self.read, READ), (self.new_sum, NEW), (self.bad_sum, BAD))):
            grid.addWidget(title, row, 0)
            grid.addLayout(self._sum(names), row, 1)
        grid.setColumnStretch(1, 1)
        self._bad_row = (self.bad_sum, *(self.buttons[name] for name in BAD), *self._signs[-len(BAD) :])
        self._add(PROPOSALS)
        proposals = QHBoxLayout()
        proposals.addWidget(self.buttons[PROPOSALS])
        proposals.addStretch(1)
        grid.addLayout(proposals, 3, 1)
        self.table.chosen_changed.connect(self._show_row)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme.px(8))
        box.addWidget(self.head)
        box.addLayout(grid)
        box.addWidget(self.note)
        box.addWidget(self.table, 1)

    def _sum(self, names: Sequence[str]) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(self._theme.px(8))
        for number, name in enumerate(names):
            sign = Text(self._theme, 18, "+" if number else "=", ink=INK_2)
            self._signs.append(sign)
            line.addWidget(sign)
            line.addWidget(self._add(name))
        line.addStretch(1)
        return line

    def _add(self, name: str) -> QPushButton:
        made = button("", "chip", checkable=True)
        self._group.addButton(made)
        self.buttons[name] = made
        made.clicked.connect(lambda _=False: self.choose(name))
        return made

    def _columns(self) -> Sequence[Column[NumberRow]]:
        say = self._words.title
        return (
            Column(say("wizard.line"), lambda r: str(r.line or ""), 70, right=True, order=lambda r: r.line),
            Column(say("wizard.at"), lambda r: r.at, 180),
            Column(say("wizard.card"), lambda r: r.card, 190),
            Column(say("month.name"), lambda r: r.name, 170),
            Column(say("wizard.text"), lambda r: r.text, 330),
            Column(say("wizard.why"), lambda r: r.said, 290, look=lambda r: r.look),
            Column(say("wizard.todo"), lambda r: r.todo, 0),
        )

    # ---- a plan ---------------------------------------------------------------------------------------------------

    def show_plan(self, plan: Plan, *, stored: bool = False, written: bool = False) -> None:
        """Other numbers; the first one that asks for a look is opened.

        `stored`: it is done already; `written`: and its bad rows are in a file.
        """
        self.plan = plan
        self._done = {*(("new",) if stored else ()), *(("bad", import_words.UNREADABLE) if written else ())}
        say, words = self._words.title, self._words
        self.head.say(
            say(
                "wizard.span_of_file",
                device=plan.device,
                first=moment(words, plan.first_at)[:10],
                last=moment(words, plan.last_at)[:10],
            )
            if plan.first_at is not None
            else say("wizard.nothing_in_file")
        )
        self.read.say(say("wizard.read", count=f"{plan.read:,}"))
        self.new_sum.say(say("wizard.of_new"))
        self.bad_sum.say(say("wizard.of_bad"))
        for name, made in self.buttons.items():
            count = len(plan.proposals) if name == PROPOSALS else int(getattr(plan, name))
            made.setText(f"{say(f'wizard.number_{name}')}  {count:,}")
            made.setEnabled(count > 0)
        for widget in self._bad_row:
            widget.setVisible(plan.bad > 0)
        self.buttons[PROPOSALS].setVisible(bool(plan.proposals))
        first = next((name for name in (*BAD, "unknown_card", "refused", *READ) if self.buttons[name].isEnabled()), "")
        self.choose(first)

    def choose(self, name: str) -> None:
        """Open a number's rows; '' for none."""
        self.chosen = name
        if name:
            self.buttons[name].setChecked(True)
        rows, self._about = self._rows(name)
        self.table.list.show(rows)
        as_text = any(row.text for row in rows)
        for column in _TEXT:
            self.table.setColumnHidden(column, not as_text)
        for column in _READ:
            self.table.setColumnHidden(column, as_text)
        tall = any(row.todo for row in rows)  # what to do is a sentence or two
        self.table.setWordWrap(tall)
        self.table.verticalHeader().setDefaultSectionSize(self._theme.px(54 if tall else 34))
        self.note.paint_with(SKINS[Look.CHECK].strong if name in (*BAD, "bad", "unknown_card", "refused") else INK_2)
        self.note.say(self._about)
        self.number_chosen.emit(name)

    def _show_row(self) -> None:
        """What a chosen row's cells are too narrow for."""
        row = next(iter(self.table.chosen()), None)
        self.note.say(f"{row.said} → {row.todo}" if row is not None and row.todo else self._about)

    def _rows(self, name: str) -> tuple[list[NumberRow], str]:
        say, plan = self._words.title, self.plan
        if not name:
            return [], ""
        count = len(plan.proposals) if name == PROPOSALS else int(getattr(plan, name))
        note = say(f"wizard.done_{name}" if name in self._done else f"wizard.about_{name}")
        if name == PROPOSALS:
            return self._proposals(), note
        if name in (*BAD, "bad"):
            rows = self._bad(name)
        else:
            rows = [self._sample(row, kind) for kind in (NEW if name == "new" else (name,)) for row in _of(plan, kind)]
            rows.sort(key=lambda row: row.line)
        if name == "refused" and not rows:
            rows = [NumberRow(said=f"{say(f'reason.{code}')}: {n:,}") for code, n in plan.refusals.items()]
        elif len(rows) < count:
            note += say("wizard.only_first", count=len(rows))
        return rows, note

    def _bad(self, name: str) -> list[NumberRow]:
        words = self._words
        return [
            NumberRow(one.line, text=one.text, said=reason(words, one.problem), todo=remedy(words, one.problem),
                      look=Look.BAD)
            for one in self.plan.bad_rows
            if name == "bad" or bad_kind(one) == name
        ]  # fmt: skip

    def _sample(self, row: PreviewRow, kind: str) -> NumberRow:
        words = self._words
        said = reason(words, row.problem) if row.problem else words.title(f"wizard.number_{kind}")
        todo = remedy(words, row.problem) if row.problem else ""
        look = _LOOKS.get(kind)
        return NumberRow(row.line, moment(words, row.at), row.card, row.name or row.worker_id, "", said, todo, look)

    def _proposals(self) -> list[NumberRow]:
        return [
            NumberRow(
                at=one.day.replace("-", "/"),
                card=one.worker_id,
                name=one.name,
                said="・".join(part for part in (one.company, one.occupation, one.role) if part),
            )
            for one in self.plan.proposals
        ]


_LOOKS = {
    "recorded": Look.RECORDED,
    "recorded_check": Look.CHECK,
    "unknown_card": Look.UNKNOWN,
    "suppressed": Look.ALREADY,
    "known": Look.ALREADY,
    "refused": Look.BAD,
}


def _of(plan: Plan, kind: str) -> Sequence[PreviewRow]:
    return plan.samples.get(kind, ())


class PlanStep(QWidget):
    """The numbers before anything is stored."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._words = words
        self.board = NumbersBoard(theme, words)
        self.trouble = Text(theme, 18, ink=SKINS[Look.BAD].strong, lines=3)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.trouble)
        box.addWidget(self.board, 1)

    def show_plan(self, plan: Plan) -> None:
        """What importing would do, or why it cannot."""
        self.trouble.setVisible(plan.error is not None)
        self.board.setVisible(plan.error is None)
        if plan.error is not None:
            self.trouble.say(sentence(self._words, plan.error))
        else:
            self.board.show_plan(plan)
