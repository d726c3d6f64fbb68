"""What is pulled, and our own changes over it."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.domain.events import EventType
from app.domain.outbox import SITES_SCOPE, Cursor, Settled, feed_scope, records_scope, roster_scope
from app.domain.roster import ROSTER_KINDS, Roster
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from app.sync.wire import FeedEvent
from tests.helpers.drafts import SITE, draft
from tests.store.fill import feed_event, items

AT = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
SCOPE = roster_scope(SITE)
W1, W2 = "91000000000001", "91000000000002"
CARD = "uid:04A1B2C3"
DAY = date(2026, 11, 20)


def pull(rosters: RosterStore, *some: dict[str, Any], at: datetime = AT, cursor: str = "c") -> None:
    rosters.apply_page(SCOPE, SITE, list(some), Cursor(cursor), at)


def item(kind: str, id_: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "id": id_, "deleted": False, **fields}


def change(kind: str, key: str, **fields: Any) -> Any:
    return draft(EventType.ROSTER_CHANGE, kind=kind, key=key, fields=fields, reason="", by="o1")


def binding(card: str, worker: str, since: str = "2026-11-01", **more: Any) -> Any:
    return draft(EventType.CARD_BINDING, card_key=card, worker_id=worker, valid_from=since, by="o1", **more)


def test_nothing_was_pulled_yet(rosters: RosterStore) -> None:
    assert rosters.cursor(SCOPE) is None
    assert rosters.roster_at(SITE) is None
    assert rosters.sites() == []
    assert rosters.load(SITE) == Roster()


def test_a_page_and_its_cursor(rosters: RosterStore) -> None:
    rosters.apply_page(SCOPE, SITE, items(3), Cursor("c1", "etag"), AT)
    roster = rosters.load(SITE)
    assert (len(roster.workers), len(roster.cards), len(roster.companies)) == (3, 3, 2)
    assert roster.tier("92000000000002") == 1
    assert rosters.cursor(SCOPE) == Cursor("c1", "etag")
    assert rosters.roster_at(SITE) == AT
    pull(rosters, item("worker", W1, name="新"), {"kind": "worker", "id": W2, "deleted": True}, at=LATER, cursor="c2")
    roster = rosters.load(SITE)
    assert roster.workers[W1].name == "新"
    assert W2 not in roster.workers
    assert rosters.cursor(SCOPE) == Cursor("c2", None)
    assert rosters.roster_at(SITE) == LATER
    rosters.confirm(SCOPE, LATER + timedelta(days=1))
    assert rosters.roster_at(SITE) == LATER + timedelta(days=1)
    assert rosters.load("elsewhere") == Roster()


def test_every_kind_comes_back(rosters: RosterStore) -> None:
    pull(
        rosters,
        item("operator", "o1", name="監督", roles=["approver"], pin_verifier="x"),
        item("calendar", "2026-11-23", day_kind="open", note="祝"),
        item("target", "t1", name="登録率", value_permille=900),
        *items(1),
    )
    roster = rosters.load(SITE)
    assert roster.operators["o1"].roles == ("approver",)
    assert roster.targets["t1"].value_permille == 900
    assert roster.calendar["2026-11-23"].day_kind == "open"
    assert set(ROSTER_KINDS) == {"worker", "company", "contract", "assignment", "card", "occupation", "role"} | {
        "operator",
        "calendar",
        "target",
    }


def test_sites(rosters: RosterStore) -> None:
    page = [item("site", "s2", name="二"), item("site", "s1", name="一", suppress_seconds=5, new_field=[1])]
    rosters.apply_page(SITES_SCOPE, None, page, Cursor("1"), AT)
    assert [(site.id, site.name, site.suppress_seconds) for site in rosters.sites()] == [
        ("s1", "一", 5),
        ("s2", "二", 60),
    ]
    rosters.apply_page(SITES_SCOPE, None, [{"kind": "site", "id": "s2", "deleted": True}], Cursor("2"), AT)
    assert [site.id for site in rosters.sites()] == ["s1"]


def test_what_cannot_be_read_is_left_out_and_told(rosters: RosterStore, caplog: pytest.LogCaptureFixture) -> None:
    pull(
        rosters,
        item("worker", W1, name="山田", from_the_future={"a": 1}),
        item("worker", W2, name=5),
        item("drone", "d1", name="?"),
        {"kind": "worker", "name": "no id"},
    )
    with caplog.at_level(logging.WARNING):
        roster = rosters.load(SITE)
    assert list(roster.workers) == [W1]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert "without its key" in told[0]
    assert "Worker" in told[1]
    assert "山田" not in "".join(told)


def test_own_changes_show_at_once_and_do_not_flicker(log: EventLog, outbox: Outbox, rosters: RosterStore) -> None:
    pull(rosters, item("worker", W1, name="旧", kana="キュウ"))
    stored = log.append(change("worker", W1, name="新"))
    log.append(change("worker", W2, name="追加"))
    gone = log.append(change("worker", W1, level=2))
    roster = rosters.load(SITE)
    assert (roster.workers[W1].name, roster.workers[W1].kana, roster.workers[W1].level) == ("新", "キュウ", 2)
    assert roster.workers[W2].name == "追加"
    outbox.settle([Settled(stored.id, "accepted"), Settled(gone.id, "rejected", "operator_not_allowed")], LATER)
    roster = rosters.load(SITE)
    # taken, but not pulled again yet: still there; refused: gone
    assert (roster.workers[W1].name, roster.workers[W1].level) == ("新", None)
    pull(rosters, item("worker", W1, name="中央", kana="キュウ"), at=LATER + timedelta(minutes=1))
    roster = rosters.load(SITE)
    assert roster.workers[W1].name == "中央"
    assert roster.workers[W2].name == "追加"


def test_an_own_deletion(log: EventLog, rosters: RosterStore) -> None:
    pull(rosters, item("worker", W1, name="山田"))
    log.append(change("worker", W1, deleted=True))
    assert rosters.load(SITE).workers == {}


class TestBindings:
    """A bound card is known at the gate, whoever bound it, until the roster says something of it."""

    def test_own_at_once_and_for_good(self, log: EventLog, outbox: Outbox, rosters: RosterStore) -> None:
        pull(rosters, item("worker", W1, name="山田"))
        stored = log.append(binding(CARD, W1))
        assert rosters.load(SITE, DAY).cards[CARD].worker_id == W1
        outbox.settle([Settled(stored.id, "accepted")], AT - timedelta(minutes=1))
        assert rosters.load(SITE, DAY).cards[CARD].worker_id == W1
        pull(rosters, item("card", CARD, worker_id=W2, stopped="lost"))
        card = rosters.load(SITE, DAY).cards[CARD]
        assert (card.worker_id, card.stopped) == (W2, "lost")

    def test_unsent_beats_the_roster_and_keeps_what_it_does_not_say(self, log: EventLog, rosters: RosterStore) -> None:
        pull(rosters, item("card", CARD, worker_id=W1, expires_on="2030-01-01"))
        log.append(binding(CARD, W1))
        assert rosters.load(SITE, DAY).cards[CARD].expires_on == "2030-01-01"
        log.append(binding(CARD, W2))
        card = rosters.load(SITE, DAY).cards[CARD]
        assert (card.worker_id, card.expires_on) == (W2, None)

    def test_from_another_station(self, rosters: RosterStore) -> None:
        def remote(receipt: int, worker: str, since: str) -> FeedEvent:
            return feed_event(
                receipt, EventType.CARD_BINDING, f"b{receipt}", card_key=CARD, worker_id=worker, valid_from=since
            )

        rosters.apply_feed(SITE, [remote(8, W1, "2026-11-02"), remote(9, W2, "2026-11-01")], Cursor("1"), AT)
        assert rosters.load(SITE, DAY).cards[CARD].worker_id == W1
        assert rosters.load(SITE, date(2026, 11, 1)).cards[CARD].worker_id == W2
        assert CARD not in rosters.load(SITE, date(2026, 10, 31)).cards
        void = feed_event(10, EventType.CORRECTION, target="b8", op="void")
        rosters.apply_feed(SITE, [void], Cursor("2"), AT)
        assert rosters.load(SITE, DAY).cards[CARD].worker_id == W2

    def test_corrected_and_taken_out(self, log: EventLog, rosters: RosterStore) -> None:
        stored = log.append(binding(CARD, W1))
        log.append(draft(EventType.CORRECTION, target=stored.id, op="set", fields={"worker_id": W2}))
        assert rosters.load(SITE, DAY).cards[CARD].worker_id == W2
        log.append(draft(EventType.CORRECTION, target=stored.id, op="void"))
        assert rosters.load(SITE, DAY).cards == {}

    def test_of_another_site_or_of_tomorrow(self, log: EventLog, rosters: RosterStore) -> None:
        log.append(binding(CARD, W1, site_id="elsewhere"))
        log.append(binding(CARD, W1, since="2026-11-21"))
        assert rosters.load(SITE).cards == {}
        assert list(rosters.load(SITE, date(2026, 11, 21)).cards) == [CARD]


def test_the_feed_takes_each_event_once(db: Database, log: EventLog, rosters: RosterStore) -> None:
    own = log.append(draft())
    mine_back = FeedEvent(4, "us", draft(id_=own.id).numbered(1).as_wire())
    one = feed_event(5, EventType.ENTRY, "e5", worker_id=W1, work_day="2026-11-19")
    same_event_again = FeedEvent(6, "station-2", one.event)
    rosters.apply_feed(SITE, [mine_back, one, one, same_event_again], Cursor("f1"), AT)
    rosters.apply_feed(SITE, [one], Cursor("f2"), AT)
    with db.looking() as connection:
        assert connection.execute("SELECT receipt, id FROM remote_event").fetchall() == [(5, "e5")]
    assert rosters.cursor(feed_scope(SITE)) == Cursor("f2")


def test_a_feed_event_of_another_shape_is_left_out(rosters: RosterStore, caplog: pytest.LogCaptureFixture) -> None:
    strange: list[dict[str, Any]] = [{}, {"id": "x", "type": "entry", "occurred_at": "t", "payload": None}]
    strange.append({"id": "y", "type": "drone", "occurred_at": "t", "payload": {"worker_id": 5}})
    with caplog.at_level(logging.WARNING):
        rosters.apply_feed(SITE, [FeedEvent(n, "s", one) for n, one in enumerate(strange, 1)], Cursor("f"), AT)
    assert len(caplog.records) == 2
    assert rosters.cursor(feed_scope(SITE)) == Cursor("f")


def test_the_centres_records(rosters: RosterStore) -> None:
    scope = records_scope(SITE, "2026-11")
    page = [
        {"worker_id": w, "work_day": f"2026-11-{d}", "site_id": SITE, "assurance": "uid"}
        for w, d in ((W2, 20), (W1, 20), (W1, 19))
    ]
    rosters.apply_page(scope, SITE, page, Cursor("1"), AT)
    rosters.apply_page(scope, SITE, [page[0] | {"assurance": "open"}], Cursor("2"), AT)
    found = rosters.centre_records(SITE, "2026-11")
    assert [(r["work_day"], r["worker_id"], r["assurance"]) for r in found] == [
        ("2026-11-19", W1, "uid"),
        ("2026-11-20", W1, "uid"),
        ("2026-11-20", W2, "open"),
    ]
    assert rosters.centre_records(SITE, "2026-12") == []
    assert rosters.cursor(scope) == Cursor("2")


def test_a_page_that_fails_leaves_items_and_cursor(rosters: RosterStore) -> None:
    pull(rosters, item("worker", W1, name="山田"))
    with pytest.raises(TypeError):
        pull(rosters, item("worker", W2, name="新"), item("worker", "x", name=object()), cursor="c2")
    assert list(rosters.load(SITE).workers) == [W1]
    assert rosters.cursor(SCOPE) == Cursor("c")
