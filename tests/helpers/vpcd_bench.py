"""The test's side of the real PC/SC stack: starts `vpcd_driver` in a network, mount and process namespace of its own.

So each test has its own pcscd, its own ports and its own /run/pcscd; tests run at the same time, and nothing is left
behind: the end of the namespace's first process ends everything in it.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.helpers import namespace

ROOT = Path(__file__).parents[2]
_DRIVER = [sys.executable, "-m", "tests.helpers.vpcd_driver"]
SLOT_A = "pcsc:Virtual PCD 00 00"
SLOT_B = "pcsc:Virtual PCD 00 01"
PATIENCE_S = 20.0
"""How long to wait for what must come; a busy machine is no failure."""

Event = dict[str, Any]


def missing() -> str | None:
    """What the real stack lacks here; None when it can be had."""
    return namespace.lacking_for_pcsc()


class Bench:
    """A pcscd with two empty slots, and what the readers said. Use as a context manager."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        """Everything so far, in order; those that `wait` passed over too."""
        self._taken = 0
        self._lines: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        way_in = namespace.way_in()
        assert way_in is not None, missing()
        self._process = subprocess.Popen(
            [*way_in, *_DRIVER],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PATH": namespace.PATH},
        )
        self._listener = threading.Thread(target=self._listen, name="vpcd-bench", daemon=True)
        self._listener.start()

    def __enter__(self) -> Bench:
        self._reply()
        return self

    def __exit__(self, *_exc: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()  # the driver ends, and with it everything in its namespace
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(5)
        self._process.stdout.close()

    def do(self, what: str, **arguments: object) -> Any:
        """Give the driver a command; its reply."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._reply()

    def wait(self, wanted: Callable[[Event], bool], seconds: float = PATIENCE_S) -> Event:
        """The next event that is wanted; the ones before it are passed over."""
        until = time.monotonic() + seconds
        while True:
            while self._taken < len(self.events):
                event = self.events[self._taken]
                self._taken += 1
                if wanted(event):
                    return event
            if not self._pump(until - time.monotonic()):
                raise AssertionError(f"did not come in {seconds} s; so far: {self.events}")

    def wait_state(self, reader: str, condition: str) -> Event:
        return self.wait(lambda e: e.get("reader") == reader and e.get("condition") == condition)

    def wait_card(self, kind: str, reader: str = SLOT_A) -> Event:
        return self.wait(lambda e: e["event"] == kind and e["reader"] == reader)

    def quiet(self, seconds: float) -> None:
        """Let time pass and take in what is said."""
        until = time.monotonic() + seconds
        while self._pump(until - time.monotonic()):
            pass

    def count(self, kind: str, reader: str | None = None) -> int:
        return sum(e["event"] == kind and reader in (None, e["reader"]) for e in self.events)

    def _reply(self) -> Any:
        while True:
            item = self._lines.get(timeout=60)
            if item is None:
                raise AssertionError("the driver ended")
            if "reply" in item:
                return item["reply"]
            self._keep(item)

    def _pump(self, seconds: float) -> bool:
        """Take in one line; False when none came in time."""
        try:
            item = self._lines.get(timeout=max(0.0, seconds)) if seconds > 0 else self._lines.get_nowait()
        except queue.Empty:
            return False
        if item is None:
            raise AssertionError("the driver ended")
        self._keep(item)
        return True

    def _keep(self, item: Event) -> None:
        if "log" in item:
            raise AssertionError(f"unexpected log record: {item}")
        self.events.append(item)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)
