"""Head equals models; up and down; upgrade with data, after a backup, or not at all."""

# ruff: noqa: S608 - names of our own

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from app.errors import StorageTrouble
from app.store import driver, migrate, opening, schema
from app.store.database import Database
from app.store.engine import make_engine
from app.store.events import EventLog
from tests.helpers.fake_clock import FakeClock
from tests.store.conftest import KEY, NAME
from tests.store.fill import fill

TABLES = ("event", "touch", "mention", "outbox", "sync_state", "meta")
"""Those that are in every schema."""


@pytest.fixture
def engine(path: Path) -> sa.Engine:
    return make_engine(path, KEY, NullPool, foreign_keys=False)


def shape(connection: sa.Connection) -> dict[str, Any]:
    """Tables by columns, and everything else by its SQL without blanks."""
    master = connection.exec_driver_sql(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'"
    ).fetchall()
    found: dict[str, Any] = {}
    for kind, name, sql in master:
        if kind == "table":
            found[name] = connection.exec_driver_sql(f"PRAGMA table_info({name})").fetchall()
            found[f"{name} keys"] = connection.exec_driver_sql(f"PRAGMA foreign_key_list({name})").fetchall()
        else:
            found[name] = "".join(sql.split()).replace('"', "").upper()
    return found


def rows(path: Path) -> dict[str, list[Any]]:
    connection = driver.open_bare(path, KEY)
    found = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in TABLES}
    connection.close()
    return found


def test_known_revisions_are_the_scripts() -> None:
    scripts = ScriptDirectory.from_config(migrate.config())
    assert tuple(s.revision for s in reversed(list(scripts.walk_revisions()))) == schema.REVISIONS
    assert scripts.get_current_head() == schema.HEAD


def test_head_equals_the_models(engine: sa.Engine, tmp_path: Path) -> None:
    models = make_engine(tmp_path / "models.db", KEY, NullPool)
    schema.metadata.create_all(models)
    with engine.connect() as migrated, models.connect() as modelled:
        assert compare_metadata(MigrationContext.configure(migrated), schema.metadata) == []
        there = shape(migrated)
        assert {name for name in there if name in schema.TRIGGERS} == set(schema.TRIGGERS)
        assert {n: s for n, s in there.items() if n not in schema.TRIGGERS} == shape(modelled)


def test_down_and_up_again(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        before = shape(connection)
    for step in reversed((None, *schema.REVISIONS[:-1])):
        migrate.downgrade(engine, step or "base")
    with engine.connect() as connection:
        assert shape(connection) == {}
    for step in schema.REVISIONS:
        migrate.upgrade(engine, step)
    with engine.connect() as connection:
        assert shape(connection) == before


@pytest.mark.parametrize("revision", schema.REVISIONS[:-1])
def test_an_older_database_is_upgraded_with_its_data_after_a_backup(path: Path, revision: str) -> None:
    with Database.open(path, KEY, FakeClock()) as db:
        fill(db)
        head = EventLog(db).chain_head()
    engine = make_engine(path, KEY, NullPool, foreign_keys=False)
    migrate.downgrade(engine, revision)
    engine.dispose()
    before = rows(path)
    with pytest.raises(StorageTrouble, match=r"store\.older_database"):
        Database.look(path, KEY, FakeClock())
    with Database.open(path, KEY, FakeClock()) as db:
        assert EventLog(db).chain_head() == head
        assert EventLog(db).verify_chain() is None
    assert rows(path) == before
    (backup,) = (path.parent / "backups").iterdir()
    assert backup.name == f"{Path(NAME).stem}-before-upgrade-{revision}-20261120T074000.db"
    assert opening.revision(backup, KEY) == revision
    assert rows(backup) == before


def test_an_upgrade_that_fails_leaves_everything_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine(path, KEY, NullPool, foreign_keys=False)
    migrate.downgrade(engine, schema.REVISIONS[0])
    engine.dispose()
    monkeypatch.setattr(schema, "TRIGGERS", {"event_x": "CREATE TRIGGER nonsense"})
    with pytest.raises(sa.exc.OperationalError):
        Database.open(path, KEY, FakeClock())
    assert opening.revision(path, KEY) == schema.REVISIONS[0]
    monkeypatch.undo()
    Database.open(path, KEY, FakeClock()).close()
    assert opening.revision(path, KEY) == schema.HEAD


def test_no_backup_no_upgrade(path: Path) -> None:
    engine = make_engine(path, KEY, NullPool, foreign_keys=False)
    migrate.downgrade(engine, schema.REVISIONS[0])
    engine.dispose()
    (path.parent / "backups").write_bytes(b"in the way")
    with pytest.raises(StorageTrouble):
        Database.open(path, KEY, FakeClock())
    assert opening.revision(path, KEY) == schema.REVISIONS[0]
