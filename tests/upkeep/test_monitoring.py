"""What monitoring rests on: `doctor`'s codes as docs/monitoring.md has them, its exit codes, and its quick look."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from app.cli.station import WARNINGS_EXIT
from app.wiring.doctor import STEPS
from tests.helpers.station_rig import Rig, ask
from tests.helpers.tiny_site import tiny_site
from tests.upkeep.doctor_codes import codes

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `([a-z_.]+)` \| (failed|warning|info|failed, warning) \|", re.M)


def test_every_code_stands_in_the_docs_and_no_other() -> None:
    told = dict(ROW.findall((DOCS / "monitoring.md").read_text("utf-8")))
    assert told == codes(), "python -m tests.upkeep.doctor_codes"


def test_every_check_stands_in_the_docs() -> None:
    text = (DOCS / "cli.md").read_text("utf-8").partition("## `doctor`")[2].partition("\n- ")[0]
    told = {name for group in re.findall(r"`([a-z_\s]+)`", text) for name in group.split()}
    assert {step.name for step in STEPS} <= told


def report(data: Path, *more: str) -> tuple[int, dict[str, str], str]:
    done = ask(data, "doctor", "--json", *more)
    held = json.loads(done.stdout)
    return done.returncode, {c["check"]: c["code"] or c["result"] for c in held["checks"]}, held["state"]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, tiny_site(workers=1))


def test_well_warned_and_failed_differ(rig: Rig) -> None:
    try:
        began = time.monotonic()
        code, found, state = report(rig.station_data, "--quick")
        assert (code, state) == (WARNINGS_EXIT, "warnings")
        assert found["keys"] == "doctor.key_file"
        assert found["readers"] == found["centre"] == found["chain"] == "not_checked", "nobody was asked"
        assert time.monotonic() - began < 10
        crashes = rig.station_data / "crashes"
        crashes.mkdir()
        (crashes / "crash-1.json").write_text('{"at": "2100-01-01T00:00:00+00:00", "kind": "native", "ended": true}')
        assert report(rig.station_data, "--quick")[1]["crashes"] == "doctor.crashed"
        (rig.station_data / "genba-touch.db").unlink()
        code, found, state = report(rig.station_data, "--quick")
        assert (code, state, found["database"]) == (4, "failed", "store.lost")
    finally:
        rig.close()


def test_beside_a_gate_readers_are_as_it_has_them(rig: Rig) -> None:
    try:
        rig.start_gate()
        assert report(rig.station_data, "--quick")[1]["readers"] == "ok"
    finally:
        rig.close()
