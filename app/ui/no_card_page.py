"""カードをお持ちでない方: find the name, confirm, and wait for approval."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.gate.news import WorkerHit
from app.ui.kana_board import KanaBoard, next_mark
from app.ui.pads import Pad, Plate, TwoLinePad
from app.ui.page import Page
from app.ui.text import BOLD, Text
from app.ui.theme import BACKGROUND, BRAND, INK, INK_2, RADIUS, Theme, colour, make_font
from app.ui.words import Words

_PER_PAGE = 5
_LONGEST = 24


class HitPad(TwoLinePad):
    """A found person: name, and company below."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, upper=22, lower=15)
        self.hit: WorkerHit | None = None

    def show_hit(self, hit: WorkerHit) -> None:
        """Show another person."""
        self.hit = hit
        self.show_lines(hit.name, hit.company)


class NoCardPage(Page):
    """Kana keys at the left, people at the right; a tap asks once more, then the gate is told."""

    confirmed = Signal(str, str)
    """Worker id, and the reason: 'card_forgotten' or 'no_card'."""

    def __init__(
        self,
        theme: Theme,
        words: Words,
        search: Callable[[str, Callable[[list[WorkerHit]], None]], None],
        idle_ms: int,
    ) -> None:
        """`search(text, reply)`: `reply` comes back on this thread."""
        super().__init__(theme, words, words.title("gate.no_card"), idle_ms)
        self._search = search
        self._asked = 0
        self._hits: list[WorkerHit] = []
        self._page = 0
        self._chosen: WorkerHit | None = None
        self.field = QLineEdit()
        self.field.setMaxLength(_LONGEST)
        self.field.setAccessibleName(words.title("gate.search"))
        self.field.setPlaceholderText(words.title("gate.search"))
        self.field.setFrame(False)
        self.field.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # a menu would lie over the line
        palette = self.field.palette()
        palette.setColor(QPalette.ColorRole.Base, colour(BACKGROUND))
        palette.setColor(QPalette.ColorRole.Text, colour(INK))
        palette.setColor(QPalette.ColorRole.PlaceholderText, colour(INK_2))
        self.field.setPalette(palette)
        self.field.textChanged.connect(self._text_changed)
        self.field_plate = Plate(theme, BACKGROUND, BRAND, RADIUS[1])
        self._field_box = QHBoxLayout(self.field_plate)
        self._field_box.addWidget(self.field)
        self.title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.head.insertWidget(1, self.field_plate, 1)
        self.head.setStretch(0, 0)
        self.board = KanaBoard(theme, words)
        self.board.typed.connect(self.type)
        self._sides = QHBoxLayout()
        self._left = QVBoxLayout()
        self._left.addWidget(self.board)
        self._left.addStretch(1)
        self.right = QStackedWidget()
        self._sides.addLayout(self._left)
        self._sides.addWidget(self.right, 1)
        self.body.addLayout(self._sides, 1)
        self._build_list()
        self._build_confirm()
        self._show_hits([])
        self.restyle()

    def _build_list(self) -> None:
        theme, words = self.theme, self.words
        self.list_side = QWidget()
        self._list = QVBoxLayout(self.list_side)
        self._list.setContentsMargins(0, 0, 0, 0)
        self.hint = Text(theme, 22, words.title("gate.no_card_hint"), ink=INK_2, lines=3)
        self._list.addWidget(self.hint)
        self.hit_pads = [HitPad(theme) for _ in range(_PER_PAGE)]
        for pad in self.hit_pads:
            pad.clicked.connect(lambda _=False, chosen=pad: self._choose(chosen.hit))
            self._list.addWidget(pad)
        self._list.addStretch(1)
        self.previous = Pad(theme, words.title("gate.previous"), min_width=96)
        self.next = Pad(theme, words.title("gate.next"), min_width=96)
        self.page_word = Text(theme, 18, ink=INK_2, align=Qt.AlignmentFlag.AlignHCenter)
        self.previous.clicked.connect(lambda _=False: self._turn(-1))
        self.next.clicked.connect(lambda _=False: self._turn(1))
        turn = QHBoxLayout()
        turn.addWidget(self.previous)
        turn.addWidget(self.page_word, 1)
        turn.addWidget(self.next)
        self._list.addLayout(turn)
        self.right.addWidget(self.list_side)

    def _build_confirm(self) -> None:
        theme, words = self.theme, self.words
        self.confirm_side = QWidget()
        self._confirm = QVBoxLayout(self.confirm_side)
        self._confirm.setContentsMargins(0, 0, 0, 0)
        self._confirm.addWidget(Text(theme, 28, words.title("gate.no_card_confirm"), lines=2))
        self.confirm_name = Text(theme, 56, weight=BOLD, lines=2)
        self.confirm_company = Text(theme, 28, ink=INK_2, lines=2)
        self._confirm.addWidget(self.confirm_name, 2)
        self._confirm.addWidget(self.confirm_company, 1)
        self.confirm_note = Text(theme, 18, words.title("gate.no_card_note"), ink=INK_2)
        self._confirm.addWidget(self.confirm_note)
        self.forgotten = Pad(theme, words.title("gate.no_card_forgotten"), size=28, primary=True)
        self.without = Pad(theme, words.title("gate.no_card_without"), size=28, primary=True)
        self.back = Pad(theme, words.title("gate.back"), min_width=128)
        self.forgotten.clicked.connect(lambda _=False: self._accept("card_forgotten"))
        self.without.clicked.connect(lambda _=False: self._accept("no_card"))
        self.back.clicked.connect(lambda _=False: self.right.setCurrentWidget(self.list_side))
        row = QHBoxLayout()
        row.addWidget(self.back)
        row.addWidget(self.forgotten, 1)
        row.addWidget(self.without, 1)
        self._confirm.addLayout(row)
        self.right.addWidget(self.confirm_side)

    def enter(self) -> None:
        self._chosen = None
        self.field.clear()
        self.board.show_latin(self.words.language != "ja")
        self._show_hits([])
        self.right.setCurrentWidget(self.list_side)
        super().enter()
        self.field.setFocus()

    def type(self, key: str) -> None:
        """A key of the board."""
        text = self.field.text()
        if key == "<":
            text = text[:-1]
        elif key == "゛":
            text = next_mark(text)
        else:
            text = text + key if key else ""
        self.field.setText(text)

    def _text_changed(self, text: str) -> None:
        self.right.setCurrentWidget(self.list_side)
        self._asked += 1
        wanted = text.strip()
        if not wanted:
            self._show_hits([])
            return
        asked = self._asked
        self._search(wanted, lambda hits: self._found(asked, hits))

    def _found(self, asked: int, hits: list[WorkerHit]) -> None:
        if asked == self._asked:  # a slower answer to an older text is dropped
            self._show_hits(hits)

    def _show_hits(self, hits: list[WorkerHit]) -> None:
        self._hits, self._page = list(hits), 0
        self._turn(0)

    def _turn(self, step: int) -> None:
        pages = max(1, -(-len(self._hits) // _PER_PAGE))
        self._page = max(0, min(pages - 1, self._page + step))
        shown = self._hits[self._page * _PER_PAGE : (self._page + 1) * _PER_PAGE]
        for index, pad in enumerate(self.hit_pads):
            pad.setVisible(index < len(shown))
            if index < len(shown):
                pad.show_hit(shown[index])
        words = self.words
        searched = bool(self.field.text().strip())
        missing = f"{words.title('gate.no_card_none')}\n{words.remedy('gate.no_card_none')}"
        self.hint.say(missing if searched else words.title("gate.no_card_hint"))
        self.hint.setVisible(not shown)
        for widget in (self.previous, self.next, self.page_word):
            widget.setVisible(pages > 1)
        self.previous.setEnabled(self._page > 0)
        self.next.setEnabled(self._page < pages - 1)
        self.page_word.say(words.title("gate.page", page=self._page + 1, pages=pages))

    def _choose(self, hit: WorkerHit | None) -> None:
        if hit is None:
            return
        self._chosen = hit
        self.confirm_name.say(hit.name)
        self.confirm_company.say(hit.company)
        self.right.setCurrentWidget(self.confirm_side)

    def _accept(self, reason: str) -> None:
        hit, self._chosen = self._chosen, None
        if hit is not None:
            self.confirmed.emit(hit.worker_id, reason)
            self.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and len(self._hits) == 1 and self._chosen is None:
            self._choose(self._hits[0])
        else:
            super().keyPressEvent(event)

    def restyle(self) -> None:
        super().restyle()
        px = self.theme.px
        self.field.setFont(make_font(px(28), BOLD))
        self.field_plate.setFixedHeight(px(56))
        self._field_box.setContentsMargins(px(16), px(4), px(16), px(4))
        self._sides.setSpacing(px(20))
        self._list.setSpacing(px(6))
        self._confirm.setSpacing(px(12))
