"""All lanes side by side: one per usable reader, one more for as long as somebody else's result is on show."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.readers.port import ReaderCondition, ReaderState
from app.ui.content import CardContent
from app.ui.lane import Lane
from app.ui.status import reader_sentence
from app.ui.theme import Look, Theme
from app.ui.words import Words

_ABREAST = 3
"""So many lanes stand in one row; more make two rows."""


class LaneBoard(QWidget):
    """Keeps a lane for every usable reader and puts each result into its own."""

    shown = Signal(str, object)
    cleared = Signal(str)

    def __init__(self, theme: Theme, words: Words, greetings: tuple[str, ...], show_ms: int) -> None:
        super().__init__()
        self._theme, self._words, self._greetings, self._show_ms = theme, words, greetings, show_ms
        self._states: dict[str, ReaderState] = {}
        self._lanes: dict[str, Lane] = {}
        self._direction = ""
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        theme.changed.connect(self.restyle)
        self.restyle()
        self._settle()

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes from left to right."""
        return tuple(self._lanes.values())

    @property
    def usable(self) -> list[str]:
        """Names of the readers that would read a card now, in order of appearance."""
        return [name for name, state in self._states.items() if state.condition.usable]

    def reader_changed(self, state: ReaderState) -> None:
        """A reader came, went, or changed."""
        if state.condition is ReaderCondition.STOPPED:
            self._states.pop(state.reader, None)
        else:
            self._states[state.reader] = state
        self._settle()

    def label_of(self, name: str) -> str:
        """The reader's short name where there are several, else ''."""
        state = self._states.get(name)
        return state.label if state and len(self.usable) > 1 else ""

    def show_result(self, name: str, content: CardContent, show_ms: int | None = None) -> Lane:
        """Put a result into its reader's lane; for an unknown reader or none, into one of its own."""
        if name not in self._lanes:
            self._settle(extra=name)
        lane = self._lanes[name]
        lane.show_result(content, show_ms)
        self.shown.emit(name, content)
        return lane

    def say_direction(self, direction: str) -> None:
        """The word of the direction chosen by hand, '' for 自動."""
        self._direction = direction
        self._dress()

    def restyle(self) -> None:
        """The scale has changed."""
        self._grid.setSpacing(self._theme.px(12))

    def _settle(self, extra: str | None = None) -> None:
        busy = [name for name, lane in self._lanes.items() if lane.showing is not None]
        if extra is not None:
            busy.append(extra)
        # With no reader at all, somebody's result takes the whole place; otherwise the invitation stays beside it.
        wanted = list(dict.fromkeys([*self.usable, *busy])) or [""]
        if list(self._lanes) != wanted:
            kept = {name: lane for name, lane in self._lanes.items() if name in wanted}
            for name in set(self._lanes) - set(kept):
                gone = self._lanes[name]
                self._grid.removeWidget(gone)
                gone.hide()
                gone.deleteLater()
            self._lanes = {name: kept.get(name) or self._new_lane(name) for name in wanted}
            self._place()
        self._dress()

    def _new_lane(self, name: str) -> Lane:
        lane = Lane(self._theme, self._words, name, self._greetings, self._show_ms)
        lane.cleared.connect(self._lane_cleared)
        return lane

    def _lane_cleared(self, name: str) -> None:
        self.cleared.emit(name)
        self._settle()

    def _place(self) -> None:
        count = len(self._lanes)
        columns = count if count <= _ABREAST else (count + 1) // 2
        for lane in self._lanes.values():
            self._grid.removeWidget(lane)
        for index in range(max(8, columns)):
            self._grid.setColumnStretch(index, 1 if index < columns else 0)
            self._grid.setRowStretch(index, 1 if index <= (count - 1) // columns else 0)
        for index, lane in enumerate(self._lanes.values()):
            self._grid.addWidget(lane, index // columns, index % columns)

    def _dress(self) -> None:
        usable = self.usable
        starting = [s for s in self._states.values() if s.condition is ReaderCondition.STARTING]
        waiting = bool(starting) or not self._states
        for name, lane in self._lanes.items():
            if usable:
                lane.idle.invite(self.label_of(name), self._direction)
            else:
                self._explain(lane, waiting)

    def _explain(self, lane: Lane, waiting: bool) -> None:
        words = self._words
        if waiting:
            lane.idle.explain(words.title("gate.starting"), words.remedy("gate.starting"), Look.PENDING)
            return
        sentences = [reader_sentence(state, words)[1] for state in self._states.values()]
        lane.idle.explain(words.title("gate.no_reader"), "\n".join(sentences[:2]).replace(" → ", "\n"), Look.BAD)
