"""The store beside a bare sqlcipher3 loop with the same work in it: tables, indexes, triggers, transaction, pragmas.

    .venv/bin/python -m pytest tests/bench/bench_store.py -p no:randomly --benchmark-enable -s

The bare loop has everything prepared (canonical bytes, hashes, tuples); what `append` adds is JSON, SHA-256, the
chain's head, locking, and the check that the file is still there.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from app import codec
from app.clock import SystemClock
from app.domain.events import GENESIS, Draft, EventType, next_hash
from app.domain.outbox import Settled
from app.store import driver, events
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from app.store.rows import TouchRow
from tests.helpers.drafts import SITE, draft

KEY = bytes(range(32))


def touches(count: int) -> list[Draft]:
    return [draft(minute=n % 600, card_key=f"felica:{n:016X}", worker_id=f"9100000{n % 300:07d}") for n in range(count)]


def full(benchmark: BenchmarkFixture) -> bool:
    """Measuring, or only run once to see that it works."""
    return not benchmark.disabled


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "data" / "ours.db", KEY, SystemClock()) as opened:
        yield opened


def bare_rows(made: list[Draft]) -> list[tuple[Any, Any, Any]]:
    """What a bare loop binds, ready made."""
    link, rows = GENESIS, []
    for seq, one in enumerate(made, 1):
        body = codec.canonical(one.numbered(seq).as_wire())
        link = next_hash(link, body)
        touch = events._touch_row(one, seq, TouchRow.from_draft(one))
        rows.append((events._event_row(one, seq, body, link), touch, (seq,)))
    return rows


def test_append_beside_a_bare_loop(benchmark: BenchmarkFixture, db: Database, tmp_path: Path) -> None:
    count = 6000 if full(benchmark) else 50
    log = EventLog(db)
    other = tmp_path / "data" / "bare.db"
    Database.open(other, KEY, SystemClock()).close()
    connection = driver.open_connection(other, KEY)
    execute = connection.execute
    ours = touches(count)
    rows = [TouchRow.from_draft(one) for one in ours]
    theirs = bare_rows(touches(count))

    def append(place: int) -> None:
        log.append(ours[place], rows[place])

    def bare(place: int) -> None:
        event, touch, queued = theirs[place]
        execute("BEGIN IMMEDIATE")
        execute(events._EVENT, event)
        execute(events._TOUCH, touch)
        execute(events._OUTBOX, queued)
        execute("COMMIT")

    times: dict[str, list[float]] = {"ours": [], "bare": []}

    def all_of_them() -> None:
        # touch by touch in turns: a busy machine slows both alike
        pair = [("ours", append), ("bare", bare)]
        for place in range(count):
            for name, work in pair if place % 2 else reversed(pair):
                times[name].append(timed(work, place))

    benchmark.pedantic(all_of_them, rounds=1, iterations=1)
    median = {name: statistics.median(some) for name, some in times.items()}
    whole = {name: sum(some) for name, some in times.items()}
    ratio, by_sum = median["bare"] / median["ours"], whole["bare"] / whole["ours"]
    benchmark.extra_info["ratio"] = round(ratio, 3)
    print(
        f"\nappend: median {median['ours'] * 1e6:.0f} µs, bare sqlcipher3 loop {median['bare'] * 1e6:.0f} µs,"
        f" ratio {ratio:.2f}; by whole time {by_sum:.2f} ({count} touches each)"
    )
    connection.close()
    assert log.verify_chain() is None


def test_append_many(benchmark: BenchmarkFixture, db: Database) -> None:
    log = EventLog(db)
    size, rounds = (5000, 6) if full(benchmark) else (200, 1)
    lots = [touches(size) for _ in range(rounds)]
    turns = iter(lots)
    benchmark.pedantic(lambda: log.append_many(next(turns)), rounds=rounds, iterations=1)
    if benchmark.stats is not None and full(benchmark):
        print(f"\nimport: {size / benchmark.stats.stats.median:.0f} events/s in blocks of {size}")


def test_push(benchmark: BenchmarkFixture, db: Database) -> None:
    """Read a batch of 1000 and settle it."""
    log, outbox = EventLog(db), Outbox(db)
    rounds = 20 if full(benchmark) else 1
    log.append_many(touches(rounds * 1000))
    at = SystemClock().now()

    def push() -> None:
        outbox.settle([Settled(one.id, "accepted") for one in outbox.next_batch(1000, 8 << 20)], at)

    benchmark.pedantic(push, rounds=rounds, iterations=1)
    assert outbox.counts().pending == 0


def filled(log: EventLog, days: int) -> None:
    """Some months of a site with 300 people, two touches a day."""
    for day in range(days):
        stamp = f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}"
        log.append_many(
            [
                draft(minute=n % 600, card_key=f"felica:{n % 300:016X}", worker_id=f"W{n % 300}", work_day=stamp)
                for n in range(600)
            ]
        )


@pytest.mark.parametrize("question", ["last", "month", "today", "counts"])
def test_what_the_gate_asks(benchmark: BenchmarkFixture, db: Database, question: str) -> None:
    log = EventLog(db)
    filled(log, 112 if full(benchmark) else 2)
    log.append(draft(EventType.ENTRY, worker_id="W7", work_day="2026-01-02", entered_by="gate"))
    asked: dict[str, Callable[[], object]] = {
        "last": lambda: log.last_unsuppressed("felica:0000000000000007"),
        "month": lambda: log.month_facts("W7", "2026-01", SITE),
        "today": lambda: log.today(SITE, "2026-01-01", 50),
        "counts": log.counts,
    }
    benchmark(asked[question])


def timed(work: Callable[[int], None], start: int) -> float:
    before = perf_counter()
    work(start)
    return perf_counter() - before
