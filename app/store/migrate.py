"""Runs Alembic from inside the package: no alembic.ini, no network, all steps in one transaction."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from app.store import schema

FOLDER = Path(__file__).resolve().parent / "migrations"


def config() -> Config:
    """Alembic's configuration for our folder."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return made


def upgrade(engine: sa.Engine, to: str = "head") -> None:
    """Bring a database up, put the triggers back and check every foreign key, or leave it as it was.

    `engine`: without foreign keys enforced (tables are made anew under way). Raises the driver's errors.
    """
    _run(engine, command.upgrade, to)


def downgrade(engine: sa.Engine, to: str) -> None:
    """The way back, for tests and emergencies."""
    _run(engine, command.downgrade, to)


def _run(engine: sa.Engine, step: object, to: str) -> None:
    made = config()
    with engine.connect() as connection:
        marked = connection.execution_options(genba_writer=True)
        with marked.begin():
            made.attributes["connection"] = marked
            step(made, to)  # type: ignore[operator]
            _put_triggers(marked)
            broken = marked.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"the migration to {to} broke {len(broken)} foreign keys")


def _put_triggers(connection: sa.Connection) -> None:
    there = {row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for name, statement in schema.TRIGGERS.items():
        if any(name.startswith(f"{table}_") for table in there):
            connection.exec_driver_sql(statement)
