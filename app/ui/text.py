"""Text that never clips: a label that breaks lines well and shrinks before it would lose a letter.

Lines are set with our own leading, because the vertical metrics of Noto Sans CJK (1.45 em) would waste a third of the
screen. Sentences may carry U+200B where a line should preferably break (文節); others break by Unicode's rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QRect, QSize, Qt, QTextBoundaryFinder
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from app.ui.theme import BOLD, INK, REGULAR, TYPE, Theme, colour, make_font

BREAK = "\u200b"
LEADING = 1.3
"""Height of a line in em."""
_BASELINE = 0.15 + 0.88
"""From a line's top to its baseline in em: half the leading's surplus, then the ideographic ascent."""
FLOOR = TYPE[0]
"""Type never shrinks under this size (at 100 %)."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """How a text was set: real font size, lines, and whether it all fits."""

    pixels: int
    lines: tuple[str, ...]
    fits: bool

    @property
    def height(self) -> int:
        """Height of all lines in real pixels."""
        return round(len(self.lines) * self.pixels * LEADING)


def plain(text: str) -> str:
    """A text without its break hints, as it is spoken and searched."""
    return text.replace(BREAK, "")


def _line_breaks(text: str) -> list[str]:
    """Pieces between the places where Unicode allows a break (kinsoku included)."""
    finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Line, text)
    cuts = [0]
    while (cut := finder.toNextBoundary()) != -1:
        cuts.append(cut)
    # Qt counts UTF-16 units; names may hold characters outside the BMP
    units = text.encode("utf-16-le")
    return [units[a * 2 : b * 2].decode("utf-16-le") for a, b in pairwise(cuts)]


def _hiragana(char: str) -> bool:
    return "\u3041" <= char <= "\u309f"


def _pieces(text: str) -> list[str]:
    """Pieces that better stay whole: at the writer's hints, else phrases (a break where hiragana gives way)."""
    if BREAK in text:
        return text.split(BREAK)
    phrases: list[str] = []
    for piece in _line_breaks(text):
        last = phrases[-1][-1] if phrases else ""
        whole = last and (
            last in "おごー" or _hiragana(piece[0]) or not (_hiragana(last) or last.isspace() or last in "、。・)」")
        )
        if whole:
            phrases[-1] += piece
        else:
            phrases.append(piece)
    return phrases


