"""What every page of the office is: it lies beside the rail, knows who sits here, and says what its keys do."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.office.port import OfficeNews
from app.office.shapes import SignedIn
from app.ui.theme import Theme
from app.ui.words import Words


class OfficePage(QWidget):
    """Base of the pages. All methods run on the GUI thread."""

    told = Signal(str, str)
    """A sentence for the status line: a look's name (`app.ui.theme.Look`, '' for a plain one) and the words."""
    keys = Signal(str)
    """What the keys of this page do now, for the status line."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self.theme, self.words = theme, words
        self.person: SignedIn | None = None

    def lay_out(
        self, left: Sequence[QWidget], right: Sequence[QWidget], middle: Sequence[QWidget], foot: QHBoxLayout
    ) -> None:
        """A list's page: head line with its two ends, what stands below it (the last takes the room), foot line."""
        px = self.theme.px
        head, box = QHBoxLayout(), QVBoxLayout(self)
        head.setSpacing(px(16))
        foot.setSpacing(px(8))
        for widget in left:
            head.addWidget(widget)
        head.addStretch(1)
        for widget in right:
            head.addWidget(widget)
        box.setContentsMargins(px(24), px(12), px(24), px(12))
        box.setSpacing(px(8))
        box.addLayout(head)
        for widget in middle:
            box.addWidget(widget, 1 if widget is middle[-1] else 0)
        box.addLayout(foot)

    def sit_down(self, person: SignedIn | None) -> None:
        """Somebody else sits here now; None: nobody. Called before the page is shown."""
        self.person = person

    def enter(self) -> None:
        """The page comes up: ask anew for what it shows."""

    def leave(self) -> None:
        """Another page comes up. What was typed and not saved stays."""

    def take(self, news: OfficeNews) -> None:
        """Something was stored, came from the centre, or went wrong; only while the page is up."""

    def may_leave(self) -> bool:
        """False: something typed is not saved; the page says so itself, in place."""
        return True
