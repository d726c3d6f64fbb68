"""The look of the office's ordinary widgets: one style sheet from the tokens of `app.ui.theme`."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.resources import resource
from app.ui.theme import BACKGROUND, BRAND, BRAND_PRESSED, EDGE, INK, INK_2, LINE, PRESSED, SKINS, SURFACE, Look, Theme


def sheet(theme: Theme) -> str:
    """The style sheet at a scale. A button's property `kind`: 'primary', 'chip', 'warn', or none."""
    px, check, arrow = theme.px, SKINS[Look.CHECK], resource("icons", "down.png").as_posix()
    return f"""
    QPushButton {{ background: {SURFACE}; color: {INK}; border: 1px solid {EDGE}; border-radius: {px(8)}px;
        padding: {px(5)}px {px(12)}px; font-size: {px(15)}px; min-height: {px(22)}px; }}
    QPushButton:hover {{ border-color: {BRAND}; }}
    QPushButton:pressed {{ background: {PRESSED}; }}
    QPushButton:focus {{ border: 2px solid {BRAND}; padding: {px(4)}px {px(11)}px; }}
    QPushButton:disabled {{ color: {INK_2}; background: {BACKGROUND}; border-color: {LINE}; }}
    QPushButton[kind="primary"] {{ background: {BRAND}; color: {SURFACE}; border-color: {BRAND}; font-weight: bold; }}
    QPushButton[kind="primary"]:pressed {{ background: {BRAND_PRESSED}; }}
    QPushButton[kind="primary"]:disabled {{ background: {EDGE}; border-color: {EDGE}; color: {SURFACE}; }}
    QPushButton[kind="chip"] {{ border-radius: {px(17)}px; }}
    QPushButton[kind="chip"]:checked {{ background: {BRAND}; color: {SURFACE}; border-color: {BRAND}; }}
    QPushButton:flat {{ border: none; background: transparent; color: {BRAND}; padding: 0 {px(8)}px; }}
    QLineEdit, QComboBox, QAbstractSpinBox {{ background: {SURFACE}; color: {INK}; border: 1px solid {EDGE};
        border-radius: {px(8)}px; padding: {px(4)}px {px(8)}px; font-size: {px(15)}px; min-height: {px(22)}px;
        selection-background-color: {BRAND}; }}
    QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{ border: 2px solid {BRAND};
        padding: {px(3)}px {px(7)}px; }}
    QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; border: none; }}
    QLineEdit[wrong="true"] {{ border-color: {SKINS[Look.BAD].strong}; background: {SKINS[Look.BAD].paper}; }}
    QComboBox::drop-down {{ border: none; width: {px(24)}px; }}
    QComboBox::down-arrow {{ image: url("{arrow}"); width: {px(10)}px; height: {px(6)}px; }}
    QComboBox QAbstractItemView {{ background: {SURFACE}; color: {INK}; font-size: {px(15)}px;
        selection-background-color: {PRESSED}; selection-color: {INK}; }}
    QCheckBox, QRadioButton {{ color: {INK}; font-size: {px(15)}px; spacing: {px(8)}px; }}
    QTableView {{ background: {SURFACE}; color: {INK}; border: 1px solid {LINE}; border-radius: {px(8)}px;
        gridline-color: {LINE}; font-size: {px(15)}px; selection-background-color: {PRESSED}; selection-color: {INK};
        alternate-background-color: {SURFACE}; }}
    QTableView::item {{ padding: {px(2)}px {px(8)}px; }}
    QListWidget {{ background: {SURFACE}; color: {INK}; border: 1px solid {LINE}; border-radius: {px(8)}px;
        font-size: {px(15)}px; }}
    QListWidget::item {{ padding: {px(3)}px {px(8)}px; }}
    QListWidget::item:selected {{ background: {PRESSED}; color: {INK}; }}
    QHeaderView {{ background: {SURFACE}; border: none; }}
    QHeaderView::section {{ background: {SURFACE}; color: {INK_2}; border: none; border-bottom: 1px solid {LINE};
        padding: {px(6)}px {px(8) + 3}px; font-size: {px(13)}px; }}
    QProgressBar {{ background: {LINE}; border: none; border-radius: {px(6)}px; max-height: {px(12)}px;
        min-height: {px(12)}px; text-align: center; }}
    QProgressBar::chunk {{ background: {BRAND}; border-radius: {px(6)}px; }}
    QLabel[kind="note"] {{ color: {INK}; padding: {px(6)}px {px(14)}px; font-size: {px(15)}px; }}
    QLabel[kind="warn"] {{ background: {check.paper}; color: {check.strong}; border-radius: {px(8)}px;
        padding: {px(6)}px {px(14)}px; font-size: {px(15)}px; }}
    QToolTip {{ background: {INK}; color: {SURFACE}; border: none; padding: 4px; font-size: {px(13)}px; }}
    """


def button(text: str, kind: str = "", *, checkable: bool = False) -> QPushButton:
    """A button of the office. `kind`: see `sheet`."""
    made = QPushButton(text)
    if kind:
        made.setProperty("kind", kind)
    made.setCheckable(checkable)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    return made
