"""これまでの取込: every file that added something, and taking one back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLineEdit, QVBoxLayout

from app.clock import Clock
from app.domain.events import JST
from app.office.import_port import BatchEntry, FormatEntry, Imported, ImportNews, ImportPort, ImportTrouble, Progress
from app.office.shapes import Outcome, Right, SignedIn
from app.ui.bridge import Bridge
from app.ui.office.import_files import label
from app.ui.office.import_words import date, moment, no_right, pace, sentence
from app.ui.office.list_table import Column, ListTable
from app.ui.office.page import OfficePage
from app.ui.office.saving import save_file
from app.ui.office.style import button
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, Look, Theme
from app.ui.words import Words


def _look(one: BatchEntry) -> Look | None:
    return Look.BAD if one.taken_back_at else Look.CHECK if one.unsent else None


class BatchesPage(OfficePage):
    """See the module."""

    back = Signal()

    def __init__(self, theme: Theme, words: Words, port: ImportPort, bridge: Bridge, clock: Clock) -> None:
        super().__init__(theme, words)
        self._port, self._bridge, self._clock = port, bridge, clock
        say = words.title
        self._formats: dict[str, FormatEntry] = {}
        self._busy = False
        self.title = Text(theme, 28, say("batches.title"), weight=BOLD)
        self.back_button = button(f"‹ {say('office.page_import')}")
        self.csv = button("CSV")
        self.hint = Text(theme, 15, say("batches.hint"), ink=INK_2, lines=2)
        self.table: ListTable[BatchEntry] = ListTable(theme, self._columns(), say("batches.title"))
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.detail = Text(theme, 15, ink=INK_2, lines=2)
        self.sum = Text(theme, 15, ink=INK_2, lines=2)
        self.reason = QLineEdit()
        self.reason.setMaxLength(200)
        self.reason.setPlaceholderText(say("batches.reason"))
        self.reason.setAccessibleName(say("batches.reason"))
        self.take_back = button(say("batches.take_back"))
        self.cancel = button(say("wizard.cancel"))
        self._lay_out()
        self._port.listen(bridge.reply(self.take_import))
        self.back_button.clicked.connect(lambda _=False: self.back.emit())
        self.csv.clicked.connect(lambda _=False: self.save_csv())
        self.take_back.clicked.connect(lambda _=False: self.take_batch_back())
        self.reason.returnPressed.connect(self.take_batch_back)
        self.cancel.clicked.connect(lambda _=False: self._port.cancel())
        self.table.chosen_changed.connect(self._show_chosen)
        self.reason.textChanged.connect(lambda _="": self._show_chosen())

    def _columns(self) -> Sequence[Column[BatchEntry]]:
        say, words = self.words.title, self.words
        return (
            Column(say("batches.number"), lambda b: str(b.batch), 80, right=True, order=lambda b: b.batch),
            Column(say("batches.at"), lambda b: moment(words, b.at), 170, order=lambda b: b.at),
            Column(say("batches.file"), lambda b: b.file, 190),
            Column(say("batches.span"), self._span, 190, order=lambda b: b.first_at or b.at),
            Column(say("wizard.device"), lambda b: b.device, 120),
            Column(say("wizard.format"), lambda b: label(self._formats.get(b.format), words, b.format), 140),
            Column(say("batches.rows"), lambda b: f"{b.rows:,}", 80, right=True, order=lambda b: b.rows),
            Column(say("batches.events"), lambda b: f"{b.events:,}", 80, right=True, order=lambda b: b.events),
            Column(say("backfill.note"), self._state, 0, look=_look),
        )

    def _span(self, one: BatchEntry) -> str:
        if one.first_at is None or one.last_at is None:
            return ""
        first, last = date(self.words, one.first_at), date(self.words, one.last_at)
        if first == last:
            return first
        return f"{first} – {last.removeprefix(first[:5])}"  # the year once, where it is the same

    def _detail(self, one: BatchEntry) -> str:
        """What is known of a batch, in a sentence."""
        say = self.words.title
        if not one.file:
            return say("batches.old")
        counts = " · ".join(say(f"batches.count_{name}", count=f"{n:,}") for name, n in one.counts.items() if n)
        return say("batches.detail", file=one.file, span=self._span(one), counts=counts)

    def _state(self, one: BatchEntry) -> str:
        if one.taken_back_at is None:
            if one.unsent:
                return self.words.title("batches.unsent", count=f"{one.unsent:,}")
            return self.words.title("batches.sent")
        at = moment(self.words, one.taken_back_at)
        return self.words.title("batches.taken_back", at=at, by=one.taken_back_by, reason=one.reason)

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        said = QVBoxLayout()
        said.setSpacing(0)
        said.addWidget(self.detail)
        said.addWidget(self.sum)
        foot.addLayout(said, 2)
        for widget in (self.reason, self.take_back, self.cancel):
            foot.addWidget(widget, 1 if widget is self.reason else 0)
        self.lay_out([self.title, self.back_button], [self.csv], [self.hint, self.table], foot)
        self.cancel.hide()

    # ---- coming and going -----------------------------------------------------------------------------------------

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        may = person is not None and Right.CARDS in person.rights
        self.reason.setVisible(may)
        self.take_back.setVisible(may)
        self.hint.say(self.words.title("batches.hint") if may else no_right(self.words, person))

    def enter(self) -> None:
        self.keys.emit(self.words.title("batches.keys"))
        self._port.formats(self._bridge.reply(self._took_formats))
        self._ask()
        self.table.setFocus()

    def _took_formats(self, formats: Sequence[FormatEntry]) -> None:
        self._formats = {entry.name: entry for entry in formats}
        self.table.viewport().update()

    def _ask(self) -> None:
        if not self._busy:
            self.sum.say(self.words.title("backfill.looking"))
        self._port.batches(self._bridge.reply(self._took))

    def _took(self, batches: Sequence[BatchEntry]) -> None:
        self.table.show_rows(batches, lambda one: one.batch)
        self._show_chosen()

    def take_import(self, news: ImportNews) -> None:
        """From the importer, on the GUI thread."""
        if isinstance(news, Progress) and self._busy:
            self.sum.say(f"{self.words.title('wizard.doing_take_back')}  {pace(self.words, news)}")
        elif isinstance(news, Imported) and self.isVisible():
            self._ask()
        elif isinstance(news, ImportTrouble) and self.isVisible():
            self.told.emit("bad", sentence(self.words, news.said))

    # ---- taking back ----------------------------------------------------------------------------------------------

    def _show_chosen(self) -> None:
        rows = self.table.chosen()
        chosen = [one for one in rows if one.taken_back_at is None]
        self.detail.say(self._detail(rows[0]) if rows else "")
        self.take_back.setEnabled(bool(chosen) and bool(self.reason.text().strip()) and not self._busy)
        if self._busy:
            return
        say = self.words.title
        if not self.table.list.rows:
            self.sum.say(say("batches.none"))
        elif chosen:
            one = chosen[0]
            self.sum.say(say("batches.chosen", batch=one.batch, count=f"{one.events:,}", file=one.file or one.device))
        else:
            self.sum.say(say("batches.choose"))

    def take_batch_back(self) -> None:
        """Void what the chosen batch has added; the reason stands beside the button."""
        chosen = [one for one in self.table.chosen() if one.taken_back_at is None]
        if not (chosen and self.take_back.isEnabled()):
            return
        self._set_busy(True)
        self._port.take_back(chosen[0].batch, self.reason.text().strip(), self._bridge.reply(self._took_back))

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.cancel.setVisible(busy)
        self._show_chosen()

    def _took_back(self, outcome: Outcome) -> None:
        self._set_busy(False)
        code = outcome.error or (outcome.problems[0].code if outcome.problems else "")
        if code:
            message = self.words.known(code, "office.bug")
            self.told.emit("bad", f"{message.title} → {message.remedy}" if message.remedy else message.title)
            return
        self.reason.clear()
        self.told.emit("recorded", self.words.title("batches.done", count=f"{outcome.stored:,}"))
        self._ask()

    def save_csv(self) -> None:
        """The list as a file."""
        stamp = f"{self._clock.now().astimezone(JST):%Y%m%d-%H%M%S}"
        self.told.emit(
            *save_file(f"{self.words.title('batches.title')}-{stamp}.csv", self.table.list.csv(), self.words)
        )
