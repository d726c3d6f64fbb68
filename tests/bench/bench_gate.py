"""A card's way through the gate: reader's word → queue → verdict → commit → announcement, beside a bare loop.

    python3 dev.py bench gate

The bare loop is sqlcipher3 alone with the same tables, indexes, triggers and transaction, everything prepared. What the
gate adds is the hand-over between two threads, the card's last touch, the verdict, JSON, hashes, and the month's days.
"""

from __future__ import annotations

import queue
import statistics
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest
import uuid_utils
from pytest_benchmark.fixture import BenchmarkFixture

from app.clock import SystemClock
from app.domain.assurance import Assurance
from app.gate.news import Announcement, News
from app.gate.policy import SecurePolicy
from app.gate.record import Recorder
from app.gate.service import GateService
from app.pins import PinGuard
from app.readers.port import CardSeen
from app.secrets import check_pin
from app.store import driver, events
from app.store.audit import AuditTrail
from app.store.backup import DiskSpace, SpaceLevel
from app.store.database import Database
from app.store.events import EventLog
from app.store.meta import Meta
from tests.bench.bench_store import KEY, bare_rows, touches
from tests.gate.conftest import Source
from tests.helpers.tiny_site import tiny_site

WORKERS = 300


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[tuple[GateService, queue.SimpleQueue[Announcement]]]:
    clock = SystemClock()
    with Database.open(tmp_path / "data" / "genba.db", KEY, clock) as db:
        log = EventLog(db)
        service = GateService(
            source=Source(tiny_site(workers=WORKERS, suppress_seconds=0), clock.now()),
            event_log=log,
            recorder=Recorder(log, clock, lambda: str(uuid_utils.uuid7())),
            pins=PinGuard(AuditTrail(db), clock, check_pin),
            clock=clock,
            disk=lambda: DiskSpace(10**12, 10**12, SpaceLevel.OK),
            key_file=False,
            on_stored=lambda: None,
            policy=SecurePolicy(Meta(db)),
        )
        told: queue.SimpleQueue[Announcement] = queue.SimpleQueue()

        def listen(news: News) -> None:
            if isinstance(news, Announcement):
                told.put(news)

        service.listen(listen)
        service.start()
        yield service, told
        service.stop()


def test_card_to_announcement_beside_a_bare_loop(
    benchmark: BenchmarkFixture, gate: tuple[GateService, queue.SimpleQueue[Announcement]], tmp_path: Path
) -> None:
    service, told = gate
    clock = SystemClock()
    count = 2 if benchmark.disabled else 3000
    other = tmp_path / "data" / "bare.db"
    Database.open(other, KEY, clock).close()
    connection = driver.open_connection(other, KEY)
    prepared = bare_rows(touches(count))
    ours: list[float] = []
    bare: list[float] = []

    def both(number: int) -> None:
        key = f"felica:{0x0140_0000_0000_0000 + 1 + number % WORKERS:016X}"
        before = perf_counter()
        service.on_reader_event(CardSeen("bench", key, Assurance.UID, clock.now()))
        answer = told.get(timeout=10)
        ours.append(perf_counter() - before)
        assert answer.id is not None
        event, touch, queued = prepared[number]
        before = perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(events._EVENT, event)
        connection.execute(events._TOUCH, touch)
        connection.execute(events._OUTBOX, queued)
        connection.execute("COMMIT")
        bare.append(perf_counter() - before)

    numbers = iter(range(count))
    benchmark.pedantic(lambda: both(next(numbers)), rounds=count, iterations=1)
    connection.close()
    if benchmark.disabled:
        return
    for name, times in (("gate", ours), ("bare sqlcipher3 loop", bare)):
        cuts = statistics.quantiles(times, n=100)
        print(f"\n{name}: median {cuts[49] * 1e3:.2f} ms, p99 {cuts[98] * 1e3:.2f} ms, max {max(times) * 1e3:.1f} ms")
    extra = statistics.median(a - b for a, b in zip(ours, bare, strict=True))
    print(f"what the gate adds: median {extra * 1e3:.2f} ms")
