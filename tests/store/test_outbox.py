"""The outbox: order, verdicts, and a state machine that knows what should be where."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from app.domain.events import GENESIS
from app.domain.outbox import OutboxCounts, Settled, SyncState
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from tests.helpers.drafts import START, draft
from tests.helpers.fake_clock import FakeClock
from tests.store.conftest import KEY, NAME

AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def seqs(outbox: Outbox, limit: int = 100, max_bytes: int = 10**6) -> list[int]:
    return [one.seq for one in outbox.next_batch(limit, max_bytes)]


def test_rows_that_failed_go_to_the_back(log: EventLog, outbox: Outbox) -> None:
    stored = log.append_many([draft(minute=n) for n in range(5)])
    outbox.count_failure([stored[0].id, stored[2].id])
    outbox.count_failure([stored[0].id])
    assert seqs(outbox) == [2, 4, 5, 3, 1]
    assert [one.attempts for one in outbox.next_batch(5, 10**6)] == [0, 0, 0, 1, 2]
    assert seqs(outbox, limit=2) == [2, 4]


def test_a_batch_fits_but_is_never_empty(log: EventLog, outbox: Outbox) -> None:
    assert outbox.next_batch(10, 10**6) == []
    log.append_many([draft(note="x" * 1000) for _ in range(3)])
    size = len(outbox.next_batch(1, 1)[0].body)
    assert seqs(outbox, max_bytes=1) == [1]
    assert seqs(outbox, max_bytes=2 * size) == [1, 2]
    assert seqs(outbox, max_bytes=2 * size - 1) == [1]


def test_verdicts_are_kept_and_only_waiting_rows_take_one(log: EventLog, outbox: Outbox) -> None:
    ids = [one.id for one in log.append_many([draft(minute=n) for n in range(4)])]
    outbox.settle([Settled(ids[0], "accepted"), Settled(ids[1], "rejected", "malformed", "worker_id")], AT)
    outbox.settle(
        [Settled(ids[0], "rejected", "late"), Settled("not ours", "accepted"), Settled(ids[2], "conflict")], AT
    )
    assert outbox.counts() == OutboxCounts(1, 1, 1, 1, START + timedelta(minutes=3))
    assert outbox.needing_look() == [
        (2, Settled(ids[1], "rejected", "malformed", "worker_id")),
        (3, Settled(ids[2], "conflict")),
    ]
    assert outbox.resend([ids[0], ids[1], "not ours", ids[3]]) == 1
    assert seqs(outbox) == [2, 4]
    assert outbox.resend([ids[1]]) == 0
    assert outbox.counts().rejected == 0


def test_a_state_that_settles_nothing_is_ours_to_fix(log: EventLog, outbox: Outbox) -> None:
    stored = log.append(draft())
    with pytest.raises(ValueError, match="waiting"):
        outbox.settle([Settled(stored.id, "accepted"), Settled(stored.id, "waiting")], AT)
    assert seqs(outbox) == [1]


def test_the_chains_hash(log: EventLog, outbox: Outbox) -> None:
    stored = log.append(draft())
    assert outbox.chain_hash(0) == GENESIS
    assert outbox.chain_hash(1) == stored.hash
    with pytest.raises(KeyError):
        outbox.chain_hash(2)


def test_the_engines_memory(outbox: Outbox) -> None:
    assert outbox.sync_state() == SyncState()
    for state in (SyncState(AT, 4, AT, "sync.offline", ""), SyncState(None, 0, AT, None, "revoked")):
        outbox.save_sync_state(state)
        assert outbox.sync_state() == state


@dataclass
class Row:
    """What the model knows of an event."""

    seq: int
    state: str = "waiting"
    attempts: int = 0


class OutboxMachine(RuleBasedStateMachine):
    """Appends, failures, verdicts (of ids that do not wait, too), resends and restarts, in any order."""

    ids = Bundle("ids")
    template: Path

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="genba-outbox-"))
        shutil.copytree(self.template, self.folder / "data")
        self.model: dict[str, Row] = {}
        self.start()

    def start(self) -> None:
        self.db = Database.open(self.folder / "data" / NAME, KEY, FakeClock())
        self.log, self.outbox = EventLog(self.db), Outbox(self.db)

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()
            shutil.rmtree(self.folder)

    @rule(target=ids)
    def append(self) -> str:
        stored = self.log.append(draft())
        self.model[stored.id] = Row(stored.seq)
        return stored.id

    @rule(which=st.lists(ids, max_size=3))
    def fail(self, which: list[str]) -> None:
        self.outbox.count_failure(which)
        for id_ in which:
            if self.model[id_].state == "waiting":
                self.model[id_].attempts += 1

    @rule(
        verdicts=st.lists(st.tuples(ids, st.sampled_from(["accepted", "rejected", "conflict"])), max_size=4),
        strange=st.booleans(),
    )
    def settle(self, verdicts: list[tuple[str, str]], strange: bool) -> None:
        self.outbox.settle(
            [Settled(id_, state) for id_, state in verdicts] + [Settled("strange", "accepted")] * strange, AT
        )
        for id_, state in verdicts:
            if self.model[id_].state == "waiting":
                self.model[id_].state = state

    @rule(which=st.lists(ids, max_size=3))
    def resend(self, which: list[str]) -> None:
        again = {id_ for id_ in which if self.model[id_].state in ("rejected", "conflict")}
        assert self.outbox.resend(which) == len(again)
        for id_ in again:
            self.model[id_] = Row(self.model[id_].seq)

    @rule()
    def restart(self) -> None:
        self.db.close()
        self.start()

    @invariant()
    def the_line_is_right(self) -> None:
        if not hasattr(self, "db"):
            return
        waiting = sorted((r.attempts, r.seq) for r in self.model.values() if r.state == "waiting")
        assert [(o.attempts, o.seq) for o in self.outbox.next_batch(1000, 10**7)] == waiting
        counts = self.outbox.counts()
        told = {"waiting": counts.pending, "accepted": counts.accepted}
        told |= {"rejected": counts.rejected, "conflict": counts.conflict}
        for state, number in told.items():
            assert number == sum(row.state == state for row in self.model.values())
        assert (counts.oldest_pending_at is None) == (not waiting)
        assert sorted(row.seq for row in self.model.values()) == list(range(1, len(self.model) + 1))
        assert self.log.verify_chain() is None


def test_any_order_of_things(empty_folder: Path) -> None:
    class Machine(OutboxMachine):
        template = empty_folder

    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(Machine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))
