"""Reports of crashes: of real processes that really crash, shown at the next start, without a value in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app import crash
from tests.helpers.station_rig import PATIENCE_S, ROOT, Rig, ask, call
from tests.helpers.tiny_site import tiny_site

SECRET = "架空 花子 felica:0140000000000001"
HEAD = f"""
import ctypes, sys, threading
from pathlib import Path
import app.cli.main as main
from app import crash
SECRET = {SECRET!r}
"""


def program(folder: Path, deed: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of the real program in which `deed` was put in place of `status`."""
    code = f"{HEAD}\ndef deed(args):\n    {deed}\nfrom app.cli import station\nstation._status = deed\n"
    code += f"sys.exit(main.run(['--data-dir', {str(folder)!r}, *{list(arguments) or ['status']!r}], own_process=True))"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S
    )


def read(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted((folder / "crashes").glob("crash-*.json"))]


def test_an_internal_error_leaves_a_report_without_its_values(tmp_path: Path) -> None:
    done = program(tmp_path, "raise KeyError(SECRET)")
    assert done.returncode == 1
    (report,) = read(tmp_path)
    assert (report["kind"], report["ended"], report["command"]) == ("internal error", True, "status")
    assert report["places"][-1] == "KeyError"
    assert report["versions"]["program"]
    (path,) = (tmp_path / "crashes").iterdir()
    assert str(path) in done.stderr
    assert "花子" not in path.read_text("utf-8") + done.stderr
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_no_data_folder_is_made_for_a_report(tmp_path: Path) -> None:
    assert program(tmp_path / "none", "raise KeyError(SECRET)").returncode == 1
    assert not (tmp_path / "none").exists()


def test_a_fault_on_a_thread_is_reported_and_the_program_goes_on(tmp_path: Path) -> None:
    deed = "t = threading.Thread(target=lambda: SECRET[99999], name='gate'); t.start(); t.join(); return 0"
    assert program(tmp_path, deed).returncode == 0
    (report,) = read(tmp_path)
    assert (report["kind"], report["ended"], report["places"][-1]) == ("thread gate", False, "IndexError")


def test_a_fault_again_and_again_is_reported_once(tmp_path: Path) -> None:
    deed = "[crash._fault('window', e) for e in [ValueError(SECRET)] for _ in range(50)]; return 0"
    assert program(tmp_path, deed).returncode == 0
    assert len(read(tmp_path)) == 1


def test_a_segfault_is_told_of_at_the_next_start(tmp_path: Path) -> None:
    died = program(tmp_path, "crash.watch_native(); ctypes.string_at(0)")
    assert died.returncode not in (0, 1)
    (told,) = crash.reports(tmp_path / "crashes")
    assert (told.kind, told.ended) == ("native", True), "before any start has taken it up"
    assert program(tmp_path, "crash.watch_native(); crash.take_up(); return 0").returncode == 0
    (report,) = read(tmp_path)
    assert report["kind"] == "native"
    assert any("string_at" in line for line in report["places"])
    assert not any(str(ROOT) in line or str(Path.home()) in line for line in report["places"])
    assert not list((tmp_path / "crashes").glob("*.trace")), "taken up, and the run that went well left nothing"


def test_a_killed_program_has_not_crashed(tmp_path: Path) -> None:
    deed = "crash.watch_native(); import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert program(tmp_path, deed).returncode not in (0, 1)
    assert crash.reports(tmp_path / "crashes") == []
    assert program(tmp_path, "crash.watch_native(); crash.take_up(); return 0").returncode == 0
    assert list((tmp_path / "crashes").iterdir()) == []


def test_the_last_ten_are_kept(tmp_path: Path) -> None:
    for number in range(crash.KEPT + 3):
        program_free = RuntimeError if number % 2 else OSError
        folder = tmp_path / "crashes"
        at = crash.SystemClock().now()
        crash._write(folder, at, f"kind {number}", [program_free.__name__], ended=False, last=[])
    kinds = [report["kind"] for report in read(tmp_path)]
    assert kinds == [f"kind {number}" for number in range(3, crash.KEPT + 3)]


WINDOW = """
import sys, threading
from pathlib import Path
from app import crash
import app.cli.main as main
from app.ui.window import GateWindow
from app.ui.pads import Plate

class Broken(Plate):
    def paintEvent(self, event):
        raise KeyError("架空 花子")

opened = []
def tick(self):
    opened.append(self)
    if len(opened) == 5:
        self.broken = Broken(self.theme)
        self.broken.setParent(self)
        self.broken.resize(50, 50)
        self.broken.show()
    if len(opened) > 5:
        raise ValueError("架空 花子")
GateWindow._tick = tick
sys.exit(main.run(sys.argv[1:], own_process=True))
"""


def test_a_fault_in_the_window_ends_neither_it_nor_the_recording(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_site(workers=2))
    try:
        script = tmp_path / "cards.jsonl"
        lines = [{"after_s": 2 + n, "card": f"felica:{0x0140000000000001 + n:016X}"} for n in range(2)]
        script.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        arguments = ["--data-dir", str(rig.station_data), "gate", "--reader", f"scripted:{script}", "--seconds", "9"]
        done = subprocess.run(
            [sys.executable, "-c", WINDOW, *arguments],
            cwd=ROOT,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        assert rig.status()["chain_head"]["seq"] == 2, "both touches are stored"
        told = [(report["kind"], report["ended"], report["places"][-1]) for report in read(rig.station_data)]
        wanted = [("window", False, "KeyError"), ("window", False, "ValueError")]
        assert sorted(told) == wanted, "of a slot and of a painting, once each and not once a second"
        log = "".join(path.read_text("utf-8") for path in (rig.station_data / "logs").iterdir())
        assert "ValueError" in log
        assert "花子" not in log + done.stderr
        assert not list((rig.station_data / "crashes").glob("*.trace"))
    finally:
        rig.close()


def test_when_qt_ends_the_program_its_reason_is_kept(tmp_path: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "nonsense"}
    done = ask(tmp_path, "gate", env=environment)
    assert done.returncode not in (0, 1, 2, 3, 4)
    kinds = {report.kind for report in crash.reports(tmp_path / "crashes")}
    assert kinds == {"qt", "native"}
    (report,) = read(tmp_path)
    assert "platform plugin" in report["places"][0]


@pytest.mark.parametrize("command", [["--version"], ["doctor"]])
def test_whoever_only_looks_writes_nothing(tmp_path: Path, command: list[str]) -> None:
    ask(tmp_path, *command)
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_went_well_reports_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_site(workers=1))
    try:
        call(rig.station_data, "sync", "--once")
        assert list((rig.station_data / "crashes").iterdir()) == []
        (log,) = (rig.station_data / "logs").iterdir()
        assert log.name.startswith("sync-")
    finally:
        rig.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe's end")
def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    """`genba-touch … | head`: quiet, and no report."""
    (tmp_path / "station").mkdir()
    command = [sys.executable, "-m", "app", "--data-dir", str(tmp_path / "station"), "doctor", "--quick"]
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}  # or nothing is left over
    done = subprocess.Popen(command, cwd=ROOT, env=usual, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.stdout is not None
    assert done.stderr is not None
    done.stdout.close()
    said = done.stderr.read()
    done.stderr.close()
    assert (done.wait(PATIENCE_S), said) == (0, "")
    assert read(tmp_path / "station") == []
