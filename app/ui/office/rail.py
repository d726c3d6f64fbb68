"""The rail at the left: ゲート 出面 取込 送信. An icon and a word each; a number where something waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from app.ui.theme import BRAND, BRAND_PRESSED, ON_BRAND, ON_BRAND_2, SKINS, Look, Theme, colour, make_font

WIDTH = 76
_ITEM = 72


@dataclass(frozen=True, slots=True)
class RailItem:
    """A page behind the rail. `icon`: 'gate', 'month', 'import', 'sync'; `name`: the word under it."""

    code: str
    icon: str
    name: str


class RailButton(QAbstractButton):
    """One item."""

    def __init__(self, theme: Theme, item: RailItem) -> None:
        super().__init__()
        self._theme, self.item = theme, item
        self._count = 0
        self.setCheckable(True)
        self.setText(item.name)
        self.setAccessibleName(item.name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(WIDTH), self._theme.px(_ITEM))

    def count(self, number: int) -> None:
        """A number at the icon; 0 for none."""
        if number != self._count:
            self._count = number
            self.setAccessibleDescription(str(number) if number else "")
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        px = self._theme.px
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(px(6), px(3), -px(6), -px(3))
        if self.isChecked() or self.isDown() or self.hasFocus():
            painter.setPen(QPen(colour(ON_BRAND), px(2)) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(colour("#2B5488" if self.isChecked() else BRAND_PRESSED))
            painter.drawRoundedRect(box, px(8), px(8))
        ink = ON_BRAND if self.isChecked() else ON_BRAND_2
        paint_icon(painter, QRectF(box.center().x() - px(12), box.top() + px(10), px(24), px(24)), self.item.icon, ink)
        painter.setFont(make_font(px(13)))
        painter.setPen(colour(ink))
        painter.drawText(box.adjusted(0, px(38), 0, 0), Qt.AlignmentFlag.AlignHCenter, self.text())
        if self._count:
            self._paint_count(painter, box)
        painter.end()

    def _paint_count(self, painter: QPainter, box: QRectF) -> None:
        px = self._theme.px
        text = "99+" if self._count > 99 else str(self._count)
        skin = SKINS[Look.CHECK]
        bubble = QRectF(box.center().x() + px(4), box.top() + px(4), px(14 + 7 * len(text)), px(20))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(skin.paper))
        painter.drawRoundedRect(bubble, px(10), px(10))
        painter.setPen(colour(skin.strong))
        painter.setFont(make_font(px(13), tabular=True))
        painter.drawText(bubble, Qt.AlignmentFlag.AlignCenter, text)


class Rail(QWidget):
    """The column of items; says which one was chosen."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, items: Sequence[RailItem]) -> None:
        super().__init__()
        self._theme = theme
        self._group = QButtonGroup(self)
        self.buttons = {item.code: RailButton(theme, item) for item in items}
        box = QVBoxLayout(self)
        box.setContentsMargins(0, theme.px(16), 0, theme.px(16))
        box.setSpacing(theme.px(4))
        for code, button in self.buttons.items():
            self._group.addButton(button)
            box.addWidget(button)
            button.clicked.connect(lambda _=False, one=code: self.chosen.emit(one))
        box.addStretch(1)
        self.setFixedWidth(theme.px(WIDTH))

    def show_chosen(self, code: str) -> None:
        """Mark the page that is up."""
        self.buttons[code].setChecked(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour(BRAND))
        painter.end()


def paint_icon(painter: QPainter, box: QRectF, icon: str, ink: str) -> None:
    """A sign drawn with one pen, so that no font has to have it."""
    pen = QPen(colour(ink), box.width() / 12)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    path = QPainterPath()

    def at(x: float, y: float) -> QPointF:
        return QPointF(box.left() + x * box.width(), box.top() + y * box.height())

    def line(*points: tuple[float, float]) -> None:
        path.moveTo(at(*points[0]))
        for point in points[1:]:
            path.lineTo(at(*point))

    if icon == "gate":
        painter.drawRoundedRect(QRectF(at(0.06, 0.2), at(0.94, 0.8)), 3, 3)
        line((0.06, 0.4), (0.94, 0.4))
        line((0.2, 0.62), (0.45, 0.62))
    elif icon == "month":
        painter.drawRoundedRect(QRectF(at(0.06, 0.06), at(0.94, 0.94)), 2, 2)
        for step in (0.35, 0.65):
            line((step, 0.06), (step, 0.94))
            line((0.06, step), (0.94, step))
    elif icon == "import":
        line((0.5, 0.04), (0.5, 0.62))
        line((0.26, 0.4), (0.5, 0.64), (0.74, 0.4))
        line((0.08, 0.66), (0.08, 0.94), (0.92, 0.94), (0.92, 0.66))
    else:
        line((0.3, 0.92), (0.3, 0.1))
        line((0.1, 0.32), (0.3, 0.08), (0.5, 0.32))
        line((0.7, 0.08), (0.7, 0.9))
        line((0.5, 0.68), (0.7, 0.92), (0.9, 0.68))
    painter.drawPath(path)
