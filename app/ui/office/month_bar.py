"""Above the month: which month, what is due, and filters that carry their counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.domain.kana import folded
from app.office.calendar import months_later
from app.office.shapes import Deadline
from app.ui.office.style import button
from app.ui.text import BOLD, Text
from app.ui.theme import Theme
from app.ui.words import Words


@dataclass(frozen=True, slots=True)
class Filter:
    """Which workers are shown."""

    candidates: bool = False
    looks: bool = False
    company: str | None = None
    text: str = ""

    @property
    def any(self) -> bool:
        """Whether anybody is left out."""
        return self.candidates or self.looks or self.company is not None or bool(self.text)

    def fits_name(self, name: str, kana: str) -> bool:
        """Whether the typed text is part of the name or its kana (サトウ, さとう and ｻﾄｳ alike)."""
        return not self.text or any(folded(self.text) in folded(one) for one in (name, kana))


class MonthBar(QWidget):
    """See the module."""

    month_wanted = Signal(str)
    filtered = Signal()
    approvals = Signal()
    copy_wanted = Signal()
    csv_wanted = Signal()
    heads = Signal()
    backfill = Signal()
    list_wanted = Signal()
    print_wanted = Signal()
    sheet_typed = Signal(str)

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._words = words
        self._month = ""
        self.title = Text(theme, 28, weight=BOLD)
        self.before, self.after = button(""), button("")
        self.before.clicked.connect(lambda _=False: self.month_wanted.emit(months_later(self._month, -1)))
        self.after.clicked.connect(lambda _=False: self.month_wanted.emit(months_later(self._month, 1)))
        self.due = QLabel()
        self.due.setProperty("kind", "warn")
        self.due.hide()
        self.candidates = button("", "chip", checkable=True)
        self.waiting = button("", "chip")
        self.looks = button("", "chip", checkable=True)
        self.company = QComboBox()
        self.company.setMaximumWidth(theme.px(230))
        self.company.setAccessibleName(words.title("month.company"))
        self.search = QLineEdit()
        self.search.setPlaceholderText(words.title("month.search"))
        self.search.setAccessibleName(words.title("month.search"))
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(theme.px(220))
        self.copy = button(words.title("month.copy"))
        self.csv = button("CSV")
        self.heads_button = button(words.title("month.heads"))
        self.backfill_button = button(words.title("month.backfill"))
        self.list_button = button(words.title("month.list"))
        self.list_button.clicked.connect(lambda _=False: self.list_wanted.emit())
        self.print = button(words.title("month.print"))
        self.sheet = QLineEdit()
        self.sheet.setPlaceholderText(words.title("sheet.type"))
        self.sheet.setAccessibleName(words.title("sheet.type"))
        self.sheet.setFixedWidth(theme.px(220))
        for check in (self.candidates, self.looks):
            check.toggled.connect(lambda _=False: self.filtered.emit())
        self.company.currentIndexChanged.connect(lambda _=0: self.filtered.emit())
        self.search.textChanged.connect(lambda _="": self.filtered.emit())
        self.waiting.clicked.connect(lambda _=False: self.approvals.emit())
        self.copy.clicked.connect(lambda _=False: self.copy_wanted.emit())
        self.csv.clicked.connect(lambda _=False: self.csv_wanted.emit())
        self.heads_button.clicked.connect(lambda _=False: self.heads.emit())
        self.backfill_button.clicked.connect(lambda _=False: self.backfill.emit())
        self.print.clicked.connect(lambda _=False: self.print_wanted.emit())
        self.sheet.returnPressed.connect(lambda: self.sheet_typed.emit(self.sheet.text()))
        upper, lower = QHBoxLayout(), QHBoxLayout()
        upper.setSpacing(theme.px(8))
        lower.setSpacing(theme.px(8))
        upper.addWidget(self.title)
        upper.addSpacing(theme.px(16))
        upper.addWidget(self.before)
        upper.addWidget(self.after)
        upper.addSpacing(theme.px(8))
        upper.addWidget(self.list_button)
        upper.addWidget(self.heads_button)
        upper.addWidget(self.backfill_button)
        upper.addStretch(1)
        upper.addWidget(self.due)
        for widget in (self.candidates, self.waiting, self.looks, self.company, self.search):
            lower.addWidget(widget)
        lower.addStretch(1)
        lower.addWidget(self.sheet)
        lower.addWidget(self.print)
        lower.addWidget(self.copy)
        lower.addWidget(self.csv)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme.px(8))
        box.addLayout(upper)
        box.addLayout(lower)
        self.show_companies([])
        self.show_candidates(None)
        self.show_waiting(0)
        self.show_looks(0)

    @property
    def filter(self) -> Filter:
        """What is chosen."""
        company = self.company.currentData()
        return Filter(
            self.candidates.isChecked(),
            self.looks.isChecked(),
            None if company is None else str(company),
            self.search.text().strip(),
        )

    def show_all(self) -> None:
        """No filter."""
        for check in (self.candidates, self.looks):
            check.setChecked(False)
        self.company.setCurrentIndex(0)
        self.search.clear()

    def show_month(self, month: str) -> None:
        """Another month."""
        self._month = month
        self.title.say(f"{self._words.title('office.page_month')}  {self._words.month(month)}")
        self.before.setText(f"‹ {self._words.short_month(months_later(month, -1))}")
        self.after.setText(f"{self._words.short_month(months_later(month, 1))} ›")
        self.show_candidates(None)

    def show_companies(self, companies: Sequence[tuple[str, str]]) -> None:
        """Companies (id, name) of the month; the chosen one stays chosen."""
        chosen = self.company.currentData()
        self.company.blockSignals(True)
        self.company.clear()
        self.company.addItem(self._words.title("month.all_companies"), None)
        for id_, name in companies:
            self.company.addItem(name or self._words.title("month.no_company"), id_)
        at = self.company.findData(chosen)
        self.company.setCurrentIndex(max(0, at))
        self.company.blockSignals(False)

    def show_candidates(self, count: int | None, share: float | None = None) -> None:
        """Likely missed days; None: still being counted. `share`: how far that is, 0 to 1."""
        text = (f"…{share:.0%}" if share else "…") if count is None else f"{count:,}"
        self.candidates.setText(self._words.title("month.candidates", count=text))

    def show_waiting(self, count: int) -> None:
        """Entries that wait for the 元請."""
        self.waiting.setText(self._words.title("month.waiting", count=f"{count:,}"))

    def show_looks(self, count: int) -> None:
        """People with something to look at."""
        self.looks.setText(self._words.title("month.looks", count=f"{count:,}"))

    def show_deadlines(self, deadlines: Sequence[Deadline]) -> None:
        """What is due next; nothing while there is time. From three days before it is amber."""
        due = [one for one in deadlines if one.level != "calm" and (one.waiting or one.unsent)]
        self.due.setVisible(bool(due))
        if not due:
            return
        one = due[0]
        past = one.level == "past"
        if one.unsent:
            code = "month.due_unsent" if past else "month.due_unsent_yet"
        else:
            code = "month.due_past" if past else "month.due"
        self.due.setText(
            self._words.title(
                code,
                month=self._words.short_month(one.month),
                until=f"{int(one.until[5:7])}/{int(one.until[8:])}",
                days=one.days_left,
                count=one.unsent or one.waiting,
            )
        )
        self.due.setProperty("kind", "note" if one.level == "remind" else "warn")
        self.due.style().unpolish(self.due)
        self.due.style().polish(self.due)
