"""The program's side of the bench, in a process under umockdev: the reader `pasori:usb` with its supervisor.

    python -m tests.helpers.usb_bench_client [SERVICE:BLOCKS]

Prints one JSON line for each event, until the end of standard input; `plugged` on standard input asks what is on USB.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.clock import SystemClock
from app.readers import usb
from app.readers.felica import FelicaArea
from app.readers.pasori import PasoriReader
from app.readers.port import ReaderEvent
from app.readers.supervisor import Supervisor

_printing = threading.Lock()


def say(**what: Any) -> None:
    """One line out, from any thread."""
    with _printing:
        print(json.dumps(what, default=str), flush=True)


def emit(event: ReaderEvent) -> None:
    """As the gate gets it."""
    say(event=type(event).__name__, at=time.monotonic(), **asdict(event))


def main() -> int:
    """Run until standard input ends. 0 when every thread has ended."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    usb.PCSC_SOCKET = Path("/nonexistent")  # this machine's PC/SC sees nothing of the emulated USB
    area = None
    if sys.argv[1:]:
        service, _, count = sys.argv[1].partition(":")
        area = FelicaArea(int(service, 16), tuple(range(int(count))))
    clock = SystemClock()
    supervisor = Supervisor([PasoriReader("usb", clock, area=area)], emit, clock)
    supervisor.start()
    for line in sys.stdin:
        if line.strip() == "plugged":
            say(event="plugged", found=[str(reader) for reader in usb.plugged_in()])
    return 0 if supervisor.stop() else 1


if __name__ == "__main__":
    sys.exit(main())
