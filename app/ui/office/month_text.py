"""The month's table as text: for the clipboard and for files."""

from __future__ import annotations

from PySide6.QtWidgets import QTableView

from app.ui.office.month_model import MonthModel
from app.ui.words import Words


def whole(model: MonthModel, words: Words) -> list[list[str]]:
    """Every line, under a head of names and days."""
    head = [words.title("month.name"), *(f"{day.day}" for day in model.days)]
    columns = range(model.columnCount())
    lines = [[model.text(model.index(n, c)) for c in columns] for n in range(len(model.lines))]
    return [[*head, words.title("month.days"), words.title("month.retirement")], *lines]


def chosen(table: QTableView, model: MonthModel) -> list[list[str]]:
    """The cells that are chosen, as a rectangle; [] for none."""
    indexes = table.selectionModel().selectedIndexes()
    lines, columns = sorted({i.row() for i in indexes}), sorted({i.column() for i in indexes})
    return [[model.text(model.index(n, c)) for c in columns] for n in lines]
