"""Carried letters at the centre, on both databases: once taken, always the same word; a revoked station gets none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import codec
from app.central import drop
from app.central import schema as t
from app.central.database import CentralDatabase
from app.drop_seal import unsealed
from app.errors import EnvironmentTrouble
from app.sync.wire import DropAnswer
from tests.central.world import World
from tests.helpers.drop_bench import Bench


@pytest.fixture
def bench(db: CentralDatabase, tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(World(db, tmp_path), tmp_path, stack)


def test_a_folder_that_was_not_made_ready_and_one_that_is_not_there(bench: Bench, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    for folder, code in ((plain, "central.drop_unprepared"), (tmp_path / "none", "central.drop_folder")):
        with pytest.raises(EnvironmentTrouble) as refused:
            drop.take_drop(bench.world.db, bench.world.clock, folder, 10)
        assert refused.value.code == code
    with pytest.raises(EnvironmentTrouble) as refused:
        drop.prepare(tmp_path / "none", drop.keys_of(bench.world.db).public)
    assert refused.value.code == "central.drop_prepare", "nothing was taken, and nothing is said of it"


def test_the_same_file_twice_gets_the_same_word(bench: Bench) -> None:
    gate = bench.gate()
    bench.take()
    ids = gate.touch(450)
    gate.trip()

    def answer() -> DropAnswer:
        (taken,) = bench.take()
        said.append(taken.result)
        file = taken.file.replace("s-", "c-", 1)
        return codec.decode(unsealed((bench.stick / file).read_bytes(), gate.keys), DropAnswer)

    said: list[str] = []
    first, again = answer(), answer()
    assert said == ["taken", "again"]
    assert first.batches == again.batches
    assert [verdict.id for batch in first.batches for verdict in batch.results] == ids
    assert {verdict.verdict.value for batch in first.batches for verdict in batch.results} == {"accepted"}
    status = gate.trip()
    assert (status.pending, status.chain_state) == (0, "ok")
    assert bench.held() == ids


def test_only_the_last_answers_are_kept_and_the_heartbeat_is_the_newest(bench: Bench) -> None:
    gate = bench.gate()
    old = bench.letters("s-")
    for _ in range(drop.KEPT + 3):
        gate.touch()
        gate.trip()
        bench.world.clock.forward(minutes=5)
        bench.take()
    with bench.world.db.read() as tx:
        assert tx.execute(select(func.count()).select_from(t.drop_letter)).scalar() == drop.KEPT
        newest = tx.execute(select(t.heartbeat.c.body)).scalar_one()
    for file, data in old.items():
        (bench.stick / file).write_bytes(data)
    assert "taken" in [one.result for one in bench.take()]
    with bench.world.db.read() as tx:
        assert tx.execute(select(t.heartbeat.c.body)).scalar_one() == newest
    assert gate.trip().pending == 0
    assert len(bench.held()) == len(set(bench.held())) == drop.KEPT + 3
