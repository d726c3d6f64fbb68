"""サポート用ファイル: what would leave, part by part, to be read; then saved. Nothing is sent from here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.ui.pads import Pad
from app.ui.text import Text
from app.ui.theme import INK, INK_2, SKINS, Look, Theme, make_font
from app.ui.words import Words

_PER_PAGE = 4
_SHOWN = 200_000
"""Letters of a part that are shown; more than that nobody reads at a gate."""


class Part(Protocol):
    """A text file that would leave."""

    @property
    def name(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def size(self) -> int: ...


TakeParts = Callable[[Sequence[Part] | None], None]
TakeSaved = Callable[[str], None]
Reply = Callable[[Callable[..., None]], Callable[..., None]]


class SupportPort(Protocol):
    """Both return at once, and answer on another thread."""

    def collect(self, take: TakeParts) -> None:
        """The parts; None when they cannot be had."""

    def save(self, parts: Sequence[Part], take: TakeSaved) -> None:
        """Save these very parts, and tell where; '' when that failed."""


class SupportSheet(QWidget):
    """At the left the parts, at the right what is in the chosen one."""

    def __init__(self, theme: Theme, words: Words, port: SupportPort | None, reply: Reply) -> None:
        """`reply` brings a call onto this thread."""
        super().__init__()
        self._theme, self._words, self._port, self._reply = theme, words, port, reply
        self._parts: Sequence[Part] = ()
        self._page = self._chosen = self._asked = 0
        self.said = Text(theme, 22, lines=2)
        self.save_pad = Pad(theme, words.title("support.save"), primary=True, min_width=176)
        self.save_pad.clicked.connect(lambda _=False: self._save())
        self.pads = [Pad(theme, "", size=18) for _ in range(_PER_PAGE)]
        for at, pad in enumerate(self.pads):
            pad.setCheckable(True)
            pad.clicked.connect(lambda _=False, at=at: self._choose(self._page * _PER_PAGE + at))
        self.previous, self.next = Pad(theme, words.title("gate.previous")), Pad(theme, words.title("gate.next"))
        self.previous.clicked.connect(lambda _=False: self._turn(-1))
        self.next.clicked.connect(lambda _=False: self._turn(1))
        self.page_word = Text(theme, 18, ink=INK_2, align=Qt.AlignmentFlag.AlignHCenter)
        self.name = Text(theme, 18, ink=INK_2)
        self.preview = QPlainTextEdit()
        self.preview.setReadOnly(True)
        self.preview.setFrameShape(QFrame.Shape.StyledPanel)
        self.preview.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self._lay_out()
        theme.changed.connect(self.restyle)
        self.restyle()
        self._show()

    def _lay_out(self) -> None:
        self._head, self._turning, self._sides = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        self._list, self._right, self._box = QVBoxLayout(), QVBoxLayout(), QVBoxLayout(self)
        self._head.addWidget(self.said, 1)
        self._head.addWidget(self.save_pad)
        for pad in self.pads:
            self._list.addWidget(pad)
        self._list.addStretch(1)
        for widget in (self.previous, self.page_word, self.next):
            self._turning.addWidget(widget, 1)
        self._list.addLayout(self._turning)
        self._right.addWidget(self.name)
        self._right.addWidget(self.preview, 1)
        self._sides.addLayout(self._list, 2)
        self._sides.addLayout(self._right, 5)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.addLayout(self._head)
        self._box.addLayout(self._sides, 1)

    def begin(self) -> None:
        """Gather anew; what an earlier gathering still tells is dropped."""
        self._asked += 1
        asked = self._asked
        self._parts, self._page, self._chosen = (), 0, 0
        self._say("support.looking", INK_2)
        self._show()
        if self._port is not None:
            self._port.collect(self._reply(lambda parts: self._take(parts) if asked == self._asked else None))

    def forget(self) -> None:
        """Nobody looks any more."""
        self._asked += 1
        self._parts = ()
        self._show()

    def _take(self, parts: Sequence[Part] | None) -> None:
        self._parts = parts or ()
        if parts:
            self._say("support.what", INK, count=len(parts))
        else:
            self._failed()
        self._show()

    def _save(self) -> None:
        if self._port is not None and self._parts:
            self.save_pad.setEnabled(False)
            asked = self._asked
            self._port.save(self._parts, self._reply(lambda file: self._saved(file) if asked == self._asked else None))

    def _saved(self, file: str) -> None:
        self.save_pad.setEnabled(True)
        if file:
            self._say("support.kept", SKINS[Look.RECORDED].strong, file=file)
        else:
            self._failed()

    def _failed(self) -> None:
        title, remedy = self._words.title("support.failed"), self._words.remedy("support.failed")
        self.said.say(f"{title} → {remedy}")
        self.said.paint_with(SKINS[Look.BAD].strong)

    def _say(self, code: str, ink: str, **values: object) -> None:
        self.said.say(self._words.title(code, **values))
        self.said.paint_with(ink)

    def _turn(self, step: int) -> None:
        self._page += step
        self._choose(self._page * _PER_PAGE)

    def _choose(self, at: int) -> None:
        self._chosen = at
        self._show()

    def _show(self) -> None:
        words, parts = self._words, self._parts
        pages = max(1, -(-len(parts) // _PER_PAGE))
        first = self._page * _PER_PAGE
        for at, pad in enumerate(self.pads, first):
            pad.setVisible(at < len(parts))
            if at < len(parts):
                pad.setText(parts[at].name)
                pad.setAccessibleName(parts[at].name)
                pad.setChecked(at == self._chosen)
                pad.note(words.title("support.size", count=f"{parts[at].size:,}"))
        for widget in (self.previous, self.next, self.page_word):
            widget.setVisible(pages > 1)
        self.previous.setEnabled(self._page > 0)
        self.next.setEnabled(self._page < pages - 1)
        self.page_word.say(words.title("gate.page", page=self._page + 1, pages=pages))
        self.save_pad.setEnabled(bool(parts))
        shown = parts[self._chosen] if self._chosen < len(parts) else None
        self.name.say(shown.name if shown else "")
        self.preview.setPlainText(shown.text[:_SHOWN] if shown else "")
        self.preview.setAccessibleName(shown.name if shown else words.title("support.title"))

    def restyle(self) -> None:
        """The scale has changed."""
        px = self._theme.px
        self._box.setSpacing(px(12))
        self._sides.setSpacing(px(20))
        self._list.setSpacing(px(8))
        self._right.setSpacing(px(4))
        self.preview.setFont(make_font(px(15)))
