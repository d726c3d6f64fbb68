"""Keeps any number of readers going, each in a thread of its own, and passes on what they say.

Threads: `start` and `stop` belong to the caller's thread, `states` to any. `emit` is called on the readers' threads,
several at once when there are several readers.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from app.clock import Clock
from app.domain.ids import mask_card_key
from app.readers.backoff import Backoff
from app.readers.port import (
    CardRemoved,
    CardSeen,
    Emit,
    Reader,
    ReaderCondition,
    ReaderEvent,
    ReaderState,
)

log = logging.getLogger(__name__)

SAME_CARD_S = 5.0
"""A repeat of the same card that nobody saw leaving is dropped when it follows the last one within this many seconds.
Longer than any flicker of a card left lying, shorter than a person who comes back; a reader that fails to report
removals must not swallow touches for ever."""
HEALTHY_S = 10.0
"""A run of this many seconds counts as recovered: the next failure starts with the shortest pause."""
STOP_S = 1.0


class Supervisor:
    """Runs readers until `stop`. Start it once; for another set of readers build another one."""

    def __init__(self, readers: Sequence[Reader], emit: Emit, clock: Clock) -> None:
        names = [reader.name for reader in readers]
        if len(set(names)) != len(names):
            raise ValueError(f"two readers of one name: {names}")
        self._stop = threading.Event()
        self._board = _Board(emit, clock)
        self._runs = [_Run(reader, self._board, self._stop, clock) for reader in readers]

    def start(self) -> None:
        """Start every reader's thread. Raises RuntimeError when started before."""
        for run in self._runs:
            run.thread.start()

    def stop(self, timeout_s: float = STOP_S) -> bool:
        """Stop and join every thread; at most `timeout_s` seconds. True when all have ended.

        A thread that hangs in a driver is left behind (it is a daemon) and named in the log.
        """
        self._stop.set()
        running = [run for run in self._runs if run.thread.ident is not None]
        rounds = max(1, round(timeout_s / 0.05))
        for _ in range(rounds):
            running = [run for run in running if run.thread.is_alive()]
            if not running:
                return True
            for run in running:
                run.interrupt()  # again and again: a wake-up just before the wait would be lost
            running[0].thread.join(0.05)
        left = [run.thread.name for run in running if run.thread.is_alive()]
        if left:
            log.warning("threads that did not stop: %s", ", ".join(left))
        return not left

    def states(self) -> dict[str, ReaderState]:
        """The latest state of each reader (and each lane of a road with several) by reader name.

        A lane that ended (`STOPPED`) is left out. A snapshot; any thread.
        """
        return self._board.states()


class _Board:
    """What is known of every reader, and the filter before `emit`. Any thread."""

    def __init__(self, emit: Emit, clock: Clock) -> None:
        self._emit = emit
        self._clock = clock
        self._lock = threading.Lock()
        self._states: dict[str, ReaderState] = {}
        self._lying: dict[str, tuple[str, float]] = {}

    def states(self) -> dict[str, ReaderState]:
        with self._lock:
            return {k: s for k, s in self._states.items() if s.condition is not ReaderCondition.STOPPED}

    def deliver(self, event: ReaderEvent) -> None:
        """Pass on an event unless it repeats. Never raises."""
        with self._lock:
            wanted = self._wanted(event)
        if not wanted:
            return
        try:
            self._emit(event)
        except Exception:  # whatever the program above does wrong, the reader goes on
            log.exception("an event of reader %s was not taken", event.reader)

    def _wanted(self, event: ReaderEvent) -> bool:
        name = event.reader
        if isinstance(event, ReaderState):
            if self._states.get(name) == event:
                return False
            self._states[name] = event
            if event.condition is not ReaderCondition.CARD_PRESENT:
                self._lying.pop(name, None)
        elif isinstance(event, CardRemoved):
            self._lying.pop(name, None)
        elif isinstance(event, CardSeen):
            now = self._clock.monotonic()
            before, when = self._lying.get(name, ("", 0.0))
            self._lying[name] = (event.card_key, now)
            if before == event.card_key and now - when < SAME_CARD_S:
                log.debug("%s: still lying: %s", name, mask_card_key(event.card_key))
                return False
        return True


class _Run:
    """One reader in its thread."""

    def __init__(self, reader: Reader, board: _Board, stop: threading.Event, clock: Clock) -> None:
        self._reader = reader
        self._board = board
        self._stop = stop
        self._clock = clock
        self._lanes: dict[str, ReaderState] = {}
        self.thread = threading.Thread(target=self._main, name=f"reader:{reader.name}", daemon=True)

    def interrupt(self) -> None:
        try:
            self._reader.interrupt()
        except Exception:
            log.exception("reader %s could not be woken", self._reader.name)

    def _main(self) -> None:
        backoff = Backoff()
        reported = ""
        self._say_all(ReaderCondition.STARTING)
        while not self._stop.is_set():
            began = self._clock.monotonic()
            try:
                self._reader.run(self._emit, self._stop)
                trouble = "ended by itself"
                if trouble != reported and not self._stop.is_set():
                    log.error("reader %s ended by itself and is started again", self._reader.name)
            except Exception as exc:
                trouble = f"{type(exc).__name__}: {exc}"
                if trouble != reported and not self._stop.is_set():
                    log.exception("reader %s failed and is started again", self._reader.name)
            reported = trouble
            if self._stop.is_set():
                break
            self._say_all(ReaderCondition.FAILED, trouble)
            if self._clock.monotonic() - began >= HEALTHY_S:
                backoff.reset()
                reported = ""
            self._stop.wait(backoff.next_s())
        self._say_all(ReaderCondition.STOPPED)

    def _emit(self, event: ReaderEvent) -> None:
        if isinstance(event, ReaderState):
            if event.condition is ReaderCondition.STOPPED:
                self._lanes.pop(event.reader, None)
            else:
                self._lanes[event.reader] = event
        self._board.deliver(event)

    def _say_all(self, condition: ReaderCondition, detail: str = "") -> None:
        """The same state for the reader, or for each of its lanes when it has announced any."""
        lanes = list(self._lanes.values()) or [
            ReaderState(self._reader.name, self._reader.label, ReaderCondition.STARTING)
        ]
        for lane in lanes:
            self._emit(ReaderState(lane.reader, lane.label, condition, detail))
