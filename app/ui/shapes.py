"""The shapes that go with the colours, so that no outcome is told by colour alone. Painted, sharp at every scale."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.theme import BRAND, SKINS, SURFACE, Look, Theme, colour, make_font


def outline(look: Look, box: QRectF) -> QPainterPath:
    """The silhouette of a look inside a square box."""
    path = QPainterPath()
    side, left, top = box.width(), box.left(), box.top()
    centre = box.center()
    if look is Look.RECORDED:
        path.addEllipse(box)
    elif look is Look.CHECK:
        corners = [(0.5, 0.03), (1.0, 0.93), (0.0, 0.93)]
        path.addPolygon(QPolygonF([QPointF(left + x * side, top + y * side) for x, y in corners]))
    elif look is Look.UNKNOWN:
        corners = [(0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)]
        path.addPolygon(QPolygonF([QPointF(left + x * side, top + y * side) for x, y in corners]))
    elif look is Look.ALREADY:
        pill = QRectF(left, centre.y() - side * 0.34, side, side * 0.68)
        path.addRoundedRect(pill, pill.height() / 2, pill.height() / 2)
    elif look is Look.BAD:
        square = box.adjusted(side * 0.05, side * 0.05, -side * 0.05, -side * 0.05)
        path.addRoundedRect(square, side * 0.1, side * 0.1)
    else:
        points = [
            QPointF(centre.x() + side / 2 * math.cos(a), centre.y() + side / 2 * math.sin(a))
            for a in (math.pi / 3 * k for k in range(6))
        ]
        path.addPolygon(QPolygonF(points))
    path.closeSubpath()
    return path


def paint_shape(painter: QPainter, box: QRectF, look: Look, fill: str, mark: str) -> None:
    """Paint a look's silhouette in `fill` with its mark (✓ ! ? = × …) in `mark`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(fill))
    painter.drawPath(outline(look, box))
    side, centre = box.width(), box.center()
    pen = QPen(colour(mark), side * 0.1)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)

    def at(x: float, y: float) -> QPointF:
        return QPointF(centre.x() + x * side, centre.y() + y * side)

    if look is Look.RECORDED:
        painter.drawPolyline(QPolygonF([at(-0.23, 0.01), at(-0.06, 0.18), at(0.24, -0.17)]))
    elif look is Look.CHECK:
        painter.drawLine(at(0, -0.16), at(0, 0.12))
        _dot(painter, at(0, 0.29), side * 0.065, mark)
    elif look is Look.UNKNOWN:
        font = make_font(max(1, round(side * 0.58)), QFont.Weight.Black)
        painter.setFont(font)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "?")
    elif look is Look.ALREADY:
        painter.drawLine(at(-0.22, -0.1), at(0.22, -0.1))
        painter.drawLine(at(-0.22, 0.1), at(0.22, 0.1))
    elif look is Look.BAD:
        painter.drawLine(at(-0.2, -0.2), at(0.2, 0.2))
        painter.drawLine(at(-0.2, 0.2), at(0.2, -0.2))
    else:
        for x in (-0.22, 0.0, 0.22):
            _dot(painter, at(x, 0), side * 0.07, mark)


def _dot(painter: QPainter, centre: QPointF, radius: float, fill: str) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(fill))
    painter.drawEllipse(centre, radius, radius)


class Shape(QWidget):
    """A look as a small picture beside its words."""

    def __init__(self, theme: Theme, size: int, look: Look = Look.RECORDED, *, inverted: bool = False) -> None:
        """`inverted`: a white silhouette with a coloured mark, for a coloured ground."""
        super().__init__()
        self._theme, self._size, self._look, self._inverted = theme, size, look, inverted
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    @property
    def look(self) -> Look:
        """The look that is shown."""
        return self._look

    def show_look(self, look: Look) -> None:
        """Change the look."""
        self._look = look
        self.update()

    def set_size(self, size: int) -> None:
        """Change the size (at 100 %)."""
        if size != self._size:
            self._size = size
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(self._size), self._theme.px(self._size))

    def paintEvent(self, event: QPaintEvent) -> None:
        side = min(self.width(), self.height())
        box = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        strong = SKINS[self._look].strong
        fill, mark = (SURFACE, strong) if self._inverted else (strong, SURFACE)
        painter = QPainter(self)
        paint_shape(painter, box, self._look, fill, mark)
        painter.end()


class CardPicture(QWidget):
    """The card and the waves of the idle screen."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self._theme.px(64))

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(320), self._theme.px(190))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        unit = min(self.width() / 320, self.height() / 160, self._theme.scale * 1.4)
        painter.translate(self.width() / 2 - 150 * unit, self.height() / 2 - 70 * unit)
        painter.scale(unit, unit)
        pen = QPen(colour(BRAND), 9)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(0, 16, 166, 108), 16, 16)
        painter.fillRect(QRectF(0, 44, 166, 20), colour(BRAND))
        for step, radius in enumerate((40, 62, 84)):
            box = QRectF(190 + step * 14 - radius, 70 - radius, radius * 2, radius * 2)
            painter.drawArc(box, -48 * 16, 96 * 16)
        painter.end()
