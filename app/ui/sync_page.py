"""送信の状況: why something has not been sent, what happens next, and what the centre did not take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.domain.events import EventType
from app.gate.look import DeliveryPort, LookRow
from app.ui.pads import Pad, Plate
from app.ui.page import Page
from app.ui.shapes import Shape
from app.ui.status import SyncStatus
from app.ui.sync_words import clock_trouble, facts, why
from app.ui.text import BOLD, Text
from app.ui.theme import BACKGROUND, INK, INK_2, LINE, RADIUS, SKINS, SURFACE, Look, Theme
from app.ui.words import Words

_PER_PAGE = 2
_FACTS = 4
_KNOWN_TYPES = frozenset(kind.value for kind in EventType)

Reply = Callable[[Sequence[LookRow]], None]


class Fact(QWidget):
    """A small heading, and below it what there is to say."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.heading = Text(theme, 15, ink=INK_2)
        self.said = Text(theme, 22, weight=BOLD, tabular=True)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.heading)
        box.addWidget(self.said)

    def show_fact(self, heading: str, said: str) -> None:
        """Show another."""
        self.heading.say(heading)
        self.said.say(said)
        self.setAccessibleName(f"{heading}: {said}")


class LookLine(Plate):
    """A record that the centre did not take: when, what, whose, why, what to do; and もう一度送る."""

    def __init__(self, theme: Theme, words: Words, again: Callable[[str], None]) -> None:
        super().__init__(theme, SURFACE, LINE, RADIUS[1])
        self._words = words
        self._id = ""
        self.what = Text(theme, 18, weight=BOLD, tabular=True)
        self.reason = Text(theme, 18, ink=SKINS[Look.CHECK].strong)
        self.remedy = Text(theme, 15, ink=INK_2)
        self.again = Pad(theme, words.title("sync_page.again"), min_width=160)
        self.again.clicked.connect(lambda _=False: again(self._id))
        for text in (self.what, self.reason, self.remedy):
            text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._texts = QVBoxLayout()
        self._upper = QHBoxLayout()
        self._upper.addWidget(self.what, 2)
        self._upper.addWidget(self.reason, 3)
        self._texts.addLayout(self._upper)
        self._texts.addWidget(self.remedy)
        self._row = QHBoxLayout(self)
        self._row.addLayout(self._texts, 1)
        self._row.addWidget(self.again)
        theme.changed.connect(self.restyle)
        self.restyle()

    def show_row(self, row: LookRow, now: datetime) -> None:
        """Show another."""
        words = self._words
        self._id = row.id
        kind = words.title(f"sync_page.type_{row.type if row.type in _KNOWN_TYPES else 'other'}")
        who = row.name or row.card or words.title("sync_page.nobody")
        self.what.say(f"{words.when(row.at, now)} {kind} {who}")
        message = words.known(f"sync.verdict_{row.code}", "sync.verdict_other", {"verdict": row.code})
        self.reason.say(message.title)
        self.remedy.say(words.title("sync_page.do", remedy=message.remedy) if message.remedy else "")
        self.again.setAccessibleName(f"{self.what.text()} {self.again.text()}")
        self.setAccessibleName(f"{self.what.text()} {message.title} {message.remedy}")

    def restyle(self) -> None:
        """The scale has changed."""
        px = self.theme.px
        self.setFixedHeight(px(66))
        self._row.setContentsMargins(px(16), px(4), px(4), px(4))
        self._row.setSpacing(px(12))
        self._upper.setSpacing(px(16))
        self._texts.setSpacing(0)


