"""`doctor` as a person uses it: over a real pcscd, with cards, without a gate and beside one; and on a bare PC.

USB cannot be had beside the emulated reader: in `helpers.doctor_bench` what is plugged in is said, not seen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.wiring.doctor import STEPS
from tests.helpers import namespace
from tests.helpers.station_rig import ROOT, ask

ROADS = ("usb", "driver", "service", "permission", "holder", "readers")
CARD = ("card", "card_read", "card_proof", "card_worker")
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
