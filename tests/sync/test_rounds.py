"""When the engine does what: by a clock that the test moves."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.domain.outbox import SyncState, roster_scope
from app.sync import schedule
from app.sync.http import CentreClient
from app.sync.rounds import Rounds
from app.sync.schedule import Pace
from app.sync.status import SyncStatus
from app.sync.wire import ReaderReport
from tests.helpers.tiny_centre import Reply, TinyCentre
from tests.sync.conftest import MakeClient, StandingClock, Stores, draft, drafts
from tests.sync.memory_store import MemoryOutbox, MemoryRoster

PACE = Pace(first_delay=0.0)


class Highest(random.Random):
    """Dice that always fall highest, so that waits are known."""

    def uniform(self, a: float, b: float) -> float:
        return b


@dataclass
class Told:
    statuses: list[SyncStatus] = field(default_factory=list)


@pytest.fixture
def told() -> Told:
    return Told()


Make = Callable[..., Rounds]


@pytest.fixture
def make(client: CentreClient, stores: Stores, clock: StandingClock, told: Told) -> Make:
    def build(pace: Pace = PACE, with_client: CentreClient = client) -> Rounds:
        rounds = Rounds(
            with_client,
            stores.outbox,
            stores.roster,
            clock,
            lambda: ["site-1"],
            lambda: [ReaderReport("pcsc:x", "リーダー", "ready")],
            "9.9",
            pace,
            told.statuses.append,
            Highest(),
            True,
        )
        rounds.start()
        return rounds

    return build


def now(rounds: Rounds) -> SyncStatus:
    """The status, for a type checker that thinks it cannot change."""
    return rounds.status


def down(centre: TinyCentre) -> None:
    centre.before = lambda seen: Reply(0, drop=True)


def up(centre: TinyCentre) -> None:
    centre.before = lambda seen: None


def answer(reply: Reply, path_end: str = "") -> Callable[..., Reply | None]:
    return lambda seen: reply if seen.path.endswith(path_end) and seen.path != "/v1/token" else None


def test_the_first_round_does_everything(centre: TinyCentre, stores: Stores, make: Make, told: Told) -> None:
    stores.append(drafts(3))
    rounds = make()
    wait = rounds.tick()
    status = rounds.status
    assert (status.pending, status.accepted, status.rejected, status.online) == (0, 3, 0, True)
    assert (status.chain_state, status.last_error, status.next_attempt_at, status.paused) == ("ok", None, None, "")
    assert status.last_sync_at is not None
    assert status.roster_at is not None
    assert status.skew_ms == 0
    assert told.statuses[-1] == status
    assert wait == pytest.approx(360)
    beat = centre.beats[0]
    assert (beat["pending"], beat["readers"][0]["condition"], beat["app_version"]) == (0, "ready", "9.9")


def test_a_touch_is_sent_at_once_and_nothing_else(centre: TinyCentre, stores: Stores, make: Make) -> None:
    rounds = make()
    rounds.tick()
    asked = len(centre.seen)
    stores.append([draft(1)])
    rounds.wake(frozenset({"touch"}))
    rounds.tick()
    assert len(centre.seen) == asked + 1
    assert rounds.status.accepted == 1


def test_each_job_has_its_own_interval(centre: TinyCentre, make: Make, clock: StandingClock) -> None:
    rounds = make()
    rounds.tick()
    for _ in range(12):
        clock.advance(361)
        rounds.tick()
    assert len(centre.beats) == 13
    assert len(centre.calls("/events")) == 13
    assert len(centre.calls("/roster")) == 2


def test_back_off_grows_to_its_cap_and_is_stored(
    centre: TinyCentre, stores: Stores, make: Make, clock: StandingClock
) -> None:
    stores.append([draft(1)])
    rounds = make()
    down(centre)
    waits = []
    for n in range(12):
        waits.append(rounds.tick())
        asked = len(centre.seen)
        assert asked == n + 1
        rounds.wake(frozenset({"touch"}))  # touches do not hurry a centre that is away
        clock.advance(waits[-1] - 0.5)
        rounds.tick()
        assert len(centre.seen) == asked
        clock.advance(0.6)
    assert waits[:4] == pytest.approx([4.0, 8.0, 16.0, 32.0])
    assert waits[-1] == pytest.approx(PACE.backoff_cap)
    state = stores.outbox.sync_state()
    assert state.failures == 12
    assert state.last_error == rounds.status.last_error == "sync.offline_cut"
    assert rounds.status.online is False
    assert rounds.status.pending == 1
    up(centre)
    rounds.tick()
    assert now(rounds).online is True
    assert stores.outbox.sync_state() == replace(SyncState(), last_sync_at=stores.outbox.sync_state().last_sync_at)


def test_a_restart_keeps_the_next_attempt(centre: TinyCentre, stores: Stores, make: Make, clock: StandingClock) -> None:
    stores.outbox.save_sync_state(SyncState(clock.now() + timedelta(seconds=100), 5, None, "sync.busy"))
    stores.append([draft(1)])
    rounds = make()
    assert rounds.status.last_error == "sync.busy"
    assert rounds.tick() == pytest.approx(100)
    assert centre.seen == []
    clock.advance(101)
    rounds.tick()
    assert rounds.status.accepted == 1


@pytest.mark.parametrize("jump", [timedelta(days=4000), timedelta(hours=5)])
def test_a_clock_that_jumped_does_not_postpone_for_ever(
    centre: TinyCentre, stores: Stores, make: Make, clock: StandingClock, jump: timedelta
) -> None:
    stores.outbox.save_sync_state(SyncState(clock.now() + jump, 5, None, "sync.busy"))
    rounds = make()
    assert rounds.tick() == pytest.approx(PACE.longest_hold)


def test_a_clock_that_is_set_back_while_waiting_changes_nothing(
    centre: TinyCentre, make: Make, clock: StandingClock
) -> None:
    rounds = make()
    down(centre)
    wait = rounds.tick()
    clock.wall -= timedelta(days=30)
    clock.advance(wait)
    up(centre)
    rounds.tick()
    assert rounds.status.online is True


def test_the_start_is_spread(centre: TinyCentre, make: Make, clock: StandingClock) -> None:
    rounds = make(Pace(first_delay=20.0))
    assert rounds.tick() == pytest.approx(20)
    assert centre.seen == []
    rounds.wake(frozenset({"now"}))
    rounds.tick()
    assert rounds.status.online is True


def test_the_networks_return_is_spread(centre: TinyCentre, make: Make, clock: StandingClock) -> None:
    rounds = make()
    down(centre)
    for _ in range(9):
        clock.advance(rounds.tick() + 0.1)
    assert rounds.tick() > 500
    up(centre)
    rounds._pace = Pace(first_delay=20.0)
    rounds.wake(frozenset({"network"}))
    assert rounds.tick() == pytest.approx(20)
    clock.advance(20)
    rounds.tick()
    assert rounds.status.online is True


def test_retry_after_is_obeyed_even_against_the_button(
    centre: TinyCentre, stores: Stores, make: Make, clock: StandingClock
) -> None:
    stores.append([draft(1)])
    rounds = make()
    centre.before = answer(Reply.problem(429, "", **{"Retry-After": "120"}))
    assert rounds.tick() == pytest.approx(120 + 1 + 12)
    assert rounds.status.next_attempt_at == clock.now() + timedelta(seconds=133)
    asked = len(centre.seen)
    assert rounds.status.held
    rounds.wake(frozenset({"now", "network", "touch"}))
    clock.advance(119)
    rounds.tick()
    assert len(centre.seen) == asked
    up(centre)
    clock.advance(15)
    rounds.tick()
    assert rounds.status.accepted == 1


def test_retry_after_as_a_date_does_not_need_a_right_clock(
    centre: TinyCentre, make: Make, clock: StandingClock
) -> None:
    rounds = make()
    clock.wall += timedelta(days=900)
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    centre.before = answer(Reply(503, b"", {"Retry-After": until}))
    assert 55 < rounds.tick() < 70


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply.problem(403, "station_revoked"), "sync.forbidden_station_revoked"),
        (Reply.problem(403, "brand_new"), "sync.forbidden"),
        (Reply.problem(401, "token_invalid"), "sync.auth_failed"),
    ],
)
@pytest.mark.parametrize("stores", ["memory"], indirect=True)
def test_no_permission_pauses_and_goes_on_slowly(
    centre: TinyCentre, stores: Stores, make: Make, clock: StandingClock, reply: Reply, code: str
) -> None:
    stores.append([draft(1)])
    rounds = make()
    centre.before = answer(reply, "/batch")
    assert rounds.tick() == pytest.approx(PACE.paused_every * 1.2)
    assert (rounds.status.paused, rounds.status.last_error, rounds.status.pending) == (code, code, 1)
    assert stores.outbox.sync_state().paused == code
    asked = len(centre.seen)
    rounds.wake(frozenset({"now"}))
    rounds.tick()
    assert len(centre.seen) > asked
    up(centre)
    clock.advance(PACE.paused_every * 1.2)
    rounds.tick()
    assert (rounds.status.paused, rounds.status.accepted) == ("", 1)


def test_a_program_too_old_pauses_and_keeps_everything(
    centre: TinyCentre, stores: Stores, make: Make, clock: StandingClock
) -> None:
    stores.append(drafts(3))
    centre.before = answer(Reply.problem(426, "upgrade_needed"))
    rounds = make()
    wait = rounds.tick()
    status = now(rounds)
    assert status.last_error == status.paused == "sync.upgrade_needed"
    assert status.online is True
    assert wait == pytest.approx(PACE.paused_every * 1.2)
    assert (status.pending, status.rejected) == (3, 0), "no row is blamed for it"
    assert [row.attempts for row in stores.outbox.next_batch(9, 10**6)] == [0, 0, 0]
    stores.append([draft(4)])
    up(centre)
    rounds.wake(frozenset({"now"}))
    rounds.tick()
    assert (now(rounds).pending, now(rounds).accepted, now(rounds).paused) == (0, 4, "")


def test_what_a_pull_brings_moves_the_changes(centre: TinyCentre, make: Make, clock: StandingClock) -> None:
    rounds = make()
    rounds.tick()
    before = rounds.status.changes
    payload = {"card_key": "felica:1", "worker_id": "w", "valid_from": "2026-11-20", "by": "op"}
    event = {**draft(7).numbered(7).as_wire(), "type": "card_binding", "payload": payload}
    centre.logs["/v1/sites/site-1/events"] = [{"receipt": 1, "station_id": "st-2", "event": event}]
    clock.advance(361)
    rounds.tick()
    assert now(rounds).changes == before + 1
    clock.advance(361)
    rounds.tick()
    assert now(rounds).changes == before + 1


def test_a_wait_of_the_push_alone_is_shown_too(centre: TinyCentre, stores: Stores, make: Make) -> None:
    stores.append([draft(1)])
    centre.before = answer(Reply.of({"results": "?"}), "/batch")
    rounds = make()
    rounds.tick()
    assert rounds.status.last_error == "sync.bad_answer"
    assert rounds.status.next_attempt_at is not None
    up(centre)
    rounds.wake(frozenset({"now"}))
    rounds.tick()
    assert now(rounds).next_attempt_at is None


def test_a_broken_roster_page_does_not_stop_touches(
    centre: TinyCentre, stores: Stores, make: Make, clock: StandingClock
) -> None:
    rounds = make()
    centre.before = answer(Reply.of({"items": 3}), "/roster")
    rounds.tick()
    assert rounds.status.last_error == "sync.bad_answer"
    assert rounds.status.next_attempt_at is None
    stores.append([draft(1)])
    rounds.wake(frozenset({"touch"}))
    rounds.tick()
    assert rounds.status.accepted == 1
    assert rounds.status.last_error == "sync.bad_answer"
    up(centre)
    clock.advance(10)
    rounds.tick()
    assert now(rounds).last_error is None
    assert now(rounds).roster_at == clock.now()


def test_a_bad_answer_to_a_push_is_not_hurried_by_touches(centre: TinyCentre, stores: Stores, make: Make) -> None:
    stores.append([draft(1)])
    rounds = make()
    centre.before = answer(Reply.of({"results": []}), "/batch")
    rounds.tick()
    asked = len(centre.calls("/batch"))
    rounds.wake(frozenset({"touch"}))
    rounds.tick()
    assert len(centre.calls("/batch")) == asked == 1
    assert (rounds.status.pending, rounds.status.last_error) == (1, "sync.bad_answer")


RUSH = datetime(2026, 11, 19, 22, 30, tzinfo=UTC)
"""7:30 in Japan."""


def test_rosters_wait_for_the_end_of_the_rush(
    centre: TinyCentre, stores: Stores, make: Make, clock: StandingClock
) -> None:
    rounds = make()
    rounds.tick()
    clock.wall = RUSH + timedelta(days=1)
    clock.ticks += 3 * 3600
    rounds.tick()
    assert len(centre.calls("/roster")) == 1
    assert len(centre.beats) == 2
    clock.advance(3600 + PACE.after_rush - 5)
    rounds.tick()
    assert len(centre.calls("/roster")) == 1
    clock.advance(10)
    rounds.tick()
    assert len(centre.calls("/roster")) == 2


def test_a_station_without_a_roster_does_not_wait(centre: TinyCentre, make: Make, clock: StandingClock) -> None:
    clock.wall = RUSH
    make().tick()
    assert len(centre.calls("/roster")) == 1


def test_who_asks_gets_the_roster_in_the_rush_too(centre: TinyCentre, make: Make, clock: StandingClock) -> None:
    clock.wall = RUSH
    rounds = make()
    rounds.tick()
    rounds.wake(frozenset({"now"}))
    rounds.tick()
    assert len(centre.calls("/roster")) == 1, "who wants touches sent does not ask for rosters"
    rounds.wake(frozenset({"roster"}))
    rounds.tick()
    assert len(centre.calls("/roster")) == 2


def test_a_bug_is_logged_shown_and_survived(
    centre: TinyCentre, stores: Stores, make: Make, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = make()
    rounds.tick()
    stores.append([draft(1)])
    broken = rounds._pusher.run
    rounds._pusher.run = lambda: 1 // 0  # type: ignore[method-assign,assignment,return-value]
    rounds.wake(frozenset({"touch"}))
    assert rounds.tick() > 0
    assert rounds.status.last_error == "sync.bug"
    assert "ZeroDivisionError" in caplog.text
    rounds._pusher.run = broken  # type: ignore[method-assign]
    clock.advance(PACE.backoff_cap)
    rounds.tick()
    assert (now(rounds).last_error, now(rounds).accepted) == (None, 1)


def test_a_listener_that_fails_harms_nothing(
    client: CentreClient, clock: StandingClock, caplog: pytest.LogCaptureFixture
) -> None:
    def listener(status: SyncStatus) -> None:
        raise RuntimeError("window is gone")

    box = MemoryOutbox()
    rounds = Rounds(client, box, MemoryRoster(), clock, list, list, "9.9", PACE, listener, random.Random(1), False)
    box.append_many([draft(1)])
    rounds.start()
    rounds.tick()
    assert rounds.status.accepted == 1
    assert "window is gone" in caplog.text


def test_once_does_everything_whatever_was_held_back(
    centre: TinyCentre, stores: Stores, make: Make, clock: StandingClock
) -> None:
    stores.outbox.save_sync_state(SyncState(clock.now() + timedelta(seconds=300), 5, None, "sync.busy"))
    stores.append(drafts(3))
    centre.verdict = lambda event: ("rejected", "too_late") if event["seq"] == 2 else ("accepted", None)
    centre.logs["/v1/sites/site-1/roster"] = [{"kind": "role", "id": "1", "deleted": False, "name": "職長"}]
    summary = make().once()
    assert (summary.accepted, summary.rejected, summary.conflict, summary.pulled) == (2, 1, 0, 1)
    assert (summary.pending, summary.error, summary.chain_state) == (0, None, "ok")
    assert stores.outbox.sync_state().next_attempt_at is None
    assert stores.roster.cursor(roster_scope("site-1")) is not None


def test_once_says_what_went_wrong(centre: TinyCentre, stores: Stores, make: Make) -> None:
    stores.append(drafts(3))
    down(centre)
    summary = make().once()
    assert summary.error is not None
    assert (summary.error.code, summary.pending, summary.accepted) == ("sync.offline_cut", 3, 0)


def test_a_small_state_is_not_written_for_every_touch(
    centre: TinyCentre, client: CentreClient, clock: StandingClock, make_client: MakeClient
) -> None:
    box = MemoryOutbox()
    dice = random.Random(1)
    rounds = Rounds(client, box, MemoryRoster(), clock, list, list, "9.9", PACE, lambda status: None, dice, False)
    rounds.start()
    for n in range(1, 31):
        box.append_many([draft(n)])
        rounds.wake(frozenset({"touch"}))
        rounds.tick()
        clock.advance(1)
    assert rounds.status.accepted == 30
    assert box.saves <= 2


def test_full_jitter_stays_between_nothing_and_the_cap() -> None:
    dice = random.Random(7)
    for n in (1, 5, 30, 10_000):
        waits = [schedule.backoff(n, PACE, dice) for _ in range(300)]
        top = min(PACE.backoff_cap, PACE.backoff_base * 2.0 ** min(n, 40))
        assert 0 <= min(waits) < top / 20
        assert top * 0.95 < max(waits) <= top


def test_months_are_japans() -> None:
    assert schedule.months(datetime(2026, 12, 31, 15, 0, tzinfo=UTC)) == ("2027-01", "2026-12")


def test_a_long_push_tells_of_itself_twice_a_second(
    centre: TinyCentre, make: Make, stores: Stores, clock: StandingClock, told: Told
) -> None:
    """And not after each batch: telling means counting all that waits."""
    stores.append(drafts(5000))
    seconds = iter([0.1] * 20)
    centre.before = lambda seen: clock.advance(next(seconds)) if seen.path.endswith("/batch") else None
    make().tick()
    pending = [status.pending for status in told.statuses]
    batches = [seen for seen in centre.seen if seen.path.endswith("/batch")]
    assert len(batches) >= 7
    assert pending[0] == 5000
    assert pending[1] == 4800  # the first batch at once
    assert pending[-1] == 0
    assert 1 <= sum(0 < count < 4800 for count in pending) <= len(batches) // 4
