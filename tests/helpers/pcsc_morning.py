"""Runs inside a namespace: a whole morning over the real PC/SC road, with things killed at random moments.

`python -m tests.helpers.pcsc_morning SEED FOLDER` starts pcscd, a centre and a gate, puts cards on and takes them away,
and prints one JSON object: what happened, and what station and centre hold in the end. `test_pcsc_morning` judges.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from app.settings import DataDir
from app.store.events import EventLog
from app.wiring.station import open_station
from tests.helpers.central_judge import centre_events
from tests.helpers.pcsc_stack import PcscStack
from tests.helpers.station_rig import Lines, Rig
from tests.helpers.tiny_site import tiny_site

READER = "pcsc:Virtual PCD 00 00"
TOUCHES = 24
TROUBLES = ("service", "service", "service kept", "gate", "gate lying", "centre", "pulled", "pulled", "vanished")
"""What befalls a touch; each once, at a random place in the morning."""
POLL_S = 0.5
"""pcscd looks at vpcd every 400 ms: what stood shorter may never have been there."""


class Morning:
    def __init__(self, seed: int, folder: Path) -> None:
        self.dice = random.Random(seed)
        self.stack = PcscStack()
        self.stack.start()
        self.site = tiny_site(workers=8)
        self.rig = Rig(folder, self.site, reader=READER)
        self.worker_of = {str(card["id"]): str(card["worker_id"]) for card in self.site["cards"]}
        self.at_least: Counter[str] = Counter()
        self.at_most: Counter[str] = Counter()
        self.troubles: list[dict[str, Any]] = []

    def close(self) -> None:
        self.rig.close()
        self.stack.kill()

    def play(self) -> dict[str, Any]:
        self.rig.start_gate()
        places = self.dice.sample(range(1, TOUCHES - 1), len(TROUBLES))
        befalls = dict(zip(places, self.dice.sample(TROUBLES, len(TROUBLES)), strict=True))
        for number in range(TOUCHES):
            card = str(self.dice.choice(self.site["cards"])["id"])
            self.at_most[card] += 1
            trouble = befalls.get(number)
            if trouble is None:
                self.touch(card)
            else:
                began = time.monotonic()
                getattr(self, "touch_" + trouble.replace(" ", "_"))(card)
                self.troubles.append({"at": number, "what": trouble, "seconds": round(time.monotonic() - began, 2)})
            if self.rig.centre is None and self.dice.random() < 0.4:
                self.rig.start_centre()
        if self.rig.centre is None:
            self.rig.start_centre()
        status = self.rig.drained()
        exit_code = self.gate.terminate()
        return self.summary(status, exit_code)

    @property
    def gate(self) -> Lines:
        assert self.rig.gate is not None
        return self.rig.gate

    def touch(self, card: str) -> None:
        """Nobody interferes: it must come through."""
        since = self.insert(card)
        self.wait_stored(card, since)
        self.at_least[card] += 1
        self.remove()

    def touch_service(self, card: str, *, keep: bool = False) -> None:
        """pcscd is killed while a card is put on or lies there, and comes back after a while. The gate lives on."""
        since = self.insert(card, keep=keep)
        self.pause(0.8)
        if any(self.stored(card, item) for item in self.gate.items[since:]):
            self.at_least[card] += 1
        since = len(self.gate.items)
        self.stack.kill()
        self.pause(1.5)
        if not keep:
            self.stack.remove(0)
        self.stack.start()
        if keep:
            self.at_most[card] += 1  # to the new service, a card that lies there is new
            self.wait_stored(card, since)
            self.remove()
        self.gate.wait(_ready, since=since)
        assert self.gate.running

    def touch_service_kept(self, card: str) -> None:
        """The same, and the card stays on the reader all the time."""
        self.touch_service(card, keep=True)

    def touch_gate(self, card: str, *, lying: bool = False) -> None:
        """The gate's process is killed while a card is put on."""
        self.insert(card)
        self.pause(0.8)
        self.gate.kill()
        if not lying:
            self.stack.remove(0)
            time.sleep(POLL_S)
        self.rig.start_gate()
        if lying:
            self.at_most[card] += 1
            self.wait_stored(card, 0)
            self.at_least[card] += 1
            self.remove()

    def touch_gate_lying(self, card: str) -> None:
        """The same, and the card lies there until the next gate has read it."""
        self.touch_gate(card, lying=True)

    def touch_centre(self, card: str) -> None:
        """The centre is killed while a card is read; it comes back later."""
        since = self.insert(card)
        self.pause(0.8)
        if self.rig.centre is not None:
            self.rig.kill_centre()
        self.wait_stored(card, since)
        self.at_least[card] += 1
        self.remove()

    def touch_pulled(self, card: str) -> None:
        """The card is pulled away at any moment."""
        since = self.insert(card)
        self.pause(0.9)
        self.stack.remove(0)
        time.sleep(2 * POLL_S)
        if any(self.stored(card, item) for item in self.gate.items[since:]):
            self.at_least[card] += 1
        self.settle()

    def touch_vanished(self, card: str) -> None:
        """The card is pulled away exactly when it is asked for its number."""
        since = self.insert(card, vanish_at="FFCA")
        self.gate.wait(lambda item: item.get("outcome") == "unreadable", since=since)
        self.at_most[card] -= 1
        self.remove()

    def insert(self, card: str, **options: Any) -> int:
        """Put a card on; the number of the first line that can be about it."""
        since = len(self.gate.items)
        self.stack.insert(0, number=card.removeprefix("felica:"), **options)
        return since

    def remove(self) -> None:
        """Take the card away and wait until the gate knows."""
        self.stack.remove(0)
        self.settle()

    def settle(self) -> None:
        """Until the reader is ready for the next card."""
        until = time.monotonic() + 20
        while self.last_condition() != "ready":
            assert time.monotonic() < until, self.gate.items[-12:]
            time.sleep(0.02)

    def stored(self, card: str, item: dict[str, Any]) -> bool:
        """Whether a line says that this card's touch is stored."""
        return item["event"] == "touch" and item["id"] is not None and item["worker_id"] == self.worker_of[card]

    def wait_stored(self, card: str, since: int) -> None:
        self.gate.wait(lambda item: self.stored(card, item), since=since)

    def last_condition(self) -> str:
        states = [item["condition"] for item in self.gate.items if item["event"] == "reader_state"]
        return str(states[-1])

    def pause(self, longest_s: float) -> None:
        time.sleep(self.dice.uniform(0.0, longest_s))

    def summary(self, status: dict[str, Any], exit_code: int) -> dict[str, Any]:
        with open_station(DataDir.at(self.rig.station_data), look=True) as station:
            broken = EventLog(station.db).verify_chain()
            with station.db.looking() as connection:
                rows = connection.execute("SELECT id FROM event ORDER BY seq").fetchall()
        return {
            "told": self.rig.told(),
            "station": [row[0] for row in rows],
            "chain_broken_at": broken,
            "held": centre_events(self.rig.centre_data),
            "status": status,
            "at_least": self.at_least,
            "at_most": self.at_most,
            "gates": len(self.rig.gates),
            "exit_code": exit_code,
            "alarms": [item for gate in self.rig.gates for item in gate.items if item["event"] == "alarm"],
            "readers": sorted({t["reader"] for t in self.rig.touches()}),
            "troubles": self.troubles,
        }


def _ready(item: dict[str, Any]) -> bool:
    return item["event"] == "reader_state" and item["condition"] == "ready"


def main() -> None:
    morning = Morning(int(sys.argv[1]), Path(sys.argv[2]))
    try:
        summary = morning.play()
    finally:
        morning.close()
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
