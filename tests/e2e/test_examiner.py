"""The diagnosis behind the gate's window, over a running gate: what it holds is not opened, and nobody waits."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.gate.news import Announcement
from app.readers.port import ReaderCondition
from app.readers.specs import parse_spec
from app.settings import DataDir
from app.sync.status import SyncStatus
from app.wiring import usb
from app.wiring.diagnosis import ground
from app.wiring.diagnosis.check import Finding, Live
from app.wiring.diagnosis.examiner import Examiner
from app.wiring.doctor import STEPS
from app.wiring.gate import GateRun, open_gate
from tests.helpers.station_rig import Rig
from tests.helpers.tiny_site import tiny_site

Told = queue.SimpleQueue[Finding | None]


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    rig = Rig(tmp_path_factory.mktemp("examiner"), tiny_site(workers=1))
    rig.kill_centre()
    yield rig.station_data
    rig.close()


@pytest.fixture
def run(station: Path, tmp_path: Path) -> Iterator[GateRun]:
    """A gate whose reader sees a card a second from now."""
    script = tmp_path / "cards.jsonl"
    card = tiny_site(workers=1)["cards"][0]["id"]
    script.write_text(json.dumps({"card": card, "after_s": 1.0}) + "\n", encoding="utf-8")
    made = open_gate(DataDir.at(station), reader_specs=[parse_spec(f"scripted:{script}")])
    yield made
    made.stop()


def examiner_of(run: GateRun, status: SyncStatus | None = None) -> Examiner:
    live = Live(lambda: tuple(run.supervisor.states().values()), lambda: status)
    return Examiner(run.station.data, "ja", live)


def all_of(told: Told) -> dict[str, Finding]:
    found = {}
    while (finding := told.get(timeout=20)) is not None:
        found[finding.check] = finding
    return found


def test_it_uses_what_the_gate_knows(run: GateRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_arguments: object, **_more: object) -> None:
        raise AssertionError("a reader was opened beside the gate")

    monkeypatch.setattr("app.wiring.diagnosis.readers.Watch", opened)
    run.start()
    while not any(state.condition is ReaderCondition.READY for state in run.supervisor.states().values()):
        time.sleep(0.01)
    told: Told = queue.SimpleQueue()
    examiner = examiner_of(run, SyncStatus(online=False, last_error="sync.offline_dns", skew_ms=-840_000))
    examiner.examine(told.put)
    found = all_of(told)
    assert list(found) == [step.name for step in STEPS]
    assert found["database"].result == "ok"
    assert found["readers"].result == found["holder"].result == "ok"
    assert (found["clock"].code, found["centre"].code) == ("health.clock_behind", "sync.offline_dns")
    assert [f.check for f in found.values() if f.result == "failed"] == ["centre"]
    examiner.close()


def test_a_check_that_hangs_holds_nobody_up(run: GateRun, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, go_on = threading.Event(), threading.Event()

    def hang(_readers: object = ()) -> None:
        hangs.set()
        go_on.wait(20)

    monkeypatch.setattr(usb, "on_usb", hang)
    touched = threading.Event()
    run.gate.listen(lambda news: touched.set() if isinstance(news, Announcement) else None)
    run.start()
    first, second = queue.SimpleQueue(), queue.SimpleQueue()  # type: Told, Told
    examiner = examiner_of(run)
    examiner.examine(first.put)
    assert hangs.wait(10)
    assert touched.wait(10), "the card is recorded while a check hangs"
    examiner.examine(second.put)
    go_on.set()
    assert len(all_of(second)) == len(STEPS)
    assert not [t for t in threading.enumerate() if t.name == "diagnosis" and t.join(5)]
    heard = [first.get() for _ in range(first.qsize())]
    assert None not in heard, "the first one was ended"
    examiner.close()


def test_a_fault_of_a_check_ends_only_the_examination(
    run: GateRun, monkeypatch: pytest.MonkeyPatch, expected_logs: list[str]
) -> None:
    def fault(_root: object) -> None:
        raise ValueError("a fault of ours")

    expected_logs.append("diagnosis failed")
    monkeypatch.setattr(ground, "disk_space", fault)
    run.start()
    told: Told = queue.SimpleQueue()
    examiner = examiner_of(run)
    examiner.examine(told.put)
    assert list(all_of(told)) == ["folder"]
    examiner.close()
    examiner.examine(told.put)
    time.sleep(0.1)
    assert told.empty(), "nothing begins after the end"
