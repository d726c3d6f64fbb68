"""A gate over a real store, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
import uuid_utils

from app.codec import convert
from app.domain.assurance import Assurance
from app.domain.roster import ROSTER_KINDS, Roster
from app.domain.site import Site
from app.gate.news import Announcement, News
from app.gate.policy import SecurePolicy
from app.gate.record import Recorder
from app.gate.service import GateService
from app.pins import PinGuard
from app.readers.port import CardSeen
from app.secrets import check_pin
from app.store.audit import AuditTrail
from app.store.backup import DiskSpace, SpaceLevel
from app.store.database import Database
from app.store.events import EventLog
from app.store.meta import Meta
from app.store.outbox import Outbox
from tests.helpers.fake_clock import FakeClock
from tests.helpers.tiny_site import tiny_site

PLURAL = {"company": "companies", "calendar": "calendar"}


def roster_of(site_file: dict[str, list[dict[str, object]]]) -> Roster:
    """The domain's view of a site file."""
    items = [
        convert(item, shape)
        for kind, shape in ROSTER_KINDS.items()
        for item in site_file.get(PLURAL.get(kind, f"{kind}s"), [])
    ]
    return Roster.of(items)


@dataclass
class Source:
    """Implements `RosterSource`; tests change what it holds."""

    file: dict[str, list[dict[str, object]]]
    at: datetime
    changes: int = 0

    def site(self) -> Site:
        return convert(self.file["site"], Site)

    def roster(self) -> Roster:
        return roster_of(self.file)

    def roster_at(self) -> datetime | None:
        return self.at

    def own_changes(self) -> int:
        return self.changes


@dataclass
class Bench:
    """The gate, what it is made of, and what it said."""

    gate: GateService
    clock: FakeClock
    source: Source
    db: Database
    log: EventLog
    outbox: Outbox
    disk: list[DiskSpace]
    news: list[News] = field(default_factory=list)
    woken: list[int] = field(default_factory=list)

    def card(self, key: str, assurance: Assurance = Assurance.UID, reader: str = "test:1") -> Announcement:
        """Put a card on; what the gate announced."""
        before = len(self.told())
        self.gate.on_reader_event(CardSeen(reader, key, assurance, self.clock.now()))
        self.gate.settle()
        told = self.told()
        assert len(told) == before + 1, self.news
        return told[-1]

    def told(self) -> list[Announcement]:
        return [news for news in self.news if isinstance(news, Announcement)]

    def last(self, kind: type) -> object:
        """The latest news of a kind."""
        self.gate.settle()
        self.gate.settle()
        return [news for news in self.news if isinstance(news, kind)][-1]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = FakeClock()
    source = Source(tiny_site(workers=6, suppress_seconds=60), clock.now())
    db = Database.open(tmp_path / "data" / "genba-touch.db", bytes(range(32)), clock)
    log = EventLog(db)
    disk = [DiskSpace(10**12, 10**12, SpaceLevel.OK)]
    woken: list[int] = []
    gate = GateService(
        source=source,
        event_log=log,
        recorder=Recorder(log, clock, lambda: str(uuid_utils.uuid7())),
        pins=PinGuard(AuditTrail(db), clock, check_pin),
        clock=clock,
        disk=lambda: disk[0],
        key_file=False,
        on_stored=lambda: woken.append(1),
        policy=SecurePolicy(Meta(db)),
    )
    made = Bench(gate, clock, source, db, log, Outbox(db), disk=disk, woken=woken)
    gate.listen(made.news.append)
    gate.start()
    yield made
    gate.stop()
    db.close()
