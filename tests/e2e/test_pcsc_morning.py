"""Promise: over the real PC/SC road too, nothing is lost and nothing doubled, whatever is pulled: the reader service,
the gate, the centre, the card. And the gate finds back to its reader by itself.

Real pcscd with an emulated reader, cards in processes of their own, all in a namespace (`helpers.pcsc_morning`).
`GENBA_SEED=N` repeats a morning's dice (not its timing).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.helpers import namespace
from tests.helpers.central_judge import judge
from tests.helpers.pcsc_morning import READER, TROUBLES
from tests.helpers.station_rig import ROOT


@pytest.mark.timeout(600)
def test_a_morning_over_pcsc_with_everything_killed(tmp_path: Path) -> None:
    lacking = namespace.lacking_for_pcsc()
    way_in = namespace.way_in()
    if lacking is not None or way_in is None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have the real PC/SC stack: {lacking}")
        pytest.skip(str(lacking))
    seed = os.environ.get("GENBA_SEED") or str(random.SystemRandom().randrange(1_000_000))
    print(f"seed {seed}")  # shown when the test fails
    done = subprocess.run(
        [*way_in, sys.executable, "-m", "tests.helpers.pcsc_morning", seed, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PATH": namespace.PATH},
        timeout=550,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    summary = json.loads(done.stdout)
    print(json.dumps(summary["troubles"]))

    assert Counter(trouble["what"] for trouble in summary["troubles"]) == Counter(TROUBLES)
    assert summary["gates"] == 1 + sum(trouble.startswith("gate") for trouble in TROUBLES), "no other restart"
    assert summary["exit_code"] == 0
    assert summary["alarms"] == []
    assert summary["readers"] == [READER]
    assert summary["chain_broken_at"] is None
    assert sorted(summary["station"]) == sorted(event["id"] for event in summary["held"])
    judge(
        summary["told"],
        summary["held"],
        summary["status"],
        at_least=summary["at_least"],
        at_most=summary["at_most"],
        cut_short=summary["gates"] - 1,
    )
