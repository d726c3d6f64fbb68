"""Below the month: what the current cell is, why it is proposed, and the fields of its entry. Never over the table."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit

from app.office.calendar import holiday
from app.office.shapes import REASONS, EntryWanted, MarkKind, Row
from app.ui.office.month_model import Cell, MonthModel
from app.ui.office.style import button
from app.ui.office.work_fields import WorkFields
from app.ui.pads import Plate
from app.ui.text import BOLD, Text
from app.ui.theme import INK_2, LINE, RADIUS, SKINS, SURFACE, Look, Theme
from app.ui.words import Words


class CellPanel(Plate):
    """The page fills it; it says what was typed and pressed."""

    accept = Signal()
    """Enter: take the fields as an entry of the chosen cells."""
    refuse = Signal()
    """Del: take the draft out, or the candidate off the list."""
    save = Signal()
    back = Signal()
    """Esc: to the table."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__(theme, SURFACE, LINE, RADIUS[1])
        self._words = words
        self.title = Text(theme, 18, weight=BOLD)
        self.why = Text(theme, 15, ink=INK_2, lines=2)
        self.in_at, self.out_at = self._time("month.in"), self._time("month.out")
        self.reason = QComboBox()
        self.reason.setEditable(True)
        self.reason.setMinimumWidth(theme.px(190))
        for code in REASONS:
            self.reason.addItem(words.title(f"entry_reason.{code}"), code)
        self.reason.setAccessibleName(words.title("month.reason"))
        self.reason.setMaxVisibleItems(len(REASONS) + 4)
        self.work = WorkFields(theme, words)
        self.accept_button = button(words.title("month.accept"), "primary")
        self.refuse_button = button(words.title("month.set_aside"))
        self.save_button = button("", "primary")
        self.count = Text(theme, 15, ink=INK_2, align=Qt.AlignmentFlag.AlignRight)
        self.accept_button.clicked.connect(lambda _=False: self.accept.emit())
        self.refuse_button.clicked.connect(lambda _=False: self.refuse.emit())
        self.save_button.clicked.connect(lambda _=False: self.save.emit())
        fields = QHBoxLayout()
        fields.setSpacing(theme.px(8))
        for code, widget in (("month.in", self.in_at), ("month.out", self.out_at), ("month.reason", self.reason)):
            label = Text(theme, 13, words.title(code), ink=INK_2)
            fields.addWidget(label)
            fields.addWidget(widget)
        fields.addWidget(self.accept_button)
        fields.addWidget(self.refuse_button)
        fields.addStretch(1)
        grid = QGridLayout(self)
        grid.setContentsMargins(theme.px(16), theme.px(8), theme.px(16), theme.px(10))
        grid.setHorizontalSpacing(theme.px(16))
        grid.addWidget(self.title, 0, 0)
        grid.addWidget(self.why, 0, 1)
        grid.addLayout(fields, 1, 0, 1, 2)
        grid.addWidget(self.work, 2, 0, 1, 3)
        grid.addWidget(self.count, 0, 2)
        grid.addWidget(self.save_button, 1, 2)
        grid.setColumnStretch(1, 1)
        for field in (self.in_at, self.out_at):
            field.returnPressed.connect(self.accept.emit)
        editor = self.reason.lineEdit()
        if editor is not None:
            editor.returnPressed.connect(self.accept.emit)
        self.show_count(0)

    def _time(self, code: str) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText("--:--")
        field.setMaxLength(5)
        field.setFixedWidth(self.theme.px(72))
        field.setAccessibleName(self._words.title(code))
        field.textEdited.connect(lambda text, one=field: self._tidy(one, text))
        return field

    def _tidy(self, field: QLineEdit, text: str) -> None:
        """'0745' and '745' are 07:45; a time that is none is marked, and not taken."""
        if ":" not in text and text.isdigit() and len(text) == 4:
            field.setText(f"{text[:2]}:{text[2:]}")
        field.setProperty("wrong", "true" if field.text() and clock_time(field.text()) is None else "false")
        field.style().unpolish(field)
        field.style().polish(field)

    # ---- filled by the page --------------------------------------------------------------------------------------

    def show_cell(self, model: MonthModel, row: Row | None, cell: Cell | None, chosen: int) -> None:
        """The current cell; `chosen`: how many cells are selected."""
        self.work.show_for(row, cell.day.day if cell is not None else "", model.month)
        if row is None or cell is None:
            self.title.say(self._words.title("month.choose"))
            self.why.say("")
            self._enable(False, False)
            return
        name = row.name if chosen <= 1 else self._words.title("month.chosen", name=row.name, count=chosen)
        self.title.say(f"{name}  {self._words.month_day(cell.day.day)}")
        look, sentence = self._sentence(model, cell)
        self.why.paint_with(SKINS[look].strong if look is not None else INK_2)
        self.why.say(sentence)
        busy = cell.mark is not None and cell.mark.counts and bool(cell.mark.first_in and cell.mark.last_out)
        self._enable(not busy and not cell.day.future, cell.draft is not None or cell.candidate is not None)
        self.refuse_button.setText(self._words.title("month.undraft" if cell.draft else "month.set_aside"))
        if not (self.in_at.hasFocus() or self.out_at.hasFocus() or self.reason.hasFocus() or self.work.has_focus()):
            self._fill(cell)

    def _sentence(self, model: MonthModel, cell: Cell) -> tuple[Look | None, str]:
        if cell.candidate is not None and cell.draft is None:
            said = [self._words.title(f"why.{why.value}", **values) for why, values in cell.candidate.why]
            return Look.CHECK, "。".join(said)
        if cell.mark is None:
            name = holiday(date.fromisoformat(cell.day.day), self._words.language)
            return None, name or (self._words.title("month.closed") if cell.day.closed else "")
        parts = [model.word(cell)]
        if cell.mark.overdue:
            parts = [self._words.title("month.overdue", what=parts[0])]
        if cell.mark.first_in or cell.mark.last_out:
            parts.append(f"{cell.mark.first_in or '--:--'} – {cell.mark.last_out or '--:--'}")
        look: Look | None = None
        if cell.mark.counts and cell.mark.missing:
            missing = "・".join(self._words.title(f"month.missing_{name}") for name in cell.mark.missing)
            parts.append(self._words.title("month.missing", what=missing))
            look = Look.CHECK
        if cell.mark.kind is MarkKind.NOT_TAKEN:
            message = self._words.known(f"sync.verdict_{cell.mark.answer}", "sync.verdict_other")
            return Look.BAD, f"{parts[0]}: {message.title} → {message.remedy}"
        if cell.mark.counts and cell.mark.waits:
            parts.append(self._words.title("month.time_waits"))
        if cell.mark.reason:
            parts.append(self._words.title("month.reason_said", reason=reason_word(cell.mark.reason, self._words)))
        if cell.mark.answer:
            parts.append(self._words.title("month.answer", answer=cell.mark.answer))
            look = Look.BAD
        if cell.mark.unsent:
            parts.append(self._words.title("month.unsent"))
        return Look.CHECK if cell.mark.overdue else look, "  ".join(parts)

    def _fill(self, cell: Cell) -> None:
        source = cell.draft or cell.candidate
        self.in_at.setText((source.in_at if source else None) or "")
        self.out_at.setText((source.out_at if source else None) or "")
        if cell.draft is not None:
            self.show_reason(cell.draft.reason)
            self.work.fill(cell.draft)

    def _enable(self, may_enter: bool, may_refuse: bool) -> None:
        for widget in (self.in_at, self.out_at, self.reason, self.accept_button, self.work):
            widget.setEnabled(may_enter)
        self.refuse_button.setEnabled(may_refuse)

    def show_reason(self, reason: str) -> None:
        """A code of the list, or free text."""
        index = self.reason.findData(reason)
        if index >= 0:
            self.reason.setCurrentIndex(index)
        else:
            self.reason.setEditText(reason)

    def show_count(self, count: int) -> None:
        """How much is typed and not saved."""
        self.count.say(self._words.title("month.unsaved", count=count) if count else "")
        self.save_button.setText(self._words.title("month.save"))
        self.save_button.setEnabled(count > 0)

    # ---- read by the page ----------------------------------------------------------------------------------------

    def wanted(self, worker_id: str, day: str) -> EntryWanted | None:
        """An entry of what is typed; None (and the field marked) when a time is none."""
        times = []
        for field in (self.in_at, self.out_at):
            text = field.text().strip()
            time = clock_time(text)
            if text and time is None:
                field.setFocus()
                return None
            times.append(time)
        return EntryWanted(worker_id, day, self.chosen_reason(), times[0], times[1], *self.work.said())

    def chosen_reason(self) -> str:
        """The code of the reason, or what was written."""
        text = self.reason.currentText().strip()
        index = self.reason.findText(text)
        return str(self.reason.itemData(index)) if index >= 0 else text

    def type_time(self, digit: str) -> None:
        """A digit was typed in the table: it begins the time of coming, or of going when that is all that lacks."""
        field = self.out_at if self.in_at.text() and not self.out_at.text() else self.in_at
        if field.isEnabled():
            field.setFocus()
            field.setText(digit)

    def keyPressEvent(self, event: object) -> None:
        if getattr(event, "key", lambda: 0)() == Qt.Key.Key_Escape:
            self.back.emit()
        else:
            super().keyPressEvent(event)  # type: ignore[arg-type]


def reason_word(reason: str, words: Words) -> str:
    """A reason's code in words, or what was written."""
    return words.title(f"entry_reason.{reason}") if reason in REASONS else reason


def clock_time(text: str) -> str | None:
    """'07:45' of '07:45', '7:45', '745' or '0745'; None for what is no time."""
    plain = text.replace(":", "").replace(":", "").strip()
    if not plain.isdigit() or not plain.isascii() or not 3 <= len(plain) <= 4:
        return None
    hour, minute = int(plain[:-2]), int(plain[-2:])
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else None
