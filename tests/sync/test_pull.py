"""Centre → store: whole pages or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.outbox import feed_scope, records_scope, roster_scope
from app.store.roster import RosterStore
from app.sync import pull
from app.sync.http import CentreClient
from app.sync.pull import FEED_TYPES, Puller
from app.sync.trouble import BadAnswer, Forbidden, Offline
from tests.helpers.tiny_centre import Reply, Seen, TinyCentre
from tests.sync.conftest import StandingClock, Stores, draft
from tests.sync.memory_store import MemoryRoster

ROSTER = "/v1/sites/site-1/roster"
FEED = "/v1/sites/site-1/events"


@pytest.fixture
def puller(client: CentreClient, stores: Stores, clock: StandingClock) -> Puller:
    return Puller(client, stores.roster, clock)


def worker(number: int, **fields: Any) -> dict[str, Any]:
    return {"kind": "worker", "id": f"{number:014}", "deleted": False, "name": f"技能者 {number}", **fields}


def feed_item(receipt: int, kind: str = "headcount", payload: Any = None, **fields: Any) -> dict[str, Any]:
    event = draft(receipt).numbered(receipt).as_wire()
    payload = payload if payload is not None else {"company_id": "c", "day": "2026-11-20", "count": 3, "by": "op"}
    return {"receipt": receipt, "station_id": "st-2", "event": {**event, "type": kind, "payload": payload, **fields}}


def known(stores: Stores) -> int:
    if isinstance(stores.roster, MemoryRoster):
        return len(stores.roster.items) + len(stores.roster.feed)
    assert isinstance(stores.roster, RosterStore)
    return len(stores.roster.load("site-1").workers)


def test_all_pages_come_and_then_nothing_new(
    centre: TinyCentre, stores: Stores, puller: Puller, clock: StandingClock
) -> None:
    centre.logs[ROSTER] = [worker(n) for n in range(10)]
    assert puller.never_pulled("site-1")
    assert puller.roster("site-1") == 10
    assert known(stores) == 10
    assert not puller.never_pulled("site-1")
    asked = len(centre.calls("/roster"))
    assert asked == 4
    clock.advance(60)
    assert puller.roster("site-1") == 0
    assert len(centre.calls("/roster")) == asked + 1
    assert centre.seen[-1].headers["if-none-match"] == '"v10"'
    assert stores.roster.roster_at("site-1") == clock.now()
    centre.logs[ROSTER] += [worker(3, name="改名"), {"kind": "worker", "id": f"{4:014}", "deleted": True}]
    assert puller.roster("site-1") == 2
    assert known(stores) == 9


def test_a_pull_that_is_cut_goes_on_where_it_was(centre: TinyCentre, stores: Stores, puller: Puller) -> None:
    """The tiny centre's ETag stands for the whole list: sent too early it would hide the other pages."""
    centre.logs[ROSTER] = [worker(n) for n in range(10)]
    pages = iter(range(2))
    centre.before = lambda seen: (
        None if "roster" not in seen.path or next(pages, None) is not None else Reply(0, drop=True)
    )
    with pytest.raises(Offline):
        puller.roster("site-1")
    assert known(stores) == 6
    centre.before = lambda seen: None
    assert puller.roster("site-1") == 4
    assert known(stores) == 10


def test_unknown_kinds_and_fields_are_passed_over(centre: TinyCentre, stores: Stores, puller: Puller) -> None:
    drone = {"kind": "drone", "id": "d", "deleted": False, "wings": 1.5}
    centre.logs[ROSTER] = [drone, worker(1, shoe_size=27)]
    assert puller.roster("site-1") == 1
    centre.logs["/v1/sites"] = [{"kind": "site", "id": "site-1", "deleted": False, "name": "現場"}, drone]
    assert puller.sites() == 1


@pytest.mark.parametrize(
    "item",
    [
        worker(2, name=None),
        worker(2, level="4"),
        {"kind": "worker", "id": "2", "deleted": False},
        {"kind": "worker", "id": "", "deleted": False, "name": "x"},
        {"kind": "worker", "id": 2, "deleted": False, "name": "x"},
        {"kind": "worker", "deleted": True},
        {"kind": "worker", "id": "2", "name": "x"},
        {"id": "2", "deleted": False},
        {"kind": "site", "id": "site-2", "deleted": False, "name": "x"},
        worker(1, name="another"),
    ],
)
@pytest.mark.parametrize("stores", ["memory"], indirect=True)  # refused before the store is asked
def test_a_page_with_one_bad_item_is_refused_whole(
    centre: TinyCentre, stores: Stores, puller: Puller, item: dict[str, Any]
) -> None:
    centre.logs[ROSTER] = [worker(1), item, worker(3)]
    with pytest.raises(BadAnswer) as caught:
        puller.roster("site-1")
    assert "$.items[1]" in caught.value.why
    assert known(stores) == 0
    assert stores.roster.cursor(roster_scope("site-1")) is None


