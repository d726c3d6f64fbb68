"""An import under way: how far, how fast, how long still, and a way out. The window stays alive all the while."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.office.import_port import Progress
from app.ui.office.import_words import pace
from app.ui.office.style import button
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, Theme
from app.ui.words import Words

_STEPS = 1000


class ProgressStep(QWidget):
    """See the module."""

    cancel_wanted = Signal()

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._words = words
        self.cancelled = False
        middle = Qt.AlignmentFlag.AlignHCenter
        self.doing = Text(theme, 28, weight=BOLD, align=middle)
        self.pace = Text(theme, 18, ink=INK_2, align=middle, tabular=True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, _STEPS)
        self.cancel = button(words.title("wizard.cancel"))
        self.note = Text(theme, 15, ink=INK_2, lines=2, align=middle)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(theme.px(120), 0, theme.px(120), 0)
        box.setSpacing(theme.px(16))
        box.addStretch(2)
        for widget in (self.doing, self.bar, self.pace):
            box.addWidget(widget)
        box.addLayout(row)
        box.addWidget(self.note)
        box.addStretch(3)
        self.cancel.clicked.connect(lambda _=False: self.stop())

    def begin(self, doing: str) -> None:
        """Something starts. `doing`: see `Progress`."""
        self.cancelled = False
        self.bar.setRange(0, 0)
        self.doing.say(self._words.title(f"wizard.doing_{doing}"))
        self.note.say(self._words.title("wizard.nothing_yet" if doing == "plan" else "wizard.all_or_nothing"))
        self.pace.say("")
        self.cancel.setEnabled(True)
        self.cancel.setFocus()

    def show_progress(self, news: Progress) -> None:
        """How far it is."""
        if self.cancelled:
            return
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(min(_STEPS, round(_STEPS * news.done / max(news.total, 1))))
        self.doing.say(self._words.title(f"wizard.doing_{news.doing}"))
        self.pace.say(pace(self._words, news))

    def stop(self) -> None:
        """Whoever waits has had enough; the answer still comes."""
        if self.cancelled:
            return
        self.cancelled = True
        self.cancel.setEnabled(False)
        self.doing.say(self._words.title("wizard.cancelling"))
        self.cancel_wanted.emit()
