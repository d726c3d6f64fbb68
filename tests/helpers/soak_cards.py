"""Card after card for `soak_inserts`, in a process of its own: what it holds must not count there.

    python -m tests.helpers.soak_cards udp PORT…      cards on nfcpy's UDP readers, each taken away once it was read
    python -m tests.helpers.soak_cards pcsc PORT…     cards on slots of vpcd, moved by 'LANE seen' and 'LANE removed'

One thread for each port, which is a lane by its place. 'end' on standard input: no further card; then one JSON line:
how many were put on each lane.
"""

from __future__ import annotations

import itertools
import json
import socket
import sys
import threading
from contextlib import suppress

from app.clock import SystemClock
from app.readers.virtual_card import Card, CardSide
from tests.helpers.virtual_felica import VirtualCard
from tests.helpers.vpcd_card import connect, serve


def number(lane: int, serial: int) -> bytes:
    """The IDm of a lane's card; every tenth is the one before, put on again."""
    return bytes((1, lane)) + (serial - (serial % 10 == 9)).to_bytes(6)


class Lane(threading.Thread):
    """Puts cards on one reader until `ending`."""

    def __init__(self, lane: int, port: int, ending: threading.Event) -> None:
        super().__init__(name=f"lane {lane}")
        self.lane, self.port, self.ending = lane, port, ending
        self.count = 0


class UdpLane(Lane):
    def run(self) -> None:
        side = CardSide("127.0.0.1", self.port, SystemClock())
        for serial in itertools.count():
            if self.ending.is_set():
                break
            answer = side.show(Card(number(self.lane, serial), hold_s=0.0, timeout_s=30.0))
            assert answer["read"], f"nobody came for card {serial} of lane {self.lane}"
            self.count += 1
        side.close()

    def word(self, _what: str) -> None:
        """The reader's own questions tell all that is needed."""


class PcscLane(Lane):
    """The next card comes only when the program knows that the last one is gone."""

    def __init__(self, lane: int, port: int, ending: threading.Event) -> None:
        super().__init__(lane, port, ending)
        self._line: socket.socket | None = None
        self._next = threading.Event()

    def run(self) -> None:
        for serial in itertools.count():
            if self.ending.is_set():
                return
            self._next.clear()
            self._line = connect(self.port)
            self.count += 1
            with suppress(BrokenPipeError):  # taken away in the middle of an answer
                serve(self._line, VirtualCard(number=number(self.lane, serial)))
            self._next.wait()

    def word(self, what: str) -> None:
        """What the program said of this lane's card."""
        if what == "removed":
            self._next.set()
        elif self._line is not None:
            self._line.shutdown(socket.SHUT_RDWR)


def main() -> None:
    kind, *ports = sys.argv[1:]
    ending = threading.Event()
    make = {"udp": UdpLane, "pcsc": PcscLane}[kind]
    lanes = [make(place, int(port), ending) for place, port in enumerate(ports)]
    for lane in lanes:
        lane.start()
    for line in sys.stdin:
        which, _, what = line.strip().partition(" ")
        if which == "end":
            ending.set()
        else:
            lanes[int(which)].word(what)
    for lane in lanes:
        lane.join()
    print(json.dumps([lane.count for lane in lanes]))


if __name__ == "__main__":
    main()
