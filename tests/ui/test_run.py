"""The door for wiring, sounds and the wish to stay awake."""

from __future__ import annotations

import hashlib
import logging
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from app.readers.port import ReaderEvent
from app.resources import resource
from app.ui import gallery_data as data
from app.ui import inhibit, run, sound
from app.ui.content import Sound
from app.ui.inhibit import Inhibitor
from app.ui.sound import SoundPlayer, sound_file
from app.ui.status import SyncStatus


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "_find_player", lambda: None)
    monkeypatch.setattr(Inhibitor, "start", lambda self: None)


def readers(listener: Callable[[ReaderEvent], None]) -> None:
    threading.Thread(target=listener, args=(data.state(data.A),)).start()


def sync(listener: Callable[[SyncStatus], None]) -> None:
    listener(data.GallerySync())


def test_the_window_runs_and_ends_by_itself(qtbot: QtBot) -> None:
    gate = data.GalleryGate()
    opened: list[str] = []

    def on_open() -> None:
        opened.append(threading.current_thread().name)
        assert gate.listener is not None
        threading.Thread(target=gate.listener, args=(data.recorded(),)).start()

    assert run.run_gate_window(gate, readers, sync, data.GalleryDelivery(), seconds=0.3, on_open=on_open) == 0
    assert opened == [threading.main_thread().name]
    assert ("refresh",) in gate.asked


@pytest.mark.parametrize("kiosk", [False, True])
def test_a_signal_closes_the_window(qtbot: QtBot, kiosk: bool) -> None:
    before = signal.getsignal(signal.SIGTERM)
    QTimer.singleShot(100, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert run.run_gate_window(data.GalleryGate(), readers, sync, data.GalleryDelivery(), kiosk=kiosk, seconds=20) == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_news_after_the_end_is_dropped(qtbot: QtBot) -> None:
    gate = data.GalleryGate()
    run.run_gate_window(gate, readers, sync, data.GalleryDelivery(), seconds=0.05)
    assert gate.listener is not None
    gate.listener(data.recorded())
    qtbot.wait(20)


def test_qts_loop_serves_the_next_window_too(qtbot: QtBot) -> None:
    run.run_gate_window(data.GalleryGate(), readers, sync, data.GalleryDelivery(), seconds=0.05)
    qtbot.wait(20)
    fired: list[bool] = []
    QTimer.singleShot(10, lambda: fired.append(True))
    qtbot.waitUntil(lambda: bool(fired), timeout=5000)


def test_the_window_is_up_within_a_second(qtbot: QtBot) -> None:
    start = time.monotonic()
    run.run_gate_window(data.GalleryGate(), readers, sync, data.GalleryDelivery(), seconds=0)
    assert time.monotonic() - start < 1.0


# ---- sounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", list(Sound))
def test_each_sound_is_a_short_file(which: Sound) -> None:
    with wave.open(str(sound_file(which)), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        seconds = file.getnframes() / file.getframerate()
    assert 0.1 < seconds < (2.0 if which is Sound.ALARM else 0.7)


def test_no_two_sounds_are_alike() -> None:
    assert len({hashlib.sha256(sound_file(one).read_bytes()).hexdigest() for one in Sound}) == len(Sound)


def test_the_sounds_can_be_made_again(tmp_path: Path) -> None:
    maker = runpy.run_path(str(resource("sounds", "make.py")))
    maker["main"](tmp_path)
    for one in Sound:
        assert (tmp_path / f"{one.value}.wav").read_bytes() == sound_file(one).read_bytes()


def player_script(folder: Path, body: str) -> tuple[str, ...]:
    script = folder / "player.py"
    script.write_text(body, encoding="utf-8")
    return (sys.executable, str(script))


def test_playing_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = player_script(tmp_path, "import time; time.sleep(30)")
    monkeypatch.setattr(sound, "_find_player", lambda: command)
    player = SoundPlayer()
    start = time.monotonic()
    for _ in range(8):
        player.play(Sound.RECORDED)
    assert time.monotonic() - start < 2
    assert len(player._playing) <= 4
    player.close()
    assert not player._playing


def test_the_player_is_given_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "told"
    command = player_script(tmp_path, f"import sys; open({str(out)!r}, 'w').write(sys.argv[1])")
    monkeypatch.setattr(sound, "_find_player", lambda: command)
    player = SoundPlayer()
    player.play(Sound.UNKNOWN)
    player._playing[0].wait(timeout=20)
    assert out.read_text() == str(sound_file(Sound.UNKNOWN))
    player.close()


def test_a_silent_gate_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="app.ui.sound")
    player = SoundPlayer()
    player.play(Sound.BAD)
    player.play(Sound.BAD)
    player.close()
    assert [(r.levelname, "silent" in r.message) for r in caplog.records] == [("INFO", True)]


def test_a_player_that_fails_is_mentioned_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="app.ui.sound")
    monkeypatch.setattr(sound, "_find_player", lambda: player_script(tmp_path, "raise SystemExit(1)"))
    player = SoundPlayer()
    for _ in range(3):
        player.play(Sound.RECORDED)
        player._playing[-1].wait(timeout=20)
    player.close()
    assert len(caplog.records) == 1


def test_a_missing_player_program_does_not_stop_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "_find_player", lambda: ("/nonexistent/player",))
    player = SoundPlayer()
    player.play(Sound.RECORDED)
    player.close()


# ---- awake -----------------------------------------------------------------------------------------------------------


def real_start(inhibitor: Inhibitor) -> None:
    _START(inhibitor)


_START = Inhibitor.start


@pytest.mark.skipif(sys.platform != "linux", reason="the helper of Linux")
def test_a_helper_holds_the_wish_and_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = tmp_path / "told"
    helper = tmp_path / "systemd-inhibit"
    helper.write_text(f'#!/bin/sh\necho "$@" > {told}\nexec sleep 60\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(inhibit, "_screensaver", lambda reason: False)
    inhibitor = Inhibitor("gate is open")
    real_start(inhibitor)
    child = inhibitor._helper
    assert isinstance(child, subprocess.Popen)
    deadline = time.monotonic() + 10
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "--what=idle:sleep" in told.read_text()
    assert f"--pid={os.getpid()}" in told.read_text()
    inhibitor.stop()
    inhibitor.stop()
    assert child.returncode is not None


@pytest.mark.skipif(sys.platform != "linux", reason="the ways of Linux")
def test_without_any_way_it_is_a_whisper(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="app.ui.inhibit")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    inhibitor = Inhibitor("gate is open")
    real_start(inhibitor)
    inhibitor.stop()
    assert [r.levelname for r in caplog.records] == ["INFO"]
