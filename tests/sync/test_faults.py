"""Whatever the line does: each event accepted exactly once, and acknowledged ⊆ centre ⊆ captured."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import codec
from app.domain.outbox import OutboxCounts
from app.sync import push
from app.sync.address import Timeouts
from app.sync.push import Pusher
from app.sync.rounds import Rounds
from app.sync.schedule import Pace
from app.sync.trouble import BadAnswer, BadRequest, Busy, Offline, SomebodyInBetween
from app.sync.wire import BatchAnswer, ChainEnd, ChainState, EventVerdict, VerdictKind
from tests.helpers.fault_proxy import FAULTS, HARMLESS, TLS_FAULTS, FaultProxy
from tests.helpers.fault_tls import both_certificates
from tests.helpers.tiny_centre import TinyCentre
from tests.sync.conftest import MakeClient, StandingClock, Stores, drafts, open_stores
from tests.sync.memory_store import MemoryOutbox

TIMES = Timeouts(connect=3, base=3)


def delivered(stores: Stores, captured: set[str]) -> set[str]:
    """What the station believes to be at the centre: neither waiting nor needing a look."""
    waiting = {row.id for row in stores.outbox.next_batch(10_000, 10**9)}
    return captured - waiting - set(stores.look())


@pytest.mark.parametrize("seed", [20261121, 7])
def test_six_hundred_touches_through_a_bad_line(
    centre: TinyCentre,
    stores: Stores,
    make_client: MakeClient,
    clock: StandingClock,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    monkeypatch.setattr(push, "FIRST_LIMIT", 40)
    monkeypatch.setattr(push, "MAX_BATCH", 60)
    todo = drafts(600)
    captured: set[str] = set()
    dice = random.Random(seed)
    with FaultProxy(centre.port, seed, share=0.7) as proxy:

        def fresh() -> Rounds:
            client = make_client(proxy.url, timeouts=TIMES)
            pace = Pace(first_delay=0.0, feed_every=1e9, roster_every=1e9, heartbeat_every=1e9)
            rounds = Rounds(
                client, stores.outbox, stores.roster, clock, list, list, "9.9", pace, lambda status: None, dice, False
            )
            rounds.start()
            return rounds

        rounds = fresh()
        for step in range(600):
            if todo:
                some, todo = todo[:50], todo[50:]
                stores.append(some)
                captured |= {one.id for one in some}
                rounds.wake(frozenset({"touch"}))
            elif step == 300:
                proxy.quiet()
            clock.advance(rounds.tick() if rounds.status.pending else 1.0)
            with centre.lock:
                at_centre = set(centre.events)
            assert delivered(stores, captured) <= at_centre <= captured
            if not todo and stores.outbox.counts().pending == 0:
                break
            if step % 37 == 36:  # a crash: everything that is only in memory is gone
                rounds = fresh()
    assert stores.outbox.counts() == OutboxCounts(accepted=600)
    assert len(centre.events) == centre.head == 600
    assert set(centre.taken_times.values()) == {1}
    assert not centre.broken
    if seed == 20261121:
        assert sum(proxy.met[fault] > 0 for fault in FAULTS) >= 7, proxy.met


def test_each_fault_alone_is_survived(
    centre: TinyCentre, make_client: MakeClient, clock: StandingClock, tmp_path: Path
) -> None:
    """Nothing is settled by it (the centre may have the events or not), and everything once it is over."""
    tls, trusted = both_certificates(tmp_path)
    every = (*FAULTS, *TLS_FAULTS)
    for number, fault in enumerate(every):
        with ExitStack() as stack:
            stores = open_stores("memory", Path(), clock, stack)
            assert isinstance(stores.outbox, MemoryOutbox)
            some = drafts(20, first=1 + number * 20)
            stores.outbox.hashes += [b"?"] * (number * 20)  # the station's chain goes on where it was
            stores.outbox.hashes[-1] = centre.head_hash
            over = tls if fault in TLS_FAULTS else None
            proxy = stack.enter_context(FaultProxy(centre.port, 1, share=1.0, faults=(fault,), hang_s=4.0, tls=over))
            times = Timeouts(connect=3, base=0.5, bytes_per_s=1e9) if fault == "hang" else TIMES
            client = make_client(proxy.url, timeouts=times, ca_file=str(trusted) if over else None)
            stores.append(some)
            pusher = Pusher(client, stores.outbox, clock)
            if fault in HARMLESS:
                pusher.run()
            else:
                with pytest.raises((Offline, Busy, SomebodyInBetween)):
                    pusher.run()
                assert stores.outbox.counts().pending == 20
                proxy.quiet()
                pusher.run()
            assert proxy.faults_met()[fault] >= 1
            assert stores.outbox.counts() == OutboxCounts(accepted=20)
    assert len(centre.events) == 20 * len(every)
    assert set(centre.taken_times.values()) == {1}


class ScriptedCentre:
    """A centre without a line: every sort of answer that Hypothesis can think of."""

    host = "h"

    def __init__(self) -> None:
        self.have: dict[bytes, int] = {}
        self.script: list[tuple[str, int]] = []

    def push(self, events: Sequence[bytes], chain_end: ChainEnd | None) -> BatchAnswer:
        fault, number = self.script.pop(0) if self.script else ("ok", 0)
        ids = [codec.decode(body, dict)["id"] for body in events]
        if fault == "offline":
            raise Offline("cut")
        if fault == "busy":
            raise Busy(500 + number % 4)
        if fault == "422" and number % 3 == 0:
            raise BadRequest(422, "wrong_shape")
        for body in events:
            self.have[body] = self.have.get(body, 0) + 1
        if fault == "lost":
            raise Offline("cut")
        verdicts = [EventVerdict(id_, VerdictKind.ACCEPTED) for id_ in ids]
        place = number % len(verdicts)
        if fault == "missing":
            del verdicts[place]
        if fault == "strange":
            verdicts[place] = EventVerdict("x", VerdictKind.ACCEPTED)
        if fault == "twice":
            verdicts.append(verdicts[place])
        if fault == "shuffled":
            verdicts = verdicts[place:] + verdicts[:place]
        return BatchAnswer(verdicts, ChainEnd(0, "0" * 64), "", ChainState.OK)


@given(
    script=st.lists(
        st.tuples(
            st.sampled_from(["ok", "offline", "busy", "422", "lost", "missing", "strange", "twice", "shuffled"]),
            st.integers(0, 50),
        ),
        max_size=40,
    ),
    count=st.integers(1, 60),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_answer_makes_it_lose_or_invent_anything(script: list[tuple[str, int]], count: int) -> None:
    box, clock, centre = MemoryOutbox(), StandingClock(), ScriptedCentre()
    box.append_many(drafts(count))
    centre.script = list(script)
    pusher = Pusher(centre, box, clock)
    for _ in range(len(script) + 2):
        try:
            pusher.run()
        except (Offline, Busy, BadAnswer, BadRequest):
            pass
        taken = {box.rows[id_].body for id_, one in box.states.items() if one.state == "accepted"}
        assert taken <= set(centre.have)
    centre.script = []
    pusher.run()
    counts = box.counts()
    assert counts.pending == 0
    assert counts.accepted + counts.rejected == count
    box.resend(list(box.needing_look()))
    pusher.run()
    assert box.counts() == OutboxCounts(accepted=count)
    assert len(centre.have) == count
