"""The device's clock: right, or wrong by so much; its first rows beside it, as they would be stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QDate, QDateTime, Qt, QTime, Signal
from PySide6.QtWidgets import QComboBox, QDateTimeEdit, QGridLayout, QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from app.clock import Clock
from app.office.import_port import ClockOffer, ClockPair, Correction, Preview, PreviewRow
from app.ui.office.import_words import device_moment, encoding, found, moment, reason, sentence, shift
from app.ui.office.list_table import Column, ListTable
from app.ui.office.style import button
from app.ui.text import Text
from app.ui.theme import INK, INK_2, SKINS, Look, Theme
from app.ui.words import Words

_FORMAT = "yyyy/MM/dd HH:mm:ss"
_MOST_PAIRS = 4
_NAMES = {"in": "gate.direction_in", "out": "gate.direction_out"}


class Moment(QDateTimeEdit):
    """A date and a time of the site, to the second."""

    def __init__(self, words: Words, name: str) -> None:
        super().__init__()
        self._zone = words.zone
        self.setDisplayFormat(_FORMAT)
        self.lineEdit().setTextMargins(8, 0, 0, 0)  # a style sheet's padding does not reach it
        self.setAccessibleName(name)

    def show_moment(self, at: datetime) -> None:
        """Show another moment."""
        local = at.astimezone(self._zone)
        day, time = QDate(local.year, local.month, local.day), QTime(local.hour, local.minute, local.second)
        self.setDateTime(QDateTime(day, time))

    def moment(self) -> datetime:
        """What stands there."""
        at = self.dateTime()
        day, time = at.date(), at.time()
        return datetime(
            day.year(), day.month(), day.day(), time.hour(), time.minute(), time.second(), tzinfo=self._zone
        )


class ClockStep(QWidget):
    """Says `offer_wanted` with pairs of times; `show_offer` brings what they mean."""

    offer_wanted = Signal(list)
    changed = Signal()
    """The correction is another one."""

    def __init__(self, theme: Theme, words: Words, clock: Clock) -> None:
        super().__init__()
        self._theme, self._words, self._clock = theme, words, clock
        say = words.title
        self.correction = Correction()
        self.shown = Correction()
        """Of the rows in the table."""
        self.right = QRadioButton(say("wizard.clock_keep"))
        self.wrong = QRadioButton(say("wizard.clock_mend"))
        self.right.setChecked(True)
        self.pairs: list[tuple[Moment, Moment]] = []
        self.more = button(say("wizard.clock_more"))
        self.now = button(say("wizard.clock_now"))
        self.said = Text(theme, 18, ink=INK, lines=2)
        self.note = Text(theme, 15, ink=SKINS[Look.CHECK].strong, lines=2)
        self.hint = Text(theme, 15, say("wizard.clock_hint"), ink=INK_2, lines=2)
        self.table: ListTable[PreviewRow] = ListTable(theme, self._columns(), say("wizard.first_rows"))
        self.sum = Text(theme, 15, ink=INK_2)
        self.device = QComboBox()
        self.device.setEditable(True)
        self.device.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.device.setMinimumWidth(theme.px(280))
        self.device.setAccessibleName(say("wizard.device_name"))
        self._said_device = ""
        """What the format calls it."""
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.px(12))
        self._grid.addWidget(Text(theme, 13, say("wizard.clock_device"), ink=INK_2), 0, 0)
        self._grid.addWidget(Text(theme, 13, say("wizard.clock_pc"), ink=INK_2), 0, 1)
        self._grid.addWidget(self.now, 1, 2)
        self._grid.addWidget(self.more, 1, 3)
        self._grid.setColumnStretch(4, 1)
        self._times = QWidget()
        self._times.setLayout(self._grid)
        self._times.hide()
        self._add_pair()
        self._lay_out()
        self.wrong.toggled.connect(self._toggled)
        self.device.activated.connect(lambda _: self.changed.emit())
        self.device.editTextChanged.connect(lambda _: self.changed.emit())
        self.more.clicked.connect(lambda _=False: self._add_pair())
        self.now.clicked.connect(lambda _=False: self.pairs[0][1].show_moment(self._clock.now()))

    def _columns(self) -> Sequence[Column[PreviewRow]]:
        say, words = self._words.title, self._words
        return (
            Column(say("wizard.line"), lambda r: str(r.line), 70, right=True, order=lambda r: r.line),
            Column(say("wizard.device_at"), lambda r: device_moment(r.device_at), 190),
            Column(say("wizard.shift"), lambda r: shift(r.at, self.shown), 100, right=True),
            Column(say("wizard.at"), lambda r: moment(words, r.at), 190),
            Column(say("wizard.card"), lambda r: r.card or r.worker_id, 190),
            Column(say("month.name"), lambda r: r.name, 180),
            Column(say("wizard.direction"), lambda r: say(_NAMES[r.direction]) if r.direction in _NAMES else "", 90),
            Column(
                say("wizard.note"),
                lambda r: reason(words, r.problem) if r.problem else "",
                0,
                look=lambda r: Look.BAD if r.problem else None,
            ),
        )

    def _lay_out(self) -> None:
        px = self._theme.px
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(px(6))
        choice = QHBoxLayout()
        choice.setSpacing(px(24))
        choice.addWidget(self.right)
        choice.addWidget(self.wrong)
        choice.addStretch(1)
        device = QHBoxLayout()
        device.setSpacing(px(12))
        device.addWidget(Text(self._theme, 15, self._words.title("wizard.device_name")))
        device.addWidget(self.device)
        device.addWidget(Text(self._theme, 15, self._words.title("wizard.device_hint"), ink=INK_2), 1)
        box.addLayout(device)
        box.addWidget(self.hint)
        box.addLayout(choice)
        box.addWidget(self._times, 0, Qt.AlignmentFlag.AlignLeft)
        box.addWidget(self.said)
        box.addWidget(self.note)
        box.addWidget(self.sum)
        box.addWidget(self.table, 1)
        self.said.hide()
        self.note.hide()

    # ---- a file ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Another file: nothing is corrected."""
        self._said_device = ""
        self._write_device("")
        self.correction = Correction()
        self.right.setChecked(True)
        while len(self.pairs) > 1:
            for widget in self.pairs.pop():
                widget.deleteLater()
        for widget in self.pairs[0]:
            widget.show_moment(self._clock.now())
        self.more.setEnabled(True)
        self.table.list.show(())
        self.sum.say(self._words.title("wizard.looking"))

    def show_devices(self, names: Sequence[str]) -> None:
        """Devices that were imported before."""
        text = self.device.currentText()
        self.device.blockSignals(True)
        self.device.clear()
        self.device.addItems(list(names))
        self.device.blockSignals(False)
        self._write_device(text)

    def _write_device(self, text: str) -> None:
        self.device.blockSignals(True)
        self.device.setEditText(text)
        self.device.blockSignals(False)

    def device_wanted(self) -> str:
        """The name somebody gave the device; '' for what the format says."""
        text = self.device.currentText().strip()
        return "" if text == self._said_device else text

    def show_offer(self, offer: ClockOffer) -> None:
        """What the pairs say."""
        if not self.wrong.isChecked():
            return
        self.correction = offer.correction
        self.said.say(found(self._words, offer.correction, offer.worst_s))
        self.note.say(sentence(self._words, offer.note) if offer.note else "")
        self.note.setVisible(offer.note is not None)
        self.changed.emit()

    def show_preview(self, preview: Preview, correction: Correction) -> None:
        """First rows as they would be stored, corrected like this."""
        words = self._words
        self.shown = correction
        if not self._said_device and not self.device.currentText():
            self._said_device = preview.device
            self._write_device(preview.device)
        self.table.list.show(preview.rows)
        if preview.error is not None:
            self.sum.paint_with(SKINS[Look.BAD].strong)
            self.sum.say(sentence(words, preview.error))
            return
        self.sum.paint_with(INK_2)
        self.sum.say(words.title("wizard.first", count=len(preview.rows), encoding=encoding(words, preview.encoding)))

    def _toggled(self, wrong: bool) -> None:
        self._times.setVisible(wrong)
        self.said.setVisible(wrong)
        if wrong:
            self._ask()
        else:
            self.note.hide()
            self.correction = Correction()
            self.changed.emit()

    def _add_pair(self) -> None:
        say, row = self._words.title, len(self.pairs) + 1
        pair = (Moment(self._words, say("wizard.clock_device")), Moment(self._words, say("wizard.clock_pc")))
        for place, widget in enumerate(pair):
            # like the first until it is typed over: that adds nothing to what is found
            widget.show_moment(self.pairs[0][place].moment() if self.pairs else self._clock.now())
            widget.dateTimeChanged.connect(lambda *_: self._ask())
            self._grid.addWidget(widget, row, place)
        self.pairs.append(pair)
        self.more.setEnabled(row < _MOST_PAIRS)
        if row > 1:
            pair[0].setFocus()

    def _ask(self) -> None:
        if self.wrong.isChecked():
            self.offer_wanted.emit([ClockPair(device.moment(), pc.moment()) for device, pc in self.pairs])
