"""Log files: a day's each, never renamed, bounded in sum and age, and without the values that exceptions carry."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app import logs
from app.clock import SystemClock
from app.errors import StorageTrouble
from tests.helpers.station_rig import PATIENCE_S, ROOT

WRITER = """
import logging, sys
from pathlib import Path
from app import logs
logs.FILE_BYTES, logs.TOTAL_BYTES = 20_000, 100_000
logging.getLogger().setLevel(logging.INFO)
logs.to_file(Path(sys.argv[1]), sys.argv[2])
for n in range(int(sys.argv[3])):
    logging.info("%s line %05d %s", sys.argv[4], n, "." * 60)
"""


def writer(folder: Path, part: str, lines: int, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), part, str(lines), name]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def ended(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, errors) == (0, "")


def written(folder: Path) -> str:
    return "".join(path.read_text("utf-8") for path in logs.files(folder))


def test_several_processes_lose_no_line(tmp_path: Path) -> None:
    ended(*(writer(tmp_path, part, 150, name) for part, name in (("gate", "a"), ("gate", "b"), ("sync", "c"))))
    text = written(tmp_path)
    for name in "abc":
        assert [f"{name} line {n:05d}" in text for n in range(150)] == [True] * 150
    assert {path.name.split("-")[0] for path in tmp_path.iterdir()} == {"gate", "sync"}


def test_all_together_stay_below_the_bound(tmp_path: Path) -> None:
    for part in ("office", "gate", "sync"):
        ended(writer(tmp_path, part, 1000, part))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 100_000
    assert "sync line 00999" in written(tmp_path)
    assert "office line 00000" not in written(tmp_path), "the oldest went"
    if sys.platform != "win32":
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_old_go_and_the_young_stay(tmp_path: Path) -> None:
    now = SystemClock().now()
    for name, days in (("gate-old.log", 91), ("genba-touch.log.3", 200), ("gate-young.log", 89), ("keep.txt", 400)):
        path = tmp_path / name
        path.write_text("x")
        os.utime(path, ((now - timedelta(days=days)).timestamp(),) * 2)
    logs.clear_out(tmp_path, now)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gate-young.log", "keep.txt"]


def test_a_file_that_cannot_go_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a file that another process has open."""
    (tmp_path / "gate-held.log").write_text("x" * 100)
    monkeypatch.setattr(logs, "TOTAL_BYTES", 10)

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "held")

    monkeypatch.setattr(Path, "unlink", refuse)
    handler = logs.DayFiles(tmp_path, "gate")
    handler.emit(logging.makeLogRecord({"msg": "goes on"}))
    handler.close()
    assert "goes on" in written(tmp_path)


def test_a_new_day_is_a_new_file(tmp_path: Path) -> None:
    handler = logs.DayFiles(tmp_path, "gate")
    for day in (1, 2):
        at = datetime(2026, 11, day, 12).astimezone()
        handler.emit(logging.makeLogRecord({"msg": f"day {day}", "created": at.timestamp()}))
    handler.close()
    assert {"gate-2026-11-01.log", "gate-2026-11-02.log"} <= {path.name for path in tmp_path.iterdir()}


def test_of_an_exception_there_are_kind_and_places_alone(tmp_path: Path) -> None:
    handler = logs.DayFiles(tmp_path, "gate")
    handler.setFormatter(logs.Plain(logs.FORMAT))
    try:
        try:
            raise ValueError("架空 花子")
        except ValueError as cause:
            raise StorageTrouble("store.disk_full", "/home/hanako") from cause
    except StorageTrouble as error:
        record = logging.makeLogRecord({"msg": "not stored", "exc_info": (type(error), error, error.__traceback__)})
        logging.Formatter().format(record)  # another handler has set its text
        handler.emit(record)
    handler.close()
    text = written(tmp_path)
    assert "花子" not in text
    assert "hanako" not in text
    assert "ValueError" in text
    assert "StorageTrouble store.disk_full" in text
    assert "test_logs.py:" in text


def test_who_logs_never_hears_of_a_folder_that_is_gone_or_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the turn of the day the old file is closed and the new one cannot be made: lines are lost, no touch is."""
    (tmp_path / "logs").mkdir()
    handler = logs.DayFiles(tmp_path / "logs", "gate")
    monkeypatch.setattr(logging, "raiseExceptions", False)
    log = logging.Logger("here")
    log.addHandler(handler)
    log.info("the first")
    with monkeypatch.context() as night:
        night.setattr(logs, "_day", lambda at: "2099-01-01")
        (tmp_path / "logs").rename(tmp_path / "away")
        for _ in range(3):
            log.info("lost")
        (tmp_path / "away").rename(tmp_path / "logs")
        log.info("there again")
    handler.close()
    assert "there again" in (tmp_path / "logs" / "gate-2099-01-01.log").read_text("utf-8")
