"""Promise: whatever is pulled and put in whatever order, one and the same gate process tells the truth about its
readers, finds back to each, records each card exactly once, delivers everything exactly once, and ends when told to.

Real pcscd with two slots, emulated PaSoRi over USB, nfcpy's UDP pair, the real centre, all in a namespace
(`helpers.unplugging`). `GENBA_SEED=N` repeats the dice (not the timing).

    python3 dev.py soak unplugging --minutes 10 --seed 7
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import namespace, usb_bench
from tests.helpers.central_judge import judge
from tests.helpers.station_rig import ROOT

MINUTES = float(os.environ.get("GENBA_SOAK_MINUTES") or 10)
EXIT_S = 5.0


def unplug(minutes: float, folder: Path) -> None:
    """So many minutes of it, judged."""
    lacking = namespace.lacking_for_pcsc() or usb_bench.missing()
    way_in = namespace.way_in()
    if lacking is not None or way_in is None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have the emulated readers: {lacking}")
        pytest.skip(str(lacking))
    seed = os.environ.get("GENBA_SEED") or str(random.SystemRandom().randrange(1_000_000))
    print(f"seed {seed}")  # shown when the test fails
    done = subprocess.run(
        [*way_in, sys.executable, "-m", "tests.helpers.unplugging", seed, str(minutes), str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PATH": namespace.PATH},
        timeout=minutes * 60 + 300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    summary = json.loads(done.stdout)
    tally = ("troubles", "calms", "unreadable", "slowest_truth", "held", "exit_s")
    print(json.dumps({name: summary[name] for name in tally} | {"recorded": len(summary["told"])}))

    assert summary["exit_code"] == 0
    assert summary["exit_s"] < EXIT_S, "with a reader service that hangs"
    assert summary["alarms"] == []
    assert summary["chain_broken_at"] is None
    # nothing but the one thread that waits for a service that hangs, at the very end
    assert [line for line in summary["log"] if "threads that did not stop" not in line] == []
    before, after = summary["held"]
    assert after["threads"] <= before["threads"] + 1
    assert after["descriptors"] <= before["descriptors"] + 8, "those of the connection to the centre come and go"
    judge(
        summary["told"],
        summary["arrived"],
        summary["status"],
        at_least=summary["at_least"],
        at_most=summary["at_most"],
        cut_short=0,
    )


@pytest.mark.timeout(300)
def test_half_a_minute_of_unplugging(tmp_path: Path) -> None:
    unplug(0.4, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(MINUTES * 60 + 400)
def test_minutes_of_unplugging(tmp_path: Path) -> None:
    unplug(MINUTES, tmp_path)
