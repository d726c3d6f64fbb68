"""The printed sheet for a foreman without a PC: a company's workers × days with boxes to tick, as a PDF (A4 across).

Lines are numbered as the screen lists them: `app.office.sheet_typing` takes them back by these numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, Qt
from PySide6.QtGui import QPageLayout, QPageSize, QPainter, QPdfWriter, QPen

from app.office.shapes import Group, Mark, Month
from app.ui.office.marks import paint_sign, sign_of
from app.ui.theme import BOLD, INK, INK_2, LINE, REGULAR, colour, make_font
from app.ui.words import Words

Seen = Mapping[str, Mapping[str, Mark]]
"""Worker id → day → mark."""
DPI = 150
LINES_A_PAGE = 22
_WIDTH, _NAME, _NUMBER = 1650, 300, 46
_TOP, _HEAD, _ROW = 120, 56, 42


def sheet_pdf(month: Month, groups: list[Group], marks: Seen, words: Words, site: str) -> bytes:
    """A page for every `LINES_A_PAGE` workers of each company. Days with a record carry its sign. Any thread."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(DPI)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageOrientation(QPageLayout.Orientation.Landscape)
    writer.setPageMargins(QMarginsF(8, 8, 8, 8), QPageLayout.Unit.Millimeter)
    writer.setTitle(words.title("sheet.title"))
    writer.setCreator("Genba Touch")
    painter = QPainter(writer)
    painter.scale(writer.width() / _WIDTH, writer.width() / _WIDTH)
    first = True
    for group in groups:
        for start in range(0, len(group.rows), LINES_A_PAGE):
            if not first:
                writer.newPage()
            first = False
            _page(painter, month, group, start, marks, words, site)
    painter.end()
    buffer.close()
    return bytes(buffer.data().data())


def _page(painter: QPainter, month: Month, group: Group, start: int, marks: Seen, words: Words, site: str) -> None:
    painter.setPen(colour(INK))
    painter.setFont(make_font(34, BOLD))
    company = group.company or words.title("month.no_company")
    painter.drawText(QRectF(0, 0, _WIDTH * 0.7, 50), _LEFT, f"{words.title('sheet.title')}  {words.month(month.month)}")
    painter.setFont(make_font(26, BOLD))
    painter.drawText(QRectF(0, 52, _WIDTH * 0.6, 44), _LEFT, company)
    painter.setFont(make_font(20))
    painter.setPen(colour(INK_2))
    painter.drawText(QRectF(0, 0, _WIDTH, 44), _RIGHT, site)
    painter.drawText(QRectF(0, 52, _WIDTH, 44), _RIGHT, words.title("sheet.by"))
    rows = group.rows[start : start + LINES_A_PAGE]
    cell = (_WIDTH - _NUMBER - _NAME) / len(month.days)
    bottom = _TOP + _HEAD + _ROW * len(rows)
    for number, day in enumerate(month.days):
        box = QRectF(_NUMBER + _NAME + number * cell, _TOP, cell, bottom - _TOP)
        if day.closed:
            painter.fillRect(box, colour("#EEEEEE"))
        painter.setPen(colour(INK))
        painter.setFont(make_font(20, BOLD if day.closed else REGULAR))
        painter.drawText(QRectF(box.left(), _TOP, cell, 30), _CENTRE, str(int(day.day[8:])))
        painter.setFont(make_font(15))
        word = words.title("month.holiday") if day.holiday else words.weekday(day.weekday)
        painter.drawText(QRectF(box.left(), _TOP + 28, cell, 24), _CENTRE, word)
    for line, row in enumerate(rows):
        top = _TOP + _HEAD + line * _ROW
        painter.setPen(colour(INK))
        painter.setFont(make_font(20, tabular=True))
        painter.drawText(QRectF(0, top, _NUMBER - 10, _ROW), _RIGHT, str(start + line + 1))
        painter.setFont(make_font(22))
        painter.drawText(QRectF(_NUMBER + 8, top, _NAME - 12, _ROW), _LEFT, row.name)
        for number, day in enumerate(month.days):
            mark = marks.get(row.worker_id, {}).get(day.day)
            _box(painter, QRectF(_NUMBER + _NAME + number * cell, top, cell, _ROW), mark)
    painter.setPen(QPen(colour(LINE), 1))
    for line in range(len(rows) + 1):
        height = _TOP + _HEAD + line * _ROW
        painter.drawLine(0, round(height), _WIDTH, round(height))
    painter.setPen(colour(INK_2))
    painter.setFont(make_font(18))
    painter.drawText(QRectF(0, bottom + 12, _WIDTH, 60), _LEFT, words.title("sheet.note"))


def _box(painter: QPainter, cell: QRectF, mark: Mark | None) -> None:
    side = min(cell.width(), cell.height()) * 0.58
    box = QRectF(cell.center().x() - side / 2, cell.center().y() - side / 2, side, side)
    if mark is not None:
        paint_sign(painter, box, sign_of(mark))
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour(INK_2), 1.4))
    painter.drawRect(box)


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignCenter
