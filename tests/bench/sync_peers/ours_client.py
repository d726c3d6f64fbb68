"""Our own client as one of the peers of `bench_sync.py`: `python -m tests.bench.sync_peers.ours_client fill|push …`.

`fill DATA COUNT` stores events in a provisioned data folder; `push DATA` is `genba-touch sync --once` with a clock
around its push, and prints one line of JSON when that has ended.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import uuid_utils

PEOPLE = 300
FIRST_DAY = datetime.fromisoformat("2026-09-01T07:00:00+09:00")


def fill(data: Path, count: int) -> None:
    """Everybody of the site comes and goes once a day, until there are `count` touches."""
    from app.domain.events import Draft, EventType, rfc3339
    from app.settings import DataDir
    from app.wiring.station import open_station
    from tests.helpers.tiny_site import SITE_ID, tiny_site

    cards = [(str(card["id"]), str(card["worker_id"])) for card in tiny_site(workers=PEOPLE)["cards"]]

    def touch(n: int) -> Draft:
        day, turn = divmod(n, 2 * PEOPLE)
        out, person = divmod(turn, PEOPLE)
        at = FIRST_DAY + timedelta(days=day, hours=10 * out, seconds=12 * person)
        card_key, worker_id = cards[person]
        payload = {
            "card_key": card_key,
            "worker_id": worker_id,
            "direction": "out" if out else "in",
            "work_day": at.date().isoformat(),
            "assurance": "open",
            "reader": "bench:1",
            "source": "gate",
            "clock": {"skew_ms": None, "suspect": False},
        }
        moment = rfc3339(at)
        return Draft(str(uuid_utils.uuid7()), EventType.TOUCH, SITE_ID, moment, moment, payload)

    with open_station(DataDir.at(data)) as station:
        for start in range(0, count, 5000):
            station.events.append_many([touch(n) for n in range(start, min(count, start + 5000))])


def push(data: Path) -> None:
    """The real command."""
    from app.cli.main import run
    from app.sync.push import Pusher

    real = Pusher.run

    def timed(self: Pusher) -> bool:
        begin, used = time.perf_counter(), time.process_time()
        sent = real(self)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - used
        said = {"seconds": seconds, "cpu": cpu, "rss_mb": peak_mb(), "events": self.total.accepted}
        print(json.dumps(said), flush=True)
        return sent

    Pusher.run = timed  # type: ignore[method-assign]
    sys.exit(run(["--data-dir", str(data), "sync", "--once", "--json"]))


def peak_mb() -> float:
    """Most memory this process ever had, MB; not `ru_maxrss`, in which the parent's counts."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        push(Path(sys.argv[2]))
