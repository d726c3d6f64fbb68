"""Outbox → centre: what is settled, and what never is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.sync import push
from app.sync.http import CentreClient
from app.sync.push import ALONE_LIMIT, FIRST_LIMIT, Pusher
from app.sync.trouble import BadAnswer, BadRequest, Busy, Offline, SomebodyInBetween
from app.sync.wire import ChainState
from tests.helpers.tiny_centre import Reply, Seen, TinyCentre
from tests.sync.conftest import StandingClock, Stores, draft, drafts

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "wire"


@pytest.fixture
def pusher(client: CentreClient, stores: Stores, clock: StandingClock) -> Pusher:
    return Pusher(client, stores.outbox, clock)


def sizes(centre: TinyCentre) -> list[int]:
    return [len(json.loads(seen.body)["events"]) for seen in centre.calls("/batch")]


def refuse_ids(*bad: str, status: int = 422) -> Any:
    """The centre refuses every batch that holds one of these."""

    def before(seen: Seen) -> Reply | None:
        if seen.path == "/v1/events/batch" and any(event["id"] in bad for event in json.loads(seen.body)["events"]):
            return Reply.problem(status, "wrong_shape")
        return None

    return before


def test_everything_is_sent_once_in_order(centre: TinyCentre, stores: Stores, pusher: Pusher) -> None:
    stores.append(drafts(FIRST_LIMIT * 3 + 5))
    assert pusher.run()
    assert not pusher.run()
    assert sizes(centre) == [FIRST_LIMIT, FIRST_LIMIT * 2, 5]
    assert stores.outbox.counts().accepted == len(centre.events) == FIRST_LIMIT * 3 + 5
    assert centre.head == FIRST_LIMIT * 3 + 5
    assert pusher.chain_state is ChainState.OK


def test_the_bodies_on_the_wire_are_the_golden_ones(centre: TinyCentre, stores: Stores, pusher: Pusher) -> None:
    """Recorded once: the exact bytes of a batch request before packing. A change here is a change of the contract."""
    stores.append(
        [draft(1, worker_id="12345678901221"), draft(2, reader='引用"\\\u2028é'), draft(3, suppressed_by="x")]
    )
    pusher.run()
    sent = centre.calls("/batch")[0].body
    golden = GOLDEN / "batch-3-touches.json"
    assert sent == golden.read_bytes()


def test_nothing_waiting_asks_nothing(centre: TinyCentre, pusher: Pusher) -> None:
    assert not pusher.run()
    assert centre.seen == []


def test_verdicts_are_kept_and_rejected_rows_can_be_sent_again(
    centre: TinyCentre, stores: Stores, pusher: Pusher
) -> None:
    some = drafts(4)
    stores.append(some)
    answers = {some[1].id: ("rejected", "too_late")}
    centre.verdict = lambda event: answers.get(event["id"], ("accepted", None))
    pusher.run()
    assert (pusher.total.accepted, pusher.total.rejected) == (3, 1)
    look = stores.look()[some[1].id]
    assert (look.state, look.code, look.detail) == ("rejected", "too_late", "see there")
    assert centre.head == 4  # a rejected event has its place in the chain
    answers.clear()
    assert stores.outbox.resend([some[1].id]) == 1
    pusher.run()
    assert stores.outbox.counts().accepted == 4
    assert set(centre.taken_times.values()) == {1}


def test_a_lost_answer_is_a_duplicate_the_next_time(centre: TinyCentre, stores: Stores, pusher: Pusher) -> None:
    stores.append(drafts(3))
    centre.after = lambda seen, reply: Reply(0, drop=True) if "batch" in seen.path else reply
    with pytest.raises(Offline):
        pusher.run()
    assert stores.outbox.counts().pending == 3
    centre.after = lambda seen, reply: reply
    pusher.run()
    assert stores.outbox.counts().accepted == 3
    assert set(centre.taken_times.values()) == {1}


def test_the_same_id_with_other_content_is_a_conflict(centre: TinyCentre, stores: Stores, pusher: Pusher) -> None:
    one = draft(1)
    centre.events[one.id] = b"{}"
    stores.append([one])
    pusher.run()
    assert stores.look()[one.id].state == "conflict"
    assert pusher.total.conflict == 1


def twist(results: list[dict[str, Any]], how: str) -> list[dict[str, Any]]:
    other = {"id": draft(999).id, "verdict": "accepted"}
    twisted: dict[str, list[Any]] = {
        "none": [],
        "half": results[::2],
        "strange": [*results[1:], other],
        "one more": [*results, other],
        "twice": [*results, results[0]],
        "twice instead": [results[0], *results[:-1]],
        "verdict": [*results[1:], {**results[0], "verdict": "perhaps"}],
        "no verdict": [*results[1:], {"id": results[0]["id"]}],
        "shape": [*results[1:], "ok"],
    }
    return twisted[how]


@pytest.mark.parametrize(
    "how", ["none", "half", "strange", "one more", "twice", "twice instead", "verdict", "no verdict", "shape"]
)
@pytest.mark.parametrize("stores", ["memory"], indirect=True)  # refused before the store is asked
def test_an_answer_that_does_not_name_each_event_once_settles_nothing(
    centre: TinyCentre, stores: Stores, pusher: Pusher, how: str
) -> None:
    stores.append(drafts(5))

    def after(seen: Seen, reply: Reply) -> Reply:
        if "batch" not in seen.path:
            return reply
        answer = json.loads(reply.body)
        return Reply.of({**answer, "results": twist(answer["results"], how)})

    centre.after = after
    with pytest.raises(BadAnswer):
        pusher.run()
    counts = stores.outbox.counts()
    assert (counts.pending, counts.accepted, counts.rejected, counts.conflict) == (5, 0, 0, 0)
    centre.after = lambda seen, reply: reply
    pusher.run()
    assert stores.outbox.counts().accepted == 5


def test_a_captive_portal_acknowledges_nothing(centre: TinyCentre, stores: Stores, pusher: Pusher) -> None:
    stores.append(drafts(5))
    centre.before = lambda seen: Reply(200, b"<html>Welcome", {"Content-Type": "text/html"})
    with pytest.raises(SomebodyInBetween):
        pusher.run()
    assert stores.outbox.counts().pending == 5


@pytest.mark.parametrize("status", [400, 422])
def test_a_poisoned_row_is_found_and_put_aside(centre: TinyCentre, stores: Stores, pusher: Pusher, status: int) -> None:
    some = drafts(64)
    stores.append(some)
    centre.before = refuse_ids(some[17].id, some[40].id, status=status)
    pusher.run()
    assert set(stores.look()) == {some[17].id, some[40].id}
    assert {one.code for one in stores.look().values()} == {"wrong_shape"}
    counts = stores.outbox.counts()
    assert (counts.accepted, counts.rejected, counts.pending) == (62, 2, 0)
    assert len(centre.calls("/batch")) <= 27
    centre.before = lambda seen: None
    stores.outbox.resend([some[17].id, some[40].id])
    pusher.run()
    assert stores.outbox.counts().accepted == centre.head == 64


def test_a_foreign_422_blames_no_row(centre: TinyCentre, stores: Stores, pusher: Pusher) -> None:
    stores.append(drafts(2))
    centre.before = lambda seen: Reply.of({"error": "x"}, 422) if "batch" in seen.path else None
    with pytest.raises(SomebodyInBetween):
        pusher.run()
    assert stores.outbox.counts().pending == 2


def test_a_centre_that_refuses_everything_does_not_empty_the_outbox(
    centre: TinyCentre, stores: Stores, pusher: Pusher
) -> None:
    stores.append(drafts(40))
    centre.before = lambda seen: Reply.problem(422, "wrong_shape") if "batch" in seen.path else None
    for _ in range(3):
        with pytest.raises(BadRequest):
            pusher.run()
    counts = stores.outbox.counts()
    assert (counts.pending, counts.rejected) == (40 - ALONE_LIMIT, ALONE_LIMIT)
    centre.before = lambda seen: None
    pusher.run()
    assert stores.outbox.counts().accepted == 40 - ALONE_LIMIT


def test_too_large_is_halved(centre: TinyCentre, stores: Stores, pusher: Pusher) -> None:
    stores.append(drafts(100))

    def before(seen: Seen) -> Reply | None:
        if "batch" in seen.path and len(json.loads(seen.body)["events"]) > 20:
            return Reply(413, b"<html>nginx", {"Content-Type": "text/html"})
        return None

    centre.before = before
    pusher.run()
    assert stores.outbox.counts().accepted == 100
    assert max(sizes(centre)[-2:]) <= 20
    assert pusher.limit <= FIRST_LIMIT // 2


def test_batches_shrink_in_trouble_and_grow_again(centre: TinyCentre, stores: Stores, pusher: Pusher) -> None:
    stores.append(drafts(FIRST_LIMIT))
    centre.before = lambda seen: Reply.problem(503) if "batch" in seen.path else None
    for _ in range(3):
        with pytest.raises(Busy):
            pusher.run()
    assert pusher.limit == FIRST_LIMIT // 8
    centre.before = lambda seen: None
    pusher.run()
    assert sizes(centre)[3:] == [25, 50, 100, 25]
    assert pusher.limit == FIRST_LIMIT


def test_a_row_on_which_the_centre_crashes_goes_behind_the_others(
    centre: TinyCentre, stores: Stores, pusher: Pusher
) -> None:
    some = drafts(8)
    stores.append(some)
    centre.before = refuse_ids(some[0].id, status=500)
    for _ in range(14):
        try:
            pusher.run()
        except Busy:
            continue
    counts = stores.outbox.counts()
    assert (counts.accepted, counts.pending, counts.rejected) == (7, 1, 0)


def test_a_large_event_goes_alone(
    centre: TinyCentre, stores: Stores, pusher: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "MAX_BYTES", 1000)
    stores.append([draft(1, reader="x" * 2000), draft(2), draft(3)])
    pusher.run()
    assert sizes(centre) == [1, 2]
