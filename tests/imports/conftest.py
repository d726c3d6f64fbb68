"""A database with a roster, and a phone that is registered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import phone_seal
from app.domain.outbox import Cursor, roster_scope
from app.domain.site import Site
from app.store.database import Database
from app.store.phones import Phone
from app.store.roster import RosterStore
from tests.helpers.fake_clock import FakeClock
from tests.helpers.phone_app import PhoneApp
from tests.helpers.tiny_site import SITE_ID
from tests.imports.world import World
from tests.store.conftest import KEY, NAME
from tests.store.fill import AT, items

PRIVATE = bytes(range(32))
"""The station's import key."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def db(tmp_path: Path, clock: FakeClock) -> Iterator[Database]:
    with Database.open(tmp_path / "data" / NAME, KEY, clock) as opened:
        RosterStore(opened).apply_page(roster_scope(SITE_ID), SITE_ID, items(3), Cursor("1"), AT)
        yield opened


@pytest.fixture
def site() -> Site:
    return Site(SITE_ID, "架空の現場")


@pytest.fixture
def app() -> PhoneApp:
    return PhoneApp(phone_seal.as_text(phone_seal.public_of(PRIVATE)), SITE_ID)


def registered(app: PhoneApp, **changes: Any) -> Phone:
    """The phone as the office has it."""
    usual = {"label": "架空の電話", "worker_id": None, "company_id": None, "revoked": False, "at": AT}
    return Phone(id=app.id, public_key=app.public, operator_id="OP1", **(usual | changes))


@pytest.fixture
def world(db: Database, site: Site, clock: FakeClock, tmp_path: Path) -> World:
    return World(db, site, clock, tmp_path / "data")
