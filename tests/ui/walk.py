"""Walks a window and finds what is clipped, what runs out of its parent, and what has no name.

Run as a module it stages every scene under the present QT_SCALE_FACTOR: `python -m tests.ui.walk 1366x768 ja`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from PySide6.QtWidgets import QAbstractButton, QLineEdit, QScrollArea, QWidget

from app.ui.pads import Pad
from app.ui.text import Text


def visible(window: QWidget) -> Iterator[QWidget]:
    """Every visible widget of a window."""
    yield from (w for w in window.findChildren(QWidget) if w.isVisible())


def clipped(window: QWidget) -> list[str]:
    """Texts that do not fit their rectangles, and widgets that run out of their parents."""
    faults = []
    for widget in visible(window):
        where = f"{type(widget).__name__} {widget.geometry().getRect()}"
        if isinstance(widget, Text) and not widget.fitted().fits:
            faults.append(f"{where} clips {widget.text()!r}")
        if isinstance(widget, Pad):
            faults += [f"{where} clips {s.lines}" for s in widget.settings() if not s.fits]
        parent = widget.parentWidget()
        if parent is None or widget.isWindow() or isinstance(parent.parentWidget(), QScrollArea):
            continue
        if not parent.rect().contains(widget.geometry()):
            faults.append(f"{where} runs out of {type(parent).__name__} {parent.rect().getRect()}")
    return faults


def overlapping(window: QWidget) -> list[str]:
    """Texts and buttons of one parent that lie upon each other."""
    faults = []
    for parent in visible(window):
        shown = [
            w
            for w in parent.findChildren(QWidget)
            if w.parentWidget() is parent and w.isVisible() and isinstance(w, (Text, Pad))
        ]
        for index, one in enumerate(shown):
            for other in shown[index + 1 :]:
                if one.geometry().intersects(other.geometry()):
                    faults.append(f"{one.accessibleName() or one} lies upon {other.accessibleName() or other}")
    return faults


def nameless(window: QWidget) -> list[str]:
    """Controls without an accessible name, on pages that are not shown too; a hidden control has nothing to say."""
    kinds = (QAbstractButton, QLineEdit)
    controls = [w for w in window.findChildren(QWidget) if isinstance(w, kinds)]
    return [repr(w) for w in controls if not w.isHidden() and not w.accessibleName()]


def small_targets(window: QWidget, least: int) -> list[str]:
    """Visible buttons smaller than `least` pixels."""
    return [
        f"{w.accessibleName()} {w.width()}×{w.height()}"
        for w in visible(window)
        if isinstance(w, QAbstractButton) and min(w.width(), w.height()) < least
    ]


def main() -> int:
    from PySide6.QtWidgets import QApplication

    from app.ui.gallery import SCENES, settle, stage

    size, language = sys.argv[1], sys.argv[2]
    width, height = (int(part) for part in size.split("x"))
    factor = float(os.environ.get("QT_SCALE_FACTOR", "1"))
    application = QApplication(sys.argv[:1])
    faults = []
    for scene in SCENES:
        # the same glass at every factor: logical pixels are larger, so there are fewer
        window = stage(scene, round(width / factor), round(height / factor), language)
        faults += [f"{scene}: {fault}" for fault in clipped(window)]
        if (window.width(), window.height()) != (round(width / factor), round(height / factor)):
            faults.append(f"{scene}: the window has grown to {window.width()}×{window.height()}")
        window.leave_now()
        window.deleteLater()
        settle(window)
    del application
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
