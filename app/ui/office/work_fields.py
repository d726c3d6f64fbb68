"""Company, 職種 and 立場 of an entry, asked for where the contract tree does not say them for that day."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from app.office.choices import Choice, Choices
from app.office.shapes import EntryWanted, Month, Row
from app.ui.text import Text
from app.ui.theme import INK_2, Theme
from app.ui.words import Words

LABELS = ("month.missing_company", "month.missing_occupation", "month.missing_role")


class WorkFields(QWidget):
    """Hidden while the assignment says everything. The first line of each list means: as the contract tree says."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._words = words
        self._choices: Choices | None = None
        self.boxes = (QComboBox(), QComboBox(), QComboBox())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        for code, box, width in zip(LABELS, self.boxes, (260, 190, 180), strict=True):
            row.addWidget(Text(theme, 13, words.title(code), ink=INK_2))
            box.setAccessibleName(words.title(code))
            box.setMinimumWidth(theme.px(width))
            box.setMaximumWidth(theme.px(width + 80))
            row.addWidget(box)
        for box in self.boxes[1:]:  # their code tables are master data that a site may not have
            box.setEditable(True)
        row.addStretch(1)
        self.hide()

    def show_for(self, row: Row | None, day: str, month: Month | None) -> None:
        """The fields, where they are needed for a worker's day."""
        needed = row is not None and bool(day) and not row.described_on(day)
        if needed and month is not None and month.choices != self._choices:
            self._choices = month.choices
            lists = (month.choices.companies, month.choices.occupations, month.choices.roles)
            for box, choices in zip(self.boxes, lists, strict=True):
                self._offer(box, choices)
        self.setVisible(needed)

    def _offer(self, box: QComboBox, choices: Sequence[Choice]) -> None:
        box.clear()
        box.addItem(self._words.title("month.as_assigned"), None)
        for id_, name in choices:
            box.addItem(name or id_, id_)

    def has_focus(self) -> bool:
        """Whether somebody types here."""
        return any(box.hasFocus() or any(e.hasFocus() for e in box.findChildren(QLineEdit)) for box in self.boxes)

    def fill(self, draft: EntryWanted) -> None:
        """What a draft says."""
        for box, value in zip(self.boxes, (draft.company_id, draft.occupation, draft.role), strict=True):
            at = box.findData(value) if value else 0
            if at >= 0:
                box.setCurrentIndex(at)
            elif value:
                box.setEditText(value)

    def said(self) -> tuple[str | None, str | None, str | None]:
        """Company, occupation, role as chosen or written; None: as the contract tree says."""
        if self.isHidden():
            return None, None, None
        company, occupation, role = (self._value(box) for box in self.boxes)
        return company, occupation, role

    def _value(self, box: QComboBox) -> str | None:
        text = box.currentText().strip()
        at = box.findText(text)
        if at < 0:
            return text or None
        value = box.itemData(at)
        return None if value is None else str(value)
