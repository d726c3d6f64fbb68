"""Which readers are held against a gate when nobody said which ones it has.

Without settings the gate tries every road. A road that never had a reader is no trouble while another one works: it is
left out, so the screen does not complain about a PaSoRi that was never bought. A reader that worked once today and is
gone is trouble, whatever else works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from app.readers.port import ReaderCondition, ReaderEvent, ReaderState


class RoadFilter:
    """Passes reader events on to a screen, states of roads nobody has left out. Called from readers' threads."""

    def __init__(self, show: Callable[[ReaderEvent], None]) -> None:
        self._show = show
        self._lock = threading.Lock()
        self._states: dict[str, ReaderState] = {}
        self._worked: set[str] = set()
        self._shown: dict[str, ReaderState] = {}

    def take(self, event: ReaderEvent) -> None:
        """An event of any reader."""
        if not isinstance(event, ReaderState):
            self._show(event)
            return
        with self._lock:
            if event.condition is ReaderCondition.STOPPED:
                self._states.pop(event.reader, None)
            else:
                self._states[event.reader] = event
            if event.condition.usable:
                self._worked.add(event.reader)
            wanted = {name: state for name, state in self._states.items() if self._matters(state)}
            changes = [state for name, state in wanted.items() if self._shown.get(name) != state]
            changes += [
                replace(state, condition=ReaderCondition.STOPPED)
                for name, state in self._shown.items()
                if name not in wanted
            ]
            self._shown = wanted
            for state in changes:
                self._show(state)

    def _matters(self, state: ReaderState) -> bool:
        if state.condition.usable or state.reader in self._worked:
            return True
        if any(other.condition.usable for other in self._states.values()):
            return False
        # Nothing works: the first road's sentence is enough for the person who has to plug something in.
        return state.reader == next(iter(self._states))
