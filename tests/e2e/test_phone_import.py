"""A phone's file by the command line alone, up to the centre's work records."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.events import JST
from app.secrets import make_pin_verifier
from app.settings import DataDir
from app.wiring.station import open_station
from tests.helpers.phone_app import PhoneApp
from tests.helpers.station_rig import PATIENCE_S, ROOT, Rig, ask, call, genba_touch
from tests.helpers.tiny_site import SITE_ID, tiny_site

PIN = "482913"
OFFICE = {"id": "OP1", "name": "架空 事務", "roles": ["office", "gate"], "pin_verifier": make_pin_verifier(PIN)}
GUARD = {"id": "OP2", "name": "架空 門番", "roles": ["gate"], "pin_verifier": make_pin_verifier(PIN)}
IDMS = [f"{0x0140_0000_0000_0000 + n:016X}" for n in range(1, 4)]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("phones"), tiny_site(3) | {"operators": [OFFICE, GUARD]})
    yield made
    made.close()


def with_pin(rig: Rig, *arguments: str, pin: str = PIN) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        genba_touch(rig.station_data, *arguments),
        cwd=ROOT,
        input=f"{pin}\n",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )


def at(moment: datetime) -> str:
    return moment.astimezone(JST).isoformat(timespec="milliseconds")


@pytest.mark.long
def test_phone_to_centre_and_who_also_touched_at_the_gate_counts_once(rig: Rig, tmp_path: Path) -> None:
    key = json.loads(call(rig.station_data, "phones", "key", "--json"))
    assert json.loads(call(rig.station_data, "phones", "key", "--json")) == key
    app = PhoneApp(key["key"], SITE_ID)
    gate = rig.start_gate()
    assert rig.touch(IDMS[0])
    touched = gate.wait(lambda e: e["event"] == "touch")
    there = datetime.fromisoformat(touched["at"])
    # well away from the second touch of the same card
    line = {"at": at(there - timedelta(minutes=2)), "card": f"felica:{IDMS[0]}", "direction": "in"}
    only_phone = {"at": at(there), "card": f"felica:{IDMS[1]}", "direction": "in"}
    stranger = {"at": at(there), "card": "felica:0140000000009999"}
    file = tmp_path / "buffer.gtphone"
    file.write_bytes(app.file([line, only_phone, stranger], first=41))

    running = ask(rig.station_data, "import", str(file))
    assert (running.returncode, "ゲートが動いている" in running.stderr) == (4, True)
    assert json.loads(call(rig.station_data, "phones", "list", "--json")) == []
    assert gate.terminate() == 0

    unknown = ask(rig.station_data, "import", str(file), "--json")
    assert (unknown.returncode, json.loads(unknown.stdout)["files"][0]["error"]) == (3, "phone_file.unknown_phone")
    register = ("phones", "register", app.key, "--label", "第2工区", "--worker", "91000000000001")
    assert with_pin(rig, *register, "--operator", "OP1", pin="000000").returncode == 3
    for _ in range(3):
        assert with_pin(rig, *register, "--operator", "OP2").returncode == 3, "no right to import, but no wrong PIN"
    done = with_pin(rig, *register, "--operator", "OP1", "--json")
    assert json.loads(done.stdout) == {"phone": app.id, "label": "第2工区"}, done.stderr
    assert with_pin(rig, *register, "--operator", "OP1").returncode == 3, "once"

    tried = json.loads(call(rig.station_data, "import", str(file), "--dry-run", "--json"))["files"][0]
    assert (tried["new"], tried["phone_may_delete_to"]) == (3, None)
    other = tmp_path / "other.gtphone"
    other.write_bytes(app.file([only_phone], site="90000000000077"))
    both = ask(rig.station_data, "import", str(other), str(file), str(tmp_path / "none"))
    assert both.returncode == 3
    assert "番号 43 までを消してかまいません" in both.stdout
    assert "未登録のカード: 1 件" in both.stdout
    assert "現場 90000000000077" in both.stderr
    again = json.loads(call(rig.station_data, "import", str(file), "--json"))["files"][0]
    assert (again["known"], again["new"], again["phone_may_delete_to"]) == (3, 0, 43)
    later = tmp_path / "later.gtphone"
    third = {**only_phone, "at": at(there + timedelta(seconds=30))}
    later.write_bytes(app.file([only_phone, stranger, third], first=42))
    grown = json.loads(call(rig.station_data, "import", "--site", SITE_ID, str(later), "--json"))["files"][0]
    assert (grown["known"], grown["new"]) == (2, 1)

    call(rig.station_data, "sync", "--once")
    status = rig.status()
    assert (status["pending"], status["rejected"], status["accepted"]) == (0, 0, 5)
    records = centre_records(rig)
    assert {one["worker_id"]: (one["assurance"], len(one["events"])) for one in records} == {
        "91000000000001": ("open", 2),
        "91000000000002": ("open", 2),
    }

    gone = with_pin(rig, "phones", "revoke", app.id, "--reason", "紛失", "--operator", "OP1")
    assert gone.returncode == 0, gone.stderr
    file.write_bytes(app.file([{**only_phone, "at": at(there + timedelta(minutes=1))}], first=45))
    assert "取り消されています" in ask(rig.station_data, "import", str(file)).stderr
    rows = json.loads(call(rig.station_data, "phones", "list", "--json"))
    assert [(row["phone"], row["state"], row["reason"], row["operator_id"]) for row in rows] == [
        (app.id, "revoked", "紛失", "OP1")
    ]
    assert with_pin(rig, *register, "--operator", "OP1").returncode == 3, "a revoked key stays revoked"
    assert rig.status()["accepted"] == 5
    with open_station(DataDir.at(rig.station_data), look=True) as station, station.db.looking() as connection:
        trail = connection.execute("SELECT action, ok, operator_id FROM audit ORDER BY n").fetchall()
    assert [row for row in trail if row[0].startswith("phone")] == [
        ("phone_register", 0, "OP1"),
        *[("phone_register", 0, "OP2")] * 3,
        *[("phone_register", 1, "OP1")] * 2,  # his PIN, and the deed
        ("phone_register", 1, "OP1"),  # once: his PIN, the deed was refused
        *[("phone_revoke", 1, "OP1")] * 2,
        ("phone_register", 1, "OP1"),  # the deed was refused
    ]
    assert sum(1 for row in trail if row[:2] == ("import", 1)) == 3


def centre_records(rig: Rig) -> list[dict[str, Any]]:
    """As the centre derived them and sent them down."""
    with open_station(DataDir.at(rig.station_data), look=True) as station:
        month = datetime.now(JST).strftime("%Y-%m")
        return station.rosters.centre_records(SITE_ID, month)
