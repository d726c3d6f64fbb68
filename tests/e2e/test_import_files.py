"""A dump of a logging reader by the command line alone: found out, stored, bound, taken back, taken by the centre."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.domain.events import JST
from app.messages import say
from app.secrets import make_pin_verifier
from tests.helpers.station_rig import PATIENCE_S, ROOT, Rig, ask, call, genba_touch
from tests.helpers.tiny_site import tiny_site

PIN = "482913"
OFFICE = {"id": "OP1", "name": "架空 事務", "roles": ["office", "foreman"], "pin_verifier": make_pin_verifier(PIN)}
STRANGER = "felica:0140000000009999"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("imports"), tiny_site(3) | {"operators": [OFFICE]})
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


@pytest.mark.long
def test_from_the_reader_to_the_centre_and_back(rig: Rig, tmp_path: Path) -> None:
    start = (datetime.now(JST) - timedelta(days=1)).replace(hour=7, minute=40, second=0)
    at = [(start + timedelta(minutes=n)).strftime("%Y-%m-%d %H:%M:%S") for n in range(3)]
    card = "felica:0140000000000001"
    rows = ["card,at,direction,device", f"{card},{at[0]},in,R1", f"{STRANGER},{at[1]},in,R1", f"{card},7時,in,R1"]
    dump, bad = tmp_path / "dump.csv", tmp_path / "bad.csv"
    dump.write_text("\n".join(rows), encoding="cp932")
    data = rig.station_data

    tried = json.loads(call(data, "formats", "try", "generic", str(dump), "--json"))
    assert [row["worker_id"] for row in tried["rows"]] == ["91000000000001", "", ""]
    trial = json.loads(call(data, "import", str(dump), "--dry-run", "--json"))["files"][0]
    assert (trial["format"], trial["new"], trial["bad"], trial["may_clear"]) == ("generic", 2, 1, False)

    said = call(data, "import", str(dump), "--bad", str(bad))
    assert "まだ消去しないでください" in said
    assert "4: 日時として読めません" in said
    before = dump.read_bytes()
    precious = tmp_path / "precious.csv"
    precious.write_text("a,b\n", "utf-8")
    for file in (dump, precious):
        refused = ask(data, "import", str(dump), "--bad", str(file))
        assert (refused.returncode, str(file) in refused.stderr) == (3, True)
    assert (dump.read_bytes(), precious.read_text("utf-8")) == (before, "a,b\n")
    bad.write_text(bad.read_text("utf-8-sig").replace("7時", at[2]), "utf-8")
    assert "消去してよい" in call(data, "import", str(bad))
    again = json.loads(call(data, "import", str(dump), "--json"))["files"][0]
    assert (again["known"], again["new"], again["batch"]) == (2, 0, None)

    (unknown,) = json.loads(call(data, "import", "--unknown", "--json"))
    assert unknown["card_key"] == STRANGER
    assert with_pin(rig, "bind", STRANGER, "91000000000002", "--operator", "OP1", pin="0").returncode == 3
    for deed in (("bind", card, "91000000000002"), ("import", "--confirm", str(dump))):
        refused = with_pin(rig, *deed, "--operator", "OP1")
        assert (refused.returncode, "ゲート用" in refused.stderr) == (3, True), "as the centre would"
    bound = with_pin(rig, "bind", STRANGER, "91000000000002", "--operator", "OP1")
    assert bound.returncode == 0, bound.stderr
    assert json.loads(call(data, "import", "--unknown", "--json")) == []

    def sent() -> dict[str, int]:
        found: dict[str, int] = json.loads(call(data, "sync", "--once", "--json"))
        return found

    first = sent()
    assert (first["accepted"], first["rejected"], first["pending"]) == (4, 0, 0)
    back = with_pin(rig, "import", "--take-back", "1", "--reason", "別の現場の分", "--operator", "OP1")
    assert back.returncode == 0, back.stderr
    assert ask(data, "import", "--take-back", "1").returncode == 2, "an operator is needed"
    second = sent()
    assert (second["accepted"], second["rejected"], second["pending"]) == (2, 0, 0)
    batches = json.loads(call(data, "import", "--batches", "--json"))
    assert [(one["batch"], one["events"], one["reason"]) for one in batches] == [(2, 1, ""), (1, 2, "別の現場の分")]
    renewed = json.loads(call(data, "import", str(dump), "--json"))["files"][0]
    assert (renewed["new"], renewed["known"]) == (2, 0)
    assert sent()["rejected"] == 0

    # what makes no record is told of beside "may be cleared", and stands in the list of what was imported
    odd, nobody = tmp_path / "odd.csv", "felica:0140000000008888"
    odd.write_text(f"card,at,direction,device\n{nobody},{at[0]},in,R2\n{nobody},{at[0]},in,R2\n", "utf-8")
    said = call(data, "import", str(odd))
    assert "消去してよい" in said
    for code in ("import.kept_unknown_card", "import.kept_suppressed"):
        assert say(code, "ja", count=1).title in said
    head, newest, *older = call(data, "import", "--batches").splitlines()
    assert head.split()[0] == "batch"
    assert len(older) == 3
    assert "odd.csv" in newest
    assert "unknown_card=1 suppressed=1" in newest
    assert "別の現場の分" in older[-1]


def test_wrong_commands_say_what_is_wrong(tmp_path: Path) -> None:
    bare = tmp_path / "x.toml"
    bare.write_text("schema = 1\n", "utf-8")
    done = ask(tmp_path, "formats", "check", str(bare))
    assert done.returncode == 3
    assert str(bare) in done.stderr
    assert done.stderr.count("docs/import-formats.md") > 1, "every fault at once, and where to look"
    assert ask(tmp_path, "import").returncode == 2
    listed = json.loads(call(tmp_path, "formats", "list", "--json"))
    assert {one["name"] for one in listed if one["sample"]} == {"dragon_ble-like", "bnr01-like"}