@pytest.mark.parametrize(
    "page",
    [
        {"items": [], "cursor": "c", "more": True},
        {"items": [worker(1)], "cursor": "c", "more": False},
        {"items": [worker(1)], "cursor": "", "more": False},
    ],
)
@pytest.mark.parametrize("stores", ["memory"], indirect=True)  # refused before the store is asked
def test_a_page_that_contradicts_itself_is_refused(
    centre: TinyCentre, stores: Stores, puller: Puller, page: dict[str, Any]
) -> None:
    first = Reply.of({"items": [], "cursor": "c", "more": False})
    centre.before = lambda seen: first if "roster" in seen.path else None
    puller.roster("site-1")
    centre.before = lambda seen: Reply.of(page) if "roster" in seen.path else None
    with pytest.raises(BadAnswer):
        puller.roster("site-1")
    assert known(stores) == 0
    assert len(centre.calls("/roster")) == 2


def test_endless_pages_come_to_an_end(centre: TinyCentre, puller: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "MAX_PAGES", 20)
    count = iter(range(10_000))
    centre.before = lambda seen: (
        Reply.of({"items": [], "cursor": f"n{next(count)}", "more": True}) if "roster" in seen.path else None
    )
    assert puller.roster("site-1") == 0
    assert len(centre.calls("/roster")) == 20


def test_the_feed(centre: TinyCentre, stores: Stores, puller: Puller) -> None:
    centre.logs[FEED] = [
        feed_item(3),
        feed_item(4, "approval", {"entry": "e", "decision": "approved", "by": "op", "new": 1}),
        feed_item(7, "hologram", {"x": 1}),
        feed_item(8, "correction", {"target": "t", "op": "void", "reason": "", "by": "op"}),
    ]
    assert puller.feed("site-1") == 3
    assert centre.calls("/events")[0].query == {"types": ",".join(FEED_TYPES)}
    assert puller.feed("site-1") == 0
    assert stores.roster.cursor(feed_scope("site-1")) is not None


@pytest.mark.parametrize(
    "item",
    [
        feed_item(2, site_id="site-2"),
        feed_item(2, "approval", {"entry": "e", "decision": "maybe", "by": "op"}),
        feed_item(2, "entry", {"worker_id": "w"}),
        feed_item(2, id=""),
        feed_item(2, seq=0),
        feed_item(2, payload=[]),
        feed_item(1),
        {"receipt": 2, "station_id": "st-2", "event": {}},
        {"receipt": 2, "station_id": "st-2"},
    ],
)
@pytest.mark.parametrize("stores", ["memory"], indirect=True)  # refused before the store is asked
def test_a_feed_page_with_one_bad_event_is_refused_whole(
    centre: TinyCentre, stores: Stores, puller: Puller, item: dict[str, Any]
) -> None:
    centre.logs[FEED] = [feed_item(1), item]
    with pytest.raises(BadAnswer):
        puller.feed("site-1")
    assert stores.roster.cursor(feed_scope("site-1")) is None


def test_work_records(centre: TinyCentre, stores: Stores, puller: Puller) -> None:
    record = {"worker_id": "w", "work_day": "2026-11-19", "site_id": "site-1", "assurance": "open", "events": ["a"]}
    centre.logs["/v1/sites/site-1/work-records"] = [record, {**record, "work_day": "2026-11-18", "deleted": True}]
    assert puller.work_records("site-1", "2026-11") == 2
    assert stores.roster.cursor(records_scope("site-1", "2026-11")) is not None
    assert stores.roster.cursor(records_scope("site-1", "2026-10")) is None


def test_one_sites_refusal_does_not_stop_the_others(centre: TinyCentre, stores: Stores, puller: Puller) -> None:
    centre.logs[ROSTER] = [worker(1)]

    def before(seen: Seen) -> Reply | None:
        return Reply.problem(403, "site_closed") if "site-0" in seen.path else None

    centre.before = before
    with pytest.raises(Forbidden):
        puller.rosters(["site-0", "site-1"], None)
    assert known(stores) == 1
