"""The thread: it wakes, it stops, and nobody waits for it."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.clock import SystemClock
from app.sync.address import Timeouts
from app.sync.engine import SyncEngine
from app.sync.http import CentreClient
from app.sync.schedule import Pace
from app.sync.status import SyncStatus
from tests.helpers.tiny_centre import Reply, TinyCentre
from tests.sync.conftest import MakeClient, Stores, draft, drafts

PACE = Pace(first_delay=0.0, backoff_base=0.01, backoff_cap=0.05)


class Watch:
    """A listener that a test can wait on."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.seen: list[SyncStatus] = []
        self.threads: set[str] = set()

    def __call__(self, status: SyncStatus) -> None:
        with self.condition:
            self.seen.append(status)
            self.threads.add(threading.current_thread().name)
            self.condition.notify_all()

    def until(self, true: Callable[[SyncStatus], bool], seconds: float = 10.0) -> SyncStatus:
        with self.condition:
            assert self.condition.wait_for(lambda: bool(self.seen) and true(self.seen[-1]), seconds), self.seen[-3:]
            return self.seen[-1]


@pytest.fixture
def watch() -> Watch:
    return Watch()


MakeEngine = Callable[..., SyncEngine]


@pytest.fixture
def make_engine(stores: Stores, make_client: MakeClient, watch: Watch) -> Iterator[MakeEngine]:
    made: list[SyncEngine] = []

    def make(client: CentreClient | None = None, pace: Pace = PACE) -> SyncEngine:
        made.append(
            SyncEngine(
                client or make_client(clock=SystemClock()),
                stores.outbox,
                stores.roster,
                SystemClock(),
                lambda: ["site-1"],
                "9.9",
                pace=pace,
                listener=watch,
                dice=random.Random(1),
            )
        )
        return made[-1]

    yield make
    for engine in made:
        engine.stop()


def test_touches_go_out_while_it_runs(
    centre: TinyCentre, stores: Stores, make_engine: MakeEngine, watch: Watch
) -> None:
    engine = make_engine()
    engine.start()
    watch.until(lambda status: status.online is True)
    for n in range(1, 6):
        stores.append([draft(n)])
        engine.wake()
    status = watch.until(lambda status: status.accepted == 5)
    assert (status.pending, status.chain_state) == (0, "ok")
    assert engine.status() == status
    assert watch.threads == {"sync"}
    assert engine.stop()
    assert len(centre.events) == 5


def test_it_recovers_by_itself(centre: TinyCentre, stores: Stores, make_engine: MakeEngine, watch: Watch) -> None:
    centre.before = lambda seen: Reply(0, drop=True)
    stores.append(drafts(3))
    engine = make_engine()
    engine.start()
    watch.until(lambda status: status.online is False and status.pending == 3)
    centre.before = lambda seen: None
    watch.until(lambda status: status.accepted == 3 and status.last_error is None)


def test_sync_now_does_not_wait(centre: TinyCentre, stores: Stores, make_engine: MakeEngine, watch: Watch) -> None:
    engine = make_engine(pace=Pace(first_delay=10_000.0))
    stores.append([draft(1)])
    engine.start()
    watch.until(lambda status: status.next_attempt_at is not None)
    engine.sync_now()
    watch.until(lambda status: status.accepted == 1)


def test_it_stops_within_a_second_in_the_middle_of_a_request(
    centre: TinyCentre, stores: Stores, make_engine: MakeEngine, watch: Watch
) -> None:
    arrived = threading.Event()

    def stall(seen: object) -> Reply:
        arrived.set()
        return Reply.of({}, 200) if centre.stop.wait(10) else Reply.of({})

    centre.before = stall
    stores.append(drafts(2))
    engine = make_engine()
    engine.start()
    assert arrived.wait(10)
    started = time.monotonic()
    assert engine.stop()
    assert time.monotonic() - started < 1.0
    assert stores.outbox.counts().pending == 2
    centre.stop.set()


def test_it_stops_within_a_second_while_connecting_to_nowhere(
    make_client: MakeClient, make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, let_go = threading.Event(), threading.Event()

    def hang(*args: object, **kwargs: object) -> socket.socket:
        hanging.set()
        let_go.wait(10)
        raise OSError("no route")

    client = make_client("https://centre.invalid", clock=SystemClock(), timeouts=Timeouts(connect=9))
    monkeypatch.setattr(socket, "create_connection", hang)
    engine = make_engine(client)
    engine.start()
    assert hanging.wait(10)
    started = time.monotonic()
    stopped = engine.stop()
    took = time.monotonic() - started
    let_go.set()
    assert stopped
    assert took < 1.0


def test_the_last_success_is_kept_at_the_end(stores: Stores, make_engine: MakeEngine, watch: Watch) -> None:
    """Each minute is enough while it runs; what `status` shows after the end is the truth."""
    stores.append([draft(1)])
    engine = make_engine()
    engine.start()
    first = watch.until(lambda status: status.accepted == 1).last_sync_at
    stores.append([draft(2)])
    engine.wake()
    last = watch.until(lambda status: status.accepted == 2).last_sync_at
    assert first is not None
    assert last is not None
    assert last > first
    assert engine.stop(5)
    kept = stores.outbox.sync_state().last_sync_at
    assert kept is not None
    assert kept >= last


def test_it_stops_before_it_started_and_twice(make_engine: MakeEngine) -> None:
    engine = make_engine()
    assert engine.stop()
    assert engine.stop()


def test_it_starts_once(make_engine: MakeEngine) -> None:
    engine = make_engine()
    engine.start()
    with pytest.raises(RuntimeError):
        engine.start()
    with pytest.raises(RuntimeError):
        engine.run_once()


def test_waking_never_waits(centre: TinyCentre, make_engine: MakeEngine) -> None:
    arrived = threading.Event()

    def stall(seen: object) -> Reply | None:
        arrived.set()
        centre.stop.wait(3)
        return None

    centre.before = stall
    engine = make_engine()
    engine.start()
    assert arrived.wait(10)
    started = time.monotonic()
    for _ in range(100):
        engine.wake()
        engine.sync_now()
        engine.status()
    assert time.monotonic() - started < 0.5
    centre.stop.set()
