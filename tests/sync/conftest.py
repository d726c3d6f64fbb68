"""The tiny centre, a clock that stands still, and the two stores (in memory, and the real one)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from app.domain.events import Draft, EventType, rfc3339
from app.domain.outbox import Settled
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from app.sync import ports
from app.sync.address import Timeouts
from app.sync.http import CentreClient
from tests.helpers.tiny_centre import TinyCentre
from tests.sync.memory_store import MemoryOutbox, MemoryRoster

START = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
"""9:00 in Japan: after the rush."""


class StandingClock:
    """Time passes when the test says so."""

    def __init__(self) -> None:
        self.wall = START
        self.ticks = 1000.0
        self.learned: list[datetime] = []

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def skew_ms(self) -> int | None:
        return 0 if self.learned else None

    def learn_server_time(self, server_now: datetime, *, round_trip_s: float) -> None:
        self.learned.append(server_now)

    def advance(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds


def draft(number: int, site_id: str = "site-1", **payload: Any) -> Draft:
    """A touch whose id and times follow from its number."""
    at = START + timedelta(seconds=number)
    ms = int(at.timestamp() * 1000)
    id_ = f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7{number % 4096:03x}-8{number >> 12 & 0xFFF:03x}-{number:012x}"
    fields = {
        "card_key": f"felica:01020304{number:08X}",
        "direction": "in",
        "work_day": "2026-11-20",
        "assurance": "open",
        "reader": "scripted:ゲート\n1",
        "source": "card",
        "clock": {"skew_ms": None, "suspect": False},
        **payload,
    }
    return Draft(id_, EventType.TOUCH, site_id, rfc3339(at), rfc3339(at), fields)


def drafts(count: int, first: int = 1) -> list[Draft]:
    return [draft(n) for n in range(first, first + count)]


class Stores(NamedTuple):
    """An outbox and a roster store, and how events get in."""

    outbox: ports.Outbox
    roster: ports.RosterStore
    append: Callable[[Sequence[Draft]], object]
    look: Callable[[], dict[str, Settled]]


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(params=["memory", "store"])
def stores(request: pytest.FixtureRequest, tmp_path: Path, clock: StandingClock) -> Iterator[Stores]:
    with ExitStack() as stack:
        yield open_stores(request.param, tmp_path, clock, stack)


def open_stores(kind: str, folder: Path, clock: StandingClock, stack: ExitStack) -> Stores:
    if kind == "memory":
        memory = MemoryOutbox()
        return Stores(memory, MemoryRoster(), memory.append_many, memory.needing_look)
    db = stack.enter_context(Database.open(folder / "data" / "gate.db", bytes(range(32)), clock))
    outbox = Outbox(db)
    look = lambda: {one.id: one for _, one in outbox.needing_look()}  # noqa: E731
    return Stores(outbox, RosterStore(db), EventLog(db).append_many, look)


@pytest.fixture
def centre() -> Iterator[TinyCentre]:
    with TinyCentre() as running:
        running.logs |= {
            "/v1/sites": [],
            "/v1/sites/site-1/roster": [],
            "/v1/sites/site-1/events": [],
            "/v1/sites/site-1/work-records": [],
        }
        yield running
    assert running.wrongs == []


class MakeClient(Protocol):
    def __call__(self, url: str = ..., **changes: Any) -> CentreClient: ...


@pytest.fixture
def make_client(centre: TinyCentre, clock: StandingClock) -> Iterator[MakeClient]:
    made: list[CentreClient] = []

    def make(url: str = "", **changes: Any) -> CentreClient:
        options = {
            "timeouts": Timeouts(connect=2, base=5),
            "client_secret": lambda: centre.secret,
            "clock": clock,
            **changes,
        }
        one = CentreClient(url or centre.url, centre.station_id, user_agent="genba-touch/9.9", **options)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def client(make_client: MakeClient) -> CentreClient:
    return make_client()


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("sync"):
            thread.join(3)
            assert not thread.is_alive(), thread.name
