"""デモ用カード: virtual cards to touch with the mouse. Docked beside the gate, so that it never covers a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.ui.pads import Pad, Plate, TwoLinePad
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, TRACK, Theme
from app.ui.words import Words

WIDTH = 232
"""Width at 100 %."""


@dataclass(frozen=True, slots=True)
class TrayCard:
    """A virtual card. `note`: what it is there to show; `group`: heading it stands under."""

    name: str
    note: str
    group: str = ""
    key: str = ""
    """The caller's own, handed back."""


@dataclass(frozen=True, slots=True)
class TraySpec:
    """What the tray holds. Everything is called on the GUI thread and must return at once."""

    cards: Sequence[TrayCard]
    on_click: Callable[[TrayCard], None]
    readers: Sequence[tuple[str, str]] = ()
    """(name, label) of the readers a card can be put on; with two or more a choice is shown."""
    on_reader: Callable[[str], None] | None = None
    """Told the name of the reader that was chosen."""
    on_centre_stopped: Callable[[bool], None] | None = None
    """センター停止; None: no such switch."""
    on_line_cut: Callable[[bool], None] | None = None
    """回線なし; None: no such switch."""


class TrayPad(TwoLinePad):
    """A card: name and note."""

    def __init__(self, theme: Theme, card: TrayCard) -> None:
        super().__init__(theme, upper=18, lower=13, bar=True)
        self.show_lines(card.name, card.note)


class CardTray(Plate):
    """The tray: groups of cards, the readers, and the demo's switches."""

    def __init__(self, theme: Theme, words: Words, spec: TraySpec) -> None:
        super().__init__(theme, TRACK, None, 0)
        self._spec = spec
        self._box = QVBoxLayout(self)
        self._box.addWidget(Text(theme, 22, words.title("gate.demo_cards"), weight=BOLD))
        self.pads: list[TrayPad] = []
        self.reader_pads: dict[str, Pad] = {}
        self._words = words
        self.switches: list[Pad] = []
        if len(spec.readers) > 1:
            self._box.addWidget(Text(theme, 15, words.title("gate.demo_reader"), ink=INK_2))
            for name, label in spec.readers:
                self._add_reader(name, label)
            self._choose(spec.readers[0][0])
        self._box.addWidget(self._cards(), 1)
        self._add_switch(words.title("gate.demo_centre"), spec.on_centre_stopped)
        self._add_switch(words.title("gate.demo_line"), spec.on_line_cut)
        self.setAccessibleName(words.title("gate.demo_cards"))
        theme.changed.connect(self.restyle)
        self.restyle()

    def _add_reader(self, name: str, label: str) -> None:
        pad = Pad(self.theme, label, size=18)
        pad.setCheckable(True)
        pad.clicked.connect(lambda _=False, chosen=name: self._choose(chosen))
        self.reader_pads[name] = pad
        self._box.addWidget(pad)

    def _choose(self, name: str) -> None:
        for one, pad in self.reader_pads.items():
            pad.setChecked(one == name)
        if self._spec.on_reader is not None:
            self._spec.on_reader(name)

    def _cards(self) -> QScrollArea:
        inner = QWidget()
        self._list = QVBoxLayout(inner)
        for group, cards in groupby(self._spec.cards, lambda card: card.group):
            if group:
                self._list.addWidget(Text(self.theme, 15, group, ink=INK_2))
            for card in cards:
                pad = TrayPad(self.theme, card)
                pad.clicked.connect(lambda _=False, touched=card: self._spec.on_click(touched))
                self.pads.append(pad)
                self._list.addWidget(pad)
        self._list.addStretch(1)
        area = QScrollArea()
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for surface in (area.viewport(), inner):
            surface.setAutoFillBackground(False)
        return area

    def _add_switch(self, text: str, on_toggle: Callable[[bool], None] | None) -> None:
        if on_toggle is None:
            return
        pad = Pad(self.theme, text, size=18)
        pad.setCheckable(True)
        pad.toggled.connect(on_toggle)
        on = self._words.title("gate.demo_switched")
        pad.toggled.connect(lambda checked: pad.note(on if checked else ""))
        self.switches.append(pad)
        self._box.addWidget(pad)

    def restyle(self) -> None:
        """The scale has changed."""
        px = self.theme.px
        self.setFixedWidth(px(WIDTH))
        self._box.setContentsMargins(px(12), px(12), px(12), px(12))
        self._box.setSpacing(px(6))
        self._list.setContentsMargins(0, 0, px(4), 0)
        self._list.setSpacing(px(6))
