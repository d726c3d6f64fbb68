"""How the month is painted: columns of days, companies' bands, signs in cells."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.office.shapes import Group
from app.ui.office.marks import CANDIDATE, DRAFT, paint_sign, sign_of
from app.ui.office.month_model import NAME, Cell, MonthModel, Show
from app.ui.theme import BOLD, BRAND, INK, INK_2, LINE, REGULAR, SKINS, SURFACE, Look, Theme, colour, make_font
from app.ui.words import Words

BAND = "#E8EDF4"
SHUT = "#EEF1F5"
FUTURE = "#FAFBFC"
TODAY = "#FFF9E8"
SIGN = 18
Index = QModelIndex | QPersistentModelIndex


class MonthDelegate(QStyledItemDelegate):
    """Paints every cell; nothing of the style's own but the focus is left."""

    def __init__(self, theme: Theme, words: Words, today: str) -> None:
        super().__init__()
        self._theme, self._words, self.today = theme, words, today

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        group, cell = index.data(Show.GROUP), index.data(Show.CELL)
        if isinstance(group, Group):
            self._band(painter, rect, index, group)
        elif isinstance(cell, Cell):
            self._day(painter, rect, cell, bool(state & QStyle.StateFlag.State_Selected))
        else:
            painter.fillRect(rect, colour(SURFACE))
            self._words_in(painter, rect, index)
        painter.setPen(colour(LINE))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        if state & QStyle.StateFlag.State_HasFocus and isinstance(cell, Cell):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour(INK), self._theme.px(2)))
            painter.drawRect(rect.adjusted(1, 1, -2, -2))
        painter.restore()

    def _band(self, painter: QPainter, rect: QRect, index: Index, group: Group) -> None:
        painter.fillRect(rect, colour(BAND))
        if index.column() != NAME:
            return
        px = self._theme.px
        name = group.company or self._words.title("month.no_company")
        tier = self._words.tier(group.tier) if group.tier is not None else ""
        notes = [tier, "" if group.registered else self._words.title("month.unregistered")]
        note = "・".join(one for one in notes if one)
        text = f"{name} ({note})  {self._words.title('month.people', count=len(group.rows))}" if note else name
        painter.setFont(make_font(px(15), BOLD))
        painter.setPen(colour(BRAND))
        painter.drawText(rect.adjusted(px(12), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _day(self, painter: QPainter, rect: QRect, cell: Cell, selected: bool) -> None:
        ground = SURFACE
        if cell.day.day == self.today:
            ground = TODAY
        elif cell.day.closed:
            ground = SHUT
        elif cell.day.future:
            ground = FUTURE
        painter.fillRect(rect, colour(SKINS[Look.ALREADY].paper if selected else ground))
        sign = ""
        if cell.draft is not None:
            sign = DRAFT
        elif cell.mark is not None:
            sign = sign_of(cell.mark)
        if cell.candidate is not None and cell.draft is None:
            sign = CANDIDATE if not sign else sign
        px = self._theme.px
        if not sign:
            if not cell.loaded:
                painter.setPen(colour(LINE))
                painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, "·")
            return
        side = px(SIGN + 2 if sign == CANDIDATE else SIGN)
        box = QRectF(rect.center().x() - side / 2 + 0.5, rect.center().y() - side / 2 + 0.5, side, side)
        paint_sign(painter, box, sign)
        if cell.mark is not None and cell.mark.unsent:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(SKINS[Look.CHECK].strong))
            painter.drawEllipse(QRectF(box.right() - px(2), box.top() - px(3), px(6), px(6)))

    def _words_in(self, painter: QPainter, rect: QRect, index: Index) -> None:
        px = self._theme.px
        right = index.column() != NAME
        painter.setFont(make_font(px(15), REGULAR, tabular=True))
        model = index.model()
        last = index.column() == model.columnCount() - 1
        painter.setPen(colour(INK_2 if right and last else INK))
        box = rect.adjusted(px(12), 0, -px(10), 0)
        flags = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        text = str(index.data() or "")
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, flags | Qt.AlignmentFlag.AlignVCenter, shown)


class DayHeader(QHeaderView):
    """Number and weekday over each column; 祝日, Sundays and 休工日 in red."""

    def __init__(self, theme: Theme, words: Words, model: MonthModel) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theme, self._words, self._days = theme, words, model
        self.setSectionsClickable(False)
        self.setHighlightSections(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(0, self._theme.px(44))

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        painter.save()
        px = self._theme.px
        days = self._days.days
        painter.fillRect(rect, colour(SURFACE))
        if 1 <= section <= len(days):
            day = days[section - 1]
            word = self._words.title("month.holiday") if day.holiday else self._words.weekday(day.weekday)
            paint_day(self._theme, painter, rect, day.day, word, shut=day.closed, red=day.closed or bool(day.holiday))
        elif section > len(days):
            code = "month.days" if section == len(days) + 1 else "month.retirement"
            painter.setPen(colour(INK_2))
            painter.setFont(make_font(px(13)))
            painter.drawText(rect.adjusted(0, 0, -px(10), 0), _RIGHT, self._words.title(code))
        painter.setPen(colour(LINE))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.restore()


def paint_day(theme: Theme, painter: QPainter, rect: QRect, day: str, word: str, *, shut: bool, red: bool) -> None:
    """A day's number, and under it its weekday or another word."""
    px = theme.px
    if shut:
        painter.fillRect(rect, colour(SHUT))
    painter.setPen(colour(SKINS[Look.BAD].strong if red else INK))
    painter.setFont(make_font(px(15), REGULAR, tabular=True))
    painter.drawText(rect.adjusted(0, px(2), 0, -px(18)), Qt.AlignmentFlag.AlignCenter, str(int(day[8:])))
    painter.setFont(make_font(px(12)))
    painter.setPen(colour(SKINS[Look.BAD].strong if red else INK_2))
    painter.drawText(rect.adjusted(0, px(22), 0, -px(4)), Qt.AlignmentFlag.AlignCenter, word)


_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Legend(QWidget):
    """What the signs mean."""

    def __init__(self, theme: Theme, words: Words, signs: tuple[str, ...]) -> None:
        super().__init__()
        self._theme, self._words, self._signs = theme, words, signs
        self.setFixedHeight(theme.px(26))
        self.setAccessibleName(" ".join(words.title(f"mark.{sign}") for sign in signs))

    def paintEvent(self, event: object) -> None:
        painter, px = QPainter(self), self._theme.px
        painter.setFont(make_font(px(13)))
        x = px(4)
        for sign in self._signs:
            side = px(16)
            paint_sign(painter, QRectF(x, (self.height() - side) / 2, side, side), sign)
            text = self._words.title(f"mark.{sign}")
            painter.setFont(make_font(px(13)))
            painter.setPen(colour(INK_2))
            width = painter.fontMetrics().horizontalAdvance(text)
            painter.drawText(
                QRectF(x + side + px(6), 0, width + px(4), self.height()), Qt.AlignmentFlag.AlignVCenter, text
            )
            x += side + width + px(22)
        painter.end()
