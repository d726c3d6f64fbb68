"""A database of an older version becomes today's: every row kept, the same tables as made afresh, triggers at work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import DBAPIError

from app.central import schema as t
from app.central.database import CentralDatabase, _accepted, _engine
from tests.central.world import World

V1 = Path(__file__).parents[1] / "golden" / "central_v1"


def lay_down_v1(url: str) -> dict[str, list[dict[str, Any]]]:
    """Make a database as version 1 left it; its rows."""
    engine = _engine(_accepted(url))
    rows: dict[str, list[dict[str, Any]]] = json.loads((V1 / "rows.json").read_text(encoding="utf-8"))
    with engine.connect().execution_options(genba_write=True) as connection, connection.begin():
        for statement in (V1 / f"{engine.dialect.name}.sql").read_text(encoding="utf-8").split(";;\n"):
            connection.exec_driver_sql(statement)
        for name, held in rows.items():
            for row in held:
                for column, value in row.items():
                    if isinstance(value, dict):
                        row[column] = bytes.fromhex(value["hex"])
                columns, places = ", ".join(row), ", ".join(f":{column}" for column in row)
                connection.execute(text(f"INSERT INTO {name} ({columns}) VALUES ({places})"), row)  # noqa: S608
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT setval('event_receipt', (SELECT max(receipt) FROM event))")
    engine.dispose()
    return rows


def shape(tx: Connection) -> dict[str, Any]:
    """Tables, columns, indexes and triggers."""
    seen = inspect(tx)
    found: dict[str, Any] = {
        name: (
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(name)),
            seen.get_pk_constraint(name)["constrained_columns"],
            sorted(str(i["column_names"]) for i in seen.get_indexes(name)),
            sorted(str(f["referred_table"]) for f in seen.get_foreign_keys(name)),
        )
        for name in seen.get_table_names()
    }
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    if tx.dialect.name == "postgresql":
        query = (
            "SELECT tgname, replace(pg_get_triggerdef(oid), current_schema(), '') FROM pg_trigger "
            "WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = "
            "current_schema()::regnamespace)"
        )
    found["triggers"] = sorted(map(tuple, tx.execute(text(query)).all()))
    return found


def test_version_1_is_upgraded_and_nothing_is_lost(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    before = lay_down_v1(url)
    db = CentralDatabase.open(url)
    with db.read() as tx:
        for table in t.METADATA.sorted_tables:
            if table.name != "schema_version":
                held = [dict(row) for row in tx.execute(select(table)).mappings()]
                was = [{**dict.fromkeys(table.columns.keys()), **row} for row in before.get(table.name, [])]
                assert sorted(map(repr, held)) == sorted(map(repr, was)), table.name
        assert tx.execute(select(t.schema_version.c.version)).scalar_one() == t.SCHEMA_VERSION
        upgraded = shape(tx)
    world = World(db, tmp_path)
    station = world.station()
    assert station.verdicts([station.touch()]) == [("accepted", None)]
    db.close()

    again = CentralDatabase.open(url)  # opening twice upgrades once
    for attack in (
        "UPDATE event SET type = 'x'",
        "UPDATE event SET body = digest",
        "DELETE FROM event WHERE seq = 1",
        "INSERT INTO audit VALUES (1, 'a', 'b', 'c', 'd', 'e', '{}'); UPDATE audit SET who = 'nobody'",
        "INSERT INTO audit VALUES (2, 'a', 'b', 'c', 'd', 'e', '{}'); DELETE FROM audit",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            again.write(lambda tx, attack=attack: [tx.execute(text(part)) for part in attack.split(";")])
    again.close()

    fresh_url = f"sqlite:///{tmp_path / 'fresh.db'}"
    if db.kind == "postgresql":
        fresh_url = request.getfixturevalue("cluster").database()
    fresh = CentralDatabase.open(fresh_url)
    with fresh.read() as tx:
        assert upgraded == shape(tx)
    fresh.close()


def test_an_upgrade_that_fails_changes_nothing(url: str) -> None:
    lay_down_v1(url)
    engine = _engine(_accepted(url))
    with engine.connect().execution_options(genba_write=True) as connection, connection.begin():
        connection.exec_driver_sql("CREATE TABLE secret (x INTEGER)")  # somebody's own, in the way
    with pytest.raises(Exception, match="secret"):
        CentralDatabase.open(url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version FROM schema_version").scalar() == 1
        assert "audit" not in inspect(connection).get_table_names()
    engine.dispose()
