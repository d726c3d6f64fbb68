"""What stations pull: sites, rosters, events made elsewhere, work records. Cursors are opaque and never expire.

A cursor is the last number seen ("c") and, in a gate's roster, the centre's day up to which its personal matters
were looked at ("d") and that its operators came without what is no gate's ("o"), as base64 of JSON.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, case, func, select

from app import codec
from app.central import schema as t
from app.central.access import Principal
from app.central.database import CentralDatabase
from app.central.refusals import Refused
from app.central.roster_items import RESIDENCE_DAYS
from app.clock import Clock
from app.domain.events import JST
from app.sync.wire import FeedEvent, FeedPage, Page, WireWorkRecord, WorkRecordPage

PERSONAL = ("insurance_confirmed", "residence_expires_on")
"""Fields of a worker that a gate is never told."""
GATE_ROLES = frozenset({"gate", "foreman"})
"""Roles of operators that act at a gate (docs/contract.md, "Who may say what"): it gets the PIN verifiers of no others,
since whoever has a gate's PC can try all short PINs on them."""
MAX_CURSOR = 200
_item_row = t.roster_item.c
_ITEM = (_item_row.kind, _item_row.id, _item_row.deleted, _item_row.fields, _item_row.change)
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a puller stands. `change`: last number seen; `day`: see the module; '' in the other feeds."""

    change: int = 0
    day: str = ""
    operators: bool = False
    """A gate's: what centres before this version gave away was taken back."""

    def text(self) -> str:
        """The opaque form."""
        value: dict[str, object] = {"c": self.change}
        if self.day:
            value |= {"d": self.day} | ({"o": 1} if self.operators else {})
        return base64.urlsafe_b64encode(codec.encode(value)).decode().rstrip("=")


def read_cursor(text: str | None) -> Cursor:
    """A cursor that we gave; none or an empty one is the beginning. Raises Refused."""
    if not text:
        return Cursor()
    try:
        if len(text) > MAX_CURSOR:
            raise Refused("bad_cursor")
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        value = codec.decode(base64.b64decode(padded, b"-_", validate=True), dict[str, Any])
        change, day = value["c"], value.get("d", "")
        if type(change) is not int or not 0 <= change < 2**53:
            raise Refused("bad_cursor")
        return Cursor(change, date.fromisoformat(day).isoformat() if day else "", value.get("o") == 1)
    except (UnicodeEncodeError, binascii.Error, codec.DecodeError, KeyError, ValueError, TypeError) as exc:
        raise Refused("bad_cursor") from exc


class Pages:
    """The four feeds. Any thread. `size`: items a page."""

    def __init__(self, db: CentralDatabase, clock: Clock, size: int) -> None:
        self._db = db
        self._clock = clock
        self._size = size

    def sites(self, who: Principal, cursor: str | None) -> Page:
        """Changes of this station's sites, sites given and withdrawn included. Raises Refused."""
        who.may_pull()
        at = read_cursor(cursor)
        gone = t.station_site.c.withdrawn | t.site.c.deleted
        change = case(
            (t.site.c.change > t.station_site.c.change, t.site.c.change), else_=t.station_site.c.change
        ).label("last_change")
        with self._db.read() as tx:
            rows = tx.execute(
                select(t.site.c.id, t.site.c.fields, t.site.c.closed_on, gone.label("gone"), change)
                .join(t.station_site, t.station_site.c.site_id == t.site.c.id)
                .where(t.station_site.c.station_id == who.client_id, change > at.change)
                .order_by(change, t.site.c.id)
            ).all()
        # a station has a few sites: always one page, so equal numbers cannot fall on a page's edge
        items = [_item("site", row.id, row.gone, row.fields) for row in rows]
        for item, row in zip(items, rows, strict=True):
            if row.closed_on and not row.gone:
                item["closes_on"] = row.closed_on
        last = rows[-1].last_change if rows else at.change
        return Page(items, Cursor(last).text(), False)

    def roster(self, who: Principal, site_id: str, cursor: str | None) -> Page:
        """Changes of a site's roster. Raises Refused.

        A gate is told `visit_office` instead of insurance and residence. That turns true as days pass, without any
        change of the item: so a gate's cursor also holds the day it was told for, and the last page of each pull
        brings the workers for whom it turned true since.
        """
        who.may_pull()
        who.require_site(site_id)
        at = read_cursor(cursor)
        today = self._clock.now().astimezone(JST).date().isoformat()
        gate = who.role != "office"
        if gate != bool(at.day):  # the station's role changed since: everything again, with other fields
            at = Cursor()
        clean = at.operators or at.change == 0
        since = (at.day or today) if gate else ""
        columns = select(*_ITEM).where(t.roster_item.c.site_id == site_id)
        with self._db.read() as tx:
            rows = list(
                tx.execute(
                    columns.where(t.roster_item.c.change > at.change)
                    .order_by(t.roster_item.c.change)
                    .limit(self._size + 1)
                )
            )
            more = len(rows) > self._size
            rows = rows[: self._size]
            last = rows[-1].change if rows else at.change
            have = {(r.kind, r.id) for r in rows}
            if gate and not more and since < today:
                rows += _newly_due(tx, site_id, since, today, have)
            if gate and not more and not clean:
                rows += _operators(tx, site_id, have)
        items = [_item(r.kind, r.id, r.deleted, r.fields) for r in rows]
        if gate:
            items = [for_gate(item, today) for item in items]
        day = (since if more else today) if gate else ""
        return Page(items, Cursor(last, day, clean or not more).text(), more)

    def events(self, who: Principal, site_id: str, cursor: str | None, types: str | None) -> FeedPage:
        """Events of other stations at this site, by receipt.

        `types`: comma-separated, all when absent; one that this version does not know simply has no events.
        """
        who.may_pull()
        who.require_site(site_id)
        at = read_cursor(cursor)
        wanted = [name for name in (types or "").split(",") if name]
        here = t.event.c.site_id == site_id
        with self._db.read() as tx:
            top = tx.execute(select(func.max(t.event.c.receipt)).where(here)).scalar() or 0
            query = (
                select(t.event.c.receipt, t.event.c.station_id, t.event.c.body)
                .where(here, t.event.c.receipt > at.change, t.event.c.station_id != who.client_id)
                .order_by(t.event.c.receipt)
                .limit(self._size + 1)
            )
            rows = tx.execute(query.where(t.event.c.type.in_(wanted)) if wanted else query).all()
        more = len(rows) > self._size
        rows = rows[: self._size]
        items = [FeedEvent(r.receipt, r.station_id, codec.decode(r.body, dict[str, Any])) for r in rows]
        last = rows[-1].receipt if more else max(top, at.change)
        return FeedPage(items, Cursor(last).text(), more)

    def work_records(self, who: Principal, site_id: str, month: str | None, cursor: str | None) -> WorkRecordPage:
        """Changes of the site's work records, of one month of work days or of all. Raises Refused."""
        who.may_pull()
        who.require_site(site_id)
        at = read_cursor(cursor)
        c = t.work_record.c
        query = select(t.work_record).where(c.site_id == site_id, c.change > at.change)
        if month is not None:
            if not _MONTH.fullmatch(month):
                raise Refused("bad_parameter", "month: expected YYYY-MM")
            query = query.where(c.work_day.between(f"{month}-01", f"{month}-31"))
        with self._db.read() as tx:
            rows = tx.execute(query.order_by(c.change).limit(self._size + 1)).mappings().all()
        more = len(rows) > self._size
        rows = rows[: self._size]
        last = rows[-1]["change"] if rows else at.change
        return WorkRecordPage([_record(row) for row in rows], Cursor(last).text(), more)


