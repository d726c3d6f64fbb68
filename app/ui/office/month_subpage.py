"""Pages that belong to the month and turn its leaves themselves: 総出面 and 遡及修正."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.clock import Clock
from app.domain.events import JST
from app.office.calendar import months_later
from app.office.port import Changed, OfficeNews, OfficePort
from app.office.shapes import Outcome
from app.ui.bridge import Bridge
from app.ui.office.page import OfficePage
from app.ui.office.saving import save_file
from app.ui.office.style import button
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, Theme
from app.ui.words import Words


class MonthSubPage(OfficePage):
    """Title, the way back, the month before and after, CSV; below it what the page lays out in `box`.

    A page fills `ask` (fetch `self.month`) and `csv` (the file's content).
    """

    back = Signal()

    def __init__(self, theme: Theme, words: Words, office: OfficePort, bridge: Bridge, clock: Clock, name: str) -> None:
        """`name`: beginning of its message codes ('heads' …)."""
        super().__init__(theme, words)
        self._office, self._bridge, self._clock, self._name = office, bridge, clock, name
        self.month = f"{clock.now().astimezone(JST):%Y-%m}"
        self.title = Text(theme, 28, weight=BOLD)
        self.hint = Text(theme, 15, words.title(f"{name}.hint"), ink=INK_2, lines=2)
        self.back_button = button(f"‹ {words.title('office.page_month')}")
        self.before, self.after, self.csv_button = button(""), button(""), button("CSV")
        self.back_button.clicked.connect(lambda _=False: self.back.emit())
        self.before.clicked.connect(lambda _=False: self.show_month(months_later(self.month, -1)))
        self.after.clicked.connect(lambda _=False: self.show_month(months_later(self.month, 1)))
        self.csv_button.clicked.connect(lambda _=False: self.save_csv())
        px = theme.px
        head = QHBoxLayout()
        head.setSpacing(px(8))
        for widget in (self.title, self.back_button, self.before, self.after):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.csv_button)
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(px(24), px(12), px(24), px(12))
        self.box.setSpacing(px(8))
        self.box.addLayout(head)
        self.box.addWidget(self.hint)

    def ask(self) -> None:
        """Fetch the month and show it."""
        raise NotImplementedError

    def csv(self) -> bytes:
        """What is shown, as a file."""
        raise NotImplementedError

    def enter(self) -> None:
        self.keys.emit(self.words.title(f"{self._name}.keys"))
        self.show_month(self.month)

    def take(self, news: OfficeNews) -> None:
        if isinstance(news, Changed) and news.month in ("", self.month):
            self.ask()

    def show_month(self, month: str) -> None:
        """Another month."""
        self.month = month
        self.title.say(f"{self.words.title(f'{self._name}.title')}  {self.words.month(month)}")
        self.before.setText(f"‹ {self.words.short_month(months_later(month, -1))}")
        self.after.setText(f"{self.words.short_month(months_later(month, 1))} ›")
        self.ask()

    def answered(self, outcome: Outcome) -> None:
        """Something was to be stored: say how it went."""
        if outcome.error:
            message = self.words.known(outcome.error, "office.bug")
            self.told.emit("bad", f"{message.title} → {message.remedy}")
        else:
            self.told.emit("recorded", self.words.title(f"{self._name}.saved", count=outcome.stored))

    def save_csv(self) -> None:
        """What is shown, as a file in the person's documents."""
        stamp = f"{self._clock.now().astimezone(JST):%Y%m%d-%H%M%S}"
        name = f"{self.words.title(f'{self._name}.title')}-{self.month}-{stamp}.csv"
        self.told.emit(*save_file(name, self.csv(), self.words))
