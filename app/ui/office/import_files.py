"""The first step of an import: files are dropped or chosen, and their format is recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.office.import_port import FormatEntry, Recognised
from app.ui.office.import_words import sentence
from app.ui.office.rail import paint_icon
from app.ui.office.style import button
from app.ui.pads import Plate
from app.ui.text import BOLD, Text
from app.ui.theme import BRAND, EDGE, INK_2, PRESSED, SKINS, SURFACE, Look, Theme, colour
from app.ui.words import Words


class DropBox(QWidget):
    """A place to drop files on, with a button for who would rather choose them."""

    dropped = Signal(list)
    """Paths."""

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme = theme
        self._over = False
        self.setAcceptDrops(True)
        self.title = Text(theme, 22, words.title("wizard.drop"), weight=BOLD, align=Qt.AlignmentFlag.AlignHCenter)
        self.hint = Text(
            theme, 15, words.title("wizard.drop_hint"), ink=INK_2, lines=2, align=Qt.AlignmentFlag.AlignHCenter
        )
        self.choose = button(words.title("wizard.choose"), "primary")
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.choose)
        row.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(theme.px(24), theme.px(72), theme.px(24), theme.px(24))
        box.setSpacing(theme.px(8))
        box.addStretch(1)
        box.addWidget(self.title)
        box.addWidget(self.hint)
        box.addLayout(row)
        box.addStretch(1)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _paths(event):
            self._over = True
            self.update()
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._over = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        self._over = False
        self.update()
        event.acceptProposedAction()
        self.dropped.emit(_paths(event))

    def paintEvent(self, event: QPaintEvent) -> None:
        px = self._theme.px
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(colour(BRAND if self._over else EDGE), px(2), Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(colour(PRESSED if self._over else SURFACE))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(px(2), px(2), -px(2), -px(2)), px(12), px(12))
        side = px(44)
        top = self.title.y() - side - px(12)
        paint_icon(painter, QRectF((self.width() - side) / 2, top, side, side), "import", BRAND)
        painter.end()


def _paths(event: QDropEvent) -> list[str]:
    """Local files of what is dragged; folders are not taken."""
    names = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
    return [name for name in names if Path(name).is_file()]


class FileRow(Plate):
    """A file: its name, its format, and what can be done with it."""

    wanted = Signal(str, str)
    """Import: file, format."""
    map_wanted = Signal(str)
    gone = Signal(str)

    def __init__(self, theme: Theme, words: Words, file: Recognised, formats: Mapping[str, FormatEntry]) -> None:
        super().__init__(theme)
        self.file, self._words = file, words
        px = theme.px
        name = QLabel(Path(file.file).name)
        name.setTextFormat(Qt.TextFormat.PlainText)
        name.setMinimumWidth(px(200))
        name.setStyleSheet(f"font-size: {px(18)}px; font-weight: bold")
        self.said = Text(theme, 15, ink=INK_2, lines=2)
        self.formats = QComboBox()
        self.formats.setAccessibleName(words.title("wizard.format"))
        self.go = button(words.title("wizard.go"), "primary")
        self.map = button(words.title("wizard.map"))
        self.drop = button("×")
        self.drop.setAccessibleName(words.title("wizard.forget_file"))
        self.drop.setToolTip(words.title("wizard.forget_file"))
        for code in file.formats:
            self.formats.addItem(label(formats.get(code), words, code), code)
        line, box = QHBoxLayout(), QVBoxLayout(self)
        line.setSpacing(px(8))
        line.addWidget(name, 1)
        for widget in (self.formats, self.go, self.map, self.drop):
            line.addWidget(widget)
        box.setContentsMargins(px(16), px(10), px(12), px(10))
        box.setSpacing(px(4))
        box.addLayout(line)
        box.addWidget(self.said)
        self._show()
        self.go.clicked.connect(lambda _=False: self.wanted.emit(file.file, str(self.formats.currentData())))
        self.map.clicked.connect(lambda _=False: self.map_wanted.emit(file.file))
        self.drop.clicked.connect(lambda _=False: self.gone.emit(file.file))

    def _show(self) -> None:
        count, words = len(self.file.formats), self._words
        size = words.title("wizard.size", kb=f"{max(1, round(self.file.size / 1024)):,}")
        self.formats.setVisible(count > 0)
        self.formats.setEnabled(count > 1)
        self.go.setVisible(count > 0)
        self.map.setVisible(self.file.error is None)
        if self.file.error is not None:
            self.said.paint_with(SKINS[Look.BAD].strong)
            # the name stands above already
            where = self.file.error.where.removeprefix(self.file.file).lstrip(": ")
            self.said.say(sentence(words, replace(self.file.error, where=where)))
        elif count == 0:
            self.said.paint_with(SKINS[Look.CHECK].strong)
            self.said.say(words.title("wizard.no_format", size=size))
            self.map.setProperty("kind", "primary")
        else:
            code = "wizard.one_format" if count == 1 else "wizard.several_formats"
            self.said.paint_with(INK_2 if count == 1 else SKINS[Look.CHECK].strong)
            self.said.say(words.title(code, size=size, count=count))


def label(entry: FormatEntry | None, words: Words, code: str) -> str:
    """A format's name for the screen; a sample is called one."""
    if entry is None:
        return code
    name = entry.label.get(words.language) or entry.label.get("ja") or code
    return words.title("wizard.sample_format", name=name) if entry.sample else name


class FilesStep(QWidget):
    """See the module."""

    files_wanted = Signal(list)
    wanted = Signal(str, str)
    map_wanted = Signal(str)

    def __init__(self, theme: Theme, words: Words) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        self.drop = DropBox(theme, words)
        self.drop.dropped.connect(self.files_wanted)
        self.rows: list[FileRow] = []
        self.files: list[Recognised] = []
        self._formats: Mapping[str, FormatEntry] = {}
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.px(8))
        self._list.setContentsMargins(0, 0, 0, 0)
        inside = QWidget()
        inside.setLayout(self._list)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.setWidget(inside)
        self._scroll.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        self._scroll.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(theme.px(12))
        box.addWidget(self.drop, 1)
        box.addWidget(self._scroll, 2)

    def show_formats(self, formats: Sequence[FormatEntry]) -> None:
        """All formats there are, for their names."""
        self._formats = {entry.name: entry for entry in formats}
        self._show()

    def add(self, found: Sequence[Recognised]) -> None:
        """Files that were looked at; one that is here already is taken anew."""
        names = {one.file for one in found}
        self.files = [one for one in self.files if one.file not in names] + list(found)
        self._show()
        if self.rows:
            row = self.rows[-1]
            (row.go if row.file.formats else row.map).setFocus()

    def remove(self, file: str) -> None:
        """A file is done with."""
        self.files = [one for one in self.files if one.file != file]
        self._show()

    def name_of(self, code: str) -> str:
        """A format's name for the screen."""
        return label(self._formats.get(code), self._words, code)

    def _show(self) -> None:
        while (item := self._list.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.rows = []
        for file in self.files:
            row = FileRow(self._theme, self._words, file, self._formats)
            row.wanted.connect(self.wanted)
            row.map_wanted.connect(self.map_wanted)
            row.gone.connect(self.remove)
            self._list.addWidget(row)
            self.rows.append(row)
        self._list.addStretch(1)
        self._scroll.setVisible(bool(self.files))
