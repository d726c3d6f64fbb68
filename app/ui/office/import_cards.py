"""未登録カード: cards that were touched here and belong to nobody, bound to their workers in one go."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout

from app.clock import Clock
from app.domain.events import JST
from app.domain.ids import mask_card_key
from app.office.import_port import BindWanted, FormatEntry, Imported, ImportNews, ImportPort, UnknownCard
from app.office.port import OfficePort
from app.office.shapes import Month, Outcome, Right, Row, SignedIn
from app.ui.bridge import Bridge
from app.ui.office.import_files import label
from app.ui.office.import_words import no_right
from app.ui.office.list_table import Column, ListTable
from app.ui.office.page import OfficePage
from app.ui.office.style import button
from app.ui.office.worker_search import WorkerSearch
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, Look, Theme
from app.ui.words import Words

_HITS = 8


class UnknownCardsPage(OfficePage):
    """See the module."""

    back = Signal()

    def __init__(
        self, theme: Theme, words: Words, port: ImportPort, office: OfficePort, bridge: Bridge, clock: Clock
    ) -> None:
        super().__init__(theme, words)
        self._port, self._office, self._bridge, self._clock = port, office, bridge, clock
        say = words.title
        self.search = WorkerSearch()
        self.bound: dict[str, Row] = {}
        """Card key → worker, chosen and not stored yet."""
        self._may = False
        self._formats: dict[str, FormatEntry] = {}
        self.title = Text(theme, 28, say("cards.title"), weight=BOLD)
        self.back_button = button(f"‹ {say('office.page_import')}")
        self.hint = Text(theme, 15, say("cards.hint"), ink=INK_2, lines=2)
        self.table: ListTable[UnknownCard] = ListTable(theme, self._columns(), say("cards.title"))
        self.who = QLineEdit()
        self.who.setPlaceholderText(say("cards.who"))
        self.who.setAccessibleName(say("cards.who"))
        self.who.installEventFilter(self)
        self.hits = QListWidget()
        self.hits.setAccessibleName(say("cards.hits"))
        self.hits.setFixedHeight(theme.px(128))
        self.sum = Text(theme, 15, ink=INK_2)
        self.undo = button(say("cards.undo"))
        self.bind = button("", "primary")
        self._lay_out()
        self._port.listen(bridge.reply(self.take_import))
        self.back_button.clicked.connect(lambda _=False: self.back.emit())
        self.who.textChanged.connect(lambda _: self._show_hits())
        self.hits.itemClicked.connect(lambda _: self.give())
        self.table.chosen_changed.connect(self._show_chosen)
        self.table.entered.connect(self.who.setFocus)
        self.undo.clicked.connect(lambda _=False: self.take_from())
        self.bind.clicked.connect(lambda _=False: self.store())

    def _columns(self) -> Sequence[Column[UnknownCard]]:
        say = self.words.title
        return (
            Column(say("wizard.card"), self._key, 250),
            Column(say("cards.touches"), lambda c: f"{c.touches:,}", 90, right=True, order=lambda c: c.touches),
            Column(say("cards.first"), lambda c: c.first_day.replace("-", "/"), 140, order=lambda c: c.first_day),
            Column(say("cards.last"), lambda c: c.last_day.replace("-", "/"), 140, order=lambda c: c.last_day),
            Column(say("cards.source"), self._source, 210),
            Column(say("cards.worker"), self._worker, 0, look=lambda c: Look.PENDING),
        )

    def _key(self, card: UnknownCard) -> str:
        return card.card_key if self._may else mask_card_key(card.card_key)

    def _worker(self, card: UnknownCard) -> str:
        worker = self.bound.get(card.card_key)
        return f"{worker.name}  {self.search.company(worker)}" if worker else ""

    def _source(self, card: UnknownCard) -> str:
        if not card.source:
            return self.words.title("office.gate")
        return label(self._formats.get(card.source), self.words, card.source)

    def _lay_out(self) -> None:
        px = self.theme.px
        head, line, foot, box = QHBoxLayout(), QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        head.setSpacing(px(16))
        head.addWidget(self.title)
        head.addWidget(self.back_button)
        head.addStretch(1)
        line.setSpacing(px(8))
        line.addWidget(self.who, 1)
        line.addWidget(self.hits, 2)
        line.setAlignment(self.who, Qt.AlignmentFlag.AlignTop)
        foot.setSpacing(px(8))
        foot.addWidget(self.sum, 1)
        foot.addWidget(self.undo)
        foot.addWidget(self.bind)
        box.setContentsMargins(px(24), px(12), px(24), px(12))
        box.setSpacing(px(8))
        box.addLayout(head)
        box.addWidget(self.hint)
        box.addWidget(self.table, 1)
        box.addLayout(line)
        box.addLayout(foot)

    # ---- coming and going -----------------------------------------------------------------------------------------

    def sit_down(self, person: SignedIn | None) -> None:
        super().sit_down(person)
        self._may = person is not None and Right.CARDS in person.rights
        for widget in (self.who, self.hits, self.undo, self.bind):
            widget.setVisible(self._may)
        self.hint.say(self.words.title("cards.hint") if self._may else no_right(self.words, person))

    def enter(self) -> None:
        self.keys.emit(self.words.title("cards.keys"))
        month = f"{self._clock.now().astimezone(JST):%Y-%m}"
        self._office.month(month, self._bridge.reply(self._took_month))
        self._port.formats(self._bridge.reply(self._took_formats))
        self._ask()

    def _took_month(self, month: Month) -> None:
        self.search.show_month(month)
        self._show_hits()

    def _took_formats(self, formats: Sequence[FormatEntry]) -> None:
        self._formats = {entry.name: entry for entry in formats}
        self.table.viewport().update()

    def _ask(self) -> None:
        self.sum.say(self.words.title("backfill.looking"))
        self._port.unknown_cards(self._bridge.reply(self._took))

    def _took(self, cards: Sequence[UnknownCard]) -> None:
        here = {card.card_key for card in cards}
        self.bound = {key: worker for key, worker in self.bound.items() if key in here}
        self.table.show_rows(cards, lambda card: card.card_key)
        if cards and not self.table.chosen():
            self.table.selectRow(0)
        self._show_chosen()

    def take_import(self, news: ImportNews) -> None:
        """From the importer, on the GUI thread."""
        if isinstance(news, Imported) and self.isVisible():
            self._ask()

    # ---- choosing -------------------------------------------------------------------------------------------------

    def _show_hits(self) -> None:
        self.hits.clear()
        for row in self.search.hits(self.who.text(), _HITS):
            item = QListWidgetItem(f"{row.name}  {row.kana}  {self.search.company(row)}")
            item.setData(Qt.ItemDataRole.UserRole, row)
            self.hits.addItem(item)
        self.hits.setCurrentRow(0)

    def _show_chosen(self) -> None:
        say, chosen = self.words.title, self.table.chosen()
        cards = self.table.list.rows
        self.sum.say(say("cards.sum", count=f"{len(cards):,}", bound=len(self.bound)) if cards else say("cards.none"))
        self.bind.setText(say("cards.bind", count=len(self.bound)))
        self.bind.setEnabled(bool(self.bound))
        self.undo.setEnabled(any(card.card_key in self.bound for card in chosen))
        self.who.setEnabled(bool(chosen))

    def give(self) -> None:
        """The chosen cards are the worker's who is marked in the list; on to the next card without one."""
        item = self.hits.currentItem()
        chosen = self.table.chosen()
        if item is None or not chosen:
            return
        worker: Row = item.data(Qt.ItemDataRole.UserRole)
        for card in chosen:
            self.bound[card.card_key] = worker
        self.who.clear()
        rows = self.table.list.rows
        after = rows.index(chosen[-1]) + 1
        later = (n for n in (*range(after, len(rows)), *range(after)) if rows[n].card_key not in self.bound)
        self.table.selectRow(next(later, after - 1))
        self.table.viewport().update()
        self._show_chosen()

    def take_from(self) -> None:
        """The chosen cards are nobody's again."""
        for card in self.table.chosen():
            self.bound.pop(card.card_key, None)
        self.table.viewport().update()
        self._show_chosen()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down in the field walk through the list below it; Enter takes what is marked there."""
        if watched is self.who and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                row = self.hits.currentRow() + step
                self.hits.setCurrentRow(max(0, min(self.hits.count() - 1, row)))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.give()
                return True
        return super().eventFilter(watched, event)

    # ---- storing --------------------------------------------------------------------------------------------------

    def store(self) -> None:
        """Bind them all, or none."""
        wanted = [BindWanted(key, worker.worker_id) for key, worker in self.bound.items()]
        if wanted:
            self.bind.setEnabled(False)
            self._port.bind(wanted, self._bridge.reply(self._stored))

    def _stored(self, outcome: Outcome) -> None:
        code = outcome.error or (outcome.problems[0].code if outcome.problems else "")
        if code:
            values = dict(outcome.problems[0].values) if outcome.problems else {}
            message = self.words.known(code, "office.bug", values)
            self.told.emit("bad", f"{message.title} → {message.remedy}" if message.remedy else message.title)
            self._show_chosen()
            return
        self.told.emit("recorded", self.words.title("cards.done", count=len(self.bound)))
        self.bound.clear()
        self._ask()
