"""The hand that puts virtual cards on a reader: a process of its own at the other end of nfcpy's UDP pair."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import EnvironmentTrouble


@dataclass(frozen=True, slots=True)
class Shown:
    """What became of a card that was put on. `read`: a reader found it and asked it something."""

    idm: str
    read: bool
    seconds: float


class CardHand:
    """Shows cards one after the other. `show` from one thread at a time; `later` from any."""

    def __init__(self, port: int) -> None:
        self.reader_spec = f"pasori:udp:127.0.0.1:{port}"
        self._process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            [sys.executable, "-m", "app.readers.virtual_card", "--udp", f"127.0.0.1:{port}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._queue: queue.SimpleQueue[tuple[str, float, Callable[[Shown], None] | None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="card-hand", daemon=True)
        self._thread.start()

    def show(self, card_key: str, hold_s: float = 0.15, timeout_s: float = 20.0) -> Shown:
        """Put a card on until it was read, then take it away. Blocks. EnvironmentTrouble when the process died."""
        kind, _, idm = card_key.partition(":")
        if kind != "felica":
            raise ValueError(f"the virtual reader takes FeliCa cards, not {card_key!r}")
        assert self._process.stdin is not None  # noqa: S101 - opened above
        assert self._process.stdout is not None  # noqa: S101
        try:
            self._process.stdin.write(json.dumps({"idm": idm, "hold_s": hold_s, "timeout_s": timeout_s}) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except (BrokenPipeError, ValueError):
            answer = ""
        if not answer:
            raise EnvironmentTrouble("demo.card_process", self.reader_spec)
        said = json.loads(answer)
        return Shown(said["idm"], bool(said["read"]), float(said["seconds"]))

    def later(self, card_key: str, done: Callable[[Shown], None] | None = None) -> None:
        """Put a card on after those already waiting; returns at once. `done` is called on the hand's thread."""
        self._queue.put((card_key, 0.6, done))

    def close(self) -> None:
        """End the process and the thread."""
        self._queue.put(None)
        self._thread.join(timeout=30)
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            card_key, hold_s, done = job
            try:
                shown = self.show(card_key, hold_s)
            except EnvironmentTrouble:
                return
            if done is not None:
                done(shown)


def free_udp_port() -> int:
    """A UDP port of this machine that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
