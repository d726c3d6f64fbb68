"""The bookkeeping of a PC/SC road: one lane per reader, and what is said of each. Pure; knows no vendor library.

The road itself has a lane only as long as it knows no reader ('no reader', 'no service'); as soon as there is one, the
road's own lane ends (`STOPPED`) and the readers' lanes speak. A reader that is pulled keeps its lane, as `NO_READER`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.clock import Clock
from app.readers.port import CardRemoved, Emit, ReaderCondition, ReaderState

_NOT_FOR_CARDS = ("uicc", "windows hello")
"""PC/SC readers in laptops that no card can be put on: the SIM, and Windows' own."""


@dataclass(slots=True)
class Lane:
    """One reader as the road knows it. Belongs to the road's thread."""

    reader: str
    """The name PC/SC knows it by; empty for the road's own lane."""
    name: str
    label: str
    condition: ReaderCondition | None = None
    detail: str = ""
    here: bool = False
    """Whether PC/SC lists it now."""
    told: int = 0
    """The state PC/SC reported last (flags, and a count of insertions and removals in the upper 16 bits)."""
    present: bool = False
    to_read: bool = False
    """A card was put on and no reading of it has come to an end yet."""
    seen: bool = False
    """The card on it was reported with a `CardSeen`."""


class Lanes:
    """Every lane of one road. `emit` is set by the road for the time of a run."""

    def __init__(self, road: str, name_part: str | None, clock: Clock) -> None:
        self._clock = clock
        self._part = name_part
        self._road = Lane("", road, "PC/SC")
        self._lanes: dict[str, Lane] = {}
        self.emit: Emit = _nobody

    def __iter__(self) -> Iterator[Lane]:
        return iter(list(self._lanes.values()))

    def wanted(self, names: Iterable[str]) -> list[str]:
        """Those readers that this road is for."""
        if self._part:
            part = self._part.casefold()
            return [name for name in names if part in name.casefold()]
        return [name for name in names if not any(word in name.casefold() for word in _NOT_FOR_CARDS)]

    def start(self, emit: Emit) -> None:
        """A run begins: what was said before is said again when it is still so."""
        self.emit = emit
        for lane in (self._road, *self):
            lane.condition = None
            self.lost(lane)

    def follow(self, names: list[str]) -> list[Lane]:
        """Fit the lanes to the readers there are; the lanes that are here now."""
        for name in names:
            if name not in self._lanes:
                self._open(name, names)
        for lane in self:
            if lane.here and lane.reader not in names:
                self.lost(lane)
            lane.here = lane.reader in names
            if not lane.here:
                self.say(lane, ReaderCondition.NO_READER)
        if not self._lanes:
            self.say(self._road, ReaderCondition.NO_READER)
        return [self._lanes[name] for name in names]

    def say(self, lane: Lane, condition: ReaderCondition, detail: str = "") -> None:
        """Emit a lane's state if it is news."""
        if (lane.condition, lane.detail) != (condition, detail):
            lane.condition, lane.detail = condition, detail
            self.emit(ReaderState(lane.name, lane.label, condition, detail))

    def say_all(self, condition: ReaderCondition, detail: str) -> None:
        """The same of every lane, or of the road when it has none: the service is gone."""
        for lane in self:
            self.lost(lane)
            lane.here = False
            self.say(lane, condition, detail)
        if not self._lanes:
            self.say(self._road, condition, detail)

    def say_hung(self, detail: str) -> None:
        """The service does not answer: whatever lies on its readers still lies there, as far as anybody knows."""
        for lane in [lane for lane in self if lane.here] or [self._road] * (not self._lanes):
            self.say(lane, ReaderCondition.NO_SERVICE, detail)

    def removed(self, lane: Lane) -> None:
        """The card left (or the reader with it)."""
        if lane.seen:
            self.emit(CardRemoved(lane.name, self._clock.now()))
        lane.present = lane.to_read = lane.seen = False

    def lost(self, lane: Lane) -> None:
        """The reader or the service is gone; what PC/SC told of it no longer holds."""
        self.removed(lane)
        lane.told = 0

    def _open(self, reader: str, names: list[str]) -> None:
        lane = Lane(reader, f"pcsc:{reader}", short_label(reader))
        if not self._lanes and self._road.name != lane.name:
            self.say(self._road, ReaderCondition.STOPPED)
        for old in self:
            # the same reader on another USB socket gets another number: its old lane would stay dead for ever
            if old.reader not in names and _stem(old.reader) == _stem(reader):
                del self._lanes[old.reader]
                self.say(old, ReaderCondition.STOPPED)
        self._lanes[reader] = lane


def short_label(reader: str) -> str:
    """A PC/SC reader's name for the screen: without serial numbers, the slot as a letter when it is not the first.

    'Sony FeliCa Port/PaSoRi 4.0 (123) 00 00' → 'Sony FeliCa Port/PaSoRi 4.0'; 'Virtual PCD 00 01' → 'Virtual PCD B'.
    """
    match = re.search(r"\s+(?:(\d\d) )?(\d{1,2})$", reader)
    index = sum(int(n) for n in match.groups() if n) if match else 0
    stem = _stem(reader) or reader
    return f"{stem} {chr(ord('A') + index)}" if 0 < index < 26 else stem


def _stem(reader: str) -> str:
    plain = re.sub(r"\s+(?:\d\d )?\d{1,2}$", "", reader)
    return re.sub(r"\s*[(\[][^)\]]*[)\]]", "", plain).strip()


def _nobody(_event: object) -> None:
    """Before the first run there is nobody to tell."""
