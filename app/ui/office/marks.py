"""The signs of the month: shape, colour and a character each, so that none is told by colour alone."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from app.office.shapes import Mark, MarkKind
from app.ui.theme import BOLD, BRAND, INK_2, SKINS, SURFACE, Look, colour, make_font

CANDIDATE, DRAFT, LOOK = "candidate", "draft", "look"
"""Signs that are no `MarkKind`: a likely missed day, typed and not saved, 要確認."""
LEGEND = (
    MarkKind.TOUCH.value,
    MarkKind.LOGGED.value,
    MarkKind.DECLARED.value,
    MarkKind.ENTERED.value,
    MarkKind.WAITING.value,
    MarkKind.REFUSED.value,
    CANDIDATE,
    LOOK,
    DRAFT,
)


def sign_of(mark: Mark) -> str:
    """The sign of a mark: a record that is useless for the level, and what the centre has not taken, want a look."""
    if mark.kind is MarkKind.NOT_TAKEN or (mark.counts and mark.missing):
        return LOOK
    return mark.kind.value


def paint_sign(painter: QPainter, box: QRectF, sign: str) -> None:
    """Paint a sign into a square box."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    green, brown, red = (SKINS[look].strong for look in (Look.RECORDED, Look.CHECK, Look.BAD))
    side = box.width()

    def pen(ink: str, share: float = 0.11) -> QPen:
        made = QPen(colour(ink), side * share)
        made.setCapStyle(Qt.PenCapStyle.RoundCap)
        made.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        return made

    def at(x: float, y: float) -> QPointF:
        return QPointF(box.left() + x * side, box.top() + y * side)

    def letter(text: str, ink: str) -> None:
        painter.setPen(colour(ink))
        painter.setFont(make_font(max(8, round(side * 0.66)), BOLD))
        painter.drawText(box.adjusted(-2, -2, 2, 2), Qt.AlignmentFlag.AlignCenter, text)

    inner = box.adjusted(side * 0.06, side * 0.06, -side * 0.06, -side * 0.06)
    if sign == MarkKind.TOUCH:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(green))
        painter.drawEllipse(box)
        painter.setPen(pen(SURFACE))
        painter.drawPolyline(QPolygonF([at(0.27, 0.52), at(0.44, 0.68), at(0.73, 0.34)]))
    elif sign in (MarkKind.LOGGED, MarkKind.DECLARED):
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(green if sign == MarkKind.LOGGED else INK_2))
        painter.drawEllipse(inner)
        if sign == MarkKind.DECLARED:
            painter.drawPoint(at(0.5, 0.5))
    elif sign == MarkKind.ENTERED:
        _square(painter, inner, BRAND, None)
        letter("直", SURFACE)
    elif sign == MarkKind.WAITING:
        _square(painter, inner, SURFACE, BRAND, dashed=True)
        letter("直", BRAND)
    elif sign == MarkKind.REFUSED:
        _square(painter, inner, red, None)
        painter.setPen(pen(SURFACE))
        painter.drawLine(at(0.32, 0.32), at(0.68, 0.68))
        painter.drawLine(at(0.32, 0.68), at(0.68, 0.32))
    elif sign == DRAFT:
        _square(painter, inner, SKINS[Look.ALREADY].paper, BRAND)
        letter("入", BRAND)
    elif sign == CANDIDATE:
        _square(painter, box, SKINS[Look.CHECK].paper, brown)
        letter("?", brown)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(brown))
        painter.drawPolygon(QPolygonF([at(0.5, 0.02), at(1.0, 0.95), at(0.0, 0.95)]))
        painter.setPen(pen(SURFACE))
        painter.drawLine(at(0.5, 0.36), at(0.5, 0.62))
        painter.drawPoint(at(0.5, 0.8))


def _square(painter: QPainter, box: QRectF, fill: str, line: str | None, *, dashed: bool = False) -> None:
    painter.setBrush(colour(fill))
    if line is None:
        painter.setPen(Qt.PenStyle.NoPen)
    else:
        pen = QPen(colour(line), max(1.0, box.width() / 14))
        pen.setStyle(Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine)
        painter.setPen(pen)
    painter.drawRoundedRect(box, box.width() * 0.18, box.width() * 0.18)
