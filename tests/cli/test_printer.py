"""The headless gate's output holds nobody up, and a file's mistakes are named without their values."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app import datafile
from app.errors import InputRefused
from app.settings import DataDir
from app.wiring.station import open_station
from tests.helpers.station_rig import ROOT, Rig, genba_touch
from tests.helpers.tiny_site import tiny_site

CARDS = 150


@pytest.mark.parametrize("output", ["nobody reads", "closed"])
def test_an_output_that_nobody_reads_stops_no_touch(
    tmp_path: Path, request: pytest.FixtureRequest, output: str
) -> None:
    rig = Rig(tmp_path, tiny_site(workers=2, suppress_seconds=0))
    request.addfinalizer(rig.close)
    script = tmp_path / "line.jsonl"
    line = '{"card": "felica:0140000000000001", "hold_s": 0, "after_s": 0.005}\n'
    script.write_text(line * CARDS, encoding="utf-8")
    reading, writing = os.pipe()
    os.set_blocking(writing, True)
    if sys.platform == "linux":
        import fcntl

        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)  # full after some ten lines
    if output == "closed":
        os.close(reading)
    command = genba_touch(
        rig.station_data, "gate", "--headless", "--json-lines", "--reader", f"scripted:{script}", "--seconds", "8"
    )
    gate = subprocess.Popen(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    _, errors = gate.communicate(timeout=60)
    if output != "closed":
        os.close(reading)
    assert gate.returncode == 0
    assert "Traceback" not in errors
    with open_station(DataDir.at(rig.station_data), look=True) as station:
        assert station.events.chain_head()[0] == CARDS


def test_a_value_that_breaks_a_rule_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(
        'schema = 1\ncentre_url = "https://c.example"\nstation_name = "x"\nproxy = "http://user:s3cret@10.0.0.1:1"\n',
        encoding="utf-8",
    )
    with pytest.raises(InputRefused) as caught:
        datafile.load(file, "provisioning")
    assert "s3cret" not in str(caught.value)
    assert "$.proxy" in caught.value.where


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text('{"site": {"id": "1", "id": "2"}}', encoding="utf-8")
    with pytest.raises(InputRefused, match="twice"):
        datafile.parse(file)


def test_a_file_without_an_end_is_refused(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("no endless file there")
    started = time.monotonic()
    with pytest.raises(InputRefused, match="too_large"):
        datafile.parse(Path("/dev/zero"))
    assert time.monotonic() - started < 30
