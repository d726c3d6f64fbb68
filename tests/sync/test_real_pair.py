"""The client against the reference centre, over a socket and behind the fault proxy; the real store below it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from app.central.api import create_app
from app.central.database import CentralDatabase
from app.central.server import CentralServer
from app.central.settings import CentralSettings
from app.domain.events import rfc3339
from app.domain.outbox import OutboxCounts
from app.sync import push
from app.sync.address import Timeouts
from app.sync.enrol import enrol
from app.sync.http import CentreClient
from app.sync.rounds import Rounds
from app.sync.schedule import Pace
from app.sync.wire import EnrolAnswer
from tests.central.world import ACT, NOW, SITE, World
from tests.helpers.fault_proxy import FaultProxy
from tests.sync.conftest import StandingClock, Stores, draft, open_stores


class Pair:
    """A world with a server, and one enrolled station."""

    def __init__(self, world: World, server: CentralServer, stores: Stores, clock: StandingClock) -> None:
        self.world, self.server, self.stores, self.clock = world, server, stores, clock
        self.clients: list[CentreClient] = []
        self.who = EnrolAnswer("", "", ())
        self.who = enrol(self.client(server.url), world.code(), "installation-1", "門1", "9.9")

    def client(self, url: str) -> CentreClient:
        """A client of this station."""
        times = Timeouts(connect=3, base=8)
        self.clients.append(
            CentreClient(
                url, self.who.station_id, lambda: self.who.client_secret, self.clock, "genba-touch/9.9", timeouts=times
            )
        )
        return self.clients[-1]

    def rounds(self, url: str, pace: Pace | None = None) -> Rounds:
        """An engine without a thread."""
        rounds = Rounds(
            self.client(url),
            self.stores.outbox,
            self.stores.roster,
            self.clock,
            lambda: self.who.site_ids,
            list,
            "9.9",
            pace or Pace(first_delay=0.0),
            lambda status: None,
            random.Random(1),
            True,
        )
        rounds.start()
        return rounds

    def touches(self, count: int, first: int = 1) -> None:
        """Touches of the example site, stored in the outbox."""
        self.stores.append(
            [draft(n, SITE, card_key="felica:0123456789ABCDEF", reader="r") for n in range(first, first + count)]
        )


@pytest.fixture
def pair(tmp_path: Path, clock: StandingClock) -> Iterator[Pair]:
    with ExitStack() as stack:
        db = CentralDatabase.open(f"sqlite:///{tmp_path / 'central.db'}")
        stack.callback(db.close)
        world = World(db, tmp_path, settings=CentralSettings(page_size=4))
        world.load()
        server = CentralServer(world.app)
        server.start()
        stack.callback(server.stop)
        made = Pair(world, server, open_stores("store", tmp_path, clock, stack), clock)
        for client in made.clients:
            stack.callback(client.close)
        yield made
        for client in made.clients:
            client.close()


def test_a_whole_round(pair: Pair) -> None:
    pair.touches(30)
    rounds = pair.rounds(pair.server.url)
    rounds.tick()
    status = rounds.status
    assert (status.accepted, status.pending, status.last_error, status.chain_state) == (30, 0, None, "ok")
    assert status.roster_at is not None
    roster = pair.stores.roster.cursor(f"roster:{SITE}")
    assert roster is not None
    assert pair.clock.learned
    assert abs(pair.clock.learned[-1] - NOW) < timedelta(seconds=2)
    pair.clock.advance(4000)
    rounds.tick()
    assert rounds.status.last_error is None


def test_the_bad_line_between_the_real_two(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "FIRST_LIMIT", 25)
    pair.touches(300)
    with FaultProxy(pair.server.port, seed=11, share=0.6) as proxy:
        rounds = pair.rounds(proxy.url)
        for step in range(400):
            if step == 200:
                proxy.quiet()
            pair.clock.advance(rounds.tick())
            if rounds.status.pending == 0 and rounds.status.roster_at is not None:
                break
    assert pair.stores.outbox.counts() == OutboxCounts(accepted=300)
    assert rounds.status.chain_state == "ok"
    assert rfc3339(pair.clock.now())


def test_a_revoked_station_pauses(pair: Pair) -> None:
    from app.central.administration import revoke_station

    rounds = pair.rounds(pair.server.url)
    rounds.tick()
    revoke_station(pair.world.db, pair.world.clock, pair.who.station_id, ACT)
    pair.touches(1)
    rounds.wake(frozenset({"touch"}))
    rounds.tick()
    assert rounds.status.paused == rounds.status.last_error == "sync.forbidden_station_revoked"
    assert rounds.status.pending == 1


@pytest.mark.parametrize("code", ["too_many_requests", "busy"])
def test_a_wait_that_the_centre_asks_for_is_kept(pair: Pair, code: str) -> None:
    wild = code == "too_many_requests"
    settings = CentralSettings(burst=3, a_second=0.02) if wild else CentralSettings(most_requests=0)
    tight = CentralServer(create_app(pair.world.db, pair.world.clock, settings))
    tight.start()
    try:
        rounds = pair.rounds(tight.url, Pace(first_delay=0.0))
        rounds.tick()
        rounds.tick()
        status = rounds.status
        assert status.last_error == "sync.busy"
        assert status.next_attempt_at is not None
        asked = (status.next_attempt_at - pair.clock.now()).total_seconds()
        assert (45 if wild else 2) <= asked <= 135
        pair.touches(3)
        before = len(pair.clock.learned)
        rounds.wake(frozenset({"touch", "network", "now"}))  # nobody shortens it
        rounds.tick()
        assert len(pair.clock.learned) == before
        assert (rounds.status.pending, rounds.status.paused) == (3, "")
    finally:
        tight.stop()
    rounds = pair.rounds(pair.server.url)
    pair.clock.advance(200)
    rounds.tick()
    assert (rounds.status.accepted, rounds.status.pending, rounds.status.last_error) == (3, 0, None)


def test_an_old_program_keeps_storing_and_delivers_after_the_upgrade(pair: Pair) -> None:
    strict = CentralServer(create_app(pair.world.db, pair.world.clock, CentralSettings(oldest_version="10.0")))
    strict.start()
    try:
        rounds = pair.rounds(strict.url)  # it is 9.9
        pair.touches(2)
        rounds.tick()
        assert rounds.status.paused == rounds.status.last_error == "sync.upgrade_needed"
        pair.touches(2, first=3)
        rounds.wake(frozenset({"touch"}))
        rounds.tick()
        assert (rounds.status.pending, rounds.status.rejected) == (4, 0)
    finally:
        strict.stop()
    rounds = pair.rounds(pair.server.url)
    pair.clock.advance(4000)
    rounds.tick()
    assert (rounds.status.accepted, rounds.status.pending, rounds.status.paused) == (4, 0, "")
