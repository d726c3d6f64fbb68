"""6,500 sites come back at once: the load on the centre with and without our manners. Simulated time.

    python3 dev.py bench herd

Each station is the program's own `Rounds`, `Pusher` and `Puller` with a clock of the simulation; only the store and
the wire are made up. The centre is a queue with one server: a batch costs what its rate says, any other call
a fixed share of a second: both are assumptions. A call that would wait longer than
the client's deadline fails like a real one, and costs the centre its work all the same.
"""

from __future__ import annotations

import heapq
import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from app.domain.outbox import Cursor, OutboxCounts, Outgoing, Settled, SyncState, roster_scope
from app.sync import schedule
from app.sync.address import Timeouts
from app.sync.rounds import Rounds
from app.sync.schedule import Pace
from app.sync.trouble import Offline
from app.sync.wire import BatchAnswer, ChainEnd, EventVerdict, VerdictKind
from tests.bench.bench_sync import out_folder
from tests.sync.memory_store import MemoryRoster

STATIONS, WAITING = 6500, 200
EVENTS_A_S = float(os.environ.get("GENBA_BENCH_CENTRE_EVENTS_S", "10000"))
"""What the centre takes: an assumption, to be set to what `bench sync` measures for the centre alone."""
CALL_S = 0.004
"""A call that brings nothing: token, 304, heartbeat."""
MORNING = datetime(2026, 11, 19, 22, 10, tzinfo=UTC)
"""07:10 in Japan."""
STEPS_S = (1, 5, 20, 60, 180, 600, 1200)
ROW = [Outgoing(n + 1, f"event-{n}", 0, b"{}") for n in range(WAITING)]


class Moment:
    """One station's clock: the simulation's time, and what its calls have taken since."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return MORNING + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at

    def skew_ms(self) -> int | None:
        return 0

    def learn_server_time(self, server_now: datetime, *, round_trip_s: float) -> None:
        return


class Queue:
    """The centre."""

    def __init__(self) -> None:
        self.free_at = 0.0
        self.calls: Counter[int] = Counter()
        self.late: Counter[int] = Counter()
        self.worst: Counter[int] = Counter()
        """By second: calls, those given up by their clients, longest wait."""
        self.again = 0

    def serve(self, clock: Moment, cost: float, patience: float) -> None:
        """Move the station's clock on by waiting and work. Raises Offline."""
        second = int(clock.at)
        wait = max(0.0, self.free_at - clock.at)
        self.calls[second] += 1
        self.worst[second] = max(self.worst[second], round(wait))
        self.free_at = max(self.free_at, clock.at) + cost
        if wait + cost > patience:
            clock.at += patience
            self.late[second] += 1
            raise Offline("timeout", "centre")
        clock.at += wait + cost


class Line:
    """As `app.sync.http.CentreClient`, into the queue. Nothing comes down but verdicts."""

    host = "centre"

    def __init__(self, queue: Queue, clock: Moment) -> None:
        self._queue, self._clock = queue, clock
        self._limits = Timeouts()

    def push(self, events: Sequence[bytes], chain_end: ChainEnd | None) -> BatchAnswer:
        cost = CALL_S + len(events) / EVENTS_A_S
        self._queue.serve(self._clock, cost, self._limits.whole(33 * len(events), len(events)))
        assert chain_end is not None
        first = chain_end.seq - len(events)
        results = [EventVerdict(row.id, VerdictKind.ACCEPTED) for row in ROW[first : chain_end.seq]]
        return BatchAnswer(results, chain_end, "")

    def _nothing_new(self, *args: Any) -> None:
        self._queue.serve(self._clock, CALL_S, self._limits.whole(200_000, 0))

    sites = roster = events = work_records = heartbeat = _nothing_new

    def abort(self) -> None:
        return

    def close(self) -> None:
        return


class Waiting:
    """An outbox with so many rows; the rows are the same for all stations."""

    def __init__(self, state: SyncState) -> None:
        self.sent, self.state = 0, state

    def next_batch(self, limit: int, max_bytes: int) -> list[Outgoing]:
        return ROW[self.sent : self.sent + limit]

    def chain_hash(self, seq: int) -> bytes:
        return bytes(32)

    def settle(self, verdicts: Sequence[Settled], at: datetime) -> None:
        self.sent += len(verdicts)

    def count_failure(self, ids: Sequence[str]) -> None:
        return

    def resend(self, ids: Sequence[str]) -> int:
        return 0

    def counts(self) -> OutboxCounts:
        return OutboxCounts(WAITING - self.sent, 0, 0, self.sent, MORNING)

    def sync_state(self) -> SyncState:
        return self.state

    def save_sync_state(self, state: SyncState) -> None:
        self.state = state


