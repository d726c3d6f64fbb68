"""The program's readers for a long time, and what their process holds meanwhile: memory, descriptors, threads.

    python -m tests.helpers.soak_inserts udp LANES COUNT MINUTES
    python -m tests.helpers.soak_inserts pcsc LIBRARY COUNT MINUTES     (inside a namespace; LIBRARY: `hurry.c`, or '')

Ends after so many inserts or minutes and prints one JSON object. Nothing is kept of a card that was right, so that
memory that grows is the readers'.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from app.clock import SystemClock
from app.readers.pasori import PasoriReader
from app.readers.pcsc import PcscReader
from app.readers.port import CardRemoved, CardSeen, CardUnreadable, ReaderCondition, ReaderEvent, ReaderState
from app.readers.supervisor import Supervisor
from tests.helpers.pcsc_stack import FIRST_PORT, PcscStack
from tests.helpers.soak_cards import number
from tests.helpers.udp_card import free_port

STALL_S = 60.0
MOST_FAULTS = 20


class Judge:
    """Checks each lane's cards one by one and tells the cards' process of them. Called on the readers' threads."""

    def __init__(self, lanes: list[str]) -> None:
        self.lane = {name: place for place, name in enumerate(lanes)}
        self.seen = [0] * len(lanes)
        self.removed = [0] * len(lanes)
        self.faults: list[str] = []
        self.ready: set[str] = set()
        self.cards: subprocess.Popen[str] | None = None
        self._telling = threading.Lock()

    def __call__(self, event: ReaderEvent) -> None:
        if isinstance(event, ReaderState):
            if event.condition is ReaderCondition.READY:
                self.ready.add(event.reader)
            elif event.condition not in (ReaderCondition.STARTING, ReaderCondition.CARD_PRESENT):
                self.fault(f"{event.reader}: {event.condition} {event.detail}")
            return
        place = self.lane[event.reader]
        if isinstance(event, CardSeen):
            wanted = f"felica:{number(place, self.seen[place]).hex().upper()}"
            if event.card_key != wanted:
                self.fault(f"lane {place}: {event.card_key}, not {wanted}")
            self.seen[place] += 1
            self._tell(f"{place} seen")
        elif isinstance(event, CardRemoved):
            self.removed[place] += 1
            self._tell(f"{place} removed")
        elif isinstance(event, CardUnreadable):
            self.fault(f"lane {place}: unreadable: {event.detail}")

    def fault(self, what: str) -> None:
        if len(self.faults) < MOST_FAULTS and "stopped" not in what:
            self.faults.append(what)

    def _tell(self, line: str) -> None:
        with self._telling:
            if self.cards is not None and self.cards.stdin is not None and not self.cards.stdin.closed:
                self.cards.stdin.write(line + "\n")
                self.cards.stdin.flush()


class Faults(logging.Handler):
    """A log record at WARNING or above is a fault."""

    def __init__(self, judge: Judge) -> None:
        super().__init__(logging.WARNING)
        self._judge = judge

    def emit(self, record: logging.LogRecord) -> None:
        self._judge.fault(self.format(record))


def held() -> dict[str, int]:
    """What this process holds now: KiB of memory, descriptors, threads."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "rss_kib": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
    }


def soak(
    road: str, ports: list[int], readers: list[Any], lanes: list[str], count: int, minutes: float
) -> dict[str, Any]:
    """Run it. What is asked of the result stands in `test_soak`."""
    judge = Judge(lanes)
    logging.getLogger().addHandler(Faults(judge))
    supervisor = Supervisor(readers, judge, SystemClock())
    supervisor.start()
    while not judge.ready >= set(lanes):
        time.sleep(0.05)
    before = held()
    command = [sys.executable, "-m", "tests.helpers.soak_cards", road, *map(str, ports)]
    judge.cards = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert judge.cards.stdin is not None
    assert judge.cards.stdout is not None
    began = moved = time.monotonic()
    samples: list[tuple[int, int]] = []
    total = 0
    most = dict(before)
    while total < count and time.monotonic() - began < minutes * 60:
        time.sleep(0.5)
        now = held()
        most = {name: max(most[name], value) for name, value in now.items()}
        if sum(judge.seen) > total:
            moved = time.monotonic()
        elif time.monotonic() - moved > STALL_S:
            judge.fault(f"nothing for {STALL_S} s after {judge.seen}, {judge.removed}")
            break
        total = sum(judge.seen)
        samples.append((total, now["rss_kib"]))
    seconds = time.monotonic() - began
    judge.cards.stdin.write("end\n")
    judge.cards.stdin.flush()
    while sum(judge.removed) < sum(judge.seen) or time.monotonic() - moved < 3:
        if time.monotonic() - moved > STALL_S:
            break
        time.sleep(0.2)
    time.sleep(1.0)
    cards, judge.cards = judge.cards, None
    put_on = json.loads(cards.communicate(timeout=30)[0])
    gc.collect()
    after = held()
    stopped = supervisor.stop()
    time.sleep(0.1)
    return {
        "inserts": sum(judge.seen),
        "seconds": round(seconds, 1),
        "put_on": put_on,
        "seen": judge.seen,
        "removed": judge.removed,
        "faults": judge.faults,
        "before": before,
        "after": after,
        "most": most,
        "samples": samples[:: max(1, len(samples) // 200)],
        "stopped": stopped,
        "threads_left": [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()],
    }


def main() -> None:
    warnings.simplefilter("error")
    road, what, count, minutes = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    clock = SystemClock()
    if road == "udp":
        ports = [free_port() for _ in range(int(what))]
        readers: list[Any] = [PasoriReader(f"udp:127.0.0.1:{port}", clock) for port in ports]
        print(json.dumps(soak(road, ports, readers, [reader.name for reader in readers], count, minutes)))
        return
    stack = PcscStack(Path(what) if what else None)
    stack.start()
    lanes = ["pcsc:Virtual PCD 00 00", "pcsc:Virtual PCD 00 01"]
    ports = [FIRST_PORT, FIRST_PORT + 1]
    print(json.dumps(soak(road, ports, [PcscReader(None, clock)], lanes, count, minutes)))
    stack.kill()


if __name__ == "__main__":
    main()
