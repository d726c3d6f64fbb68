"""The first start: one page that says whether this PC can be used, and if not, why. Nothing here waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QColor, QPalette, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from app.messages import say
from app.ui.bridge import Bridge
from app.ui.host import application, run_until_closed, show
from app.ui.pads import Pad, Plate
from app.ui.shapes import Shape
from app.ui.text import BOLD, Text
from app.ui.theme import BACKGROUND, INK, INK_2, SKINS, Look, Theme, make_font

_SHOWN = 3
"""Reasons on the page; more are counted."""
_LONGEST_CODE = 40


class Reason(Protocol):
    """Why not: a finding of the checks."""

    @property
    def check(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def remedy(self) -> str: ...
    @property
    def where(self) -> str: ...
    @property
    def code(self) -> str: ...


class Outcome(Protocol):
    """What a first start came to."""

    @property
    def usable(self) -> bool: ...
    @property
    def needs_code(self) -> bool: ...
    @property
    def reasons(self) -> Sequence[Reason]: ...
    @property
    def company(self) -> str: ...
    @property
    def station_name(self) -> str: ...
    @property
    def site_name(self) -> str: ...
    @property
    def workers(self) -> int: ...
    @property
    def contact(self) -> str: ...
    @property
    def code(self) -> str: ...


Attempt = Callable[[str | None, Callable[[str], None], Callable[[Outcome], None]], None]
"""Begins an attempt with the code typed (None: none), and returns at once. Tells the steps ('enrol', 'roster', 'check')
and what came of it, from any thread."""


class _ReasonRow(QWidget):
    """A reason and what to do about it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.title = Text(theme, 28, weight=BOLD, lines=2)
        self.remedy = Text(theme, 22, ink=INK, lines=2)
        self.where = Text(theme, 15, ink=INK_2)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        for text in (self.title, self.remedy, self.where):
            box.addWidget(text)

    def show_reason(self, reason: Reason) -> None:
        self.title.say(reason.title)
        for text, words in ((self.remedy, reason.remedy), (self.where, reason.where)):
            text.say(words)
            text.setVisible(bool(words))