def _newly_due(tx: Connection, site_id: str, since: str, today: str, have: Collection[tuple[str, str]]) -> list[Any]:
    rows = tx.execute(
        select(*_ITEM)
        .where(
            t.roster_item.c.site_id == site_id,
            t.roster_item.c.kind == "worker",
            t.roster_item.c.due_on > since,
            t.roster_item.c.due_on <= today,
        )
        .order_by(t.roster_item.c.id)
    )
    return [row for row in rows if (row.kind, row.id) not in have]


def _operators(tx: Connection, site_id: str, have: Collection[tuple[str, str]]) -> list[Any]:
    rows = tx.execute(
        select(*_ITEM)
        .where(t.roster_item.c.site_id == site_id, t.roster_item.c.kind == "operator", ~t.roster_item.c.deleted)
        .order_by(t.roster_item.c.id)
    )
    return [row for row in rows if (row.kind, row.id) not in have]


def for_gate(item: Mapping[str, Any], today: str) -> dict[str, Any]:
    """An item as a gate may see it on a day: a worker's personal fields become `visit_office`, and of operators who
    do not act at a gate the PIN verifier is left out."""
    if item["kind"] == "operator" and not item["deleted"] and not GATE_ROLES.intersection(item.get("roles") or ()):
        return {**item, "pin_verifier": ""}
    if item["kind"] != "worker" or item["deleted"]:
        return dict(item)
    ends = item.get("residence_expires_on")
    due = ends is not None and date.fromisoformat(ends) - date.fromisoformat(today) <= timedelta(days=RESIDENCE_DAYS)
    visit = bool(item.get("visit_office")) or item.get("insurance_confirmed") is False or due
    shown = {name: value for name, value in item.items() if name not in PERSONAL}
    return {**shown, "visit_office": visit}


def _item(kind: str, item_id: str, deleted: bool, fields: str) -> dict[str, Any]:
    if deleted:
        return {"kind": kind, "id": item_id, "deleted": True}
    return {**codec.decode(fields, dict[str, Any]), "kind": kind, "id": item_id, "deleted": False}


def _record(row: Mapping[Any, Any]) -> WireWorkRecord:
    values = {name: row[name] for name in _RECORD}
    events = tuple(codec.decode(row["events"], list[str]))
    return WireWorkRecord(**values, events=events, received_month=row["received_month"], deleted=not events)


_RECORD = (
    "worker_id",
    "work_day",
    "site_id",
    "assurance",
    "first_in",
    "last_out",
    "company_id",
    "occupation",
    "role",
)
