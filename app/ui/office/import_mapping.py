"""A file that no format fits: somebody says once what its columns are, and sees at once how it is read."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.domain.assurance import Assurance
from app.office.import_port import Cells, FormatDraft, FormatSaved, Layout, Part
from app.ui.office import import_guess as guess
from app.ui.office.import_columns import Choice, ColumnsTable
from app.ui.office.import_words import sentence
from app.ui.text import Text
from app.ui.theme import INK_2, SKINS, Look, Theme
from app.ui.words import Words

_ASK_MS = 200
_ROWS = 100
FIXED, JSONL = "fixed", "jsonl"
ENCODINGS = ("auto", "cp932", "utf-8", "utf-16")
DELIMITERS = ("auto", ",", "\t", ";", "|", FIXED, JSONL)


class MappingStep(QWidget):
    """Says `cells_wanted` with a layout; `show_cells` brings what it cuts. `changed`: `missing` may be another."""

    cells_wanted = Signal(object)
    changed = Signal()

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        say = words.title
        self.cells = Cells(Layout(), (), ())
        self.hint = Text(theme, 15, say("wizard.map_hint"), ink=INK_2, lines=2)
        self.name = QLineEdit()
        self.name.setMaxLength(60)
        self.name.setPlaceholderText(say("wizard.map_name_hint"))
        self.encoding = Choice(words, "encoding", ENCODINGS)
        self.delimiter = Choice(words, "delimiter", DELIMITERS)
        self.header = Choice(words, "header", ("1", "2", "3", "4", "5", "0"))
        self.sheet = Choice(words, "", ())
        self.widths = QLineEdit()
        self.widths.setPlaceholderText("8 6 16")
        self.time = Choice(words, "", ())
        self.card = Choice(words, "card", guess.CARD_FORMS[:-1])
        self.columns = ColumnsTable(theme, words)
        self.directions = QHBoxLayout()
        self._words_of: dict[str, Choice] = {}
        self.read = Text(theme, 15, ink=INK_2, lines=2)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_ASK_MS)
        self._later.timeout.connect(lambda: self.cells_wanted.emit(self.layout_wanted()))
        self._lay_out()
        for choice in (self.encoding, self.delimiter, self.sheet, self.header):
            choice.currentIndexChanged.connect(lambda _: self._cut())
        self.widths.textChanged.connect(lambda _: self._cut())
        self.columns.changed.connect(self._mapped)
        self.time.currentIndexChanged.connect(lambda _: self._show_read())
        self.card.currentIndexChanged.connect(lambda _: self._show_read())
        self.name.textChanged.connect(lambda _: self._show_read())

    def _lay_out(self) -> None:
        px, say = self._theme.px, self._words.title
        grid = self._grid = QGridLayout()
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(2))
        wanted: tuple[tuple[str, QWidget, int], ...] = (
            ("wizard.map_name", self.name, 3),
            ("wizard.encoding", self.encoding, 2),
            ("wizard.delimiter", self.delimiter, 2),
            ("wizard.sheet", self.sheet, 2),
            ("wizard.widths", self.widths, 1),
            ("wizard.header", self.header, 2),
            ("wizard.time", self.time, 5),
            ("wizard.card_form", self.card, 3),
        )
        self._titles: dict[QWidget, Text] = {}
        self._place: dict[QWidget, int] = {}
        for place, (code, widget, stretch) in enumerate(wanted):
            self._place[widget] = place
            self._titles[widget] = Text(self._theme, 13, say(code), ink=INK_2)
            widget.setAccessibleName(say(code))
            grid.addWidget(self._titles[widget], 0, place)
            grid.addWidget(widget, 1, place)
            grid.setColumnStretch(place, stretch)
        self.directions.setSpacing(px(8))
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(px(8))
        for part in (self.hint, grid, self.directions, self.read):
            if isinstance(part, QWidget):
                box.addWidget(part)
            else:
                box.addLayout(part)
        box.addWidget(self.columns, 1)

    # ---- cutting --------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Another file."""
        self.name.clear()
        for choice in (self.encoding, self.delimiter, self.header):
            choice.setCurrentIndex(0)
        self.sheet.fill(())
        self.cells = Cells(Layout(), (), ())
        self.columns.show_cells(self.cells)
        self._cut()
        self.name.setFocus()

    def layout_wanted(self) -> Layout:
        """As it is chosen now."""
        delimiter = self.delimiter.value()
        widths = tuple(int(part) for part in self.widths.text().replace(",", " ").split() if part.isdigit())
        kind = delimiter if delimiter in (FIXED, JSONL) else "table"
        cut_by = "auto" if delimiter in (FIXED, JSONL) else delimiter
        return Layout(kind, self.encoding.value(), cut_by, int(self.header.value()), widths, self.sheet.value())

    def _cut(self) -> None:
        self._show_choices()
        self._later.start()

    def _show_choices(self) -> None:
        """Those that this kind of file has."""
        kind = self.delimiter.value()
        objects = kind == JSONL or self.cells.layout.type == JSONL
        for widget, shown in (
            (self.widths, kind == FIXED),
            (self.header, kind != FIXED and not objects),
            (self.sheet, len(self.cells.sheets) > 1),
        ):
            widget.setVisible(shown)
            self._titles[widget].setVisible(shown)
            self._grid.setColumnStretch(self._place[widget], int(shown))

    def show_cells(self, cells: Cells) -> None:
        """How the file is cut now, and what its columns seem to be."""
        self.cells = cells
        words = self._words
        self.encoding.found(cells.layout.encoding.removesuffix("-sig").removesuffix("-le").removesuffix("-be"))
        self.delimiter.found(JSONL if cells.layout.type == JSONL else cells.layout.delimiter)
        found = words.title("wizard.auto_is", found=cells.sheet)
        self.sheet.fill([(found, ""), *((name, name) for name in cells.sheets)])
        self._show_choices()
        excel = cells.layout.encoding == "xlsx"
        for widget in (self.encoding, self.delimiter):
            widget.setEnabled(not excel)
        self.columns.show_cells(cells)
        self._mapped()
        if cells.error is not None:
            self.read.paint_with(SKINS[Look.BAD].strong)
            self.read.say(sentence(words, cells.error))

    # ---- meaning --------------------------------------------------------------------------------------------------

    def _mapped(self) -> None:
        """The columns mean something else now: which times, cards and words stand there?"""
        chosen = self.columns.parts()
        likely = self.cells.times
        found = guess.patterns(self._times(), likely)
        self.time.fill([(self._example(one), one) for one in found])
        if Part.CARD in chosen:
            self.card.choose(guess.card_form(self.columns.texts(chosen[Part.CARD])))
        self.card.setVisible(Part.CARD in chosen)
        self._titles[self.card].setVisible(Part.CARD in chosen)
        self._show_directions(chosen.get(Part.DIRECTION))
        self._show_read()

    def _times(self) -> list[str]:
        chosen = self.columns.parts()
        if Part.AT in chosen:
            return [text.strip() for text in self.columns.texts(chosen[Part.AT])]
        if Part.DATE in chosen and Part.TIME in chosen:
            both = zip(self.columns.texts(chosen[Part.DATE]), self.columns.texts(chosen[Part.TIME]), strict=True)
            return [f"{day.strip()} {time.strip()}".strip() for day, time in both]
        return []

    def _example(self, pattern: str) -> str:
        first = next((text for text in self._times() if text), "")
        read = guess.read(pattern, first).replace("T", " ")
        return f"{first} → {read.replace('-', '/')}"

    def _show_directions(self, column: str | None) -> None:
        texts = {text.strip() for text in self.columns.texts(column)} - {""} if column is not None else set()
        wanted = sorted(texts)[:8]
        if wanted == list(self._words_of):
            return
        while (item := self.directions.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._words_of = {}
        for word in wanted:
            choice = Choice(self._words, "direction", ("", "in", "out"))
            choice.setAccessibleName(word)
            choice.choose(guess.direction(word))
            choice.currentIndexChanged.connect(lambda _: self._show_read())
            self.directions.addWidget(Text(self._theme, 15, self._words.title("wizard.word_is", word=word)))
            self.directions.addWidget(choice)
            self._words_of[word] = choice
        if wanted:
            self.directions.addStretch(1)

    def _show_read(self) -> None:
        chosen = self.columns.parts()
        for part in (Part.AT, Part.DATE, Part.TIME):
            if part in chosen:
                self.columns.show_read(part, self.time.value(), self._times())
        self.read.paint_with(SKINS[Look.CHECK].strong if self.missing() else INK_2)
        self.read.say(self.missing() or self._words.title("wizard.map_ready"))
        self.changed.emit()

    def missing(self) -> str:
        """What is still to be said, in words; '' when the format can be saved."""
        say, chosen = self._words.title, self.columns.parts()
        if not {Part.CARD, Part.WORKER, Part.PHONE} & chosen.keys():
            return say("wizard.need_card")
        if Part.AT not in chosen and not {Part.DATE, Part.TIME} <= chosen.keys():
            return say("wizard.need_time")
        if not self.time.value():
            return say("wizard.need_pattern", text=next((text for text in self._times() if text), ""))
        open_words = [word for word, choice in self._words_of.items() if not choice.value()]
        if open_words:
            return say("wizard.need_direction", words="、".join(open_words))
        return "" if self.name.text().strip() else say("wizard.need_name")

    def draft(self, taken: Sequence[str]) -> FormatDraft:
        """The format as it was said. `taken`: names there are."""
        chosen = self.columns.parts()
        form = guess.FORMS[self.card.value()] if Part.CARD in chosen else guess.FORMS["key"]
        words = {way: tuple(w for w, c in self._words_of.items() if c.value() == way) for way in ("in", "out")}
        logged = Part.CARD in chosen
        return FormatDraft(
            guess.slug(self.name.text(), taken),
            self.name.text().strip(),
            Assurance.LOGGED if logged else Assurance.DECLARED,
            self.cells.layout,
            chosen,
            (self.time.value(),),
            form.kind,
            form.base,
            form.reversed,
            form.bytes,
            words["in"],
            words["out"],
        )

    def show_saved(self, saved: FormatSaved) -> None:
        """It could not be saved: why."""
        if saved.error is not None:
            self.read.paint_with(SKINS[Look.BAD].strong)
            self.read.say(sentence(self._words, saved.error))
