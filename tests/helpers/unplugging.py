"""Runs inside a namespace: one gate on every road, and everything around it pulled and put in any order.

`python -m tests.helpers.unplugging SEED MINUTES FOLDER` starts pcscd with two slots, an emulated USB, nfcpy's UDP pair,
a centre and one gate, and prints one JSON object at the end. `test_unplugging` judges.

It goes in turns: a storm of random troubles; a look whether the gate tells the truth of what works now; a calm, in
which everything but perhaps the centre works again and a card is put on one of the readers.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.settings import DataDir
from app.store.events import EventLog
from app.wiring.station import open_station
from tests.helpers.central_judge import centre_events
from tests.helpers.pcsc_stack import PcscStack
from tests.helpers.station_rig import Lines, Rig
from tests.helpers.tiny_site import tiny_site
from tests.helpers.udp_card import CardProcess
from tests.helpers.usb_bench import Bench

SLOTS = ("pcsc:Virtual PCD 00 00", "pcsc:Virtual PCD 00 01")
USB = "pasori:usb"
USABLE = ("ready", "card_present")
HOST = "127.0.0.9"
"""Where the centre is, under the name of localhost: an address that can be taken away."""
STORM = (2, 9)
"""Troubles between two calms."""
TRUTH_S = 20.0
"""How long the gate may take to find out what works."""
POLL_S = 0.5
"""pcscd looks at vpcd every 400 ms."""


class DistantRig(Rig):
    host = HOST

    @property
    def centre_url(self) -> str:
        return f"http://localhost:{self.centre_port}"


class Unplugging:
    def __init__(self, seed: int, folder: Path) -> None:
        self.dice = random.Random(seed)
        self.stack = PcscStack()
        for change in ("del 127.0.0.1/8", "add 127.0.0.1/32", f"add {HOST}/32"):
            _ip("addr", *change.split(), "dev", "lo")
        hosts = folder / "hosts"
        hosts.write_text(f"{HOST} localhost\n")
        subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
        self.network = True
        self.stack.start()
        self.service = "runs"
        self.bench = Bench()
        self.plugged = ""
        self.site = tiny_site(workers=12)
        self.rig = DistantRig(folder, self.site)
        self.udp = self.rig.reader
        self.hand = CardProcess(int(self.udp.rpartition(":")[2]))
        self.shown = 0
        """Cards that `hand` has not answered yet."""
        self.worker_of = {str(card["id"]): str(card["worker_id"]) for card in self.site["cards"]}
        self.serial = 0
        self.lying: dict[int, tuple[str, bool]] = {}
        """By slot: the card, and whether it survives the end of the service."""
        self.at_least: Counter[str] = Counter()
        self.at_most: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.calms: Counter[str] = Counter()
        self.slowest = ("", 0.0)

    def close(self) -> None:
        self.hand.__exit__()
        self.rig.close()
        self.bench.__exit__(None)

    @property
    def gate(self) -> Lines:
        assert self.rig.gate is not None
        return self.rig.gate

    def play(self, minutes: float) -> dict[str, Any]:
        self.plug_usb()
        self.rig.start_gate("--reader", "pcsc", "--reader", USB, env=self.bench.environment)
        self.calm()
        before = self.held()
        until = time.monotonic() + minutes * 60
        while time.monotonic() < until:
            for _ in range(self.dice.randint(*STORM)):
                self.trouble()
                time.sleep(self.dice.choice((0.0, self.dice.uniform(0.0, 0.3), self.dice.uniform(0.0, 2.0))))
            self.truth()
            self.calm()
        self.have_centre()
        status = self.rig.drained(120)
        after = self.held()
        self.stack.hang()  # the hardest moment to end
        time.sleep(1.0)
        began = time.monotonic()
        exit_code = self.gate.terminate()
        return self.summary(status, exit_code) | {
            "exit_s": round(time.monotonic() - began, 2),
            "held": [before, after],
        }

    # -- troubles -----------------------------------------------------------------------------------------------

    def trouble(self) -> None:
        """One thing at random that can happen now."""
        can: list[Callable[[], None]] = [self.put_on_slot, self.put_on_udp, self.pull_hand, self.turn_network]
        can += [self.kill_centre if self.rig.centre is not None else self.have_centre]
        can += [self.take_from_slot] * bool(self.lying)
        if self.service == "runs":
            can += [self.end_service, self.kill_service, self.hang_service]
        elif self.service == "hangs":
            can += [self.kill_service, self.wake_service]
        else:
            can += [self.start_service] * 2
        can += [self.unplug_usb, self.put_on_usb, self.take_from_usb] if self.plugged else [self.plug_usb] * 2
        chosen = self.dice.choice(can)
        chosen()
        self.done[chosen.__name__] += 1

    def put_on_slot(self) -> None:
        slot = self.dice.randrange(2)
        if slot in self.lying:
            self.take(slot)
        keep = self.dice.random() < 0.3
        more = self.dice.choice(({}, {}, {"vanish_at": "FFCA"}, {"hang_at": "FFCA"}))
        card = self.new_card(0 if more else 1)
        self.lying[slot] = (card, keep and not more)
        self.stack.insert(slot, number=card.removeprefix("felica:"), **({"keep": True} if keep else {}), **more)

    def take_from_slot(self) -> None:
        self.take(self.dice.choice(list(self.lying)))

    def take(self, slot: int) -> None:
        del self.lying[slot]
        self.stack.remove(slot)

    def put_on_udp(self) -> None:
        card = self.new_card(1)
        self.hand.put(idm=card.removeprefix("felica:"), hold_s=self.dice.uniform(0.0, 0.5), timeout_s=2.0)
        self.shown += 1

    def pull_hand(self) -> None:
        """The virtual reader's other end dies, with the cards that wait."""
        self.hand.__exit__()
        self.hand = CardProcess(int(self.udp.rpartition(":")[2]))
        self.shown = 0

    def plug_usb(self) -> None:
        self.plugged = self.dice.choice(("rcs300", "rcs380"))
        self.bench.do("plug", reader=self.plugged)

    def unplug_usb(self) -> None:
        self.plugged = ""
        self.bench.do("unplug")

    def put_on_usb(self) -> None:
        self.bench.do("card", idm=self.new_card(1).removeprefix("felica:"))

    def take_from_usb(self) -> None:
        self.bench.do("card", idm=None)

    def end_service(self) -> None:
        self.stack.end()
        self.service = "gone"

    def kill_service(self) -> None:
        self.stack.kill()
        self.service = "gone"

    def start_service(self) -> None:
        self.stack.start()
        self.service = "runs"
        for card, keep in self.lying.values():
            self.at_most[card] += keep  # to the new service, a card that lies there is new

    def hang_service(self) -> None:
        self.stack.hang()
        self.service = "hangs"

    def wake_service(self) -> None:
        self.stack.go_on()
        self.service = "runs"

    def kill_centre(self) -> None:
        self.rig.kill_centre()

    def have_centre(self) -> None:
        """The centre runs, and there is a way to it."""
        if not self.network:
            self.turn_network()
        if self.rig.centre is None:
            self.rig.start_centre()

    def turn_network(self) -> None:
        self.network = not self.network
        _ip("addr", "add" if self.network else "del", f"{HOST}/32", "dev", "lo")

    # -- truth and calm -----------------------------------------------------------------------------------------

    def truth(self) -> None:
        """What the gate says of each reader is so: whether a card that is put on it now would be read."""
        usable = self.service == "runs"
        hung = [name for name in SLOTS if self.condition(name) == "failed"]
        wanted = {name: usable for name in SLOTS if name not in hung}  # a card that never answers may lie there
        self.wait_truth(wanted | {USB: bool(self.plugged), self.udp: True})

    def wait_truth(self, wanted: dict[str, bool]) -> None:
        began = time.monotonic()
        while wrong := [name for name, usable in wanted.items() if (self.condition(name) in USABLE) != usable]:
            assert self.gate.running, "the gate ended"
            took = time.monotonic() - began
            assert took < TRUTH_S, f"{ {n: self.condition(n) for n in wrong} }, should be {wanted}: {self.last()}"
            time.sleep(0.02)
        took = time.monotonic() - began
        if took > self.slowest[1]:
            self.slowest = (f"{self.service}, {self.plugged}, {list(self.done.elements())[-1:]}", round(took, 2))

    def calm(self) -> None:
        """Everything works again, and a card is recorded."""
        for slot in list(self.lying):
            self.take(slot)
        if self.service == "hangs":
            self.wake_service()
        elif self.service == "gone":
            self.start_service()
        if not self.plugged:
            self.plug_usb()
        self.take_from_usb()
        if self.dice.random() < 0.5:
            self.have_centre()
        for _ in range(self.shown):
            self.hand.answer()
        self.shown = 0
        readers = (*SLOTS, USB, self.udp)
        quiet = 0.0
        began = time.monotonic()
        while quiet < 2 * POLL_S:  # what was put on in the storm may still be noticed
            time.sleep(0.1)
            quiet = quiet + 0.1 if all(self.condition(name) == "ready" for name in readers) else 0.0
            states = {name: self.condition(name) for name in readers}
            assert time.monotonic() - began < TRUTH_S, f"{states}, all should be ready: {self.last()}"
        lane = self.dice.choice(readers)
        card = str(self.dice.choice(self.site["cards"])["id"])
        self.at_least[card] += 1
        self.at_most[card] += 1
        self.calms[lane] += 1
        since = len(self.gate.items)
        self.show(lane, card)
        told = self.gate.wait(lambda item: item["event"] == "touch" and item["id"] is not None, 20, since=since)
        assert (told["worker_id"], told["reader"]) == (self.worker_of[card], lane), told
        self.gate.wait(lambda item: _is_state(item, lane, "card_present"), 20, since=since)
        self.unshow(lane)
        self.gate.wait(lambda item: _is_state(item, lane, "ready"), 20, since=since)

    def show(self, lane: str, card: str) -> None:
        idm = card.removeprefix("felica:")
        if lane in SLOTS:
            self.stack.insert(SLOTS.index(lane), number=idm)
        elif lane == USB:
            self.bench.do("card", idm=idm)
        else:
            self.hand.put(idm=idm, hold_s=0.2, timeout_s=20.0)

    def unshow(self, lane: str) -> None:
        if lane in SLOTS:
            self.stack.remove(SLOTS.index(lane))
        elif lane == USB:
            self.take_from_usb()
        else:
            assert self.hand.answer()["read"]

    def new_card(self, times: int) -> str:
        """A card nobody knows, which may be recorded so often."""
        self.serial += 1
        card = f"felica:0199{self.serial:012X}"
        self.at_most[card] = times
        return card

    def condition(self, reader: str) -> str:
        """What the gate last said of a reader."""
        for item in reversed(self.gate.items):
            if item["event"] == "reader_state" and item["reader"] == reader:
                return str(item["condition"])
        return ""

    def last(self) -> list[str]:
        items = [item for item in self.gate.items if item["event"] != "sync"][-12:]
        return [f"{item.get('reader')} {item.get('condition') or item.get('outcome')}" for item in items]

    def held(self) -> dict[str, int]:
        """What the gate's process holds now."""
        own = Path("/proc", str(self.gate.process.pid))
        pages = int((own / "statm").read_text().split()[1])
        return {
            "rss_kib": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
            "descriptors": len(os.listdir(own / "fd")),
            "threads": len(os.listdir(own / "task")),
        }

    def summary(self, status: dict[str, Any], exit_code: int) -> dict[str, Any]:
        with open_station(DataDir.at(self.rig.station_data), look=True) as station:
            broken = EventLog(station.db).verify_chain()
        log = "\n".join(file.read_text() for file in sorted((self.rig.station_data / "logs").glob("*")))
        return {
            "told": self.rig.told(),
            "arrived": centre_events(self.rig.centre_data),
            "status": status,
            "chain_broken_at": broken,
            "at_least": self.at_least,
            "at_most": self.at_most,
            "exit_code": exit_code,
            "alarms": [item for item in self.gate.items if item["event"] == "alarm"],
            "unreadable": sum(item.get("outcome") == "unreadable" for item in self.gate.items),
            "troubles": self.done,
            "calms": self.calms,
            "slowest_truth": self.slowest,
            "log": [line for line in log.splitlines() if " ERROR " in line or " WARNING " in line or "Trace" in line],
        }


def _is_state(item: dict[str, Any], reader: str, condition: str) -> bool:
    return item["event"] == "reader_state" and item["reader"] == reader and item["condition"] == condition


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    unplugging = Unplugging(int(sys.argv[1]), Path(sys.argv[3]))
    try:
        summary = unplugging.play(float(sys.argv[2]))
    finally:
        unplugging.close()
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
