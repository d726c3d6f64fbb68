"""出面: the month of a site, filled in like a spreadsheet.

Marks come by handfuls, those on the screen first. What is typed is a draft until it is saved; saving stores all or
nothing, and says of each draft that cannot be stored why.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QVBoxLayout

from app.clock import Clock
from app.domain.events import JST
from app.office.port import Changed, Counted, OfficeNews, OfficePort, Trouble
from app.office.shapes import Outcome, Right, SignedIn
from app.office.tables import csv_bytes, tab_text
from app.ui.bridge import Bridge
from app.ui.office import month_text
from app.ui.office.cell_panel import CellPanel
from app.ui.office.marks import LEGEND
from app.ui.office.month_bar import MonthBar
from app.ui.office.month_loader import MonthLoader
from app.ui.office.month_model import MonthModel, Place
from app.ui.office.month_paint import Legend
from app.ui.office.month_table import MonthTable
from app.ui.office.page import OfficePage
from app.ui.office.printing import Printer
from app.ui.office.saving import save_file
from app.ui.office.sum_line import SumLine
from app.ui.office.typing import MonthTyping
from app.ui.text import Text
from app.ui.theme import SKINS, Look, Theme
from app.ui.words import Words

WHOLE_EVERY_S = 15
"""News from the centre make the whole month be read again no more often than this."""


class MonthPage(OfficePage):
    """See the module."""

    open_page = Signal(str)
    """Another page of the month is wanted: 'approval', 'heads', 'backfill'."""

    def __init__(self, theme: Theme, words: Words, office: OfficePort, bridge: Bridge, clock: Clock) -> None:
        super().__init__(theme, words)
        self._office, self._bridge, self._clock = office, bridge, clock
        self._today = f"{clock.now().astimezone(JST):%Y-%m-%d}"
        self.month = self._today[:7]
        self._go_to: Place | None = None
        """Where to go when the month that was asked for has come."""
        self.model = MonthModel(words)
        self.table = MonthTable(theme, words, self.model, self._today)
        self.loader = MonthLoader(office, bridge, self.model, self.table)
        self.bar = MonthBar(theme, words)
        self.panel = CellPanel(theme, words)
        self.typing = MonthTyping(office, bridge, self.model, self.table, self.panel, self._tell_error)
        self.printer = Printer(words, bridge, lambda told: self.told.emit(*told))
        self.sums = SumLine(theme, words, self.model, self.table)
        self.legend = Legend(theme, words, LEGEND)
        self.note = Text(theme, 15, words.title("month.gate_station"), ink=SKINS[Look.CHECK].strong, lines=2)
        box = QVBoxLayout(self)
        box.setContentsMargins(theme.px(24), theme.px(12), theme.px(24), theme.px(8))
        box.setSpacing(theme.px(8))
        box.addWidget(self.bar)
        box.addWidget(self.table, 1)
        box.addWidget(self.sums)
        box.addWidget(self.legend)
        box.addWidget(self.note)
        box.addWidget(self.panel)
        self._last_whole = 0.0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(lambda: self._ask_month(keep=True))
        self._connect()

    def _connect(self) -> None:
        bar, table, panel = self.bar, self.table, self.panel
        bar.month_wanted.connect(self.show_month)
        bar.filtered.connect(self._filter)
        bar.approvals.connect(lambda: self.open_page.emit("approval"))
        bar.heads.connect(lambda: self.open_page.emit("heads"))
        bar.backfill.connect(lambda: self.open_page.emit("backfill"))
        bar.list_wanted.connect(lambda: self.open_page.emit("candidates"))
        bar.print_wanted.connect(self.print_sheet)
        bar.sheet_typed.connect(self._type_sheet)
        bar.copy_wanted.connect(self.copy_all)
        bar.csv_wanted.connect(self.save_csv)
        table.enter_wanted.connect(self.typing.accept)
        table.delete_wanted.connect(self.typing.refuse)
        table.time_typed.connect(panel.type_time)
        table.reason_wanted.connect(panel.reason.setFocus)
        table.undo_wanted.connect(self.typing.undo)
        table.moved.connect(self._show_cell)
        self.loader.month_came.connect(self._took_month)
        self.loader.marks_came.connect(self._took_marks)
        self.loader.candidates_came.connect(self._took_candidates)
        self.loader.searching.connect(lambda share: self.bar.show_candidates(None, share))
        panel.accept.connect(self.typing.accept_fields)
        self.typing.changed.connect(self._drafted)
        panel.refuse.connect(lambda: self.typing.refuse(table.chosen()))
        panel.save.connect(self.save)
        panel.back.connect(table.setFocus)
        keys: tuple[tuple[str, object], ...] = (
            ("Ctrl+D", self.typing.copy_down),
            ("Ctrl+R", self.typing.fill_right),
            ("Ctrl+S", self.save),
            ("Ctrl+Z", self.typing.undo),
            ("F3", self.next_candidate),
        )
        for name, deed in keys:
            shortcut = QShortcut(QKeySequence(name), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(deed)
        copy = QShortcut(QKeySequence.StandardKey.Copy, table)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self.copy_chosen)

    # ---- coming and going ----------------------------------------------------------------------------------------

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        self.typing.may_enter = person is not None and Right.ENTER in person.rights
        self.panel.setVisible(self.typing.may_enter)
        self.bar.sheet.setEnabled(self.typing.may_enter)
        self.note.setVisible(person is not None and Right.ENTER in person.withheld)

    def enter(self) -> None:
        self.keys.emit(self.words.title("month.keys"))
        self.show_month(self.month)
        self.table.setFocus()

    def may_leave(self) -> bool:
        """Drafts stay where they are: leaving loses nothing."""
        return True

    def take(self, news: OfficeNews) -> None:
        if isinstance(news, Changed) and news.month == self.month:
            self._ask_month(keep=True)
        elif isinstance(news, Changed) and not news.month:
            # in the rush every touch brings such news: the screen at once, all of a large site only now and then
            self.loader.look_again()
            if not self._soon.isActive():
                left = self._last_whole + WHOLE_EVERY_S - self._clock.monotonic()
                self._soon.start(max(300, round(left * 1000)))
        elif isinstance(news, Counted):
            self._office.deadlines(self._bridge.reply(self.bar.show_deadlines))
        elif isinstance(news, Trouble):
            self.loader.gave_up()

    def show_month(self, month: str) -> None:
        """Another month, asked anew."""
        self.month = month
        self.bar.show_month(month)
        self._ask_month(keep=False)

    def _ask_month(self, *, keep: bool) -> None:
        self._soon.stop()
        self._today = f"{self._clock.now().astimezone(JST):%Y-%m-%d}"
        self._last_whole = self._clock.monotonic()
        self.loader.ask(self.month, keep=keep)
        self._office.deadlines(self._bridge.reply(self.bar.show_deadlines))
        self._office.waiting(self._bridge.reply(lambda waiting: self.bar.show_waiting(len(waiting))))

    def _took_month(self) -> None:
        month = self.model.month
        self.bar.show_companies([(group.company_id, group.company) for group in month.groups] if month else [])
        begun = [day.day for day in month.days if not day.future] if month else []
        running = bool(month) and (len(begun) < len(self.model.days) or begun[-1:] == [self._today])
        self.table.painter.today = begun[-1] if begun and running else ""
        self._filter()
        if self._go_to is not None:
            self.table.go_to(self._go_to)
            self._go_to = None

    def _took_marks(self) -> None:
        self.bar.show_looks(len(self._workers_to_look_at()))

    def _took_candidates(self) -> None:
        self.bar.show_candidates(len(self.model.candidates))
        self._office.deadlines(self._bridge.reply(self.bar.show_deadlines))
        self._took_marks()
        self._filter()

    def _workers_to_look_at(self) -> set[str]:
        return {
            worker
            for worker, marks in self.model.marks.items()
            if any((mark.counts and mark.missing) or mark.kind.value == "not_taken" for mark in marks.values())
        }

    # ---- filters -------------------------------------------------------------------------------------------------

    def _filter(self) -> None:
        wanted = self.bar.filter
        month = self.model.month
        if month is None:
            return
        if not wanted.any:
            self.model.only(None)
            return
        ids = set()
        candidates = {worker for worker, _ in self.model.candidates}
        looks = self._workers_to_look_at() if wanted.looks else set()
        for group in month.groups:
            for row in group.rows:
                fits = wanted.company in (None, group.company_id) and wanted.fits_name(row.name, row.kana)
                fits = fits and (not wanted.candidates or row.worker_id in candidates)
                if fits and (not wanted.looks or row.worker_id in looks):
                    ids.add(row.worker_id)
        self.model.only(ids)

    # ---- typing --------------------------------------------------------------------------------------------------

    def _show_cell(self) -> None:
        index = self.table.currentIndex()
        self.panel.show_cell(self.model, self.model.row_at(index), self.model.cell(index), len(self.table.chosen()))

    def _type_sheet(self, text: str) -> None:
        found = self.typing.type_sheet(text, self.bar.filter.company)
        if isinstance(found, str):
            self.told.emit("bad", self.words.title("sheet.wrong", what=found))
            return
        self.told.emit("", self.words.title("sheet.typed", name=found[0], count=found[1]))
        self.bar.sheet.clear()

    def print_sheet(self) -> None:
        """The chosen company's sheet (all of them when none is chosen) as a PDF."""
        month, company = self.model.month, self.bar.filter.company
        if month is None:
            return
        groups = [group for group in month.groups if company in (None, group.company_id)]
        if any(row.worker_id not in self.model.marks for group in groups for row in group.rows):
            self.told.emit("check", self.words.title("sheet.loading"))
            return
        self.printer.print(month, groups, self.model.marks, self._office.site.name)

    def _drafted(self) -> None:
        self.panel.show_count(len(self.typing.drafts))
        self._show_cell()

    def next_candidate(self) -> None:
        """The next likely missed day, in the order of the table, round to the first."""
        found = [self.model.find(place) for place in self.model.candidates]
        shown = sorted((index.row(), index.column()) for index in found if index.isValid())
        if shown:
            here = (self.table.currentIndex().row(), self.table.currentIndex().column())
            after = [one for one in shown if one > here]
            self.table.show_index(self.model.index(*(after or shown)[0]))

    # ---- saving and copying --------------------------------------------------------------------------------------

    def save(self) -> None:
        """Store what is typed, all or nothing."""
        if len(self.typing.drafts):
            self._office.enter(list(self.typing.drafts.state().values()), self._bridge.reply(self._saved))

    def _saved(self, outcome: Outcome) -> None:
        if outcome.problems:
            first = outcome.problems[0]
            name = self._show_problem((first.worker_id, first.day))
            message = self.words.known(first.code, "office.bug", dict(first.values))
            where = f"{name} {self.words.month_day(first.day)}"
            sentence = self.words.title("month.not_saved", where=where, why=message.title, what=message.remedy)
            self.told.emit("bad", sentence)
        elif outcome.error:
            self._tell_error(outcome)
        else:
            self.typing.saved()
            self._ask_month(keep=True)
            self.told.emit("recorded", self.words.title("month.saved", count=outcome.stored))

    def _show_problem(self, place: Place) -> str:
        """Go to a draft that cannot be stored, wherever it is; the worker's name. One whose worker has left the sheet
        is taken out: nobody could reach it any more, and it would keep all others from being stored."""
        if place[1][:7] != self.month:
            self._go_to = place
            self.show_month(place[1][:7])
            return ""
        names = (
            {row.worker_id: row.name for group in self.model.month.groups for row in group.rows}
            if self.model.month
            else {}
        )
        if place[0] not in names:
            self.typing.refuse([place])
            return place[0]
        if not self.model.find(place).isValid():
            self.bar.show_all()
        self.table.go_to(place)
        return names[place[0]]

    def _tell_error(self, outcome: Outcome) -> None:
        if outcome.error:
            message = self.words.known(outcome.error, "office.bug")
            self.told.emit("bad", f"{message.title} → {message.remedy}")

    def copy_chosen(self) -> None:
        """The chosen cells to the clipboard."""
        if rows := month_text.chosen(self.table, self.model):
            QApplication.clipboard().setText(tab_text(rows))

    def copy_all(self) -> None:
        """The whole table to the clipboard, with its head."""
        QApplication.clipboard().setText(tab_text(month_text.whole(self.model, self.words)))
        self.told.emit("recorded", self.words.title("month.copied"))

    def save_csv(self) -> None:
        """The whole table as a file in the person's documents."""
        stamp = f"{self._clock.now().astimezone(JST):%Y%m%d-%H%M%S}"
        name = f"{self.words.title('office.page_month')}-{self.month}-{stamp}.csv"
        head, *lines = month_text.whole(self.model, self.words)
        self.told.emit(*save_file(name, csv_bytes(head, lines), self.words))
