"""A PIN, shown as dots, kept nowhere, logged nowhere: the only way out of kiosk mode, and the way into the office.

Where it matters who it is and several have the same PIN, their names come up in place of the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from app.gate.port import PinAnswer
from app.ui.pads import Pad, TwoLinePad
from app.ui.page import Page
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, SKINS, Look, Theme
from app.ui.words import Words

_LONGEST = 12
_MOST_NAMES = 8
_ROLES = ("gate", "foreman", "approver", "office", "administrator")


class PinPad(Page):
    """Asks whether a PIN is right; obeys the answer's waiting time."""

    allowed = Signal()

    def __init__(
        self,
        theme: Theme,
        words: Words,
        ask: Callable[[str, Callable[[PinAnswer], None]], None],
        idle_ms: int,
        title: str = "kiosk.title",
        choose: Callable[[str, Callable[[PinAnswer], None]], None] | None = None,
    ) -> None:
        """`ask(pin, reply)`: `reply` comes back on this thread. `title`: message code. `choose(id, reply)`: after
        `ask_who`, who it is."""
        super().__init__(theme, words, words.title(title), idle_ms)
        self._ask, self._choose = ask, choose
        self._digits = ""
        self._asked = False
        self._wait = 0
        centre = Qt.AlignmentFlag.AlignHCenter
        self.dots = Text(theme, 56, weight=BOLD, align=centre)
        self.word = Text(theme, 22, ink=INK_2, align=centre)
        self.keys: dict[str, Pad] = {}
        self._grid = QGridLayout()
        for index, digit in enumerate(("7", "8", "9", "4", "5", "6", "1", "2", "3", "<", "0", "ok")):
            text = {"<": words.title("gate.key_erase"), "ok": words.title("kiosk.ok")}.get(digit, digit)
            pad = Pad(theme, text, size=28 if digit.isdigit() else 22, primary=digit == "ok", min_width=128)
            pad.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            pad.clicked.connect(lambda _=False, key=digit: self.press(key))
            self.keys[digit] = pad
            self._grid.addWidget(pad, index // 3, index % 3)
        self.keyboard = QWidget()
        self.keyboard.setLayout(self._grid)
        self.people = QWidget()
        self._names = QGridLayout(self.people)
        self.people.hide()
        self._row = QHBoxLayout()
        self._row.addStretch(1)
        self._row.addWidget(self.keyboard, 1)
        self._row.addWidget(self.people, 2)
        self._row.addStretch(1)
        self.body.addStretch(1)
        self.body.addWidget(self.dots)
        self.body.addWidget(self.word)
        self.body.addLayout(self._row)
        self.body.addStretch(1)
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self._count_down)
        self.restyle()
        self._show()

    def enter(self) -> None:
        self._digits = ""
        self._asked = False
        self._ask_nobody()
        self._show()
        super().enter()

    def leave(self) -> None:
        self._digits = ""
        self._ask_nobody()
        self._show()
        super().leave()

    def ask_who(self, people: Sequence[tuple[str, str, Sequence[str]]]) -> None:
        """The PIN is that of all these, (id, name, roles) each: show the names to choose from."""
        self._asked = False
        for place, (id_, name, roles) in enumerate(people[:_MOST_NAMES]):
            pad = TwoLinePad(self.theme, upper=28, lower=18)
            pad.show_lines(name, " / ".join(self.words.title(f"operator.{role}") for role in roles if role in _ROLES))
            pad.clicked.connect(lambda _=False, chosen=id_: self._chosen(chosen))
            self._names.addWidget(pad, place // 2, place % 2)
        self._tell(self.words.title("kiosk.who"), INK_2)
        self.keyboard.hide()
        self.people.show()

    def _chosen(self, operator_id: str) -> None:
        if self._choose is not None and not self._asked:
            self._asked = True
            self._choose(operator_id, self._answered)

    def _ask_nobody(self) -> None:
        while (item := self._names.takeAt(0)) is not None:
            if (pad := item.widget()) is not None:
                pad.hide()
                pad.deleteLater()
        self.people.hide()
        self.keyboard.show()

    def press(self, key: str) -> None:
        """A key of the pad: a digit, '<' or 'ok'."""
        if self._wait > 0 or self._asked or not self.people.isHidden():
            return
        if key == "<":
            self._digits = self._digits[:-1]
        elif key == "ok":
            self._submit()
            return
        elif len(self._digits) < _LONGEST:
            self._digits += key
        self.word.say("")
        self._show()

    def _submit(self) -> None:
        if not self._digits:
            return
        pin, self._digits = self._digits, ""
        self._asked = True
        self._tell(self.words.title("kiosk.checking"), INK_2)
        self._show()
        self._ask(pin, self._answered)

    def _answered(self, answer: PinAnswer) -> None:
        self._asked = False
        self._ask_nobody()
        if answer.ok:
            self._tell("", INK_2)
            self.allowed.emit()
            return
        self._wait = max(0, answer.wait_s)
        if self._wait:
            self._second.start()
        self._show()
        self._say_wrong()

    def _count_down(self) -> None:
        self._wait -= 1
        if self._wait <= 0:
            self._second.stop()
            self._wait = 0
            self._tell("", INK_2)
        else:
            self._say_wrong()
        self._show()

    def _say_wrong(self) -> None:
        code = "kiosk.wait" if self._wait else "kiosk.wrong"
        self._tell(self.words.title(code, seconds=self._wait), SKINS[Look.BAD].strong)

    def _tell(self, text: str, ink: str) -> None:
        self.word.say(text)
        self.word.paint_with(ink)

    def _show(self) -> None:
        self.dots.say("●" * len(self._digits))
        self.dots.setAccessibleName(self.words.title("kiosk.digits", count=len(self._digits)))
        for key, pad in self.keys.items():
            ready = self._wait == 0 and not self._asked
            pad.setEnabled(ready and (bool(self._digits) if key == "ok" else True))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text().isdigit() and event.text().isascii():
            self.press(event.text())
        elif event.key() == Qt.Key.Key_Backspace:
            self.press("<")
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.press("ok")
        else:
            super().keyPressEvent(event)

    def restyle(self) -> None:
        super().restyle()
        for grid in (self._grid, self._names):
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setSpacing(self.theme.px(12))
