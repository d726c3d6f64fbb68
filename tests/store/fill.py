"""Something in every table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.domain.events import EventType
from app.domain.outbox import Cursor, Settled, SyncState, records_scope, roster_scope
from app.store.audit import AuditTrail
from app.store.database import Database
from app.store.events import EventLog
from app.store.meta import Meta
from app.store.office import OfficeBook
from app.store.outbox import Outbox
from app.store.phones import Phone, PhoneStore
from app.store.roster import RosterStore
from app.sync.wire import FeedEvent
from tests.helpers.drafts import SITE, draft
from tests.helpers.tiny_site import tiny_site

AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
PLURALS = {"company": "companies", "calendar": "calendar"}
KINDS = ("worker", "company", "contract", "assignment", "card", "occupation", "role", "operator", "calendar", "target")


def items(workers: int = 3) -> list[dict[str, Any]]:
    """A small roster as it travels."""
    site = tiny_site(workers)
    return [{"kind": kind, "deleted": False, **item} for kind in KINDS for item in site[PLURALS.get(kind, f"{kind}s")]]


def feed_event(receipt: int, kind: EventType, id_: str | None = None, **payload: Any) -> FeedEvent:
    """An event of another station."""
    made = draft(kind, id_=id_, **payload)
    return FeedEvent(receipt, "station-2", made.numbered(receipt).as_wire())


def fill(db: Database) -> None:
    """A touch, an entry, one of each delivery state, a roster, a remote event, an audit line."""
    log, outbox, rosters = EventLog(db), Outbox(db), RosterStore(db)
    stored = [
        log.append(draft(worker_id="91000000000001")),
        log.append(draft(EventType.ENTRY, worker_id="91000000000002", work_day="2026-11-19", entered_by="gate")),
        log.append(draft(EventType.REFUSAL, minute=2)),
        log.append(draft(minute=3)),
    ]
    outbox.settle(
        [
            Settled(stored[0].id, "accepted"),
            Settled(stored[1].id, "rejected", "malformed", "worker_id"),
            Settled(stored[2].id, "conflict", "payload_differs"),
        ],
        AT,
    )
    outbox.save_sync_state(SyncState(AT, 3, AT, "sync.offline", ""))
    rosters.apply_page("sites", None, [{"kind": "site", "deleted": False, **tiny_site()["site"]}], Cursor("1"), AT)
    rosters.apply_page(roster_scope(SITE), SITE, items(), Cursor("2", "e"), AT)
    rosters.apply_page(
        records_scope(SITE, "2026-11"), SITE, [{"worker_id": "w", "work_day": "2026-11-20"}], Cursor("3"), AT
    )
    rosters.apply_feed(SITE, [feed_event(7, EventType.APPROVAL, entry="e", decision="approved")], Cursor("4"), AT)
    PhoneStore(db).put(Phone("0" * 16, bytes(32), "phone", None, None, False, AT, "op"))
    with db.hot() as connection:
        connection.execute("INSERT INTO import_row VALUES (4, 'at', 'phone:1', 'uid:04A1B2C3', 1, 1)")
        connection.execute(
            "INSERT INTO import_batch VALUES (1, 'at', 'test', 'phone:1', 's', '00', 1, 4, 4, 'f', 'at', 'at', '{}')"
        )
        connection.execute("INSERT INTO import_taken_back VALUES (1, 1, 4, 4, 'at', 'op', 'reason')")
    office = OfficeBook(db)
    office.set_aside(SITE, "91000000000001", "2026-11-19", True, "op")
    office.log_readers({"test:1": True}, AT)
    AuditTrail(db).record("leave_kiosk", ok=False)
    Meta(db).set("station_id", "station-1")
