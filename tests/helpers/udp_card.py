"""The tests' side of nfcpy's UDP pair: a free port, and the card process."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
import sys
import threading
from typing import Any

PATIENCE_S = 20.0


def free_port() -> int:
    """A UDP port that was free just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class CardProcess:
    """`python -m app.readers.virtual_card`, fed line by line. Use as a context manager."""

    def __init__(self, port: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "app.readers.virtual_card", "--udp", f"127.0.0.1:{port}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, name="udp-card", daemon=True)
        self._listener.start()

    def __enter__(self) -> CardProcess:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.process.kill()
        self.process.wait()
        self._listener.join(5)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()

    def put(self, **card: object) -> None:
        """Put a card on; does not wait."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(card) + "\n")
        self.process.stdin.flush()

    def answer(self, seconds: float = PATIENCE_S) -> dict[str, Any]:
        """The answer to the oldest card that is not answered yet."""
        return self._answers.get(timeout=seconds)

    def touch(self, **card: object) -> dict[str, Any]:
        """Put a card on and wait until it was read and taken away."""
        self.put(**card)
        return self.answer()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._answers.put(json.loads(line))
