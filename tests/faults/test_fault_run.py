"""`dev.py faults` in a small form, and the proof that its judge sees a gate with a flaw."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.fault_run import STATION, FaultRun, report


def one_run(folder: Path, *station: str, rounds: int = 1) -> tuple[list[str], str]:
    run = FaultRun(folder, 5, station=station, gates=2, touches=60, harm=station[0] == STATION)
    wrong: list[str] = []
    try:
        for _ in range(rounds):
            wrong += run.round()
        wrong += run.drain()
        return wrong, report(run, 5, rounds, wrong)
    finally:
        run.close()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_rounds_of_faults_on_real_processes(tmp_path: Path) -> None:
    wrong, table = one_run(tmp_path, STATION, rounds=3)
    assert wrong == [], table
    assert "network" in table


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("flaw", "found"),
    [
        ("loses", "was shown as recorded and is not stored"),
        ("doubles", "times and stored"),
        ("believes", "is acknowledged and not at the centre"),
    ],
)
def test_the_judge_sees_a_gate_with_a_flaw(tmp_path: Path, flaw: str, found: str) -> None:
    wrong, _ = one_run(tmp_path, "tests.faults.flawed_station", flaw)
    assert any(found in line for line in wrong), wrong[:10]
