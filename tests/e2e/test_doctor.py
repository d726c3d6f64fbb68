"""`doctor` as a person uses it: over a real pcscd, with cards, without a gate and beside one; and on a bare PC.

USB cannot be had beside the emulated reader: in `helpers.doctor_bench` what is plugged in is said, not seen.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.messages import LANGUAGES, catalogue, say
from app.settings import DataDir, Identity, Settings
from app.wiring import usb as usb_wiring
from app.wiring.diagnosis.check import Live
from app.wiring.doctor import STEPS, examine
from tests.helpers import namespace
from tests.helpers.station_rig import PATIENCE_S, ROOT, Rig, ask, genba_touch
from tests.helpers.tiny_site import tiny_site

ROADS = ("usb", "driver", "service", "permission", "holder", "readers")
CARD = ("card", "card_read", "card_proof", "card_worker")
NO_ACCESS = say("store.no_access", "en").title
Report = dict[str, Any]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Report:
    lacking, way_in = namespace.lacking_for_pcsc(), namespace.way_in()
    if lacking is not None or way_in is None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have the real PC/SC stack: {lacking}")
        pytest.skip(str(lacking))
    done = subprocess.run(
        [*way_in, sys.executable, "-m", "tests.helpers.doctor_bench", str(tmp_path_factory.mktemp("doctor"))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PATH": namespace.PATH},
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    found: Report = json.loads(done.stdout)
    return found


def results(report: Report, *names: str) -> dict[str, str]:
    return {name: report["checks"][name]["code"] or report["checks"][name]["result"] for name in names}


def alike(names: tuple[str, ...], result: str) -> dict[str, str]:
    return dict.fromkeys(names, result)


def test_the_order_is_that_of_a_person() -> None:
    names = [step.name for step in STEPS]
    wanted = ["database", *ROADS, "card", "card_read", "trust", "card_proof", "card_worker", "clock", "centre", "chain"]
    assert [name for name in names if name in wanted] == wanted
    assert all(names.index(ground) < names.index(step.name) for step in STEPS for ground in step.rests_on)
    assert {f"check.{name}" for name in names} <= {code for language in LANGUAGES for code in catalogue(language)}


@pytest.mark.long
@pytest.mark.timeout(300)
def test_what_rests_on_a_failure_is_not_checked(reports: Report) -> None:
    unplugged = reports["unplugged"]
    blocked = alike((*ROADS[1:], *CARD), "not_checked")
    assert results(unplugged, *ROADS, *CARD) == {"usb": "doctor.usb_none", **blocked}
    assert unplugged["asked"] == [], "nobody is asked for a card that cannot be read"
    assert results(unplugged, "roster", "clock", "centre", "chain") == alike(
        ("roster", "clock", "centre", "chain"), "ok"
    )
    wanted = {"usb": "ok", "driver": "ok", "service": "reader.no_service", **alike(ROADS[3:], "not_checked")}
    assert results(reports["no service"], *ROADS) == wanted
    assert results(reports["not on USB"], *ROADS) == alike(ROADS, "ok") | alike(ROADS[:2], "not_checked")


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_card_is_tried_and_not_recorded(reports: Report) -> None:
    calm = reports["no card asked for"]
    assert results(calm, *ROADS, *CARD) == alike(ROADS, "ok") | alike(CARD, "not_checked")
    assert calm["asked"] == []
    assert reports["known"]["asked"] == ["doctor.card_wait"]
    none = alike(CARD[1:], "not_checked")
    assert results(reports["no card came"], *CARD) == {"card": "doctor.card_none", **none}
    assert results(reports["known"], *CARD) == alike(CARD, "ok") | {"card_proof": "not_checked"}
    assert results(reports["stranger"], *CARD)["card_worker"] == "doctor.card_unknown"
    assert results(reports["unreadable"], *CARD) == none | {"card": "ok", "card_read": "outcome.unreadable"}
    secure, foreign = reports["secure card"], reports["foreign secure card"]
    assert results(secure, "trust", *CARD) == alike(("trust", *CARD), "ok") | {"card_worker": "doctor.card_unknown"}
    assert results(foreign, "trust", *CARD[2:]) == {
        "trust": "ok",
        "card_proof": "reason.secure_foreign_ca",
        "card_worker": "not_checked",
    }
    assert secure["events"] == 0


@pytest.mark.long
@pytest.mark.timeout(300)
def test_beside_a_gate_its_readers_are_its_own(reports: Report) -> None:
    beside = reports["beside a gate"]
    assert results(beside, *ROADS, *CARD) == alike(ROADS, "ok") | alike(CARD, "not_checked")
    assert "gate" in beside["checks"]["holder"]["title"]
    touched = reports["card beside a gate"]
    assert touched["asked"] == ["doctor.card_wait_gate"]
    assert results(touched, *CARD) == alike(CARD, "ok") | {"card_proof": "not_checked"}
    assert touched["events"] == 1, "the gate has recorded it, and nobody else"
    assert results(reports["no card beside a gate"], "card", "card_read") == {
        "card": "doctor.card_none_gate",
        "card_read": "not_checked",
    }


@pytest.mark.long
@pytest.mark.timeout(300)
def test_what_is_printed_names_no_code_and_no_card(reports: Report) -> None:
    text = str(reports["as printed"])
    assert "doctor." not in text
    assert "…" not in text
    assert "felica:" not in text
    assert "i The CCUS card's encrypted area is not supported (its specification is not public)" in text


def test_the_first_failure_comes_first_and_the_unsupported_area_is_no_failure(tmp_path: Path) -> None:
    done = ask(tmp_path, "--language", "ja", "doctor")
    assert done.returncode == 4
    head, remedy, blank, *rest = done.stdout.splitlines()
    assert head == "まずここを直してください: この PC はまだ設定されていません"
    assert remedy == "    → genba-touch provision ファイル名 を実行してください"
    assert blank == ""
    assert rest[-2] == "i CCUSカードの暗号化領域は未対応です(仕様が公開されていません)"
    told = json.loads(ask(tmp_path, "doctor", "--json").stdout)
    assert told["first_failed"] == "settings"
    area = told["checks"][-1]
    assert (area["check"], area["result"], area["code"]) == ("ccus_area", "info", "doctor.ccus_area")


def test_a_wrong_number_of_seconds(tmp_path: Path) -> None:
    assert ask(tmp_path, "doctor", "--card", "-1").returncode == 2


def as_plain_user(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command by somebody whom the rights of files bind: root has to lay his powers down."""
    lay_down: list[str] = []
    if sys.platform == "win32":
        pytest.skip("rights of files are others there")
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("no setpriv")
        lay_down = [setpriv, "--bounding-set", "-dac_override,-dac_read_search,-fowner"]
    return subprocess.run(
        [*lay_down, *genba_touch(data, "--language", "en", *arguments)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_it_sees_what_the_gate_will_not_open_and_mends_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_site(workers=1))
    try:
        data = DataDir.at(rig.station_data)

        def seen() -> dict[str, str]:
            checks = json.loads(as_plain_user(data.root, "doctor", "--json").stdout)["checks"]
            return {c["check"]: c["code"] or c["result"] for c in checks}

        data.database.chmod(0o400)
        assert "store.no_access" not in seen()["folder"]
        assert seen()["database"] == "store.no_access"
        gate = as_plain_user(data.root, "gate", "--headless", "--seconds", "1")
        assert (gate.returncode, gate.stderr.splitlines()[0]) == (4, NO_ACCESS)
        data.database.chmod(0o600)
        for mode, code in ((0o500, "settings.folder"), (0o000, "store.no_access")):
            data.root.chmod(mode)
            assert seen()["folder"] == code
            assert data.root.stat().st_mode & 0o777 == mode
            data.root.chmod(0o700)
    finally:
        rig.close()


@pytest.mark.parametrize(
    "command",
    [["status"], ["gate", "--headless"], ["doctor"], ["first-start"], ["formats", "list"], ["import", "x.csv"]],
    ids=lambda command: command[0],
)
def test_another_users_folder_has_a_sentence(tmp_path: Path, command: list[str]) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0)
    done = as_plain_user(folder, *command)
    assert done.returncode == 4
    assert NO_ACCESS in "".join((done.stdout + done.stderr).splitlines()[:2])


@pytest.mark.parametrize(
    ("role", "wanted"),
    [("office", ("doctor.reader_not_needed", "info")), ("gate", ("doctor.usb_none", "failed"))],
)
def test_an_office_may_do_without_a_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str, wanted: tuple[str, str]
) -> None:
    monkeypatch.setattr(usb_wiring, "plugged_in", list)
    data = DataDir(tmp_path / "data")
    data.create()
    data.save_settings(Settings("https://x.example", "PC", key_file="keys.json"))
    data.save_identity(Identity("station-1", (), role))
    checks = {c["check"]: c for c in examine(data, live=Live(states=tuple, sync=lambda: None))}
    assert (checks["usb"]["code"], checks["usb"]["result"]) == wanted
    assert {checks[name]["result"] for name in ROADS[1:]} == {"not_checked"}
