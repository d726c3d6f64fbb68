"""The system's own log: over a real datagram socket, as journald and syslog have it; what is in it is in the docs."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import eventlog
from app.clock import SystemClock
from app.errors import InputRefused, StorageTrouble
from app.gate.news import StandingWarning, StorageAlarm, WarningLevel
from app.messages import catalogue
from app.sync.status import SyncStatus
from app.wiring.serious import Serious, opening

DOCS = Path(__file__).parents[2] / "docs" / "monitoring.md"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has its event log")


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "log"))
        listening.settimeout(5)
        monkeypatch.setattr(eventlog, "SOCKET", tmp_path / "log")
        yield listening


def heard(journal: socket.socket) -> list[str]:
    journal.setblocking(False)
    found = []
    try:
        while True:
            found.append(journal.recv(4096).decode())
    except BlockingIOError:
        return found


def test_a_trouble_arrives_with_its_number(journal: socket.socket) -> None:
    assert eventlog.write("store.disk_full")
    (line,) = heard(journal)
    assert line.startswith("<10>genba-touch: event 110: The disk is full")
    assert "[store.disk_full]" in line


def test_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eventlog, "SOCKET", tmp_path / "none")
    assert not eventlog.write("crash")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gone:
        gone.bind(str(tmp_path / "gone"))
    monkeypatch.setattr(eventlog, "SOCKET", tmp_path / "gone")
    assert not eventlog.write("crash")


def test_each_trouble_once_and_again_when_it_comes_back(journal: socket.socket) -> None:
    serious, now = Serious(), SystemClock().now()
    full = StandingWarning("health.disk_nearly_full", WarningLevel.SHOUT, (("free", "3"),))
    calm = StandingWarning("health.roster_old", WarningLevel.WHISPER, (("days", "8"),))
    for _ in range(3):
        serious.news((full, calm))
        serious.news(StorageAlarm("lane", now, "store.disk_full"))
        serious.sync(SyncStatus(online=False, last_error="sync.offline_dns", chain_state="broken"))
    assert [re.findall(r"\[(.*)\]", line)[0] for line in heard(journal)] == [
        "health.disk_nearly_full",
        "store.disk_full",
        "sync.chain_broken",
    ]
    serious.news((calm,))
    serious.news((full, calm))
    assert len(heard(journal)) == 1


def test_the_numbers_are_stable_and_in_the_docs() -> None:
    told = {
        int(number): code
        for number, code in re.findall(r"^\| (\d{3}) \| `([a-z_.]+)` \|", DOCS.read_text("utf-8"), re.M)
    }
    assert told == {number: code for code, number in eventlog.EVENTS.items()}
    assert set(eventlog.WORDS) == set(told), "a sentence for each"
    assert not set(eventlog.EVENTS) - {"crash"} - set(catalogue("en")), "codes that the program knows"
    assert all(0 < number <= 1000 for number in told)


def test_what_keeps_the_folder_shut_is_told_once(journal: socket.socket) -> None:
    for _ in range(3):
        with pytest.raises(StorageTrouble), opening():
            raise StorageTrouble("store.damaged", "/home/hanako/x.db")
        with pytest.raises(InputRefused), opening():
            raise InputRefused("settings.missing")
    (line,) = heard(journal)
    assert "event 120" in line
    assert "hanako" not in line
