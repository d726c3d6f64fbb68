"""A board of kana (or latin letters) for gloves: every key at least 56 px."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.ui.pads import Pad
from app.ui.theme import Theme
from app.ui.words import Words

KANA = (
    "あかさたなはまやらわ",
    "いきしちにひみ　り　",
    "うくすつぬふむゆるを",
    "えけせてねへめ　れ　",
    "おこそとのほもよろん",
)
LATIN = ("ABCDEFGHIJ", "KLMNOPQRST", "UVWXYZ-'. ")
_CYCLES = tuple(
    "かが きぎ くぐ けげ こご さざ しじ すず せぜ そぞ ただ ちぢ つづっ てで とど はばぱ ひびぴ ふぶぷ へべぺ ほぼぽ "
    "あぁ いぃ うぅゔ えぇ おぉ やゃ ゆゅ よょ わゎ".split()
)


def next_mark(text: str) -> str:
    """The text with its last kana's next form: か → が → か, は → ば → ぱ → は, つ → づ → っ → つ."""
    for cycle in _CYCLES:
        if text and text[-1] in cycle:
            return text[:-1] + cycle[(cycle.index(text[-1]) + 1) % len(cycle)]
    return text


class KanaBoard(QWidget):
    """Says which character was pressed; '<' erases one, '' clears, '゛' changes the last kana."""

    typed = Signal(str)

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        self._grids: list[QGridLayout] = []
        self.kana: list[Pad] = []
        self.latin: list[Pad] = []
        self._boards = QStackedWidget()
        self._boards.addWidget(self._keys(KANA, self.kana))
        self._boards.addWidget(self._keys(LATIN, self.latin))
        self.mode = self._pad(words.title("gate.key_latin"))
        self.bar = self._pad("ー")
        self.mark = self._pad(words.title("gate.key_mark"))
        self.erase = self._pad(words.title("gate.key_erase"))
        self.clear = self._pad(words.title("gate.key_clear"))
        self._row = QHBoxLayout()
        for pad, share, sign in (
            (self.mark, 2, "゛"),
            (self.bar, 1, "ー"),
            (self.mode, 2, None),
            (self.erase, 2, "<"),
            (self.clear, 3, ""),
        ):
            self._row.addWidget(pad, share)
            if sign is not None:
                pad.clicked.connect(lambda _=False, key=sign: self.typed.emit(key))
        self.mode.clicked.connect(lambda _=False: self.show_latin(self._boards.currentIndex() == 0))
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.addWidget(self._boards)
        self._box.addLayout(self._row)
        self.show_latin(False)
        theme.changed.connect(self.restyle)
        self.restyle()

    def _pad(self, text: str, name: str = "") -> Pad:
        pad = Pad(self._theme, text, size=22, name=name)
        # the page keeps the keyboard: a key that takes it would lose the next letter
        pad.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return pad

    def _keys(self, rows: tuple[str, ...], pads: list[Pad]) -> QWidget:
        board = QWidget()
        grid = QGridLayout(board)
        grid.setContentsMargins(0, 0, 0, 0)
        for row, letters in enumerate(rows):
            for column, letter in enumerate(letters):
                if letter == "　":
                    continue
                space = letter == " "
                name = self._words.title("gate.key_space") if space else ""
                pad = self._pad("␣" if space else letter, name)
                pad.clicked.connect(lambda _=False, key=letter: self.typed.emit(key))
                grid.addWidget(pad, row, column)
                pads.append(pad)
        grid.setRowStretch(len(rows), 1)
        self._grids.append(grid)
        return board

    def show_latin(self, latin: bool) -> None:
        """Latin letters or kana."""
        self._boards.setCurrentIndex(1 if latin else 0)
        self.mark.setEnabled(not latin)
        self.bar.setEnabled(not latin)
        self.mode.setText(self._words.title("gate.key_kana" if latin else "gate.key_latin"))
        self.mode.setAccessibleName(self.mode.text())
        self.mode.update()

    def restyle(self) -> None:
        """The scale has changed."""
        px = self._theme.px
        self._box.setSpacing(px(6))
        self._row.setSpacing(px(6))
        for grid in self._grids:
            grid.setSpacing(px(6))
            for column in range(10):
                grid.setColumnMinimumWidth(column, px(60))
