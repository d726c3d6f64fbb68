"""What can be pressed, and the plates things lie on. Painted by hand: no style sheets, the same on every system."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.ui.text import BOLD, FLOOR, REGULAR, Fitted, Text, draw, fit, plain
from app.ui.theme import (
    BRAND,
    BRAND_PRESSED,
    EDGE,
    INK,
    INK_2,
    LINE,
    ON_BRAND,
    PRESSED,
    RADIUS,
    SURFACE,
    TARGET,
    Theme,
    colour,
    make_font,
)


def paint_plate(painter: QPainter, box: QRectF, radius: float, fill: str, line: str | None, width: float) -> None:
    """A rounded rectangle whose line lies inside the box."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(colour(fill))
    if line is None:
        painter.setPen(Qt.PenStyle.NoPen)
        inner = box
    else:
        painter.setPen(QPen(colour(line), width))
        inner = box.adjusted(width / 2, width / 2, -width / 2, -width / 2)
    painter.drawRoundedRect(inner, radius, radius)


class Plate(QWidget):
    """A ground with round corners; children lie on it."""

    def __init__(self, theme: Theme, fill: str = SURFACE, line: str | None = LINE, radius: int = RADIUS[1]) -> None:
        super().__init__()
        self.theme = theme
        self.fill, self.line, self.radius = fill, line, radius

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        box = QRectF(self.rect())
        paint_plate(painter, box, self.theme.px(self.radius), self.fill, self.line, self.theme.px(1))
        painter.end()


class Pill(Text):
    """A short text on a round ground: company, occupation, level."""

    def __init__(self, theme: Theme, size: int) -> None:
        super().__init__(theme, size, align=Qt.AlignmentFlag.AlignHCenter)
        self._fill = SURFACE
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.restyle()

    def restyle(self) -> None:
        pad = self._theme.px(16)
        self.setContentsMargins(pad, self._theme.px(3), pad, self._theme.px(3))
        super().restyle()

    def colour_with(self, fill: str, ink: str) -> None:
        """Change ground and letters."""
        self._fill = fill
        self.paint_with(ink)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        box = QRectF(self.rect())
        paint_plate(painter, box, box.height() / 2 - 1, self._fill, LINE, self._theme.px(1))
        painter.end()
        super().paintEvent(event)


