"""The top: site, date, clock; and below it what can be pressed between two cards."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.domain.events import Direction
from app.gate.news import DirectionState
from app.ui.pads import Pad, Plate
from app.ui.text import BOLD, Text
from app.ui.theme import BRAND, ON_BRAND, ON_BRAND_2, Theme
from app.ui.words import Words, left


class Header(Plate):
    """Site name, date and the big clock on the brand's colour; in kiosk mode the way out."""

    leave = Signal()

    def __init__(self, theme: Theme, words: Words, site_name: str, *, kiosk: bool) -> None:
        super().__init__(theme, BRAND, None, 0)
        self._words = words
        self.site = Text(theme, 28, site_name, weight=BOLD, ink=ON_BRAND)
        self.site.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.date = Text(theme, 28, ink=ON_BRAND_2, align=Qt.AlignmentFlag.AlignRight, widest="00月00日(金)")
        self.time = Text(
            theme,
            56,
            weight=BOLD,
            ink=ON_BRAND,
            align=Qt.AlignmentFlag.AlignRight,
            tabular=True,
            widest="00:00:00",
        )
        self.exit = Pad(theme, words.title("kiosk.leave"), size=18)
        self.exit.setVisible(kiosk)
        self.exit.clicked.connect(self.leave)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self.site, 1)
        self._row.addWidget(self.date)
        self._row.addWidget(self.time)
        self._row.addWidget(self.exit)
        theme.changed.connect(self.restyle)
        self.restyle()

    def tick(self, now: datetime) -> None:
        """Show a moment."""
        self.date.say(self._words.day(now))
        self.time.say(self._words.clock(now, seconds=True))

    def restyle(self) -> None:
        """The scale has changed."""
        self.setFixedHeight(self.theme.px(76))
        self._row.setContentsMargins(self.theme.px(24), 0, self.theme.px(24), 0)
        self._row.setSpacing(self.theme.px(24))


class ActionBar(QWidget):
    """入場 / 退場 / 自動, カードをお持ちでない方, 総出面."""

    chosen = Signal(object)
    """A Direction, or None for 自動."""
    no_card = Signal()
    headcount = Signal()

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        self._state = DirectionState(None)
        self.pads: dict[Direction | None, Pad] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        for direction, code in (
            (Direction.IN, "gate.direction_in"),
            (Direction.OUT, "gate.direction_out"),
            (None, "gate.direction_auto"),
        ):
            pad = Pad(theme, words.title(code), size=28, min_width=128)
            pad.setCheckable(True)
            # the gate answers with the new state: until then the button does not claim it
            pad.clicked.connect(lambda _=False, wanted=direction: self._press(wanted))
            self.pads[direction] = pad
            self._row.addWidget(pad)
        self._row.addStretch(1)
        self.no_card_pad = Pad(theme, words.title("gate.no_card"))
        self.headcount_pad = Pad(theme, words.title("gate.headcount"))
        self.no_card_pad.clicked.connect(lambda _=False: self.no_card.emit())
        self.headcount_pad.clicked.connect(lambda _=False: self.headcount.emit())
        self._row.addWidget(self.no_card_pad)
        self._row.addWidget(self.headcount_pad)
        self.show_state(self._state)
        theme.changed.connect(self.restyle)
        self.restyle()

    def _press(self, direction: Direction | None) -> None:
        self.show_state(self._state)
        self.chosen.emit(direction)

    @property
    def state(self) -> DirectionState:
        """The direction as the gate last said."""
        return self._state

    def show_state(self, state: DirectionState) -> None:
        """The gate's answer: which direction stands."""
        self._state = state
        for direction, pad in self.pads.items():
            pad.setChecked(direction is state.chosen)
        if state.chosen is None:
            self.pads[None].note("")

    def tick(self, now: datetime) -> None:
        """Count down to 自動."""
        back = self._state.returns_at
        if self._state.chosen is None or back is None:
            self.pads[None].note("")
        else:
            self.pads[None].note(self._words.title("gate.direction_back", left=left(back - now)))

    def restyle(self) -> None:
        """The scale has changed."""
        self._row.setSpacing(self._theme.px(8))
