"""Promise: pulling the centre and the gate's process (SIGKILL) at random moments loses nothing and doubles nothing.

Real processes, the real reader library at both ends, the real centre. What judges is the centre's own database file,
opened here with plain SQL. `GENBA_SEED=N` repeats a morning's dice (not its timing).
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.helpers.central_judge import centre_events, judge
from tests.helpers.station_rig import Rig
from tests.helpers.tiny_site import tiny_site

TOUCHES = 24
KILLS = 6


@pytest.mark.timeout(600)
def test_random_kills_lose_and_double_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    seed = int(os.environ.get("GENBA_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"seed {seed}")  # shown when the test fails
    dice = random.Random(seed)
    site = tiny_site(workers=12)
    cards = [str(card["id"]) for card in site["cards"]]
    rig = Rig(tmp_path, site)
    request.addfinalizer(rig.close)
    rig.start_gate()
    kills = {i: dice.choice(("gate", "centre", "both")) for i in dice.sample(range(2, TOUCHES - 2), KILLS)}
    shown: Counter[str] = Counter()
    read_in_peace: Counter[str] = Counter()
    for number in range(TOUCHES):
        card = dice.choice(cards)
        target = kills.get(number, "")
        saboteur = threading.Timer(dice.uniform(0.0, 0.25), _kill, (rig, target))
        if target:
            saboteur.start()
        shown[card] += 1
        gate_dies = target in ("gate", "both")
        # a card that nobody reads because the gate is gone is taken away after a second, before the next gate is there
        if rig.touch(card.removeprefix("felica:"), timeout_s=1.0 if gate_dies else 30.0) and not gate_dies:
            read_in_peace[card] += 1
        if target:
            saboteur.join()
        if rig.centre is None and dice.random() < 0.7:
            rig.start_centre()
        if rig.gate is not None and not rig.gate.running:
            rig.start_gate()
    if rig.centre is None:
        rig.start_centre()
    status = rig.drained(120)

    assert read_in_peace.total() >= TOUCHES - KILLS
    judge(
        rig.told(),
        centre_events(rig.centre_data),
        status,
        at_least=read_in_peace,
        at_most=shown,
        cut_short=sum(target != "centre" for target in kills.values()),
    )


def _kill(rig: Rig, what: str) -> None:
    if what in ("gate", "both") and rig.gate is not None and rig.gate.running:
        rig.gate.kill()
    if what in ("centre", "both") and rig.centre is not None:
        rig.kill_centre()
