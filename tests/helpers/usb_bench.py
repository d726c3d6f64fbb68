"""The test's side of the emulated USB: umockdev's testbed in one process, the program in another, nothing real touched.

The real libusb, libusb1 and nfcpy run against an emulated usbfs. Each bench has a testbed of its own, so tests run at
the same time.
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
from functools import lru_cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PRELOAD = "libumockdev-preload.so.0"
SYSTEM_PYTHON = "/usr/bin/python3"
PATIENCE_S = 20.0
"""How long to wait for what must come; a busy machine is no failure."""

Event = dict[str, Any]
_LOOK = "import gi; gi.require_version('UMockdev', '1.0'); from gi.repository import UMockdev; UMockdev.Testbed.new()"


@lru_cache(maxsize=1)
def missing() -> str | None:
    """What the bench lacks here; None when it can be had."""
    if sys.platform != "linux":
        return "umockdev is for Linux"
    if not Path(SYSTEM_PYTHON).exists():
        return f"no {SYSTEM_PYTHON}"
    tried = subprocess.run(
        [SYSTEM_PYTHON, "-c", _LOOK], capture_output=True, text=True, env={**os.environ, "LD_PRELOAD": PRELOAD}
    )
    said = tried.stderr.strip()
    return f"umockdev, gir1.2-umockdev-1.0 or python3-gi: {said}" if tried.returncode or "preload" in said else None


class Process:
    """A child that talks in JSON lines."""

    def __init__(self, command: list[str], **environment: str) -> None:
        env = {**os.environ, "LD_PRELOAD": PRELOAD, "PYTHONPATH": str(ROOT), **environment}
        self._child = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
        )
        self.lines: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.complaints = ""
        self._listeners = [threading.Thread(target=listen, daemon=True) for listen in (self._out, self._err)]
        for listener in self._listeners:
            listener.start()

    def _out(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def _err(self) -> None:
        assert self._child.stderr is not None
        self.complaints = self._child.stderr.read()

    @property
    def pid(self) -> int:
        return self._child.pid

    def tell(self, line: str) -> None:
        """One line in."""
        assert self._child.stdin is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()

    def hear(self, seconds: float = PATIENCE_S) -> Any:
        """One line out."""
        return self.lines.get(timeout=seconds)

    def end(self) -> int:
        """Its exit code."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            code = self._child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            code = self._child.wait()
        for listener in self._listeners:
            listener.join(5)
        for pipe in (self._child.stdout, self._child.stderr):
            assert pipe is not None
            pipe.close()
        return code


class Bench:
    """An empty USB, and no program yet. Use as a context manager."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        """What the program said so far."""
        self._server = Process([SYSTEM_PYTHON, "-m", "tests.helpers.usb_bench_server"])
        root = self._server.hear()
        assert root is not None, self._server.complaints
        self._root = str(root)
        self._program: Process | None = None

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, kind: object, *_exc: object) -> None:
        try:
            self.stop_program()
        finally:
            self._server.end()

    def do(self, what: str, **more: object) -> Any:
        """Move something on the USB side (`usb_bench_server`)."""
        self._server.tell(json.dumps({"do": what, **more}))
        answer = self._server.hear()
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

    @property
    def environment(self) -> dict[str, str]:
        """What a program that is to see this USB has in its environment."""
        return {"LD_PRELOAD": PRELOAD, "UMOCKDEV_DIR": self._root}

    def start_program(self, area: str = "") -> None:
        """Start the reader `pasori:usb`; `area`: 'SERVICE:BLOCKS' to read from each card."""
        command = [sys.executable, "-m", "tests.helpers.usb_bench_client", *([area] if area else [])]
        self._program = Process(command, UMOCKDEV_DIR=self._root)

    def stop_program(self) -> None:
        """End it: every thread must end, and nothing may have been complained about."""
        program, self._program = self._program, None
        if program is not None:
            code = program.end()
            assert (code, program.complaints) == (0, "")

    def cpu_s(self) -> float:
        """Seconds of a core that the program has used so far."""
        assert self._program is not None
        fields = Path("/proc", str(self._program.pid), "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait(self, wanted: Callable[[Event], bool]) -> Event:
        """The next event that fits."""
        assert self._program is not None
        until = time.monotonic() + PATIENCE_S
        while (left := until - time.monotonic()) > 0:
            try:
                event = self._program.hear(left)
            except queue.Empty:
                break
            if event is None:
                break
            self.events.append(event)
            if wanted(event):
                return event
        raise AssertionError(f"it did not come; so far: {self.events}, {self._program.complaints}")

    def wait_state(self, condition: str) -> Event:
        """The next state of this condition."""
        return self.wait(lambda e: e["event"] == "ReaderState" and e["condition"] == condition)

    def wait_card(self, kind: str) -> Event:
        """The next event of this kind."""
        return self.wait(lambda e: e["event"] == kind)

    def plugged(self) -> list[str]:
        """What the program sees on USB."""
        assert self._program is not None
        self._program.tell("plugged")
        return list(self.wait(lambda e: e["event"] == "plugged")["found"])