class SyncPage(Page):
    """The big sentence above, facts in one row, and the list of what needs a look."""

    def __init__(
        self,
        theme: Theme,
        words: Words,
        delivery: DeliveryPort,
        here: Callable[[Reply], Reply],
        idle_ms: int,
    ) -> None:
        """`here(reply)`: the same reply, but run on this thread."""
        super().__init__(theme, words, words.title("sync_page.title"), idle_ms)
        self._delivery, self._here = delivery, here
        self._status: SyncStatus | None = None
        self._now: datetime | None = None
        self._rows: Sequence[LookRow] = ()
        self._page = 0
        self._asked: Pad | None = None
        self.send = Pad(theme, words.title("sync_page.send_now"), primary=True, min_width=176)
        self.roster = Pad(theme, words.title("sync_page.roster_now"), min_width=176)
        self.send.clicked.connect(lambda _=False: self._ask(self.send, self._delivery.send_now))
        self.roster.clicked.connect(lambda _=False: self._ask(self.roster, self._delivery.roster_now))
        self.head.insertWidget(1, self.send)
        self.head.insertWidget(2, self.roster)
        self._build_why()
        self._facts_row = QHBoxLayout()
        self.facts = [Fact(theme) for _ in range(_FACTS)]
        for fact in self.facts:
            self._facts_row.addWidget(fact, 1)
        self.body.addLayout(self._facts_row)
        self._build_look()
        self.restyle()

    def _build_why(self) -> None:
        theme = self.theme
        self.ground = Plate(theme, BACKGROUND, None, RADIUS[1])
        self.shape = Shape(theme, 56, Look.PENDING)
        self.sentence = Text(theme, 36, weight=BOLD, lines=3)
        self.remedy = Text(theme, 22, ink=INK, lines=2)
        self.clock = Text(theme, 18, ink=SKINS[Look.CHECK].strong, weight=BOLD)
        self._said = QVBoxLayout()
        for text in (self.sentence, self.remedy, self.clock):
            self._said.addWidget(text)
        self._why = QHBoxLayout(self.ground)
        self._why.addWidget(self.shape, 0, Qt.AlignmentFlag.AlignTop)
        self._why.addLayout(self._said, 1)
        self.body.addWidget(self.ground)

    def _build_look(self) -> None:
        theme, words = self.theme, self.words
        self.look_word = Text(theme, 22, weight=BOLD)
        self.all_again = Pad(theme, words.title("sync_page.all_again"), min_width=176)
        self.all_again.clicked.connect(lambda _=False: self._send_again([row.id for row in self._rows]))
        self.previous = Pad(theme, words.title("gate.previous"), min_width=96)
        self.next = Pad(theme, words.title("gate.next"), min_width=96)
        self.page_word = Text(theme, 18, ink=INK_2, align=Qt.AlignmentFlag.AlignHCenter)
        self.previous.clicked.connect(lambda _=False: self._turn(-1))
        self.next.clicked.connect(lambda _=False: self._turn(1))
        self._look_head = QHBoxLayout()
        self._look_head.addWidget(self.look_word, 1)
        for widget in (self.previous, self.page_word, self.next, self.all_again):
            self._look_head.addWidget(widget)
        self.lines = [LookLine(theme, words, lambda id_: self._send_again([id_])) for _ in range(_PER_PAGE)]
        self._list = QVBoxLayout()
        self._list.addLayout(self._look_head)
        for line in self.lines:
            self._list.addWidget(line)
        self._list.addStretch(1)
        self.body.addLayout(self._list, 1)

    def enter(self) -> None:
        self._page = 0
        self._forget_asked()
        self._show()
        self._ask_rows()
        super().enter()

    def show_sync(self, status: SyncStatus, now: datetime) -> None:
        """The engine's news."""
        changed = self._status is None or self._status.rejected != status.rejected
        self._status = status
        self._forget_asked()
        self.tick(now)
        if changed and self.isVisible():
            self._ask_rows()

    def tick(self, now: datetime) -> None:
        """Time goes on: '約 3 分後' becomes '約 2 分後'."""
        self._now = now
        if self.isVisible():
            self._show()

    def _show(self) -> None:
        status, now = self._status, self._now
        if status is None or now is None:
            return
        told = why(status, self.words)
        calm = Look.PENDING if status.pending else Look.RECORDED
        self.shape.show_look(calm if told.calm else Look.CHECK)
        self.sentence.say(told.sentence)
        self.remedy.say(self.words.title("sync_page.do", remedy=told.remedy) if told.remedy else "")
        self.remedy.setVisible(bool(told.remedy))
        trouble = clock_trouble(status, self.words)
        self.clock.say(trouble)
        self.clock.setVisible(bool(trouble))
        said = facts(status, self.words, now)
        for index, fact in enumerate(self.facts):
            fact.setVisible(index < len(said))
            if index < len(said):
                fact.show_fact(*said[index])

    def _ask(self, pad: Pad, act: Callable[[], None]) -> None:
        act()
        self._forget_asked()
        self._asked = pad
        pad.note(self.words.title("sync_page.asked"))

    def _forget_asked(self) -> None:
        if self._asked is not None:
            self._asked.note("")
            self._asked = None

    def _ask_rows(self) -> None:
        self._delivery.look(self._here(self._show_rows))

    def _send_again(self, ids: Sequence[str]) -> None:
        if ids:
            self._delivery.send_again(ids, self._here(self._show_rows))

    def _show_rows(self, rows: Sequence[LookRow]) -> None:
        self._rows = rows
        self._turn(0)

    def _turn(self, step: int) -> None:
        words, rows = self.words, self._rows
        pages = max(1, -(-len(rows) // _PER_PAGE))
        self._page = max(0, min(pages - 1, self._page + step))
        shown = rows[self._page * _PER_PAGE : (self._page + 1) * _PER_PAGE]
        for index, line in enumerate(self.lines):
            line.setVisible(index < len(shown))
            if index < len(shown) and self._now is not None:
                line.show_row(shown[index], self._now)
        count = max(len(rows), self._status.rejected if self._status else 0)
        self.look_word.say(words.title("sync_page.look", count=count) if rows else words.title("sync_page.look_none"))
        self.look_word.paint_with(INK if rows else INK_2)
        for widget in (self.previous, self.next, self.page_word):
            widget.setVisible(pages > 1)
        self.previous.setEnabled(self._page > 0)
        self.next.setEnabled(self._page < pages - 1)
        self.page_word.say(words.title("gate.page", page=self._page + 1, pages=pages))
        self.all_again.setVisible(len(rows) > 1)

    def restyle(self) -> None:
        super().restyle()
        px = self.theme.px
        self._why.setContentsMargins(px(20), px(12), px(20), px(12))
        self._why.setSpacing(px(20))
        self._said.setSpacing(px(4))
        self._facts_row.setSpacing(px(20))
        self._look_head.setSpacing(px(12))
        self._list.setSpacing(px(6))
