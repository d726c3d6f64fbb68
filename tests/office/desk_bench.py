"""The office over a real store with a small site: touches by hand, a clock that stands still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uuid_utils

from app.domain.events import JST, Draft, EventType, rfc3339
from app.domain.outbox import Cursor, Settled, roster_scope
from app.office.desk import OfficeDesk
from app.office.month import Books
from app.office.shapes import SignedIn
from app.store.database import Database
from app.store.events import EventLog
from app.store.office import OfficeBook
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from tests.helpers.fake_clock import FakeClock
from tests.helpers.tiny_site import SITE_ID, tiny_site
from tests.store.fill import feed_event

OPERATORS = [
    {"id": "foreman-1", "name": "架空 職長", "roles": ["foreman"], "worker_id": "91000000000001"},
    {"id": "approver-1", "name": "架空 所長", "roles": ["approver"]},
    {"id": "approver-2", "name": "架空 職長", "roles": ["approver"], "worker_id": "91000000000001"},
    {"id": "office-1", "name": "架空 事務", "roles": ["office"]},
    {"id": "admin-1", "name": "架空 管理", "roles": ["administrator"]},
]
PLURAL = {"company": "companies", "calendar": "calendar"}
KINDS = ("company", "contract", "worker", "assignment", "card", "occupation", "role", "operator", "calendar", "target")


def worker(n: int) -> str:
    """Worker id of the nth person of the tiny site."""
    return f"9100000000{n:04d}"


@dataclass
class OfficeBench:
    """See the module. Today is Friday 2026-11-20, 07:40."""

    desk: OfficeDesk
    db: Database
    log: EventLog
    outbox: Outbox
    rosters: RosterStore
    book: OfficeBook
    clock: FakeClock
    receipt: int = 100

    def person(self, operator_id: str) -> SignedIn:
        """Sit down."""
        return self.desk.sign_in(operator_id)

    def touch(self, n: int, day: str, at: str = "07:45", direction: str = "in", **payload: Any) -> str:
        """The nth worker touches; the event's id."""
        moment = datetime.fromisoformat(f"{day}T{at}:00+09:00").astimezone(JST)
        usual = {
            "card_key": f"felica:{0x0140_0000_0000_0000 + n:016X}",
            "worker_id": worker(n),
            "direction": direction,
            "work_day": day,
            "assurance": "open",
            "reader": "r",
            "source": "gate",
            "clock": {"skew_ms": 0, "suspect": False},
        }
        made = Draft(
            str(uuid_utils.uuid7()), EventType.TOUCH, SITE_ID, rfc3339(moment), rfc3339(moment), usual | payload
        )
        return self.log.append(made).id

    def accept_all(self) -> None:
        """The centre has taken everything."""
        waiting = self.outbox.next_batch(1000, 10**7)
        self.outbox.settle([Settled(row.id, "accepted") for row in waiting], self.clock.now())

    def feed(self, kind: EventType, **payload: Any) -> str:
        """Something that another station has said."""
        self.receipt += 1
        item = feed_event(self.receipt, kind, **payload)
        self.rosters.apply_feed(SITE_ID, [item], Cursor(str(self.receipt)), self.clock.now())
        return str(item.event["id"])

    def roster(self, **changed: Any) -> None:
        """Pull the roster anew; `changed`: whole lists of a site file, or the site's settings."""
        site = tiny_site(8, **changed.pop("site", {})) | {"operators": OPERATORS} | changed
        items = [
            {"kind": kind, "deleted": False, **{("day_kind" if k == "kind" else k): v for k, v in item.items()}}
            for kind in KINDS
            for item in site[PLURAL.get(kind, f"{kind}s")]
        ]
        at = self.clock.now()
        with self.db.write() as connection:
            connection.exec_driver_sql("DELETE FROM roster_item")
        self.rosters.apply_page("sites", None, [{"kind": "site", "deleted": False, **site["site"]}], Cursor("1"), at)
        self.rosters.apply_page(roster_scope(SITE_ID), SITE_ID, items, Cursor("2"), at)
        self.desk.reload()


def make_bench(db: Database, clock: FakeClock) -> OfficeBench:
    """A bench on an open database."""
    log, rosters, book = EventLog(db), RosterStore(db), OfficeBook(db)
    site = {"kind": "site", "deleted": False, **tiny_site()["site"]}
    rosters.apply_page("sites", None, [site], Cursor("1"), clock.now())
    desk = OfficeDesk(Books(log, rosters, book), lambda: rosters.sites()[0], clock, lambda: str(uuid_utils.uuid7()))
    bench = OfficeBench(desk, db, log, Outbox(db), rosters, book, clock)
    bench.roster()
    return bench
