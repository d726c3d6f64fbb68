"""How long a batch of 1,000 touches takes, without HTTP: `python -m tests.central.measure_batch [postgresql]`.

A site with 1,000 workers; two batches a work day: the first makes 1,000 records, the second derives them again.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from app import codec
from app.central.access import Principal
from app.central.database import CentralDatabase
from app.central.intake import take_batch
from app.clock import SystemClock
from app.sync.wire import BatchRequest, ChainEnd
from tests.central.postgresql import MISSING, Cluster, binaries
from tests.central.world import SITE, World

DAYS = 6


def measure(url: str, folder: Path) -> None:
    """Print milliseconds."""
    db, clock = CentralDatabase.open(url), SystemClock()
    world = World(db, folder)
    workers = [f"{n:012d}21" for n in range(1, 1001)]
    world.load(
        {
            "site": {"id": SITE, "name": "x"},
            "workers": [{"id": w, "name": "n"} for w in workers],
            "assignments": [{"id": f"a-{w}", "worker_id": w} for w in workers],
            "cards": [{"id": f"felica:00{w}", "worker_id": w} for w in workers],
        }
    )
    station = world.station()
    who = Principal(station.id, "station", "gate", frozenset({SITE}))
    figures: dict[str, list[float]] = {"first of a day": [], "second of a day": [], "duplicate": []}
    for day in range(1, DAYS + 1):
        for name in ("first of a day", "second of a day", "duplicate"):
            if name != "duplicate":
                events = [station.touch(w, card_key=f"felica:00{w}", work_day=f"2026-11-{day:02}") for w in workers]
            request = BatchRequest(station.id, events, codec.convert(station.chain_end, ChainEnd))
            start = time.perf_counter()
            answer = take_batch(db, clock, who, request)
            figures[name].append((time.perf_counter() - start) * 1000)
            assert answer.chain_state == "ok"
    for name, some in figures.items():
        print(f"{db.kind}: {name}: median {statistics.median(some):.0f} ms, {min(some):.0f} to {max(some):.0f}")
    db.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        if sys.argv[1:] != ["postgresql"]:
            measure(f"sqlite:///{folder}/central.db", Path(folder))
        else:
            found = binaries()
            if found is None:
                raise SystemExit(MISSING)
            cluster = Cluster(found, durable=True)
            try:
                measure(cluster.database(), Path(folder))
            finally:
                cluster.stop()
