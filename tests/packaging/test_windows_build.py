"""The Windows build under wine, as a gate PC would use it: centre, cards and screen are this machine's.

What wine cannot show (readers, PC/SC, sound, a real Windows' rights and power) is in docs/packaging.md.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.messages import say
from installer.windows import build, wine
from installer.windows.wine import Wine, windows
from tests.helpers.central_judge import centre_events, centre_records, judge
from tests.helpers.station_rig import Centre
from tests.helpers.tiny_site import tiny_site
from tests.helpers.udp_card import CardProcess, free_port
from tests.helpers.windows_rig import PATIENCE_S, WindowsStation

pytestmark = [pytest.mark.long, pytest.mark.timeout(build.BUILD_S + 600)]

CARDS = 6
SITE = tiny_site(workers=CARDS)
KEYS = [str(card["id"]) for card in SITE["cards"]]
VAULT = r"HKCU\Software\Wine\Credential Manager"
"""Where wine keeps what Windows has in its vault."""
_GRAB = """
import sys
from PySide6.QtGui import QGuiApplication
app = QGuiApplication([])
picture = app.primaryScreen().grabWindow(0)
picture.save(sys.argv[1])
image = picture.toImage()
print(len({image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}))
"""


@pytest.fixture(scope="module")
def pc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    lacking = wine.missing()
    if lacking is not None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have wine: {lacking}")
        pytest.skip(lacking)
    with windows(tmp_path_factory.mktemp("wine")) as running:
        yield running


@pytest.fixture(scope="module")
def program(pc: Wine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build in a folder as people name them; made anew only when something has changed."""
    folder = build.current() or build.build(pc, build.OUT, build.WORK)
    return shutil.copytree(folder, tmp_path_factory.mktemp("programs") / "現場タッチ 試用") / build.PROGRAM


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    running = Centre(tmp_path, SITE)
    yield running
    running.close()


def test_self_test_finds_nothing_missing(pc: Wine, program: Path) -> None:
    ended = pc.run(program, "--self-test", "--json", limit=build.SELF_TEST_S)
    told = {check["check"]: check for check in json.loads(ended.out)["checks"]}
    assert ended.code == 0, [check for check in told.values() if check["result"] != "ok"]
    assert "keyring.backends.Windows" in told["keyring_backend"]["detail"]
    assert told["keyring"]["result"] == "ok"
    assert (program.parent / build.NOTICE_FILE).read_text("utf-8").startswith("TEST BUILD: NOT TO BE SHIPPED")


def test_morning_without_network_killed_in_the_middle(pc: Wine, program: Path, centre: Centre, tmp_path: Path) -> None:
    data = tmp_path / "現場 データ" / "第1ゲート"
    station = WindowsStation(pc, [program], data)
    station.call("provision", centre.write_provisioning(""))
    centre.kill_centre()
    told = killed_after(station, KEYS[:3]) + killed_after(station, KEYS[3:])
    assert len(told) == CARDS
    assert station.json("status")["pending"] == CARDS
    assert [path for path in data.rglob("*") if path.is_file() and b"client_secret" in path.read_bytes()] == []

    centre.start_centre()
    station.json("sync", "--once")
    once = dict.fromkeys(KEYS, 1)
    judge(told, centre_events(centre.centre_data), station.json("status"), at_least=once, at_most=once, cut_short=0)
    assert {worker for worker, _, _ in centre_records(centre.centre_data)} == {one["id"] for one in SITE["workers"]}


def test_lost_vault_loses_no_touch(pc: Wine, program: Path, centre: Centre, tmp_path: Path) -> None:
    safe, lost, new = tmp_path / "金庫", tmp_path / "古い PC", tmp_path / "新しい PC"
    WindowsStation(pc, [program], None).call("recovery-key", safe)
    public = (safe / "recovery-public.pem").read_text("ascii")
    station = WindowsStation(pc, [program], lost)
    station.call("provision", centre.write_provisioning(f"recovery_public_key = '''\n{public}'''\n"))
    centre.kill_centre()
    told = killed_after(station, KEYS)

    assert pc.run("reg", "delete", VAULT, "/f", limit=PATIENCE_S).code == 0
    refused = station.ask("status")
    assert (refused.code, refused.err.splitlines()[0]) == (4, say("keyring.lost", "ja").title)
    station = WindowsStation(pc, [program], new)
    station.call("recover", lost, "--private-key", safe / "recovery-private.pem")
    centre.start_centre()
    station.json("sync", "--once")
    once = dict.fromkeys(KEYS, 1)
    judge(told, centre_events(centre.centre_data), station.json("status"), at_least=once, at_most=once, cut_short=0)


def test_window_draws_and_takes_touches(pc: Wine, program: Path, centre: Centre, tmp_path: Path) -> None:
    station = WindowsStation(pc, [program.with_name("genba-touchw.exe")], tmp_path / "窓")
    WindowsStation(pc, [program], tmp_path / "窓").call("provision", centre.write_provisioning(""))
    port, picture = free_port(), tmp_path / "window.png"
    window = station.start("gate", "--kiosk", "--reader", f"pasori:udp:127.0.0.1:{port}")
    try:
        with CardProcess(port) as hand:
            hand.put(idm=KEYS[0].partition(":")[2], hold_s=1, timeout_s=PATIENCE_S)
            assert hand.answer(PATIENCE_S + 10)["read"], window.complained()
        screen = {**os.environ, "DISPLAY": pc.environment["DISPLAY"], "QT_QPA_PLATFORM": "xcb"}
        grab = [sys.executable, "-c", _GRAB, str(picture)]
        grabbed = subprocess.run(grab, env=screen, capture_output=True, text=True, check=True)
        until = time.monotonic() + PATIENCE_S
        while not centre_events(centre.centre_data) and time.monotonic() < until:
            time.sleep(0.5)
    finally:
        window.kill()
    assert int(grabbed.stdout) > 50, f"an empty screen: {picture}"
    assert [event["payload"]["card_key"] for event in centre_events(centre.centre_data)] == KEYS[:1]


def killed_after(station: WindowsStation, keys: list[str]) -> list[str]:
    """A gate that reads these cards and is killed when the last one was said to be stored; the ids it announced."""
    port = free_port()
    with CardProcess(port) as hand:
        gate = station.start_gate(f"pasori:udp:127.0.0.1:{port}")
        second = station.ask("gate", "--headless", "--seconds", "5")
        assert (second.code, second.err.splitlines()[0]) == (4, say("store.in_use", "ja").title)
        for key in keys:
            gate.touch(hand, key)
        gate.running.kill()
    return [str(touch["id"]) for touch in gate.touches]
