"""The supervisor with readers that misbehave in every way they can."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from app.clock import SystemClock
from app.domain.assurance import Assurance
from app.readers.backoff import Backoff
from app.readers.port import CardRemoved, CardSeen, Emit, ReaderCondition, ReaderEvent, ReaderState
from app.readers.supervisor import SAME_CARD_S, Supervisor

CLOCK = SystemClock()
Run = Callable[["FakeReader", Emit, threading.Event], None]
C = ReaderCondition


class FakeReader:
    def __init__(self, name: str, run: Run) -> None:
        self.name = name
        self.label = name.upper()
        self.woken = threading.Event()
        self.runs = 0
        self._run = run

    def run(self, emit: Emit, stop: threading.Event) -> None:
        self.runs += 1
        self._run(self, emit, stop)

    def interrupt(self) -> None:
        self.woken.set()

    def say(self, emit: Emit, condition: ReaderCondition, lane: str = "") -> None:
        emit(ReaderState(lane or self.name, self.label, condition))

    def card(self, emit: Emit, key: str = "uid:01020304") -> None:
        emit(CardSeen(self.name, key, Assurance.UID, CLOCK.now()))


def waits(reader: FakeReader, emit: Emit, stop: threading.Event) -> None:
    reader.say(emit, C.READY)
    stop.wait()


def fails(reader: FakeReader, emit: Emit, stop: threading.Event) -> None:
    raise OSError("burnt")


def next_of(events: queue.SimpleQueue[ReaderEvent], wanted: Callable[[ReaderEvent], bool]) -> ReaderEvent:
    while True:
        event = events.get(timeout=20)
        if wanted(event):
            return event


def conditions(events: queue.SimpleQueue[ReaderEvent]) -> list[tuple[str, ReaderCondition]]:
    found = []
    while not events.empty():
        event = events.get()
        if isinstance(event, ReaderState):
            found.append((event.reader, event.condition))
    return found


def test_each_reader_has_its_thread_and_stops(expected_logs: list[str]) -> None:
    events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
    readers = [FakeReader("a", waits), FakeReader("b", waits)]
    supervisor = Supervisor(readers, events.put, CLOCK)
    supervisor.start()
    for _ in range(2):
        next_of(events, lambda e: isinstance(e, ReaderState) and e.condition is C.READY)
    assert {"reader:a", "reader:b"} <= {thread.name for thread in threading.enumerate()}
    assert {name: state.condition for name, state in supervisor.states().items()} == {"a": C.READY, "b": C.READY}
    assert supervisor.stop()
    assert not {"reader:a", "reader:b"} & {thread.name for thread in threading.enumerate()}
    assert supervisor.states() == {}
    with pytest.raises(RuntimeError):
        supervisor.start()


def test_stop_before_start_and_two_of_a_name() -> None:
    assert Supervisor([FakeReader("a", waits)], lambda e: None, CLOCK).stop()
    with pytest.raises(ValueError, match="two readers"):
        Supervisor([FakeReader("a", waits), FakeReader("a", waits)], lambda e: None, CLOCK)


def test_failing_reader_is_restarted_with_pauses_and_logged_once(
    caplog: pytest.LogCaptureFixture, expected_logs: list[str]
) -> None:
    expected_logs.append("reader bad failed")
    events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
    bad, good = FakeReader("bad", fails), FakeReader("good", waits)
    supervisor = Supervisor([bad, good], events.put, CLOCK)
    began = time.monotonic()
    supervisor.start()
    failed = next_of(events, lambda e: isinstance(e, ReaderState) and e.condition is C.FAILED)
    assert isinstance(failed, ReaderState)
    assert failed.detail == "OSError: burnt"
    while bad.runs < 3:
        time.sleep(0.01)
    assert time.monotonic() - began >= 0.1 + 0.2  # pauses, not a spin
    assert supervisor.states()["good"].condition is C.READY
    assert supervisor.stop()
    records = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(records) == 1
    assert records[0].exc_info is not None


def test_reader_that_ends_by_itself_is_started_again(expected_logs: list[str]) -> None:
    expected_logs.append("ended by itself")
    again = threading.Event()

    def ends(reader: FakeReader, emit: Emit, stop: threading.Event) -> None:
        if reader.runs > 1:
            again.set()

    supervisor = Supervisor([FakeReader("a", ends)], lambda e: None, CLOCK)
    supervisor.start()
    assert again.wait(20)
    assert supervisor.stop()


def test_failure_of_a_road_is_said_on_each_of_its_lanes(expected_logs: list[str]) -> None:
    expected_logs.append("reader road failed")
    events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()

    def lanes(reader: FakeReader, emit: Emit, stop: threading.Event) -> None:
        if reader.runs > 1:
            stop.wait()
            return
        reader.say(emit, C.READY, "road:1")
        reader.say(emit, C.READY, "road:2")
        reader.say(emit, C.STOPPED)
        raise ValueError("both")

    supervisor = Supervisor([FakeReader("road", lanes)], events.put, CLOCK)
    supervisor.start()
    next_of(events, lambda e: isinstance(e, ReaderState) and e.condition is C.FAILED and e.reader == "road:2")
    assert {n: s.condition for n, s in supervisor.states().items()} == {"road:1": C.FAILED, "road:2": C.FAILED}
    assert supervisor.stop()
    assert conditions(events) == [("road:1", C.STOPPED), ("road:2", C.STOPPED)]


def test_emit_that_raises_never_ends_a_reader(expected_logs: list[str]) -> None:
    expected_logs.append("was not taken")
    done = threading.Event()

    def talks(reader: FakeReader, emit: Emit, stop: threading.Event) -> None:
        for n in range(3):
            reader.card(emit, f"uid:0102030{n}")
        done.set()
        stop.wait()

    def broken(event: ReaderEvent) -> None:
        raise KeyError(event.reader)

    reader = FakeReader("a", talks)
    supervisor = Supervisor([reader], broken, CLOCK)
    supervisor.start()
    assert done.wait(20)
    assert reader.runs == 1
    assert supervisor.stop()


def test_only_news_is_passed_on() -> None:
    """States only when they change; a card that stays is one touch, one that came back is two."""
    events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
    done = threading.Event()

    def talks(reader: FakeReader, emit: Emit, stop: threading.Event) -> None:
        for _ in range(3):
            reader.say(emit, C.CARD_PRESENT)
            reader.card(emit)
        emit(CardRemoved(reader.name, CLOCK.now()))
        reader.card(emit)
        reader.say(emit, C.NO_READER)
        reader.card(emit)
        reader.card(emit, "uid:05060708")
        reader.card(emit)
        done.set()
        stop.wait()

    supervisor = Supervisor([FakeReader("a", talks)], events.put, CLOCK)
    supervisor.start()
    assert done.wait(20)
    assert supervisor.stop()
    said = []
    while not events.empty():
        event = events.get()
        said.append(event.card_key if isinstance(event, CardSeen) else type(event).__name__)
    card, other, state = "uid:01020304", "uid:05060708", "ReaderState"
    assert said == [state, state, card, "CardRemoved", card, state, card, other, card, state]


def test_reader_that_forgets_removals_swallows_no_touch() -> None:
    """Somebody who touches again after a while is recorded even when the reader never said that the card left."""

    class Later(SystemClock):
        offset = timedelta()

        def monotonic(self) -> float:
            return super().monotonic() + self.offset.total_seconds()

    clock, seen, done = Later(), [], threading.Event()

    def talks(reader: FakeReader, emit: Emit, stop: threading.Event) -> None:
        reader.card(emit)
        reader.card(emit)
        clock.offset = timedelta(seconds=SAME_CARD_S + 1)
        reader.card(emit)
        done.set()
        stop.wait()

    supervisor = Supervisor(
        [FakeReader("a", talks)], lambda e: seen.append(e) if isinstance(e, CardSeen) else None, clock
    )
    supervisor.start()
    assert done.wait(20)
    assert supervisor.stop()
    assert len(seen) == 2


def test_reader_deaf_to_stop_is_woken_again_and_again() -> None:
    """A wake-up that comes before the wait is lost; the next one is not."""

    def deaf_at_first(reader: FakeReader, emit: Emit, stop: threading.Event) -> None:
        stop.wait()
        reader.woken.clear()
        reader.woken.wait()

    supervisor = Supervisor([FakeReader("a", deaf_at_first)], lambda e: None, CLOCK)
    supervisor.start()
    assert supervisor.stop()


def test_reader_that_hangs_is_left_behind_and_named(expected_logs: list[str]) -> None:
    expected_logs.append("threads that did not stop: reader:a")
    release = threading.Event()

    def hangs(reader: FakeReader, emit: Emit, stop: threading.Event) -> None:
        release.wait()

    supervisor = Supervisor([FakeReader("a", hangs)], lambda e: None, CLOCK)
    supervisor.start()
    began = time.monotonic()
    assert not supervisor.stop(timeout_s=0.2)
    assert time.monotonic() - began < 10
    release.set()


def test_interrupt_that_raises_does_not_keep_us_from_stopping(expected_logs: list[str]) -> None:
    expected_logs.append("could not be woken")

    class Broken(FakeReader):
        def interrupt(self) -> None:
            super().interrupt()
            raise OSError("no")

    def until_woken(reader: FakeReader, emit: Emit, stop: threading.Event) -> None:
        reader.woken.wait()

    supervisor = Supervisor([Broken("a", until_woken)], lambda e: None, CLOCK)
    supervisor.start()
    assert supervisor.stop()


def test_backoff_doubles_up_to_its_cap() -> None:
    backoff = Backoff(0.1, 2.0)
    assert [round(backoff.next_s(), 1) for _ in range(7)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    backoff.reset()
    assert backoff.next_s() == 0.1
