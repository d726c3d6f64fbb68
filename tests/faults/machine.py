"""Two stations and a centre under every order of touches, kills, network faults, full disks and clocks that jump.

The real store, the real sync engine (its rounds, without a thread), the real centre over a socket, and the fault proxy
between them. A kill leaves what SIGKILL leaves: the database file and its WAL as they are at that statement.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from app.central import schema as t
from app.central.database import CentralDatabase
from app.central.server import CentralServer
from app.central.settings import CentralSettings
from app.codec import convert
from app.domain.assurance import Assurance
from app.domain.site import Site
from app.domain.verdict import ClockState
from app.errors import StorageTrouble
from app.gate.record import Recorder, Situation
from app.readers.port import CardSeen
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from app.sync.address import Timeouts
from app.sync.http import CentreClient
from app.sync.rounds import Rounds
from app.sync.schedule import Pace
from app.wiring.gate import new_event_id
from tests.central.world import World
from tests.gate.conftest import roster_of
from tests.helpers.fault_judge import compare_records
from tests.helpers.fault_proxy import FAULTS, FaultProxy
from tests.helpers.tiny_site import tiny_site
from tests.sync.conftest import StandingClock

KEY = bytes(range(32))
NAME = "gate.db"
PACE = Pace(first_delay=0.0, feed_every=1e9, roster_every=1e9, heartbeat_every=1e9)
PEOPLE = 6


class Killed(BaseException):
    """SIGKILL at a statement."""


class Mortal:
    """The store's writing connection, which may be killed before or after one of its next statements."""

    def __init__(self, real: Any, keep: Callable[[], None]) -> None:
        self.real, self.keep, self.left = real, keep, -1

    def _live(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.keep()
            raise Killed

    def execute(self, *args: Any) -> Any:
        self._live()
        done = self.real.execute(*args)
        self._live()
        return done

    def executemany(self, *args: Any) -> Any:
        self._live()
        done = self.real.executemany(*args)
        self._live()
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class Surroundings:
    """A centre that answers, shared by many examples (each has stations of its own), and a line to it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.db = CentralDatabase.open(url)
        self.world = World(self.db, folder, settings=CentralSettings(page_size=100))
        self.site = tiny_site(workers=PEOPLE, suppress_seconds=60)
        self.world.load(self.site)
        self.server = CentralServer(self.world.app)
        self.server.start()
        self.proxy = FaultProxy(self.server.port, 1, 0.0, busy_s=0).__enter__()
        self.template = folder / "template"
        Database.open(self.template / NAME, KEY, StandingClock()).close()

    @property
    def site_id(self) -> str:
        return str(self.site["site"]["id"])

    def close(self) -> None:
        self.proxy.__exit__()
        self.server.stop()
        self.db.close()


class Post:
    """One station: what a gate's process holds, and what its people saw."""

    def __init__(self, around: Surroundings, number: int) -> None:
        self.around = around
        self.who = around.world.station(around.site_id)
        self.clock = StandingClock()
        self.shown: list[str] = []
        self.captures = 0
        self.roster = roster_of(around.site)
        self.site = convert(around.site["site"], Site)
        self.base = Path(tempfile.mkdtemp(prefix=f"genba-post-{number}-"))
        self.folder = self.base / "0"
        shutil.copytree(around.template, self.folder)
        self.lives = 0
        self.start()

    def start(self) -> None:
        self.db = Database.open(self.folder / NAME, KEY, self.clock)
        self.mortal = Mortal(self.db._writer, self._keep)
        self.db._writer = self.mortal
        self.log, self.outbox = EventLog(self.db), Outbox(self.db)
        self.recorder = Recorder(self.log, self.clock, new_event_id)
        self.client = CentreClient(
            self.around.proxy.url,
            self.who.id,
            lambda: self.who.secret,
            self.clock,
            "genba-touch/9.9",
            timeouts=Timeouts(connect=3, base=5),
        )
        dice = random.Random(1)
        self.rounds = Rounds(
            self.client,
            self.outbox,
            RosterStore(self.db),
            self.clock,
            lambda: [self.around.site_id],
            list,
            "9.9",
            PACE,
            lambda status: None,
            dice,
            False,
        )
        self.rounds.start()

    def _keep(self) -> None:
        """What is on the disk at this moment becomes the next life's folder."""
        self.lives += 1
        self.next = self.base / str(self.lives)
        self.next.mkdir(mode=0o700)
        for file in self.folder.iterdir():
            if not file.name.endswith(("-shm", ".lock")):
                shutil.copyfile(file, self.next / file.name)

    def mortally(self, statement: int, act: Callable[[], None]) -> None:
        """Do something, and be killed at a statement of it (0: not at all)."""
        self.mortal.left = statement or -1
        try:
            act()
        except Killed:
            self.end()
            self.folder = self.next
            self.start()
        else:
            self.mortal.left = -1

    def end(self) -> None:
        self.mortal.left = -1
        self.client.close()
        self.db.close()

    def touch(self, person: int) -> None:
        """A card; what is announced is shown."""
        self.captures += 1
        key = str(self.around.site["cards"][person]["id"])
        now = Situation(self.site, self.roster, None, ClockState())
        seen = CardSeen("r", key, Assurance.UID, self.clock.now(), source="gate")
        try:
            told = self.recorder.card(seen, now)
        except StorageTrouble:
            return
        assert told.id is not None
        self.shown.append(told.id)
        self.rounds.wake(frozenset({"touch"}))

    def deliver(self, times: int) -> None:
        """Some rounds of the engine, with the waits between them."""
        for _ in range(times):
            self.clock.advance(self.rounds.tick() + 0.01)

    def local(self) -> dict[str, tuple[int, bytes, str]]:
        with self.db.looking() as sql:
            rows = sql.execute("SELECT e.id, e.seq, e.body, o.state FROM event e JOIN outbox o USING (seq)").fetchall()
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def central(self) -> dict[str, tuple[int, bytes]]:
        with self.around.db.read() as tx:
            query = select(t.event.c.id, t.event.c.seq, t.event.c.body).where(t.event.c.station_id == self.who.id)
            return {row.id: (row.seq, bytes(row.body)) for row in tx.execute(query)}


posts = st.integers(0, 1)
people = st.integers(0, PEOPLE - 1)
# 0: lives on; a touch has some 12 places to be killed at, a round of the engine some 20
statements = st.integers(0, 24)
faults = st.lists(st.sampled_from(["none", *FAULTS]), max_size=5)


class FaultMachine(RuleBasedStateMachine):
    """See the module. A subclass sets `around`."""

    around: ClassVar[Surroundings]

    @initialize()
    def open(self) -> None:
        self.sound = True
        self.posts = [Post(self.around, number) for number in range(2)]

    @rule(post=posts, cards=st.lists(people, min_size=1, max_size=6))
    def touches(self, post: int, cards: list[int]) -> None:
        for person in cards:
            self.posts[post].touch(person)
            self.posts[post].clock.advance(1.0)

    @rule(post=posts, person=people, statement=statements)
    def killed_while_touching(self, post: int, person: int, statement: int) -> None:
        it = self.posts[post]
        it.mortally(statement, lambda: it.touch(person))

    @rule(post=posts, faults=faults, statement=statements)
    def deliver(self, post: int, faults: list[str], statement: int) -> None:
        self.around.proxy.trouble(0.0)
        self.around.proxy.plan(faults)
        it = self.posts[post]
        it.mortally(statement, lambda: it.deliver(1 + len(faults)))

    @rule(post=posts, seconds=st.sampled_from([-400 * 86400, -86400, -3600, -1, 60, 3600, 86400, 400 * 86400]))
    def clock_jumps(self, post: int, seconds: int) -> None:
        self.posts[post].clock.wall += timedelta(seconds=seconds)

    @rule(post=posts)
    def disk_fills(self, post: int) -> None:
        sql = self.posts[post].mortal.real
        pages = sql.execute("PRAGMA page_count").fetchone()[0]
        sql.execute(f"PRAGMA max_page_count={pages}").fetchall()

    @rule(post=posts)
    def room_again(self, post: int) -> None:
        self.posts[post].mortal.real.execute("PRAGMA max_page_count=1073741823").fetchall()

    @rule(post=posts)
    def restarted(self, post: int) -> None:
        self.posts[post].end()
        self.posts[post].start()

    @invariant()
    def acknowledged_at_the_centre_stored(self) -> None:
        for it in getattr(self, "posts", ()):
            self.sound = False
            local, central = it.local(), it.central()
            assert set(it.shown) <= set(local), "shown as recorded and not stored"
            assert len(it.shown) == len(set(it.shown))
            assert {id_ for id_, row in local.items() if row[2] == "accepted"} <= set(central), "acknowledged too early"
            assert all(local[id_][:2] == row for id_, row in central.items()), "invented or altered"
            assert {row[2] for row in local.values()} <= {"accepted", "waiting"}
            assert len(local) <= it.captures, "stored more than was held out"
            assert sorted(row[0] for row in local.values()) == list(range(1, len(local) + 1))
            self.sound = True

    def teardown(self) -> None:
        try:
            if getattr(self, "sound", False):
                self.drained()
        finally:
            for it in getattr(self, "posts", ()):
                it.end()
                shutil.rmtree(it.base)

    def drained(self) -> None:
        """The faults are over: everything arrives, once, and the records are those of all touches."""
        self.around.proxy.trouble(0.0)
        for number, it in enumerate(self.posts):
            self.room_again(number)
            for _ in range(20):
                it.deliver(1)
                if it.outbox.counts().pending == 0:
                    break
            local, central = it.local(), it.central()
            assert it.outbox.counts().pending == 0, it.rounds.status
            assert {id_: row[:2] for id_, row in local.items()} == central
            assert it.log.verify_chain() is None
            with self.around.db.read() as tx:
                query = select(t.station.c.chain_seq, t.station.c.chain_broken).where(t.station.c.id == it.who.id)
                assert tuple(tx.execute(query).one()) == (len(local), False)
        with self.around.db.read() as tx:
            rows = tx.execute(select(t.event.c.body, t.event.c.received_at))
            events = [(json.loads(bytes(row.body)), row.received_at) for row in rows]
            records = tx.execute(select(t.work_record)).mappings().all()
        found = {(r["worker_id"], r["work_day"], r["site_id"]): set(json.loads(r["events"])) for r in records}
        assert compare_records(events, found) == []
        assert len({event["id"] for event, _ in events}) == len(events)
