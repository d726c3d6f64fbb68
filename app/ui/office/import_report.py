"""What became of a file, and in so many words whether the reader's memory may be cleared."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.office.import_port import Proposal, Report
from app.office.shapes import Right, SignedIn
from app.ui.office.import_numbers import PROPOSALS, NumbersBoard
from app.ui.office.import_words import grouped, reason, remedy, sentence
from app.ui.office.style import button
from app.ui.pads import Plate
from app.ui.shapes import Shape
from app.ui.text import BOLD, Text
from app.ui.theme import INK, SKINS, Look, Theme
from app.ui.words import Words


class Verdict(Plate):
    """消去してよい / まだ消去しないでください: colour, shape and words, to be read from the other desk."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__(theme)
        self._words = words
        px = theme.px
        self.shape = Shape(theme, 80)
        self.word = Text(theme, 44, weight=BOLD)
        self.why = Text(theme, 18, ink=INK, lines=2)
        self.kept = Text(theme, 15, ink=INK, lines=3)
        lines, row = QVBoxLayout(), QHBoxLayout(self)
        lines.setSpacing(px(2))
        lines.addWidget(self.word)
        lines.addWidget(self.why)
        lines.addWidget(self.kept)
        row.setContentsMargins(px(24), px(12), px(24), px(12))
        row.setSpacing(px(24))
        row.addWidget(self.shape)
        row.addLayout(lines, 1)

    def show_report(self, report: Report) -> None:
        """Another report."""
        words = self._words
        look = Look.RECORDED if report.may_clear else Look.BAD if report.error else Look.CHECK
        self.shape.show_look(look)
        self.fill, self.line = SKINS[look].paper, SKINS[look].strong
        self.word.paint_with(SKINS[look].strong)
        self.word.say(words.title("wizard.may_clear" if report.may_clear else "wizard.keep"))
        if report.cancelled:
            why = words.title("wizard.cancelled")
        elif report.error is not None:
            why = sentence(words, report.error)
        else:
            # the sentence says the same words again, for where it stands alone
            verdict = grouped(report.verdict)
            said = reason(words, verdict).partition(": ")[2] or reason(words, verdict)
            why = f"{said}\n{remedy(words, verdict)}".strip()
        self.why.say(why)
        kept = [words.title(code, count=f"{count:,}") for code, count in report.kept] if report.may_clear else []
        self.kept.setVisible(bool(kept))
        self.kept.say("\n".join(kept))
        self.setAccessibleName(f"{self.word.text()} {self.why.text()} {self.kept.text()}".strip())
        self.update()


class ReportStep(QWidget):
    """See the module."""

    cards_wanted = Signal()
    confirm_wanted = Signal(list)
    mended_wanted = Signal(str)
    """The file of bad rows is to be imported."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._words = words
        px = theme.px
        self._person: SignedIn | None = None
        self._confirmed = False
        self.report: Report | None = None
        self.verdict = Verdict(theme, words)
        self.board = NumbersBoard(theme, words)
        self.bad = Text(theme, 15, ink=INK, lines=2)
        self.open = button(words.title("wizard.open_bad"))
        self.again = button(words.title("wizard.import_bad"))
        self.cards = button("", "primary")
        self.confirm = button("", "primary")
        line = QHBoxLayout()
        line.setSpacing(px(8))
        line.addWidget(self.bad, 1)
        for widget in (self.open, self.again, self.cards, self.confirm):
            line.addWidget(widget)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(px(10))
        box.addWidget(self.verdict)
        box.addLayout(line)
        box.addWidget(self.board, 1)
        self.open.clicked.connect(lambda _=False: self._open())
        self.again.clicked.connect(lambda _=False: self._again())
        self.cards.clicked.connect(lambda _=False: self.cards_wanted.emit())
        self.confirm.clicked.connect(lambda _=False: self._confirm())

    def sit_down(self, person: SignedIn | None) -> None:
        """Who sees it."""
        self._person = person
        if self.report is not None:
            self._show_deeds(self.report)

    def show_report(self, report: Report) -> None:
        """Another report."""
        self.report, self._confirmed = report, False
        plan, stored = report.plan, report.error is None and not report.cancelled
        self.verdict.show_report(report)
        self.board.setVisible(stored)
        if stored:
            self.board.show_plan(plan, stored=True, written=bool(report.bad_file))
        self._show_deeds(report)

    def _show_deeds(self, report: Report) -> None:
        """What can be done now, by who sits here."""
        say, plan = self._words.title, report.plan
        stored = report.error is None and not report.cancelled
        person = self._person
        rights, withheld = (person.rights, person.withheld) if person else (frozenset(), frozenset())
        said = say("wizard.bad_file", count=f"{plan.bad:,}", where=_short(report.bad_file)) if report.bad_file else ""
        if stored and plan.proposals and Right.CORRECT in withheld:
            said = f"{said}\n{say('wizard.gate_confirm')}".strip()
        self.bad.say(said)
        self.open.setVisible(bool(report.bad_file))
        self.again.setVisible(bool(report.bad_file))
        self.cards.setVisible(stored and plan.unknown_card > 0)
        self.cards.setText(say("wizard.bind_now"))
        wanted = stored and bool(plan.proposals) and not self._confirmed
        self.confirm.setVisible(wanted and Right.CORRECT in rights)
        self.confirm.setText(say("wizard.confirm", count=len(plan.proposals)))

    def confirmed(self, count: int) -> None:
        """The proposals are stored."""
        self._confirmed = True
        self.confirm.hide()

    def _confirm(self) -> None:
        if self.report is not None:
            self.board.choose(PROPOSALS)
            proposals: list[Proposal] = list(self.report.plan.proposals)
            self.confirm_wanted.emit(proposals)

    def _again(self) -> None:
        if self.report is not None:
            self.mended_wanted.emit(self.report.bad_file)

    def _open(self) -> None:
        if self.report is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self.report.bad_file).parent)))


def _short(file: str) -> str:
    """A path as its owner knows it: from his own folder on."""
    path = Path(file)
    return str(path.relative_to(Path.home())) if path.is_relative_to(Path.home()) else file
