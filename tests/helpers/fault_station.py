"""A gate as `genba-touch gate --headless --json-lines` runs it, but with a sync engine in a hurry.

`python -m tests.helpers.fault_station DATA SCRIPT`: plays the script through the scripted reader until SIGTERM.
"""

from __future__ import annotations

import faulthandler
import sys
from pathlib import Path

from app.cli.gate import LinePrinter
from app.readers.specs import parse_spec
from app.settings import DataDir
from app.sync.schedule import Pace
from app.wiring.gate import open_gate
from app.wiring.stopping import Stop

HURRY = Pace(
    backoff_base=0.005,
    backoff_cap=0.05,
    first_delay=0.0,
    paused_every=0.2,
    feed_every=0.2,
    roster_every=0.4,
    heartbeat_every=0.3,
    longest_hold=0.5,
)
"""A fault a moment instead of one a minute."""


def main(data: str, script: str) -> int:
    """Run until SIGTERM."""
    faulthandler.enable()
    stop = Stop().on_signals()
    run = open_gate(DataDir.at(Path(data)), reader_specs=[parse_spec(f"scripted:{script}")], pace=HURRY)
    printer = LinePrinter(json_lines=True)
    run.gate.listen(printer.news)
    run.listen_readers(printer.reader)
    run.start()
    stop.wait()
    run.stop()
    printer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