class Pad(QAbstractButton):
    """A button for gloves: at least 56 px, with an optional small second line."""

    def __init__(
        self,
        theme: Theme,
        text: str,
        *,
        size: int = 22,
        primary: bool = False,
        min_width: int = TARGET,
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """`primary`: filled with the brand's colour. `name`: accessible name when the text is a sign."""
        super().__init__(parent)
        self._theme, self._size, self._primary, self._min_width = theme, size, primary, min_width
        self._note = ""
        self.setText(text)
        self.setAccessibleName(name or plain(text))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def note(self, text: str) -> None:
        """The small second line; '' for none."""
        if text != self._note:
            self._note = text
            self.update()

    def noted(self) -> str:
        """The small second line as it stands."""
        return self._note

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(make_font(self._theme.px(self._size), BOLD))
        width = int(metrics.horizontalAdvance(self.text())) + 2 * self._theme.px(16)
        return QSize(max(self._theme.px(self._min_width), width), self._theme.px(TARGET))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(max(TARGET, min(self._min_width, 96))), self._theme.px(TARGET))

    def settings(self) -> list[Fitted]:
        """How text and note are set; for painting and for the test that nothing is clipped."""
        pad = self._theme.px(6)
        width = self.width() - 2 * pad
        height = self.height() - 2 * pad
        small = self._theme.px(15)
        main = fit(
            self.text(),
            width,
            height - (round(small * 1.3) if self._note else 0),
            largest=self._theme.px(self._size),
            smallest=self._theme.px(FLOOR),
            weight=BOLD if self._filled() else REGULAR,
            max_lines=1 if self._note else 2,
        )
        if not self._note:
            return [main]
        return [
            main,
            fit(self._note, width, round(small * 1.3), largest=small, smallest=self._theme.px(11)),
        ]

    def _filled(self) -> bool:
        return self._primary or self.isChecked()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = self._theme
        filled = self._filled() and self.isEnabled()
        fill = BRAND if filled else SURFACE
        if self.isDown():
            fill = BRAND_PRESSED if filled else PRESSED
        line = BRAND if filled or self.hasFocus() else EDGE
        box = QRectF(self.rect())
        paint_plate(painter, box, theme.px(RADIUS[1]), fill, line, theme.px(2 if self.hasFocus() else 1))
        ink = ON_BRAND if filled else (INK if self.isEnabled() else INK_2)
        area = self.rect().adjusted(theme.px(6), theme.px(4), -theme.px(6), -theme.px(4))
        main, *note = self.settings()
        weight = BOLD if self._filled() else REGULAR
        centre = Qt.AlignmentFlag.AlignHCenter
        if not note:
            draw(painter, area, main, ink, weight, centre)
        else:
            split = round(area.height() * 0.58)
            draw(painter, area.adjusted(0, 0, 0, split - area.height()), main, ink, weight, centre)
            draw(painter, area.adjusted(0, split, 0, 0), note[0], ON_BRAND if filled else INK_2, REGULAR, centre)
        if self.hasFocus() and filled:
            inner = QRectF(self.rect()).adjusted(4, 4, -4, -4)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour(ON_BRAND), theme.px(2)))
            painter.drawRoundedRect(inner, theme.px(RADIUS[0]), theme.px(RADIUS[0]))
        painter.end()


class TwoLinePad(Pad):
    """A button with a bold line and a small one below, set from the left: a person, a card."""

    def __init__(self, theme: Theme, *, upper: int, lower: int, bar: bool = False) -> None:
        """`upper`, `lower`: largest type of the lines; `bar`: a stroke of brand colour at the left edge."""
        super().__init__(theme, "", size=upper)
        self._lower, self._bar = lower, bar
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_lines(self, upper: str, lower: str) -> None:
        """Show other lines."""
        self.setText(upper)
        self.note(lower)
        self.setAccessibleName(f"{upper} {lower}".strip())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self._theme.px(60))

    def _areas(self) -> tuple[QRect, QRect]:
        px = self._theme.px
        area = self.rect().adjusted(px(20 if self._bar else 16), px(4), -px(8), -px(4))
        upper = area.adjusted(0, 0, 0, -round(area.height() * 0.42))
        return upper, area.adjusted(0, upper.height(), 0, 0)

    def settings(self) -> list[Fitted]:
        smallest = self._theme.px(11)
        lines = zip((self.text(), self._note), self._areas(), (self._size, self._lower), (BOLD, REGULAR), strict=True)
        return [
            fit(
                text,
                area.width(),
                area.height(),
                largest=self._theme.px(size),
                smallest=smallest,
                weight=weight,
                max_lines=2,
            )
            for text, area, size, weight in lines
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self._theme, QPainter(self)
        fill = PRESSED if self.isDown() else SURFACE
        line = BRAND if self.hasFocus() else LINE
        paint_plate(painter, QRectF(self.rect()), theme.px(RADIUS[0]), fill, line, theme.px(1))
        if self._bar:
            painter.fillRect(theme.px(8), theme.px(10), theme.px(4), self.height() - theme.px(20), colour(BRAND))
        left = Qt.AlignmentFlag.AlignLeft
        for setting, area, ink, weight in zip(
            self.settings(), self._areas(), (INK, INK_2), (BOLD, REGULAR), strict=True
        ):
            draw(painter, area, setting, ink, weight, left)
        painter.end()


class Rule(QWidget):
    """A thin line between rows."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(1, self._theme.px(1))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour(LINE))
        painter.end()
