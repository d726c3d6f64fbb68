"""取込: a device's file, from the drop to the word whether the device may be cleared."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from app.clock import Clock
from app.office.import_port import Imported, ImportNews, ImportPort, ImportTrouble, Progress, Proposal, UnknownCard
from app.office.shapes import Outcome, Right, SignedIn
from app.ui.bridge import Bridge
from app.ui.office.import_clock import ClockStep
from app.ui.office.import_files import FilesStep
from app.ui.office.import_flow import ImportFlow, Step
from app.ui.office.import_mapping import MappingStep
from app.ui.office.import_numbers import PlanStep
from app.ui.office.import_progress import ProgressStep
from app.ui.office.import_report import ReportStep
from app.ui.office.import_words import sentence
from app.ui.office.page import OfficePage
from app.ui.office.style import button
from app.ui.text import BOLD, Text
from app.ui.theme import BRAND, INK_2, Theme
from app.ui.words import Words

_STRIP = (Step.FILES, Step.CLOCK, Step.PLAN, Step.REPORT)
"""Steps that the head names; the others belong to the one before them."""
_PLACE = {Step.MAPPING: Step.FILES, Step.PLANNING: Step.CLOCK, Step.STORING: Step.PLAN}


class ImportPage(OfficePage):
    """See the module."""

    open_page = Signal(str)
    """'batches' or 'cards'."""

    def __init__(
        self, theme: Theme, words: Words, port: ImportPort, bridge: Bridge, clock: Clock, site_id: str
    ) -> None:
        super().__init__(theme, words)
        self._port, self._bridge = port, bridge
        say = words.title
        self.flow = ImportFlow(port, bridge, words, clock.now, site_id)
        self.files, self.mapping = FilesStep(theme, words), MappingStep(theme, words)
        self.clock, self.plan = ClockStep(theme, words, clock), PlanStep(theme, words)
        self.progress, self.report = ProgressStep(theme, words), ReportStep(theme, words)
        self.flow.stand_on(self.files, self.mapping, self.clock, self.plan, self.progress, self.report)
        self.title = Text(theme, 28, say("office.page_import"), weight=BOLD)
        self.file = Text(theme, 18, ink=INK_2)
        self.cards = button(say("cards.open", count="…"))
        self.batches = button(say("batches.title"))
        self.strip = QLabel()
        self.strip.setTextFormat(Qt.TextFormat.RichText)
        self.stack = QStackedWidget()
        self.nobody = Text(theme, 22, say("wizard.no_right"), lines=3, align=Qt.AlignmentFlag.AlignHCenter)
        self._steps: dict[Step, QWidget] = {
            Step.FILES: self.files,
            Step.MAPPING: self.mapping,
            Step.CLOCK: self.clock,
            Step.PLANNING: self.progress,
            Step.PLAN: self.plan,
            Step.STORING: self.progress,
            Step.REPORT: self.report,
        }
        for widget in (*dict.fromkeys(self._steps.values()), self.nobody):
            self.stack.addWidget(widget)
        self.back = button("")
        self.next = button("", "primary")
        self.foot = Text(theme, 15, ink=INK_2, lines=2)
        self._lay_out()
        self._connect()
        self._show()

    def _lay_out(self) -> None:
        px = self.theme.px
        head, foot, box = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        head.setSpacing(px(12))
        head.addWidget(self.title)
        head.addWidget(self.file, 1)
        head.addWidget(self.cards)
        head.addWidget(self.batches)
        foot.setSpacing(px(8))
        foot.addWidget(self.back)
        foot.addWidget(self.foot, 1)
        foot.addWidget(self.next)
        box.setContentsMargins(px(24), px(12), px(24), px(12))
        box.setSpacing(px(10))
        box.addLayout(head)
        box.addWidget(self.strip)
        box.addWidget(self.stack, 1)
        box.addLayout(foot)

    def _connect(self) -> None:
        self._port.listen(self._bridge.reply(self.take_import))
        self.flow.moved.connect(self._show)
        self.flow.told.connect(self.told)
        self.files.drop.choose.clicked.connect(lambda _=False: self.choose())
        self.cards.clicked.connect(lambda _=False: self.open_page.emit("cards"))
        self.batches.clicked.connect(lambda _=False: self.open_page.emit("batches"))
        self.back.clicked.connect(lambda _=False: self.flow.back())
        self.next.clicked.connect(lambda _=False: self.go_on())
        self.report.cards_wanted.connect(lambda: self.open_page.emit("cards"))
        self.report.confirm_wanted.connect(self._confirm)
        self.report.mended_wanted.connect(self._mended)
        for keys, deed in (("Ctrl+O", self.choose), ("Ctrl+Return", self.go_on), ("Escape", self.flow.back)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(deed)

    # ---- coming and going -----------------------------------------------------------------------------------------

    @property
    def may(self) -> bool:
        """Whether who sits here may import."""
        return self.person is not None and Right.IMPORT in self.person.rights

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        self.report.sit_down(person)
        self._show()

    def enter(self) -> None:
        self.keys.emit(self.words.title("wizard.keys"))
        if self.may:
            self.flow.ask_formats()
        self._port.unknown_cards(self._bridge.reply(self._took_cards))
        self._show()
        if self.flow.step is Step.FILES:
            self.files.drop.choose.setFocus()

    def take_import(self, news: ImportNews) -> None:
        """From the importer, on the GUI thread."""
        if isinstance(news, Progress):
            self.flow.take_progress(news)
        elif isinstance(news, Imported):
            self._port.unknown_cards(self._bridge.reply(self._took_cards))
        elif isinstance(news, ImportTrouble):
            self.told.emit("bad", sentence(self.words, news.said))

    def _took_cards(self, cards: Sequence[UnknownCard]) -> None:
        self.cards.setText(self.words.title("cards.open", count=f"{len(cards):,}"))

    # ---- steps ----------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        step, say, flow = self.flow.step, self.words.title, self.flow
        self.stack.setCurrentWidget(self._steps[step] if self.may else self.nobody)
        place = _PLACE.get(step, step)
        names = [
            f'<b style="color:{BRAND}">{say(f"wizard.step_{one.value}")}</b>'
            if one is place
            else f'<span style="color:{INK_2}">{say(f"wizard.step_{one.value}")}</span>'
            for one in _STRIP
        ]
        self.strip.setText(f'<span style="color:{INK_2}">&nbsp; › &nbsp;</span>'.join(names))
        self.strip.setVisible(self.may)
        named = flow.wanted is not None and step is not Step.FILES and self.may
        self.file.say(_name(flow.wanted.file) if flow.wanted is not None and named else "")
        self.back.setVisible(self.may and step not in (Step.FILES, Step.PLANNING, Step.STORING))
        self.back.setText(say("wizard.another" if step is Step.REPORT else "wizard.back"))
        labels = {Step.MAPPING: "wizard.save_format", Step.CLOCK: "wizard.look", Step.PLAN: "wizard.store"}
        self.next.setVisible(self.may and step in labels)
        if step in labels:
            count = f"{self.plan.board.plan.new:,}"
            self.next.setText(say(labels[step], count=count))
        self.next.setEnabled(self._ready())
        self.foot.say(say(f"wizard.foot_{step.value}") if self.may else "")

    def _ready(self) -> bool:
        step = self.flow.step
        if step is Step.MAPPING:
            return not self.mapping.missing()
        if step is Step.CLOCK:
            return bool(self.clock.table.list.rows)
        # a file without anything new is imported too: only then its device may be cleared
        return step is Step.PLAN and self.plan.board.isVisibleTo(self.plan)

    def go_on(self) -> None:
        """The step's own button."""
        if not (self.may and self._ready()):
            return
        if self.flow.step is Step.MAPPING:
            self.flow.save_format()
        elif self.flow.step is Step.CLOCK:
            self.flow.plan()
        else:
            self.flow.store()

    def choose(self) -> None:
        """Choose files in the system's own window; nothing waits for it."""
        if not self.may or self.flow.step is not Step.FILES:
            return
        dialog = QFileDialog(self, self.words.title("wizard.choose"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(self.flow.take_files)
        dialog.show()  # beside the window, not before it: a gate behind the rail must stay usable

    # ---- afterwards -----------------------------------------------------------------------------------------------

    def _mended(self, file: str) -> None:
        self.flow.back()
        self.flow.take_files([file])

    def _confirm(self, proposals: Sequence[Proposal]) -> None:
        self._port.confirm(proposals, self._bridge.reply(self._confirmed))

    def _confirmed(self, outcome: Outcome) -> None:
        code = outcome.error or (outcome.problems[0].code if outcome.problems else "")
        if code:
            values = dict(outcome.problems[0].values) if outcome.problems else {}
            message = self.words.known(code, "office.bug", values)
            self.told.emit("bad", f"{message.title} → {message.remedy}")
            return
        self.report.confirmed(outcome.stored)
        self.told.emit("recorded", self.words.title("wizard.confirmed", count=outcome.stored))


def _name(file: str) -> str:
    return file.replace("\\", "/").rsplit("/", 1)[-1]
