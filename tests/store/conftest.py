"""A database for each test, copied from one that was made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from tests.helpers.fake_clock import FakeClock

KEY = bytes(range(32))
NAME = "genba-touch.db"


@pytest.fixture(scope="session")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a fresh, closed database."""
    folder = tmp_path_factory.mktemp("template") / "data"
    Database.open(folder / NAME, KEY, FakeClock()).close()
    return folder


@pytest.fixture
def path(tmp_path: Path, empty_folder: Path) -> Path:
    """A closed, empty database of this test's own."""
    folder = tmp_path / "data"
    shutil.copytree(empty_folder, folder)
    return folder / NAME


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def db(path: Path, clock: FakeClock) -> Iterator[Database]:
    with Database.open(path, KEY, clock) as opened:
        yield opened


@pytest.fixture
def log(db: Database) -> EventLog:
    return EventLog(db)


@pytest.fixture
def outbox(db: Database) -> Outbox:
    return Outbox(db)


@pytest.fixture
def rosters(db: Database) -> RosterStore:
    return RosterStore(db)
