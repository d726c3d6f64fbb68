"""Runs inside the namespace: a real pcscd, emulated cards, and the program's own PC/SC reader.

Started by `vpcd_bench`. Takes one JSON command per line on standard input, answers each with `{"reply": …}`, and writes
every reader event and every log record at WARNING or above as a line of its own.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.clock import SystemClock
from app.readers.felica import FelicaArea
from app.readers.pcsc import PcscReader
from app.readers.piv import PivCard
from app.readers.port import CardSeen, CardUnreadable, ReaderEvent, ReaderState
from app.readers.secure import secure_card
from app.readers.specs import PcscSpec
from app.readers.storage_card import storage_card
from app.readers.supervisor import Supervisor
from app.readers.trust_folder import TrustFolder
from app.wiring.card_profiles import load
from app.wiring.readers import build
from tests.helpers.pcsc_stack import SOCKET, PcscStack

HOLD = """
import sys
from smartcard import scard
_, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
result, card, _ = scard.SCardConnect(context, sys.argv[1], scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T1)
print(result, flush=True)
sys.stdin.read()
scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
"""


class Driver:
    def __init__(self) -> None:
        self._out = threading.Lock()
        self._stack = PcscStack()
        self._holder: subprocess.Popen[str] | None = None
        self._supervisor: Supervisor | None = None

    def write(self, item: dict[str, Any]) -> None:
        with self._out:
            print(json.dumps(item), flush=True)

    def event(self, event: ReaderEvent) -> None:
        item: dict[str, Any] = {"event": type(event).__name__, "reader": event.reader, "t": time.monotonic()}
        if isinstance(event, ReaderState):
            item |= {"condition": event.condition.value, "label": event.label, "detail": event.detail}
        elif isinstance(event, CardSeen):
            item |= {"key": event.card_key, "assurance": event.assurance, "attributes": dict(event.attributes)}
            item |= {"refused": event.refused}
        elif isinstance(event, CardUnreadable):
            item |= {"detail": event.detail}
        self.write(item)

    def do(self, command: dict[str, Any]) -> object:
        action: Callable[..., object] = getattr(self, "do_" + command.pop("do"))
        return action(**command)

    def do_service(self, on: bool, wait: bool = True) -> float:
        if on:
            self._stack.start(wait=wait)
        else:
            self._stack.kill()
        return time.monotonic()

    def do_hang(self, on: bool) -> float:
        """The service neither answers nor ends."""
        if on:
            self._stack.hang()
        else:
            self._stack.go_on()
        return time.monotonic()

    def do_reader(self, name_part: str | None = None, limit_s: float = 3.0, area: list[Any] | None = None) -> float:
        wanted = FelicaArea(area[0], tuple(area[1])) if area else None
        clock = SystemClock()
        reader = PcscReader(name_part, clock, protocols=[storage_card(wanted)], transmit_limit_s=limit_s)
        self._supervisor = Supervisor([reader], self.event, clock)
        self._supervisor.start()
        return time.monotonic()

    def do_profile_reader(self, files: list[str]) -> float:
        """A reader that knows cards by these profiles."""
        clock = SystemClock()
        self._supervisor = Supervisor(
            [build(PcscSpec(), clock, None, [load(Path(f)) for f in files])], self.event, clock
        )
        self._supervisor.start()
        return time.monotonic()

    def do_secure_reader(self, trust: str, proof_s: float = 5.0) -> float:
        """A reader of a site with roots of its own; one without a root takes chip numbers."""
        clock = SystemClock()
        secure = secure_card([PivCard(TrustFolder(Path(trust), clock))], clock, limit_s=proof_s)
        self._supervisor = Supervisor([PcscReader(None, clock, protocols=[secure, storage_card()])], self.event, clock)
        self._supervisor.start()
        return time.monotonic()

    def do_run(self, command: list[str]) -> list[object]:
        """A program beside us, on the same reader: its exit code and everything it said."""
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return [ended.returncode, ended.stdout + ended.stderr]

    def do_insert(self, slot: int, **card: Any) -> float:
        self._stack.insert(slot, **card)
        return time.monotonic()

    def do_remove(self, slot: int) -> float:
        self._stack.remove(slot)
        return time.monotonic()

    def do_hold(self, reader: str) -> int:
        """Another program takes the card on this reader for itself alone. PC/SC's result."""
        self._holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, reader], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._holder.stdout is not None
        return int(self._holder.stdout.readline())

    def do_release(self) -> None:
        assert self._holder is not None
        self._holder.communicate()

    def do_lock_out(self) -> None:
        """Become a user who may not open the service's socket (nor, perhaps, our folder: the library comes first)."""
        from smartcard import scard

        assert scard is not None
        SOCKET.chmod(0o600)
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)

    def do_states(self) -> dict[str, str]:
        assert self._supervisor is not None
        return {name: state.condition.value for name, state in self._supervisor.states().items()}

    def do_cpu(self, seconds: float) -> float:
        """Share of one core this process uses, readers and all, while it idles for so long."""
        before = time.process_time()
        time.sleep(seconds)
        return (time.process_time() - before) / seconds

    def do_threads(self) -> list[str]:
        return sorted(thread.name for thread in threading.enumerate())

    def do_stop(self) -> list[object]:
        assert self._supervisor is not None
        began = time.monotonic()
        ended = self._supervisor.stop()
        return [ended, time.monotonic() - began]


class LogLines(logging.Handler):
    def __init__(self, driver: Driver) -> None:
        super().__init__(logging.WARNING)
        self._driver = driver

    def emit(self, record: logging.LogRecord) -> None:
        self._driver.write({"log": record.levelname, "text": self.format(record)})


def main() -> None:
    warnings.simplefilter("error")
    driver = Driver()
    logging.getLogger().addHandler(LogLines(driver))
    driver.write({"reply": "up"})
    for line in sys.stdin:
        driver.write({"reply": driver.do(json.loads(line))})


if __name__ == "__main__":
    main()
