"""`start`: the right window for this PC, one program for each data folder, and an orderly end when it is asked for."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer

from app.errors import StorageTrouble
from app.settings import START_LOCK, DataDir, Identity
from app.store.folder import FolderLock
from app.ui.host import leaves_on_signals
from app.ui.trouble_window import open_until_ready
from app.wiring import accounts, running
from app.wiring import start as wiring

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return DataDir.at(tmp_path / "station")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which windows were opened, in order; the first start goes on to the gate."""
    windows: list[str] = []

    def window(name: str, answer: int) -> object:
        return lambda *_args, **_more: windows.append(name) or answer

    monkeypatch.setattr(wiring, "set_up_first", window("first start", 1))
    monkeypatch.setattr(wiring, "open_window", window("gate", 0))
    monkeypatch.setattr(wiring, "open_office_window", window("office", 0))
    return windows


@pytest.mark.parametrize(("role", "window"), [("gate", "gate"), ("office", "office"), ("", "gate")])
def test_the_window_is_the_one_that_this_pc_is_for(data: DataDir, opened: list[str], role: str, window: str) -> None:
    data.create()
    data.save_identity(Identity("s-1", ("1",), role))
    assert wiring.start(data, language="ja", seconds=None) == 0
    assert opened == ["first start", window]
    assert not FolderLock(data.root / START_LOCK).held()


def test_a_second_start_opens_nothing(data: DataDir, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    data.create()
    first = FolderLock(data.root / START_LOCK)
    first.take()
    try:
        with pytest.raises(StorageTrouble, match=r"store\.in_use"):  # said in a window, until somebody closes it
            wiring.start(data, language="ja", seconds=0.2)
        monkeypatch.setattr(running, "bring_to_front", lambda: True)
        assert wiring.start(data, language="ja", seconds=None) == 0
    finally:
        first.release()
    assert opened == []


def test_at_sign_in_nothing_opens_on_another_accounts_pc(
    data: DataDir, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "other", lambda: accounts.Mark(r"PC\taro", "門"))
    assert wiring.start(data, language="ja", seconds=None, at_sign_in=True) == 0
    assert (opened, data.root.exists()) == ([], False)
    assert wiring.start(data, language="ja", seconds=None) == 0
    assert opened == ["first start", "gate"]  # asked for, it says why not


def test_a_trouble_page_closes_when_the_program_is_told_to_end() -> None:
    def opening() -> None:
        raise StorageTrouble("store.in_use", "folder")

    # an ear for the signal that the window does not take
    old = signal.signal(signal.SIGTERM, lambda *_: None)
    sender = threading.Timer(0.5, signal.raise_signal, (signal.SIGTERM,))
    sender.start()
    try:
        began = time.monotonic()
        with pytest.raises(StorageTrouble):
            open_until_ready(opening, language="ja", seconds=30)
        assert time.monotonic() - began < 10
    finally:
        sender.join()
        signal.signal(signal.SIGTERM, old)


def test_a_signal_is_seen_while_nothing_happens(qapp: object) -> None:
    told: list[bool] = []
    late = QTimer()
    late.setSingleShot(True)
    with leaves_on_signals(lambda: (told.append(True), qapp.quit())[0]):  # type: ignore[attr-defined]
        late.timeout.connect(qapp.quit)  # type: ignore[attr-defined]
        late.start(10_000)
        threading.Timer(0.3, signal.raise_signal, (signal.SIGTERM,)).start()
        qapp.exec()  # type: ignore[attr-defined]
    late.stop()
    assert told == [True]


def test_closed_by_a_signal_the_first_start_leaves_no_lock(tmp_path: Path) -> None:
    from tests.helpers.station_rig import ROOT, genba_touch

    folder = tmp_path / "station"
    command = ["env", "QT_QPA_PLATFORM=offscreen", *genba_touch(folder, "start")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not FolderLock(folder / START_LOCK).held():
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(2)  # its window is open
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said.decode()
    assert "まだセンターに登録されていません" in said.decode()
    assert not FolderLock(folder / START_LOCK).held()
