"""Promise: a gate that runs for months holds no more memory, descriptors or threads after 100,000 cards than after ten,
and every card that was put on was seen exactly once.

    python3 dev.py soak inserts                    (100,000 each: about 11 and 6 minutes)

UDP: 48 readers in one process on nfcpy's own pair. PC/SC: two slots of the virtual reader on the real pcscd, whose
pauses between two looks are shortened (`helpers/hurry.c`: it looks every 400 ms otherwise, which makes 20 hours of it).
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

from tests.helpers import namespace

ROOT = Path(__file__).parents[2]
COUNT = 100_000
MINUTES = float(os.environ.get("GENBA_SOAK_MINUTES") or 20)
LANES = "48"
GROWTH_KIB = 1024
"""What memory may grow by from the first tenth of the inserts to the end: 10 bytes an insert at 100,000."""

roads = pytest.mark.parametrize("road", ["udp", "pcsc"])


def run(road: str, folder: Path, count: int, minutes: float) -> dict[str, Any]:
    """A soak in a process of its own; its report."""
    command = [sys.executable, "-m", "tests.helpers.soak_inserts", road]
    environment = dict(os.environ)
    if road == "udp":
        command.append(LANES)
    else:
        way_in = namespace.way_in()
        lacking = namespace.lacking_for_pcsc() or (None if shutil.which("gcc") else "not installed: gcc")
        if lacking is not None or way_in is None:
            if os.environ.get("CI") == "true" and sys.platform == "linux":
                pytest.fail(f"CI must have the real PC/SC stack: {lacking}")
            pytest.skip(str(lacking))
        library = folder / "hurry.so"
        source = ROOT / "tests" / "helpers" / "hurry.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source], check=True)
        command = [*way_in, *command, str(library)]
        environment["PATH"] = namespace.PATH
    command += [str(count), str(minutes)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=False)
    assert done.returncode == 0
    return dict(json.loads(done.stdout))


def judge(report: dict[str, Any]) -> None:
    """Every card once, nothing left over."""
    shown = {name: report[name] for name in ("inserts", "seconds", "before", "after", "most", "faults")}
    print(json.dumps(shown))
    assert report["faults"] == []
    assert report["put_on"] == report["seen"] == report["removed"]
    assert report["after"]["descriptors"] == report["before"]["descriptors"]
    assert report["after"]["threads"] == report["before"]["threads"]
    assert report["stopped"]
    assert report["threads_left"] == []
    settled = next(rss for total, rss in report["samples"] if total >= report["inserts"] / 10)
    print(f"memory: {settled} KiB after a tenth, {report['after']['rss_kib']} KiB at the end")
    assert report["after"]["rss_kib"] - settled <= GROWTH_KIB


@roads
def test_some_inserts_leave_nothing_behind(road: str, tmp_path: Path) -> None:
    report = run(road, tmp_path, 300, 2)
    assert report["inserts"] >= 300
    judge(report)


@pytest.mark.long
@pytest.mark.timeout(2400)
@roads
def test_100_000_inserts_leave_nothing_behind(road: str, tmp_path: Path) -> None:
    report = run(road, tmp_path, COUNT, MINUTES)
    judge(report)
    if "GENBA_SOAK_MINUTES" not in os.environ:
        assert report["inserts"] >= COUNT
