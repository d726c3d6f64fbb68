"""Runs inside a namespace: `doctor` over the real PC/SC stack, without a gate and beside one.

`python -m tests.helpers.doctor_bench FOLDER` prints one JSON object: a report for each situation, and how many events
were recorded by then. USB cannot be had in the same place, so what is plugged in is said, not seen.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from app.readers.usb import UsbReader
from app.settings import DataDir
from app.wiring import doctor
from app.wiring import usb as usb_wiring
from tests.helpers.pcsc_stack import PcscStack
from tests.helpers.piv_pki import Authority, card
from tests.helpers.station_rig import Rig, call
from tests.helpers.tiny_site import tiny_site

READER = "pcsc:Virtual PCD 00 00"
STRANGER = "0101000000009999"
RCS300 = UsbReader(0x054C, 0x0DC9, "PaSoRi RC-S300")
POLL_S = 0.5
"""pcscd looks at vpcd every 400 ms."""


class DoctorBench:
    def __init__(self, folder: Path) -> None:
        self.stack = PcscStack()
        self.site = tiny_site(workers=2)
        self.rig = Rig(folder, self.site, reader=READER, station_settings=f'readers = ["{READER}"]')
        self.reports: dict[str, Any] = {}
        self.asked: list[str] = []
        self.plug(RCS300)

    def plug(self, *found: UsbReader) -> None:
        usb_wiring.plugged_in = lambda: list(found)

    def look(self, name: str, card_s: float | None = None) -> None:
        self.asked.clear()
        checks = doctor.examine(DataDir.at(self.rig.station_data), "en", card_s=card_s, prompt=self.asked.append)
        events = self.rig.status()["chain_head"]["seq"]
        self.reports[name] = {"checks": {c["check"]: c for c in checks}, "asked": list(self.asked), "events": events}

    def with_card(self, name: str, card_s: float = 10.0, **made: Any) -> None:
        self.stack.insert(0, **made)
        self.look(name, card_s)
        self.stack.remove(0)
        time.sleep(2 * POLL_S)

    def play(self) -> None:
        known = str(self.site["cards"][0]["id"]).removeprefix("felica:")
        self.plug()
        self.look("unplugged", 1.0)
        self.plug(RCS300)
        self.look("no service")
        self.stack.start()
        self.look("no card asked for")
        self.look("no card came", 0.5)
        self.with_card("known", number=known)
        self.with_card("stranger", number=STRANGER)
        self.with_card("unreadable", atr="3B6500002063CB6600")
        self.plug()
        self.look("not on USB")
        self.plug(RCS300)
        Authority().trust(self.rig.station_data / "trust")
        self.with_card("foreign secure card", piv=card(Authority("Other Root", which=101).issue()))
        self.with_card("secure card", piv=card(Authority().issue()))
        self.rig.start_gate()
        self.look("beside a gate")
        gate = self.rig.gate
        assert gate is not None
        touch = threading.Timer(2.0, lambda: self.stack.insert(0, number=known))
        touch.start()
        self.look("card beside a gate", 20.0)
        self.stack.remove(0)
        gate.wait(lambda item: item["event"] == "touch")
        self.look("no card beside a gate", 0.5)
        self.reports["as printed"] = call(self.rig.station_data, "--language", "en", "doctor", code=6)
        gate.terminate()

    def close(self) -> None:
        self.rig.close()


def main() -> None:
    bench = DoctorBench(Path(sys.argv[1]))
    try:
        bench.play()
    finally:
        bench.close()
    print(json.dumps(bench.reports))


if __name__ == "__main__":
    main()
