"""Attacks on the append-only tables, by every connection there is, after every migration."""

# ruff: noqa: S608 - names of our own

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.pool import NullPool

from app.errors import StorageTrouble
from app.store import driver, schema
from app.store.database import Database
from app.store.engine import make_engine
from app.store.events import EventLog
from app.store.migrate import downgrade, upgrade
from tests.helpers.drafts import draft
from tests.helpers.fake_clock import FakeClock
from tests.store.conftest import KEY
from tests.store.fill import fill

Execute = Callable[[str], Any]

ROWS = {
    "event": "1, 'x', 'touch', 's', 'a', 'b', x'00', zeroblob(32)",
    "touch": "1, 'x', 's', 'c', NULL, 'in', 'd', 'uid', 'recorded', '', NULL, 'r', 'g', 0",
    "mention": "2, 'entry', 's', NULL, NULL, NULL, NULL",
    "remote_event": "7, 'st', 's', 'x', 'entry', 'a', NULL, NULL, NULL, NULL, x'00'",
    "audit": "1, 'a', 'b', NULL, 1, ''",
    "phone": "1, 'a', 'p', zeroblob(32), 'l', NULL, NULL, 'revoked', 'o', ''",
    "import_batch": "1, 'a', 'f', 'd', 's', 'x', 1, 1, 1",
    "import_row": "4, 'a', 'd', 'c', 1, 1",
    "import_taken_back": "1, 1, 1, 1, 'a', 'o', 'r'",
    "aside": "1, 'a', 's', 'w', 'd', 1, 'o'",
    "reader_log": "1, 0, 'r', 1",
}
SAME_ID = {
    "import_row": "1, (SELECT at FROM import_row), 'phone:1', 'uid:04A1B2C3', 1, 1",
    "event": "(SELECT max(seq) + 1 FROM event), (SELECT min(id) FROM event), 't', 's', 'a', 'b', x'00', zeroblob(32)",
    "remote_event": "99, 'st', 's', (SELECT id FROM remote_event LIMIT 1), 'e', 'a', NULL, NULL, NULL, NULL, x'00'",
}
KEYS = {
    "event": "seq",
    "touch": "seq",
    "mention": "seq",
    "remote_event": "receipt",
    "audit": "n",
    "aside": "n",
    "reader_log": "n",
    "phone": "n",
    "import_batch": "n",
    "import_row": "seq",
    "import_taken_back": "n",
}


COLUMNS = {"import_batch": "(n, at, format, device, site_id, digest, rows, first_seq, last_seq)"}
"""Of a row in `ROWS`, where an older schema has fewer."""


def attacks(table: str) -> list[str]:
    """Ways to change what is written."""
    key, into = KEYS[table], f"{table} {COLUMNS.get(table, '')}"
    found = [
        f"UPDATE {table} SET {key} = {key} + 100",
        f"UPDATE OR REPLACE {table} SET {key} = {key} + 100",
        f"DELETE FROM {table}",
        f"REPLACE INTO {into} VALUES ({ROWS[table]})",
        f"INSERT OR REPLACE INTO {into} VALUES ({ROWS[table]})",
        f"INSERT INTO {into} VALUES ({ROWS[table]}) ON CONFLICT DO UPDATE SET {key} = {key}",
        f"INSERT OR IGNORE INTO {into} VALUES ({ROWS[table]})",
    ]
    if table in SAME_ID:
        found.append(f"INSERT OR REPLACE INTO {into} VALUES ({SAME_ID[table]})")
    return found


def all_rows(execute: Execute, table: str) -> list[Any]:
    return [tuple(row) for row in execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()]


def attack(execute: Execute, tables: tuple[str, ...] = schema.APPEND_ONLY) -> None:
    """Every attack on every table fails and changes nothing."""
    for table in tables:
        before = all_rows(execute, table)
        assert before, f"{table} holds nothing to attack"
        for statement in attacks(table):
            with pytest.raises(Exception, match=r"append-only|no gaps"):
                execute(statement)
            assert all_rows(execute, table) == before, statement


@contextmanager
def by_hot(db: Database) -> Iterator[Execute]:
    with db.hot() as connection:
        yield connection.execute


@contextmanager
def by_looking(db: Database) -> Iterator[Execute]:
    with db.looking() as connection:
        yield connection.execute


@contextmanager
def by_write(db: Database) -> Iterator[Execute]:
    with db.write() as connection:
        yield connection.exec_driver_sql


@contextmanager
def by_a_stranger(db: Database) -> Iterator[Execute]:
    """A tool with the key and SQLite's defaults: no foreign keys, no recursive triggers."""
    connection = driver.open_bare(db.path, KEY)
    connection.execute("PRAGMA recursive_triggers = OFF").fetchall()
    yield connection.execute
    connection.close()


@pytest.mark.parametrize("way", [by_hot, by_looking, by_write, by_a_stranger])
def test_what_is_written_stays(db: Database, way: Callable[[Database], Any]) -> None:
    fill(db)
    with way(db) as execute:
        attack(execute)
    assert EventLog(db).verify_chain() is None


def test_a_gap_is_refused(db: Database) -> None:
    fill(db)
    for seq in (50, 0, -1):
        row = f"{seq}, 'new', 't', 's', 'a', 'b', x'00', zeroblob(32)"
        with pytest.raises(driver.Error, match=r"no gaps"), db.looking() as connection:
            connection.execute(f"INSERT INTO event VALUES ({row})")


def test_outbox_rows_stay(db: Database) -> None:
    fill(db)
    for statement in ("DELETE FROM outbox", "REPLACE INTO outbox (seq, state, attempts) VALUES (1, 'accepted', 0)"):
        with pytest.raises(driver.Error, match="outbox rows stay"), db.looking() as connection:
            connection.execute(statement)


def test_an_unknown_state_is_refused(db: Database) -> None:
    fill(db)
    with pytest.raises(driver.Error, match="outbox_state"), db.hot() as connection:
        connection.execute("UPDATE outbox SET state = 'sent'")


def test_an_id_is_made_once(log: EventLog) -> None:
    twice = draft()
    log.append(twice)
    with pytest.raises(driver.Error, match="append-only") as caught:
        log.append(twice)
    assert not isinstance(caught.value, StorageTrouble)
    assert log.chain_head()[0] == 1


def test_triggers_hold_after_every_migration(path: Path) -> None:
    with Database.open(path, KEY, FakeClock()) as db:
        fill(db)
    engine = make_engine(path, KEY, NullPool, foreign_keys=False)
    steps = [(downgrade, r) for r in reversed(schema.REVISIONS[:-1])] + [(upgrade, r) for r in schema.REVISIONS[1:]]
    for step, revision in steps:
        step(engine, revision)
        connection = driver.open_bare(path, KEY)
        held = [t for t in schema.APPEND_ONLY if _holds(connection, t)]
        assert "event" in held
        attack(connection.execute, tuple(held))
        connection.close()
    engine.dispose()


def _holds(connection: Any, table: str) -> bool:
    there = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    return bool(there and connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
