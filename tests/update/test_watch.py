"""Beside a running gate: when it looks, that it gives way to a touch, and that nobody waits for it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.update import schedule
from app.update.port import Stopped, Stopping
from app.update.watch import UpdateWatch
from tests.helpers.fake_clock import FakeClock
from tests.helpers.station_rig import PATIENCE_S, Rig, call
from tests.helpers.tiny_site import tiny_site
from tests.update.bench import Shop, machine

NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def waited(until: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while not until() and time.monotonic() < end:
        time.sleep(0.01)
    return until()


@pytest.mark.parametrize(
    ("at", "rush"),
    [("05:59", False), ("06:00", True), ("09:29", True), ("09:30", False), ("16:30", True), ("18:30", False)],
)
def test_the_rush_hours_of_japan(at: str, rush: bool) -> None:
    assert schedule.in_rush(datetime.fromisoformat(f"2026-11-20T{at}:00+09:00").astimezone(UTC)) is rush


def test_it_looks_in_quiet_hours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.update.watch._LOOK_S", 0.01)
    clock = FakeClock(NOON - timedelta(hours=4))  # 08:00 in Japan
    looks: list[datetime] = []
    watch = UpdateWatch(lambda _: looks.append(clock.now()), lambda: None, clock, "station-1", first_after_s=0)
    watch.start()
    try:
        time.sleep(0.2)
        assert looks == []
        clock.forward(4 * 3600)
        assert waited(lambda: len(looks) == 1)
        watch.touched()
        clock.forward(schedule.EVERY_S + 16 * 3600)  # the next morning at ten …
        watch.touched()
        time.sleep(0.2)
        assert len(looks) == 1, "… somebody has just touched"
        clock.forward(schedule.QUIET_S)
        assert waited(lambda: len(looks) == 2)
    finally:
        watch.stop()


def test_a_touch_breaks_off_a_look_and_a_hanging_one_holds_nobody_up() -> None:
    clock = FakeClock(NOON)
    begun, broken, never = threading.Event(), threading.Event(), threading.Event()

    def look(stopped: Stopped) -> None:
        begun.set()
        while not stopped():
            time.sleep(0.01)
        broken.set()
        never.wait()  # a share that does not answer
        raise Stopping

    watch = UpdateWatch(look, lambda: None, clock, "station-1", first_after_s=0)
    watch.start()
    assert begun.wait(PATIENCE_S)
    assert not broken.is_set()
    watch.touched()
    assert broken.wait(PATIENCE_S)
    before = time.monotonic()
    watch.stop()
    assert time.monotonic() - before < 3
    never.set()


def test_a_running_gate_marks_the_update_as_proven(tmp_path: Path) -> None:
    """The real gate with a real reader: it records, while its updates lie on a share that is not there."""
    shop = Shop(tmp_path)
    rig = Rig(tmp_path, tiny_site(workers=2), station_settings='update_url = "/no such share"\n')
    try:
        state = rig.station_data / "update" / "state.json"
        state.parent.mkdir()
        applied = {
            "from_version": "0.0.9", "to_version": "0.1.0", "at": "2026-11-20T12:00:00+09:00", "backup": "",
            "seq": 0, "hash": "", "schema": "",
        }  # fmt: skip
        state.write_text(json.dumps({"applied": applied}))
        env = machine(tmp_path, shop.root)
        gate = rig.start_gate(env=env)
        assert rig.touch("0140000000000001")
        gate.wait(lambda e: e["event"] == "touch" and e["outcome"] == "recorded")
        assert waited(lambda: json.loads(state.read_text())["applied"]["stage"] == "proven")
        assert gate.terminate() == 0
        said = json.loads(call(rig.station_data, "update", "status", "--json", env=env))
        assert (said["address"], said["installed"], said["last_update"]["stage"]) == (
            "/no such share", "source", "proven",
        )  # fmt: skip
        call(rig.station_data, "update", "check", code=4, env=env)
    finally:
        rig.close()
