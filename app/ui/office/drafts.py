"""What is typed and not saved, and the way back: a stack of whole states, so that any step can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from app.office.shapes import EntryWanted

Place = tuple[str, str]
"""Worker id and day."""
DEEPEST = 200
_State = Mapping[Place, EntryWanted]


class Drafts:
    """Entries by place. GUI thread."""

    def __init__(self) -> None:
        self._now: _State = MappingProxyType({})
        self._before: list[_State] = []

    def __len__(self) -> int:
        return len(self._now)

    def state(self) -> _State:
        """Everything that is typed; does not change under whoever holds it."""
        return self._now

    def get(self, place: Place) -> EntryWanted | None:
        """What is typed for a worker's day."""
        return self._now.get(place)

    def put(self, entries: Iterable[EntryWanted]) -> None:
        """Type these (one step of undo)."""
        self._step({**self._now, **{(one.worker_id, one.day): one for one in entries}})

    def drop(self, places: Iterable[Place]) -> None:
        """Take these out (one step of undo)."""
        gone = set(places)
        self._step({place: one for place, one in self._now.items() if place not in gone})

    def undo(self) -> bool:
        """One step back; False when there is none."""
        if not self._before:
            return False
        self._now = self._before.pop()
        return True

    def saved(self) -> None:
        """Everything is stored now: nothing is left to undo here (what is stored is taken back, not undone)."""
        self._now = MappingProxyType({})
        self._before = []

    def _step(self, state: dict[Place, EntryWanted]) -> None:
        if state != self._now:
            self._before = [*self._before[-DEEPEST:], self._now]
            self._now = MappingProxyType(state)
