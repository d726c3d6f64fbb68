"""A row of widgets that goes on in the next line when it is full; its height follows."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.ui.theme import Theme


class Flow(QWidget):
    """Places its items from left to right, breaking lines; the last item stands at the right edge."""

    def __init__(self, theme: Theme, row: int, gap: int) -> None:
        """`row`: height of a line, `gap`: space between items, both at 100 %."""
        super().__init__()
        self._theme, self._row, self._gap = theme, row, gap
        self._items: list[QWidget] = []
        self._last: QWidget | None = None
        theme.changed.connect(self.reflow)

    def place(self, items: list[QWidget], last: QWidget | None = None) -> None:
        """Show these items, and `last` at the right edge. Items that are no longer wanted are the caller's."""
        self._items, self._last = items, last
        for item in [*items, *([last] if last else [])]:
            if item.parent() is not self:
                item.setParent(self)
                item.show()
        self.reflow()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.reflow()

    def reflow(self) -> None:
        """Work out the lines again."""
        px = self._theme.px
        width, row, gap = self.width(), px(self._row), px(self._gap)
        x, line = 0, 0
        for item in self._items:
            wanted = min(item.sizeHint().width(), width)
            if x and x + wanted > width:
                x, line = 0, line + 1
            item.setGeometry(x, line * row, wanted, row)
            x += wanted + gap
        if self._last is not None:
            wanted = min(self._last.sizeHint().width(), width)
            if x and x + wanted > width:
                line += 1
            self._last.setGeometry(width - wanted, line * row, wanted, row)
        self.setFixedHeight((line + 1) * row)
