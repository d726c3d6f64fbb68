"""The same tests on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.central.database import CentralDatabase
from app.central.settings import CentralSettings
from tests.central.world import World

if sys.platform != "win32":
    from tests.central import postgresql


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgresql.Cluster]:
    """A private PostgreSQL server."""
    if sys.platform == "win32":
        pytest.skip("PostgreSQL is tested on Linux")
    folder = postgresql.binaries()
    if folder is None:
        pytest.skip(postgresql.MISSING)
    running = postgresql.Cluster(folder)
    yield running
    running.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'central.db'}"
    made: str = request.getfixturevalue("cluster").database()
    return made


@pytest.fixture
def db(url: str) -> Iterator[CentralDatabase]:
    """An open centre's database."""
    opened = CentralDatabase.open(url)
    yield opened
    opened.close()


@pytest.fixture
def world(db: CentralDatabase, tmp_path: Path) -> World:
    """A centre with the example site; small pages, so that tests turn them."""
    made = World(db, tmp_path, settings=CentralSettings(page_size=4))
    made.load()
    return made