def _flow(pieces: Sequence[str], metrics: QFontMetricsF, width: float) -> tuple[list[str], bool]:
    lines: list[str] = []
    line, fits = "", True
    for piece in pieces:
        if line and metrics.horizontalAdvance((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
        fits = fits and metrics.horizontalAdvance(piece.rstrip()) <= width
    return [*lines, line.rstrip()], fits


def fit(
    text: str,
    width: int,
    height: int,
    *,
    largest: int,
    smallest: int,
    weight: QFont.Weight = REGULAR,
    max_lines: int = 1,
    tabular: bool = False,
    worth: float = 1.15,
) -> Fitted:
    """Set `text` into width × height real pixels as large as possible.

    `worth`: a further line is taken when the letters become larger by this factor.
    """
    if not text:
        return Fitted(largest, ("",), True)
    parts = text.split("\n")
    best = _largest([[plain(part)] for part in parts], width, height, largest, smallest, weight, 1, tabular)
    for wanted in range(2, max_lines + 1):
        # phrases stay whole unless that would cost a third of the size
        for cut, gain in ((_pieces, worth), (_line_breaks, max(worth, 1.5))):
            pieces = [cut(part) for part in parts]
            found = _largest(pieces, width, height, largest, smallest, weight, wanted, tabular)
            if found.fits and (not best.fits or found.pixels > best.pixels * gain):
                best = found
    return best


def _largest(
    paragraphs: list[list[str]],
    width: int,
    height: int,
    largest: int,
    smallest: int,
    weight: QFont.Weight,
    max_lines: int,
    tabular: bool,
) -> Fitted:
    def attempt(pixels: int) -> Fitted:
        metrics = QFontMetricsF(make_font(pixels, weight, tabular=tabular))
        lines: list[str] = []
        fits = True
        for pieces in paragraphs:
            more, wide_enough = _flow(pieces, metrics, width)
            lines += more
            fits = fits and wide_enough
        # the letters themselves take 1 em; leading may be lost at the edges
        fits = fits and (len(lines) - 1) * pixels * LEADING + pixels <= height
        fits = fits and len(lines) <= max(max_lines, len(paragraphs))
        return Fitted(pixels, tuple(lines), fits)

    low, high = min(smallest, largest), largest
    if (top := attempt(high)).fits:
        return top
    best = attempt(low)
    while low < high - 1:
        middle = (low + high) // 2
        tried = attempt(middle)
        if tried.fits:
            low, best = middle, tried
        else:
            high = middle
    return best


class Text(QLabel):
    """A label in the theme's type. Shrinks to its rectangle, breaks into at most `lines` lines, never clips."""

    def __init__(
        self,
        theme: Theme,
        size: int,
        text: str = "",
        *,
        weight: QFont.Weight = REGULAR,
        ink: str = INK,
        lines: int = 1,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
        tabular: bool = False,
        widest: str = "",
        worth: float = 1.15,
        parent: QWidget | None = None,
    ) -> None:
        """`size`: a step of the type scale. `widest`: text whose width is kept free (clocks, counts)."""
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(align | Qt.AlignmentFlag.AlignVCenter)
        self._theme, self._size, self._weight, self._ink = theme, size, weight, ink
        self._lines, self._tabular, self._widest = lines, tabular, widest
        self._worth = worth
        self._hinted = text
        self._cache: tuple[tuple[object, ...], Fitted] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setText(plain(text))
        theme.changed.connect(self.restyle)

    def say(self, text: str) -> None:
        """Show `text`; U+200B marks good places to break."""
        if text != self._hinted:
            self._hinted = text
            self.setText(plain(text))
            self.updateGeometry()
            self.update()

    def paint_with(self, ink: str) -> None:
        """Change the colour."""
        if ink != self._ink:
            self._ink = ink
            self.update()

    def set_size(self, size: int) -> None:
        """Change the step of the type scale."""
        if size != self._size:
            self._size = size
            self.updateGeometry()
            self.update()

    def set_lines(self, lines: int) -> None:
        """Change the most lines it may take; its place is asked for so many."""
        if lines != self._lines:
            self._lines = lines
            self._cache = None
            self.updateGeometry()
            self.update()

    def restyle(self) -> None:
        """The scale has changed."""
        self.updateGeometry()
        self.update()

    @property
    def ink(self) -> str:
        """The colour of the letters."""
        return self._ink

    def fitted(self) -> Fitted:
        """How the text is set in the present rectangle."""
        area = self.contentsRect()
        key = (self._hinted, area.width(), area.height(), self._theme.scale, self._size)
        if self._cache is None or self._cache[0] != key:
            setting = fit(
                self._hinted,
                area.width(),
                area.height(),
                largest=self._theme.px(self._size),
                smallest=self._theme.px(min(FLOOR, self._size)),
                weight=self._weight,
                max_lines=self._lines,
                tabular=self._tabular,
                worth=self._worth,
            )
            self._cache = (key, setting)
        return self._cache[1]

    def natural_width(self) -> int:
        """Width of the text on one line at its full size, in real pixels."""
        font = make_font(self._theme.px(self._size), self._weight, tabular=self._tabular)
        metrics = QFontMetricsF(font)
        texts = [*plain(self._hinted).split("\n"), self._widest]
        return int(max(metrics.horizontalAdvance(text) for text in texts)) + 2

    def sizeHint(self) -> QSize:
        height = round(self._theme.px(self._size) * LEADING * self._lines)
        margins = self.contentsMargins()
        return QSize(
            self.natural_width() + margins.left() + margins.right(),
            height + margins.top() + margins.bottom(),
        )

    def minimumSizeHint(self) -> QSize:
        # one line gives way in width only; several may become smaller lines
        height = self._theme.px(self._size * (LEADING if self._lines == 1 else 1))
        margins = self.contentsMargins()
        return QSize(self._theme.px(24), height + margins.top() + margins.bottom())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw(painter, self.contentsRect(), self.fitted(), self._ink, self._weight, self.alignment(), self._tabular)
        painter.end()


def draw(
    painter: QPainter,
    area: QRect,
    setting: Fitted,
    ink: str,
    weight: QFont.Weight,
    align: Qt.AlignmentFlag,
    tabular: bool = False,
) -> None:
    """Paint a fitted text into `area`."""
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    painter.setPen(colour(ink))
    font = make_font(setting.pixels, weight, tabular=tabular)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    step = setting.pixels * LEADING
    top: float = area.top() + (area.height() - step * len(setting.lines)) / 2
    if align & Qt.AlignmentFlag.AlignTop:
        top = area.top()
    elif align & Qt.AlignmentFlag.AlignBottom:
        top = area.bottom() + 1 - step * len(setting.lines)
    for index, line in enumerate(setting.lines):
        room = area.width() - metrics.horizontalAdvance(line)
        left: float = area.left()
        if align & Qt.AlignmentFlag.AlignRight:
            left += room
        elif align & Qt.AlignmentFlag.AlignHCenter:
            left += room / 2
        painter.drawText(round(left), round(top + index * step + _BASELINE * setting.pixels), line)


__all__ = ["BOLD", "BREAK", "FLOOR", "LEADING", "REGULAR", "Fitted", "Text", "draw", "fit", "plain"]
