"""A bench for each test, on a database copied from one that was made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.database import Database
from tests.helpers.fake_clock import FakeClock
from tests.office.desk_bench import OfficeBench, make_bench
from tests.store.conftest import KEY, NAME


@pytest.fixture(scope="session")
def empty_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a fresh, closed database."""
    folder = tmp_path_factory.mktemp("template") / "data"
    Database.open(folder / NAME, KEY, FakeClock()).close()
    return folder


@pytest.fixture
def office(tmp_path: Path, empty_office: Path) -> Iterator[OfficeBench]:
    shutil.copytree(empty_office, tmp_path / "data")
    clock = FakeClock()
    with Database.open(tmp_path / "data" / NAME, KEY, clock) as db:
        yield make_bench(db, clock)
