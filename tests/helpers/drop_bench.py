"""A centre, a stick, and stations with stores of their own: what tests of carried letters stand on."""

from __future__ import annotations

import random
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from app.central import drop
from app.central import schema as t
from app.drop_seal import Keys
from app.errors import EnvironmentTrouble, GenbaError
from app.store.database import Database
from app.store.events import EventLog
from app.store.meta import Meta
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from app.sync.enrol import enrol
from app.sync.file_drop import FileDrop
from app.sync.rounds import Rounds
from app.sync.schedule import Pace
from app.sync.status import SyncStatus
from tests.central.world import CARD, NOW, SITE, World
from tests.sync.conftest import StandingClock, draft


class Gate:
    """A station with its own store, on the stick."""

    def __init__(self, bench: Bench, number: int) -> None:
        self.bench, self.keys = bench, Keys.new()
        self.db = bench.stack.enter_context(
            Database.open(bench.folder / f"gate-{number}" / "gate.db", bytes(range(32)), bench.clock)
        )
        self.outbox, self.roster, self.log = Outbox(self.db), RosterStore(self.db), EventLog(self.db)
        self.number, self.made, self.station_id = number, 0, ""
        self.code = bench.world.code()
        self.rounds: Rounds | None = None
        self.error: GenbaError | None = None

    @property
    def me(self) -> str:
        return self.keys.public.fingerprint

    def client(self, memory: bool = True) -> FileDrop:
        bench = self.bench
        one = FileDrop(
            bench.stick.as_uri(),
            bench.centre_key,
            self.station_id,
            lambda: self.keys,
            bench.clock,
            "9.9",
            Meta(self.db) if memory else None,
        )
        bench.stack.callback(one.close)
        return one

    def enrol(self) -> str:
        answer = enrol(self.client(memory=False), self.code, f"installation-{self.number}", f"門{self.number}", "9.9")
        self.station_id = answer.station_id
        self.start()
        return answer.client_secret

    def start(self) -> None:
        """A new process over the same store."""
        self.rounds = Rounds(
            self.client(), self.outbox, self.roster, self.bench.clock, lambda: [SITE], list, "9.9",
            Pace(first_delay=0.0, backoff_cap=30.0), lambda status: None, random.Random(1), True,
        )  # fmt: skip

    def touch(self, count: int = 1) -> list[str]:
        """Touches of the known card."""
        first = self.made + 1
        self.made += count
        drafts = [
            draft(self.number * 1_000_000 + n, SITE, card_key=CARD, reader="r", work_day="2026-11-20")
            for n in range(first, self.made + 1)
        ]
        self.log.append_many(drafts)
        return [one.id for one in drafts]

    def trip(self) -> SyncStatus:
        """One round, and how things stand then; its error is in `error`."""
        assert self.rounds is not None
        self.error = self.rounds.once().error
        return self.rounds.status

    @property
    def code_said(self) -> str | None:
        """The last trip's error."""
        return self.error.code if self.error is not None else None

    @property
    def pending(self) -> int:
        return self.outbox.counts().pending


class Bench:
    """A centre, a stick, and gates."""

    def __init__(self, world: World, folder: Path, stack: ExitStack) -> None:
        self.world, self.folder, self.stack, self.clock = world, folder, stack, StandingClock()
        self.clock.wall = NOW
        self.page = 3
        self.stick = folder / "stick"
        self.stick.mkdir()
        public = drop.keys_of(world.db).public
        drop.prepare(self.stick, public)
        self.centre_key = public.text
        self.world.load()

    def gate(self, number: int = 1) -> Gate:
        """An enrolled one: two trips of the stick."""
        gate = Gate(self, number)
        with pytest.raises(EnvironmentTrouble, match="drop_enrol"):
            gate.enrol()
        assert [one.result for one in self.take() if gate.me in one.file] == ["enrolled"]
        gate.enrol()
        gate.trip()
        return gate

    def take(self) -> list[drop.Taken]:
        return drop.take_drop(self.world.db, self.world.clock, self.stick, self.page)

    def letters(self, prefix: str = "") -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in sorted(self.stick.glob(f"{prefix}*.gtd"))}

    def held(self) -> list[str]:
        with self.world.db.read() as tx:
            return list(tx.execute(select(t.event.c.id).order_by(t.event.c.receipt)).scalars())