class FirstStartWindow(QWidget):
    """Begins its first attempt when it is told to (`begin`). `ready` after closing: the person wants the gate."""

    closed = Signal()

    def __init__(self, attempt: Attempt, language: str) -> None:
        super().__init__()
        self._attempt, self._language = attempt, language
        self._bridge = Bridge()
        self._busy = False
        self.ready = False
        self.theme = theme = Theme()
        self.setWindowTitle(self._words("first_start.window"))
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(BACKGROUND))
        self.setPalette(palette)
        self.shape = Shape(theme, 112, Look.PENDING)
        self.title = Text(theme, 44, weight=BOLD, lines=2)
        self.who = Text(theme, 22, ink=INK_2)
        self.site = Text(theme, 22, ink=INK_2)
        self.rows = [_ReasonRow(theme) for _ in range(_SHOWN)]
        self.more = Text(theme, 18, ink=INK_2)
        self.field = QLineEdit()
        self.field.setMaxLength(_LONGEST_CODE)
        self.field.setAccessibleName(self._words("first_start.ask_code"))
        self.field.setPlaceholderText(self._words("first_start.ask_code"))
        self.field.setInputMethodHints(Qt.InputMethodHint.ImhUppercaseOnly | Qt.InputMethodHint.ImhNoPredictiveText)
        self.field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.field.returnPressed.connect(self.send_code)
        self.enrol = Pad(theme, self._words("first_start.send_code"), primary=True, min_width=220)
        self.enrol.clicked.connect(self.send_code)
        self.contact = Text(theme, 22)
        self.number = Text(theme, 15, ink=INK_2)
        self.again = Pad(theme, self._words("first_start.again"), min_width=260)
        self.again.clicked.connect(self.begin)
        self.start = Pad(theme, self._words("first_start.begin"), primary=True, min_width=260)
        self.start.clicked.connect(self._begin_work)
        self._lay_out()
        self._working("first_start.working")

    def begin(self) -> None:
        """Attempt it (again)."""
        self._try(None)

    def send_code(self) -> None:
        """Attempt it with the code in the field."""
        if typed := self.field.text().strip():
            self._try(typed)

    def connected(self) -> None:
        """The machine is connected again: what failed for want of it is tried again, but not under somebody's hands."""
        if self.again.isVisible() and not self.field.text():
            self.begin()

    def leave_now(self) -> None:
        """Close, whatever is on the screen."""
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._bridge.close()
        event.accept()
        self.closed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.theme.fit(event.size().width(), event.size().height())
        px = self.theme.px
        self._root.setContentsMargins(px(32), px(32), px(32), px(32))
        self._box.setContentsMargins(px(48), px(24), px(48), px(24))
        self._box.setSpacing(px(12))
        for row in (self._top, self._code, self._foot):
            row.setSpacing(px(24))
        self.field.setFont(make_font(px(28)))
        self.field.setFixedHeight(px(56))

    def _try(self, code: str | None) -> None:
        if self._busy:
            return
        self._busy = True
        self._working("first_start.working")
        self._attempt(code, self._bridge.reply(self._step), self._bridge.reply(self._show))

    def _step(self, step: str) -> None:
        self._working(f"first_start.step_{step}")

    def _working(self, code: str) -> None:
        self._say(code, Look.PENDING)
        for widget in (*self.rows, self.more, self.field, self.enrol, self.again, self.start, self.number):
            widget.hide()

    def _show(self, outcome: Outcome) -> None:
        """The page."""
        self._busy = False
        self._say(outcome.code, Look.RECORDED if outcome.usable else Look.CHECK)
        self.who.say("  ".join(name for name in (outcome.company, outcome.station_name) if name))
        words = self._words("first_start.site", site=outcome.site_name, workers=outcome.workers)
        self.site.say(words if outcome.site_name else "")
        shown = outcome.reasons[:_SHOWN]
        for row, reason in zip(self.rows, shown, strict=False):
            row.show_reason(reason)
            row.show()
        hidden = len(outcome.reasons) - len(shown)
        self.more.say(self._words("first_start.more", count=hidden))
        self.more.setVisible(hidden > 0)
        self.contact.say(self._words("first_start.contact", contact=outcome.contact) if outcome.contact else "")
        if outcome.reasons:
            first = outcome.reasons[0]
            self.number.say(self._words("first_start.read_out", number=f"{first.check} / {first.code}"))
        self.number.setVisible(bool(outcome.reasons))
        self.field.setVisible(outcome.needs_code)
        self.enrol.setVisible(outcome.needs_code)
        self.again.setVisible(not outcome.usable)
        self.start.setVisible(outcome.usable)
        focus = self.start if outcome.usable else self.field if outcome.needs_code else self.again
        focus.setFocus()
        spoken = [self.title.text(), *(f"{reason.title} {reason.remedy}" for reason in shown)]
        self.setAccessibleName(" ".join(spoken))

    def _say(self, code: str, look: Look) -> None:
        self.shape.show_look(look)
        self.title.paint_with(SKINS[look].strong)
        self.title.say(self._words(code))
        self.setAccessibleName(self.title.text())

    def _begin_work(self) -> None:
        self.ready = True
        self.close()

    def _words(self, sentence: str, **values: object) -> str:
        return say(sentence, self._language, **values).title

    def _lay_out(self) -> None:
        plate = Plate(self.theme)
        names = QVBoxLayout()
        for text in (self.title, self.who, self.site):
            names.addWidget(text)
        self._top = QHBoxLayout()
        self._top.addWidget(self.shape)
        self._top.addLayout(names, 1)
        self._code = QHBoxLayout()
        self._code.addWidget(self.field, 1)
        self._code.addWidget(self.enrol)
        words = QVBoxLayout()
        words.addWidget(self.contact)
        words.addWidget(self.number)
        self._foot = QHBoxLayout()
        self._foot.addLayout(words, 1)
        self._foot.addWidget(self.again)
        self._foot.addWidget(self.start)
        self._box = QVBoxLayout(plate)
        self._box.addLayout(self._top)
        for row in self.rows:
            self._box.addWidget(row)
        self._box.addWidget(self.more)
        self._box.addLayout(self._code)
        self._box.addStretch(1)
        self._box.addLayout(self._foot)
        self._root = QVBoxLayout(self)
        self._root.addWidget(plate)


def run_first_start(attempt: Attempt, *, language: str, seconds: float | None = None) -> bool:
    """Show the first start until it is closed; whether the person went on to the gate. Main thread.

    `seconds`: close by itself after so long. When the machine is connected again, a page with a reason tries again.
    """
    app = application(language)
    window = FirstStartWindow(attempt, language)
    show(window)
    run_until_closed(app, window, seconds=seconds, on_open=window.begin, on_network=window.connected)
    window.deleteLater()
    return window.ready
