"""Several processes as one centre: real ones, killed while many stations send, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.central import schema as t
from app.central.database import CentralDatabase
from tests.central.world import SITE, WORKER, Station, World, in_threads
from tests.helpers.station_rig import PATIENCE_S, ROOT, free_port, genba_touch

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform == "win32", reason="signals")]

STATIONS = 12
BATCHES = 12
EVENTS = 5


class Served:
    """`central serve` with workers; its log lines."""

    def __init__(self, folder: Path, url: str, workers: int, *more: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        listen = self.url.removeprefix("http://")
        command = genba_touch(folder, "central", "serve", "--listen", listen, "--database", url)
        self.lines: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            [*command, "--workers", str(workers), *more],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == self.url

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(json.loads(line))

    def pids(self) -> list[int]:
        """Workers that live."""
        started = [line["process"] for line in list(self.lines) if line["message"] == "Application startup complete."]
        return [pid for pid in dict.fromkeys(started) if alive(pid)]

    def end(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.close()

    def close(self) -> int:
        """Wait for the end."""
        code = self.process.wait(PATIENCE_S)
        self._thread.join(5)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return code


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def world(db: CentralDatabase, tmp_path: Path) -> World:
    made = World(db, tmp_path)
    made.clock.set(datetime.now(UTC))
    made.load()
    return made


def deliver(station: Station, url: str) -> list[str]:
    """Send batches, each until it is answered; ids that were named as taken."""
    taken = []
    with httpx.Client(base_url=url, timeout=20, headers={"Authorization": f"Bearer {station.access_token}"}) as client:
        for _ in range(BATCHES):
            events = [station.touch(WORKER) for _ in range(EVENTS)]
            body = {"station_id": station.id, "events": events, "chain_end": station.chain_end}
            while True:
                try:
                    answer = client.post("/v1/events/batch", json=body)
                except httpx.TransportError:
                    continue  # killed in the middle: the same again, as a station does
                if answer.status_code == 503:
                    time.sleep(random.uniform(0.1, 0.3))
                    continue
                assert answer.status_code == 200, answer.text
                taken += [r["id"] for r in answer.json()["results"] if r["verdict"] in ("accepted", "duplicate")]
                break
    return taken


def test_everything_exactly_once_while_workers_are_killed(world: World, url: str, tmp_path: Path) -> None:
    workers = 4 if world.db.kind == "postgresql" else 2
    served = Served(tmp_path, url, workers)
    try:
        stations = [world.station() for _ in range(STATIONS)]
        ended = threading.Event()
        killed: list[int] = []

        def kill() -> None:
            while not ended.wait(0.7) and len(killed) < 3:
                pids = served.pids()
                if pids:
                    os.kill(random.choice(pids), signal.SIGKILL)
                    killed.append(pids[0])

        killer = threading.Thread(target=kill)
        killer.start()
        told = in_threads(STATIONS, lambda i: deliver(stations[i], served.url))
        ended.set()
        killer.join()
        assert killed, "nothing was killed: the test proved nothing"
        until(lambda: len(served.pids()) == workers)  # each was started anew
        with world.db.read() as tx:
            held = tx.execute(select(t.event.c.id, t.event.c.station_id, t.event.c.seq).order_by(t.event.c.seq)).all()
            chains = tx.execute(select(t.station.c.id, t.station.c.chain_seq, t.station.c.chain_broken)).all()
        assert sorted(row.id for row in held) == sorted(id for ids in told for id in ids)
        assert len({row.id for row in held}) == STATIONS * BATCHES * EVENTS
        for station in stations:
            assert [r.seq for r in held if r.station_id == station.id] == list(range(1, BATCHES * EVENTS + 1))
        assert {(row.chain_seq, row.chain_broken) for row in chains} == {(BATCHES * EVENTS, False)}
        assert [len(record["events"]) for record in world.records(SITE).values()] == [STATIONS * BATCHES * EVENTS]
        pids = served.pids()
    finally:
        code = served.end()
    assert code == 0
    assert not any(alive(pid) for pid in pids)
    assert {line["level"] for line in served.lines} <= {"info", "warning"}, served.lines
    requests = [line for line in served.lines if line["message"] == "request"]
    assert {line["client"] for line in requests if line["route"] == "/v1/events/batch"} == {s.id for s in stations}


def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    served = Served(tmp_path, f"sqlite:///{tmp_path / 'c.db'}", 2)
    pids = served.pids()
    assert len(pids) == 2
    served.process.kill()
    until(lambda: not any(alive(pid) for pid in pids))
    served.close()
