"""The real PC/SC stack inside a namespace (`tests.helpers.namespace`): pcscd, the reader vpcd, and cards on it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RUN = Path("/run/pcscd")
SOCKET = RUN / "pcscd.comm"
CONFIG = Path("/run/config")
FIRST_PORT = 35963


class PcscStack:
    """Two slots, nothing running yet. Never outside a namespace: it covers /run and listens on every address.

    `preload`: a library for the service's process (`hurry.c`).
    """

    def __init__(self, preload: Path | None = None) -> None:
        self._environment = {**os.environ, **({"LD_PRELOAD": str(preload)} if preload else {})}
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        CONFIG.mkdir()
        shutil.copy("/etc/reader.conf.d/vpcd", CONFIG)
        self._service: subprocess.Popen[bytes] | None = None
        self._cards: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, *, wait: bool = True) -> None:
        """Start the reader service; `wait`: until its socket is there."""
        shutil.rmtree(RUN, ignore_errors=True)
        RUN.mkdir()
        self._service = subprocess.Popen(
            ["pcscd", "-f", "-c", str(CONFIG)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
        )
        for _ in range(1000):
            if SOCKET.exists() or not wait:
                return
            time.sleep(0.005)
        raise RuntimeError("pcscd did not start")

    def kill(self) -> None:
        """SIGKILL to the reader service. Cards without `keep` end with it."""
        assert self._service is not None
        self._service.send_signal(signal.SIGKILL)
        self._service.wait()

    def end(self) -> None:
        """SIGTERM to the reader service, and wait until it is gone."""
        assert self._service is not None
        self._service.terminate()
        self._service.wait()

    def hang(self) -> None:
        """SIGSTOP: the service neither answers nor ends."""
        assert self._service is not None
        self._service.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        assert self._service is not None
        self._service.send_signal(signal.SIGCONT)

    def insert(self, slot: int, **card: Any) -> None:
        """Put a card on; its fields are those of `vpcd_card`."""
        arguments = [sys.executable, "-m", "tests.helpers.vpcd_card", str(FIRST_PORT + slot), json.dumps(card)]
        self._cards[slot] = subprocess.Popen(arguments)

    def remove(self, slot: int) -> None:
        """Take the card away, in whatever it is doing; one that left by itself is gone already."""
        card = self._cards.pop(slot)
        card.kill()
        card.wait()
