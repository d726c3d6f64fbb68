"""The database: what it refuses to open, what it refuses to change, how it is tuned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from app.central import schema as t
from app.central.database import OLDEST_SQLITE, CentralDatabase
from app.central.sets import any_of, any_pair
from app.errors import InputRefused, StorageTrouble
from tests.central.world import World, in_threads


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql+psycopg://u:geheim@h/d", "central.password_in_url"),
        ("postgresql+psycopg://u@h/d?password=geheim", "central.password_in_url"),
        ("mysql://u:geheim@h/d", "central.password_in_url"),
        ("mysql://u@h/d", "central.database_url"),
        ("sqlite://", "central.database_url"),
        ("sqlite:///:memory:", "central.database_url"),
        ("postgresql+psycopg://u@h", "central.database_url"),
        ("central.db", "central.database_url"),
    ],
)
def test_urls_that_are_refused(url: str, code: str) -> None:
    with pytest.raises(InputRefused) as caught:
        CentralDatabase.open(url)
    assert caught.value.code == code
    assert "geheim" not in str(caught.value)


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageTrouble, match="database_unreachable"):
        CentralDatabase.open(f"sqlite:///{tmp_path}/none/central.db")
    with pytest.raises(StorageTrouble, match="database_unreachable"):
        CentralDatabase.open(f"postgresql+psycopg://u@/d?host={tmp_path}")


def test_opening_again_keeps_everything_and_a_newer_one_is_refused(url: str, tmp_path: Path) -> None:
    first = CentralDatabase.open(url)
    World(first, tmp_path).load()
    first.close()
    second = CentralDatabase.open(url)
    assert World(second, tmp_path).load().unchanged > 0
    second.write(lambda tx: tx.execute(t.schema_version.update().values(version=99)))
    second.close()
    with pytest.raises(StorageTrouble, match="database_newer"):
        CentralDatabase.open(url)


def test_two_processes_may_make_the_tables_at_once(url: str) -> None:
    for opened in in_threads(3, lambda _: CentralDatabase.open(url)):
        opened.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET type = 'x'",
        "DELETE FROM event",
        "DELETE FROM event WHERE receipt = 1",
    ],
)
def test_events_cannot_be_changed(world: World, statement: str) -> None:
    station = world.station()
    station.verdicts([station.touch()])
    with pytest.raises(DBAPIError, match="append-only"):
        world.db.write(lambda tx: tx.execute(text(statement)))


def test_nor_by_the_back_door(world: World) -> None:
    station = world.station()
    station.verdicts([station.touch()])
    with world.db.read() as tx:
        row = dict(tx.execute(t.event.select()).mappings().one())
    backdoor: Any = text("TRUNCATE event CASCADE")
    if world.db.kind == "sqlite":
        backdoor = insert(t.event).prefix_with("OR REPLACE").values({**row, "type": "x"})
    with pytest.raises(DBAPIError, match="append-only"):
        world.db.write(lambda tx: tx.execute(backdoor))


def test_sqlite_is_new_enough_and_durable(tmp_path: Path) -> None:
    db = CentralDatabase.open(f"sqlite:///{tmp_path / 'c.db'}")
    with db.read() as tx:
        values = [
            tx.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        version = tx.exec_driver_sql("SELECT sqlite_version()").scalar()
    db.close()
    assert values == ["wal", 2, 1]
    assert tuple(map(int, str(version).split("."))) >= OLDEST_SQLITE


def test_reading_writes_nothing(world: World) -> None:
    with world.db.read() as tx:
        try:
            tx.execute(t.counter.update().values(value=77))
        except DBAPIError as exc:
            assert world.db.kind == "postgresql", exc  # noqa: PT017 - SQLite just forgets it
    with world.db.read() as tx:
        assert tx.execute(t.counter.select()).one().value != 77


def test_long_lists(world: World) -> None:
    many = [str(n) for n in range(50_000)]
    with world.db.read() as tx:
        assert tx.execute(t.event.select().where(any_of(tx, t.event.c.id, many))).all() == []
        assert tx.execute(t.event.select().where(any_of(tx, t.event.c.seq, list(range(50_000))))).all() == []
        pairs = [(n, n) for n in many]
        columns = (t.record_event.c.worker_id, t.record_event.c.work_day)
        assert tx.execute(t.record_event.select().where(any_pair(tx, columns, pairs))).all() == []
