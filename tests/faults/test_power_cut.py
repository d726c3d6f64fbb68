"""Promise: a touch that a person was shown as recorded survives a power cut at any moment.

The writes and syncs of the real store are recorded, then played up to any place, where the disk keeps any part of what
was not synced. Each such disk is opened as the program opens it.
"""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.errors import StorageTrouble
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from tests.helpers import power_cut
from tests.helpers.power_cut import Disk, Done
from tests.helpers.power_cut_program import KEY

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(power_cut.lacking() is not None, reason=str(power_cut.lacking()))


def recorded(tmp_path: Path, touches: int, *pragma: str) -> list[Done]:
    """The real store's writes, syncs and words."""
    folder = tmp_path / "recorded"
    folder.mkdir()
    program = [sys.executable, "-B", "-m", "tests.helpers.power_cut_program", str(folder / "data" / "gate.db")]
    return power_cut.record([*program, str(touches), *pragma], folder, tmp_path / "trace", ROOT)


def after_cuts(tmp_path: Path, record: list[Done], cuts: int, seed: int) -> list[str]:
    """What is wrong on the disks that `cuts` power cuts leave."""
    dice = random.Random(seed)
    disk, shown, wrong = Disk(), dict[int, str](), list[str]()
    places = sorted(dice.choices(range(len(record)), k=cuts))
    opened = 0
    for place, done in enumerate(record):
        disk.do(done)
        if done.call == "say":
            seq, id_ = done.data.decode().split()
            shown[int(seq)] = id_
        while places and places[0] == place:
            places.pop(0)
            left = tmp_path / "left"
            disk.cut(tmp_path / "recorded", left, dice)
            found = judge(left / "data" / "gate.db", shown)
            wrong += [f"cut at {place} ({done.call} {Path(done.path).name}): {problem}" for problem in found]
            opened += 1
            shutil.rmtree(left, ignore_errors=True)
    assert opened == cuts
    assert len(shown) > 20
    return wrong


def judge(database: Path, shown: dict[int, str]) -> list[str]:
    """Open it as the program does: everything shown is there, and the log is whole."""
    if not database.exists() and not shown:
        return []
    try:
        with Database.open(database, KEY, SystemClock()) as db:
            log = EventLog(db)
            with db.looking() as connection:
                kept = dict(connection.execute("SELECT seq, id FROM event").fetchall())
            wrong = [f"{id_} was shown and is gone" for seq, id_ in shown.items() if kept.get(seq) != id_]
            if log.verify_chain() is not None:
                wrong.append("the chain is broken")
            counts = Outbox(db).counts()
            if counts.pending + counts.accepted != len(kept):
                wrong.append("an event has no place in the outbox")
            if len(kept) > len(shown) + 1:
                wrong.append("more events than there were touches")
            return wrong
    except StorageTrouble as trouble:
        return [f"cannot be opened: {trouble}"] if shown else []


def test_a_power_cut_at_any_moment_loses_nothing_shown(tmp_path: Path) -> None:
    assert after_cuts(tmp_path, recorded(tmp_path, 40), 250, seed=1) == []


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_many_power_cuts(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    assert after_cuts(tmp_path, recorded(tmp_path, 120), 4000, seed) == [], seed


def test_the_judge_sees_a_store_that_does_not_sync(tmp_path: Path) -> None:
    """The proof of the proof: one pragma less, and touches that were shown are gone."""
    wrong = after_cuts(tmp_path, recorded(tmp_path, 40, "PRAGMA synchronous=NORMAL"), 250, seed=1)
    assert sum("was shown and is gone" in line for line in wrong) > 20