@dataclass
class Outcome:
    """What one morning looked like."""

    queue: Queue
    delivered_at: list[float]


def morning(pace: Pace, *, told: bool, spread_backoff: bool, stations: int) -> Outcome:
    """All come back at second 0. `told`: the operating systems say so; else each waits for its next attempt.

    `spread_backoff`: failures before were put off with full jitter; else every station counts the same seconds.
    """
    queue, dice = Queue(), random.Random(1)
    delivered: list[float] = []
    heap: list[tuple[float, int]] = []
    everyone: list[tuple[Moment, Waiting, Rounds]] = []
    for number in range(stations):
        clock = Moment()
        wait = schedule.backoff(9, pace, dice) if spread_backoff else 0.0
        store = Waiting(SyncState(MORNING + timedelta(seconds=wait), 9, MORNING - timedelta(hours=3), "sync.offline"))
        roster = MemoryRoster()
        roster.cursors[roster_scope("site")] = Cursor("1", '"1"')
        rounds = Rounds(
            Line(queue, clock),
            store,
            roster,
            clock,
            lambda: ("site",),
            list,
            "0",
            pace,
            lambda status: None,
            random.Random(number),
            True,
        )
        rounds.start()
        if told:
            rounds.wake(frozenset({"network"}))
        everyone.append((clock, store, rounds))
        heap.append((0.0, number))
    heapq.heapify(heap)
    while heap and len(delivered) < stations:
        at, number = heapq.heappop(heap)
        clock, store, rounds = everyone[number]
        clock.at = max(clock.at, at)
        before = store.sent
        left = rounds.tick()
        if before < WAITING <= store.sent:
            delivered.append(clock.at)
        heapq.heappush(heap, (clock.at + max(left, 0.001), number))
    return Outcome(queue, sorted(delivered))


def table(outcomes: dict[str, Outcome]) -> str:
    """Markdown."""
    rows = ["| | " + " | ".join(outcomes) + " |", "|---" * (len(outcomes) + 1) + "|"]
    start = 0
    for step in STEPS_S:
        cells = []
        for one in outcomes.values():
            seconds = range(start, step)
            calls = sum(one.queue.calls[s] for s in seconds) / (step - start)
            late = sum(one.queue.late[s] for s in seconds)
            worst = max((one.queue.worst[s] for s in seconds), default=0)
            cells.append(f"{calls:,.0f} / {worst} s / {late:,}")
        rows.append(f"| second {start}–{step}: calls/s, longest wait, given up | " + " | ".join(cells) + " |")
        start = step
    peak = " | ".join(f"{max(one.queue.calls.values()):,}" for one in outcomes.values())
    rows.append(f"| most calls in one second | {peak} |")
    lost = " | ".join(f"{one.queue.late.total() / one.queue.calls.total():.0%}" for one in outcomes.values())
    rows.append(f"| calls given up, of all | {lost} |")
    half, full = (
        [f"{one.delivered_at[int(len(one.delivered_at) * s) - 1]:,.0f} s" for one in outcomes.values()]
        for s in (0.5, 1.0)
    )
    rows.append("| half of the stations delivered | " + " | ".join(half) + " |")
    rows.append("| all delivered | " + " | ".join(full) + " |")
    return "\n".join(rows)


@pytest.mark.timeout(600)
def test_everybody_comes_back_at_once(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    stations = 60 if benchmark.disabled else STATIONS
    blunt = Pace(first_delay=0.0)
    outcomes: dict[str, Outcome] = {}

    def all_of_them() -> None:
        outcomes["without a spread"] = morning(blunt, told=True, spread_backoff=False, stations=stations)
        outcomes["network is back: 20 s spread"] = morning(Pace(), told=True, spread_backoff=True, stations=stations)
        outcomes["the same, spread 180 s"] = morning(
            Pace(first_delay=180.0), told=True, spread_backoff=True, stations=stations
        )
        outcomes["centre is back: jittered back-off"] = morning(
            Pace(), told=False, spread_backoff=True, stations=stations
        )

    benchmark.pedantic(all_of_them, rounds=1, iterations=1)
    assert all(len(one.delivered_at) == stations for one in outcomes.values())
    assert max(outcomes["without a spread"].queue.calls.values()) >= stations
    if not benchmark.disabled:
        head = f"{stations:,} stations, {WAITING} events each; a centre of {EVENTS_A_S:,.0f} events/s"
        text = f"{head}\n\n{table(outcomes)}\n"
        (out_folder() / "bench-herd.md").write_text(text, encoding="utf-8")
        with capsys.disabled():
            print(f"\n{text}")
