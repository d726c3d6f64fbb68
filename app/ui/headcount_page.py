"""総出面: the day's head-count per company, typed at the gate. Nothing counts before 登録する."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout

from app.gate.news import CompanyCount
from app.ui.pads import Pad, Plate
from app.ui.page import Page
from app.ui.text import BOLD, Text
from app.ui.theme import BRAND, INK_2, LINE, RADIUS, SURFACE, Theme
from app.ui.words import Words

_PER_PAGE = 5
_MOST = 999


class HeadcountRow(Plate):
    """Company, − N +."""

    picked = Signal(str)
    stepped = Signal(str, int)

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__(theme, SURFACE, LINE, RADIUS[1])
        self._words = words
        self._company = ""
        self.name = Text(theme, 22, weight=BOLD)
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.facts = Text(theme, 15, ink=INK_2, tabular=True)
        self.number = Text(theme, 28, weight=BOLD, align=Qt.AlignmentFlag.AlignHCenter, tabular=True, widest="000")
        self.minus = Pad(theme, "−", size=28, min_width=72)
        self.plus = Pad(theme, "+", size=28, min_width=72)
        self.minus.clicked.connect(lambda _=False: self.stepped.emit(self._company, -1))
        self.plus.clicked.connect(lambda _=False: self.stepped.emit(self._company, 1))
        self._texts = QVBoxLayout()
        self._texts.addWidget(self.name)
        self._texts.addWidget(self.facts)
        self._row = QHBoxLayout(self)
        self._row.addLayout(self._texts, 1)
        self._row.addWidget(self.minus)
        self._row.addWidget(self.number)
        self._row.addWidget(self.plus)
        theme.changed.connect(self.restyle)
        self.restyle()

    def show_count(self, count: CompanyCount, typed: int | None, chosen: bool, changed: bool) -> None:
        """Show a company; `typed`: its number on this page, None when there is none."""
        words = self._words
        self._company = count.company_id
        self.name.say(count.company)
        self.facts.say(words.title("gate.headcount_row", present=count.present, roster=count.on_roster))
        self.number.say("–" if typed is None else str(typed))
        self.number.paint_with(BRAND if changed else INK_2)
        self.line = BRAND if chosen else LINE
        self.fill = "#E1EAF5" if chosen else SURFACE
        self.minus.setAccessibleName(words.title("gate.headcount_minus", company=count.company))
        self.plus.setAccessibleName(words.title("gate.headcount_plus", company=count.company))
        self.setAccessibleName(words.title("gate.headcount_choose", company=count.company))
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.picked.emit(self._company)

    def restyle(self) -> None:
        """The scale has changed."""
        px = self.theme.px
        self.setFixedHeight(px(64))
        self._row.setContentsMargins(px(16), px(4), px(4), px(4))
        self._row.setSpacing(px(12))
        self._texts.setSpacing(0)


class HeadcountPage(Page):
    """Companies at the left, digits at the right."""

    saved = Signal(object)
    """[(company id, count), …] that were changed."""

    def __init__(self, theme: Theme, words: Words, idle_ms: int) -> None:
        super().__init__(theme, words, words.title("gate.headcount_title"), idle_ms)
        self._companies: Sequence[CompanyCount] = ()
        self._typed: dict[str, int] = {}
        self._chosen = ""
        self._fresh = True
        self._page = 0
        self.close_pad.setText(words.title("gate.headcount_cancel"))
        self.close_pad.setAccessibleName(self.close_pad.text())
        self.hint = Text(theme, 18, words.remedy("gate.headcount_title"), ink=INK_2)
        self.head.insertWidget(1, self.hint)
        self.rows = [HeadcountRow(theme, words) for _ in range(_PER_PAGE)]
        self.empty = Text(theme, 22, words.title("gate.headcount_none"), ink=INK_2)
        self._rows = QVBoxLayout()
        self._rows.addWidget(self.empty)
        for row in self.rows:
            row.picked.connect(self.pick)
            row.stepped.connect(self.step)
            self._rows.addWidget(row)
        self._rows.addStretch(1)
        self._build_turn()
        self._build_digits()
        self._sides = QHBoxLayout()
        self._sides.addLayout(self._rows, 3)
        self._sides.addLayout(self._digits, 2)
        self.body.addLayout(self._sides, 1)
        self.restyle()

    def _build_turn(self) -> None:
        self.previous = Pad(self.theme, self.words.title("gate.previous"), min_width=96)
        self.next = Pad(self.theme, self.words.title("gate.next"), min_width=96)
        self.previous.clicked.connect(lambda _=False: self._turn(-1))
        self.next.clicked.connect(lambda _=False: self._turn(1))
        self.page_word = Text(self.theme, 18, ink=INK_2, align=Qt.AlignmentFlag.AlignHCenter)
        turn = QHBoxLayout()
        turn.addWidget(self.previous)
        turn.addWidget(self.page_word, 1)
        turn.addWidget(self.next)
        self._rows.addLayout(turn)

    def _build_digits(self) -> None:
        theme, words = self.theme, self.words
        self._digits = QVBoxLayout()
        self.chosen_word = Text(theme, 22, weight=BOLD, lines=2)
        self._grid = QGridLayout()
        self.keys: dict[str, Pad] = {}
        for index, key in enumerate(("7", "8", "9", "4", "5", "6", "1", "2", "3", "<", "0")):
            text = words.title("gate.key_erase") if key == "<" else key
            pad = Pad(theme, text, size=28 if key.isdigit() else 18, min_width=72)
            pad.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            pad.clicked.connect(lambda _=False, sign=key: self.press(sign))
            self.keys[key] = pad
            self._grid.addWidget(pad, index // 3, index % 3)
        self.save = Pad(theme, words.title("gate.headcount_save"), size=28, primary=True)
        self.save.clicked.connect(lambda _=False: self._save())
        self.changed_word = Text(theme, 18, ink=INK_2)
        self._digits.addWidget(self.chosen_word)
        self._digits.addLayout(self._grid)
        self._digits.addStretch(1)
        self._digits.addWidget(self.changed_word)
        self._digits.addWidget(self.save)

    def show_companies(self, companies: Sequence[CompanyCount]) -> None:
        """The gate's counts; what was typed here and not saved stays, and no row moves while the page is open."""
        if self.isVisible():
            place = {one.company_id: number for number, one in enumerate(self._companies)}
            companies = sorted(companies, key=lambda one: place.get(one.company_id, len(place)))
        self._companies = companies
        self._turn(0)

    def enter(self) -> None:
        self._typed.clear()
        self._page = 0
        self._chosen = ""
        if self._companies:
            self.pick(self._companies[0].company_id)
        self._turn(0)
        super().enter()

    def pick(self, company_id: str) -> None:
        """The digits are for this company from now on."""
        self._chosen, self._fresh = company_id, True
        self._turn(0)

    def step(self, company_id: str, by: int) -> None:
        """One more or one less; the first press on an empty number takes those already in."""
        self.pick(company_id)
        count = self._count(company_id)
        if count is None:
            return
        now = self._number(count)
        self._typed[company_id] = count.present if now is None else max(0, min(_MOST, now + by))
        self._turn(0)

    def press(self, key: str) -> None:
        """A digit or '<' for the chosen company; the first digit starts a new number."""
        count = self._count(self._chosen)
        if count is None:
            return
        now = "" if self._fresh and key != "<" else str(self._number(count) or "")
        self._fresh = False
        digits = now[:-1] if key == "<" else now + key
        self._typed[self._chosen] = min(_MOST, int(digits or "0"))
        self._turn(0)

    def _count(self, company_id: str) -> CompanyCount | None:
        return next((c for c in self._companies if c.company_id == company_id), None)

    def _number(self, count: CompanyCount) -> int | None:
        return self._typed.get(count.company_id, count.headcount)

    def _changes(self) -> list[tuple[str, int]]:
        known = {c.company_id: c.headcount for c in self._companies}
        return [(key, n) for key, n in self._typed.items() if key in known and known[key] != n]

    def _turn(self, step: int) -> None:
        pages = max(1, -(-len(self._companies) // _PER_PAGE))
        self._page = max(0, min(pages - 1, self._page + step))
        shown = self._companies[self._page * _PER_PAGE : (self._page + 1) * _PER_PAGE]
        changed = dict(self._changes())
        for index, row in enumerate(self.rows):
            row.setVisible(index < len(shown))
            if index < len(shown):
                one = shown[index]
                chosen = one.company_id == self._chosen
                row.show_count(one, self._number(one), chosen, one.company_id in changed)
        self.empty.setVisible(not shown)
        for widget in (self.previous, self.next, self.page_word):
            widget.setVisible(pages > 1)
        self.previous.setEnabled(self._page > 0)
        self.next.setEnabled(self._page < pages - 1)
        self.page_word.say(self.words.title("gate.page", page=self._page + 1, pages=pages))
        count = self._count(self._chosen)
        self.chosen_word.say(self.words.title("gate.headcount_choose", company=count.company) if count else "")
        self.changed_word.say(self.words.title("gate.headcount_changed", count=len(changed)) if changed else "")
        self.save.setEnabled(bool(changed))

    def _save(self) -> None:
        changes = self._changes()
        if changes:
            self.saved.emit(changes)
        self.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text().isdigit() and event.text().isascii():
            self.press(event.text())
        elif event.key() == Qt.Key.Key_Backspace:
            self.press("<")
        else:
            super().keyPressEvent(event)

    def restyle(self) -> None:
        super().restyle()
        px = self.theme.px
        self._rows.setSpacing(px(6))
        self._sides.setSpacing(px(32))
        self._grid.setSpacing(px(8))
        self._digits.setSpacing(px(10))
