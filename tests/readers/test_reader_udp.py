"""nfcpy's own UDP pair end to end: the program's reader here, the cards in a process of their own."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from app.clock import SystemClock
from app.domain.assurance import Assurance
from app.readers.felica import FelicaArea
from app.readers.pasori import PasoriReader
from app.readers.port import CardRemoved, CardSeen, CardUnreadable, ReaderCondition, ReaderEvent, ReaderState
from app.readers.supervisor import Supervisor
from tests.helpers.udp_card import PATIENCE_S, CardProcess, free_port

IDM = "0101000000001234"
OTHER = "0101000000005678"
BLOCKS = [f"{n:032X}" for n in range(6)]
E_ = TypeVar("E_", bound=ReaderEvent)


class Road:
    """A running reader and what it said."""

    def __init__(self, port: int, area: FelicaArea | None = None) -> None:
        self.port = port
        self.said: list[ReaderEvent] = []
        self._events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
        clock = SystemClock()
        reader = PasoriReader(f"udp:127.0.0.1:{port}", clock, area=area)
        self.supervisor = Supervisor([reader], self._events.put, clock)
        self.supervisor.start()

    def wait(self, kind: type[E_], wanted: Callable[[E_], bool] = lambda _e: True) -> E_:
        until = time.monotonic() + PATIENCE_S
        while (left := until - time.monotonic()) > 0:
            try:
                event = self._events.get(timeout=left)
            except queue.Empty:
                break
            self.said.append(event)
            if isinstance(event, kind) and wanted(event):
                return event
        raise AssertionError(f"no {kind.__name__}; so far: {self.said}")

    def count(self, kind: type[ReaderEvent]) -> int:
        while not self._events.empty():
            self.said.append(self._events.get())
        return sum(isinstance(event, kind) for event in self.said)


@pytest.fixture
def road() -> Iterator[Road]:
    started = Road(free_port())
    yield started
    assert started.supervisor.stop()


@pytest.fixture
def cards(road: Road) -> Iterator[CardProcess]:
    with CardProcess(road.port) as process:
        yield process


def test_touches(road: Road, cards: CardProcess) -> None:
    """Each is seen once, in order; the same card twice is two touches."""
    numbers = [IDM, OTHER, OTHER, IDM]
    for number in numbers:
        answer = cards.touch(idm=number, hold_s=0.1)
        assert answer["idm"] == number
        assert answer["read"] is True
    road.wait(CardRemoved, lambda _e: road.count(CardRemoved) + 1 >= len(numbers))
    seen = [e for e in road.said if isinstance(e, CardSeen)]
    assert [e.card_key for e in seen] == [f"felica:{number}" for number in numbers]
    assert {e.assurance for e in seen} == {Assurance.UID}
    assert road.count(CardRemoved) == len(numbers)
    assert road.count(CardUnreadable) == 0


def test_cards_waiting_in_line(road: Road, cards: CardProcess) -> None:
    numbers = [f"01010000000000{n:02X}" for n in range(5)]
    for number in numbers:
        cards.put(idm=number, hold_s=0.0)
    assert [cards.answer()["idm"] for _ in numbers] == numbers
    for number in numbers:
        assert road.wait(CardSeen).card_key == f"felica:{number}"


def test_card_left_lying_is_reported_once(road: Road, cards: CardProcess) -> None:
    cards.put(idm=IDM, hold_s=2.5)
    road.wait(CardSeen)
    assert cards.answer()["read"] is True
    road.wait(CardRemoved)
    assert road.count(CardSeen) == 1
    assert [e.condition for e in road.said if isinstance(e, ReaderState)][:3] == [
        ReaderCondition.STARTING,
        ReaderCondition.READY,
        ReaderCondition.CARD_PRESENT,
    ]


def test_blocks_are_read_four_at_a_time() -> None:
    port = free_port()
    road = Road(port, FelicaArea(0x090F, tuple(range(6))))
    with CardProcess(port) as cards:
        assert cards.touch(idm=IDM, blocks={"090F": BLOCKS})["read"] is True
        assert road.wait(CardSeen).attributes == {f"felica.090F.{n}": BLOCKS[n] for n in range(6)}
        assert cards.touch(idm=OTHER)["read"] is True  # no such service: its number still counts
        assert road.wait(CardSeen).attributes == {}
        assert cards.touch(idm=OTHER, blocks={"090F": BLOCKS[:5]})["read"] is True
        assert len(road.wait(CardSeen).attributes) == 4  # the second four are refused as one
    assert road.supervisor.stop()


def test_reader_started_again_while_a_card_lies_there() -> None:
    port = free_port()
    with CardProcess(port) as cards:
        first = Road(port)
        cards.put(idm=IDM, hold_s=4.0)
        first.wait(CardSeen)
        assert first.supervisor.stop()
        first.wait(CardRemoved)
        second = Road(port)
        assert second.wait(CardSeen).card_key == f"felica:{IDM}"
        assert cards.answer()["read"] is True
        second.wait(CardRemoved)
        assert second.supervisor.stop()


def test_card_process_killed_while_its_card_lies_there(road: Road) -> None:
    with CardProcess(road.port) as cards:
        cards.put(idm=IDM, hold_s=60.0)
        road.wait(CardSeen)
    road.wait(CardRemoved)
    with CardProcess(road.port) as cards:
        assert cards.touch(idm=OTHER)["read"] is True
    assert road.wait(CardSeen).card_key == f"felica:{OTHER}"


def test_no_reader_no_reading() -> None:
    with CardProcess(free_port()) as cards:
        answer = cards.touch(idm=IDM, timeout_s=0.2)
    assert (answer["idm"], answer["read"]) == (IDM, False)


def test_lines_that_are_no_card(cards: CardProcess) -> None:
    for line in ({"idm": "12"}, {"idm": IDM, "hold": 1}, {"idm": IDM, "hold_s": -1}, {"idm": IDM, "blocks": []}):
        assert "error" in cards.touch(**line)
    assert cards.touch(idm=IDM)["read"] is True


def test_taken_port_ends_the_second_process() -> None:
    port = free_port()
    with CardProcess(port) as first:
        first.touch(idm=IDM, timeout_s=0.0)
        second = _run(port, "")
    assert second.returncode == 4
    assert str(port) in second.stderr


def test_lines_from_a_file_are_played_to_their_end(road: Road) -> None:
    lines = "".join(json.dumps({"idm": number, "hold_s": 0.0}) + "\n" for number in (IDM, OTHER))
    played = _run(road.port, lines)
    assert played.returncode == 0
    assert [json.loads(line)["read"] for line in played.stdout.splitlines()] == [True, True]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell that a parent is gone")
def test_dead_parent_leaves_no_orphan() -> None:
    """The parent is killed while a card would lie for minutes; the process goes within a second or so."""
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(free_port())],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stderr is not None
    with parent.stdout as from_parent, parent.stderr as from_both:
        assert from_parent.readline() == "up\n"
        parent.kill()
        parent.wait()
        assert from_both.read() == ""  # its end: the card process, which held the other end too, is gone


_PARENT = """
import json, subprocess, sys, time
command = [sys.executable, "-m", "app.readers.virtual_card", "--udp", "127.0.0.1:" + sys.argv[1]]
child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdin.write(b"{}\\n")
child.stdin.flush()
child.stdout.readline()
child.stdin.write(json.dumps({"idm": "0101000000001234", "timeout_s": 600}).encode() + b"\\n")
child.stdin.flush()
print("up", flush=True)
time.sleep(600)
"""


def _run(port: int, lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "app.readers.virtual_card", "--udp", f"127.0.0.1:{port}"],
        input=lines,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
