"""Work records at the centre: which ones new facts touch, and writing what `domain.work_records.derive` makes of them.

The rules are the domain's alone. Here is only the bookkeeping: `record_event` says in which record every event
counts now, so the facts of a record are those, plus what is new. Corrections, approvals and bindings act within
their own site.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, select

from app import codec
from app.central import schema as t
from app.central.event_shapes import as_event
from app.central.permission import backfill_from
from app.central.roster_items import Affected, roster_of
from app.central.sets import any_of, any_pair, insert_many, upsert_many
from app.central.sites import SiteNumbers
from app.domain.events import JST, Event, EventType
from app.domain.plain_touches import plain_records
from app.domain.work_records import Fact, WorkRecord, derive

DayKey = tuple[str, str]
"""Worker and work day, within one site."""

_COUNTED = (EventType.TOUCH.value, EventType.ENTRY.value)
_FACT = (t.event.c.receipt, t.event.c.body, t.event.c.received_at)
_DESCRIBING = ("company_id", "occupation", "role")
_SAYING = frozenset(
    kind.value for kind in (EventType.ENTRY, EventType.APPROVAL, EventType.CORRECTION, EventType.CARD_BINDING)
)
"""Types for which it takes `derive`; the others are touches, or count nowhere."""
_ACTING = (EventType.APPROVAL.value, EventType.CORRECTION.value, EventType.CARD_BINDING.value)


FIRST_DAY = "2000-01-01"
"""A work day before it is a clock that was never set: no such system existed."""


def fact(receipt: int, event: Event, received_at: str) -> Fact:
    """An event with its receipt, as `derive` takes it. `received_at`: as stored (RFC 3339 in UTC).

    A touch or entry whose work day cannot be (see `impossible_day`) is kept and counts nowhere until a correction
    sets its day: its day is left out here, which `derive` does not understand.
    """
    payload = event.payload
    if event.type in _COUNTED and impossible_day(str(payload.get("work_day")), received_at):
        payload = {name: value for name, value in payload.items() if name != "work_day"}
    return Fact(receipt, event.id, event.type, event.site_id, event.occurred_at, payload)


@lru_cache(maxsize=1024)
def impossible_day(work_day: str, received_at: str) -> bool:
    """Whether nobody can have worked on that day when the event was received: a station's clock had jumped.

    One day ahead is let through: a clock that is a little fast, around midnight.
    """
    received = datetime.fromisoformat(received_at).astimezone(JST).date()
    return not FIRST_DAY <= work_day <= (received + timedelta(days=1)).isoformat()


def after_events(tx: Connection, numbers: SiteNumbers, new: Collection[Fact], now: datetime) -> None:
    """Derive again what the newly accepted facts of one site touch (they are in the `event` table already)."""
    if _plainly(tx, numbers, new, now):
        return
    seeds = {f.id: f for f in new if f.type in _COUNTED}
    named = {str(f.payload["entry"]) for f in new if f.type == EventType.APPROVAL}
    card_keys = {str(f.payload["card_key"]) for f in new if f.type == EventType.CARD_BINDING}
    targets = {str(f.payload["target"]) for f in new if f.type == EventType.CORRECTION} - seeds.keys()
    for target in _by_id(tx, numbers.site_id, targets):
        if target.type in _COUNTED:
            seeds[target.id] = target
        elif target.type == EventType.APPROVAL:
            named.add(str(target.payload["entry"]))
        elif target.type == EventType.CARD_BINDING:
            card_keys.add(str(target.payload["card_key"]))
    seeds |= {f.id: f for f in _by_id(tx, numbers.site_id, named - seeds.keys()) if f.type in _COUNTED}
    seeds |= {f.id: f for f in _about(tx, numbers.site_id, [EventType.TOUCH.value], card_keys)}
    _rederive(tx, numbers, seeds, set(), now)


def _plainly(tx: Connection, numbers: SiteNumbers, new: Collection[Fact], now: datetime) -> bool:
    """The common case in bulk: touches that name their workers, on days whose records are made of such touches too.

    False: not the case, and nothing was done.
    """
    touches = [f for f in new if f.type == EventType.TOUCH]
    if any(f.type in _SAYING for f in new) or not all(f.payload.get("worker_id") for f in touches):
        return False
    keys = {(str(f.payload["worker_id"]), str(f.payload["work_day"])) for f in touches if "work_day" in f.payload}
    if not keys:
        return True
    known = _known(tx, numbers.site_id, keys)
    stored = _by_id(tx, numbers.site_id, {id_ for row in known.values() for id_ in _ids(row["events"])})
    facts = [*touches, *stored]
    if _corrected(tx, numbers.site_id, [f.id for f in facts]):
        return False
    records = plain_records(facts, roster_of(tx, numbers.site_id, (), {worker for worker, _ in keys}))
    if records is None:
        return False
    _write(tx, numbers, known, keys, {(r.worker_id, r.work_day): r for r in records}, now, "")
    return True


def _corrected(tx: Connection, site_id: str, ids: Collection[str]) -> bool:
    """Whether a correction names one of these events."""
    c = t.event.c
    said = select(c.receipt).where(c.site_id == site_id, c.type == EventType.CORRECTION.value).limit(1)
    return (
        tx.execute(said).first() is not None and tx.execute(said.where(any_of(tx, c.subject, ids))).first() is not None
    )


def after_roster(tx: Connection, numbers: SiteNumbers, affected: Affected, now: datetime) -> None:
    """Derive again what changed cards and assignments touch.

    遡及修正 reaches back two months: older records that stand keep their company, 職種 and 立場, whatever the roster
    says now. A record that comes to stand (a card got its worker) is told what the roster says.
    """
    seeds = {f.id: f for f in _about(tx, numbers.site_id, [EventType.TOUCH.value], affected.card_keys)}
    keys: set[DayKey] = set()
    if affected.workers:
        rows = tx.execute(
            select(t.record_event.c.worker_id, t.record_event.c.work_day)
            .where(
                t.record_event.c.site_id == numbers.site_id,
                any_of(tx, t.record_event.c.worker_id, affected.workers),
            )
            .distinct()
        )
        keys = {(row.worker_id, row.work_day) for row in rows}
    _rederive(tx, numbers, seeds, keys, now, backfill_from(now.astimezone(JST).date()))


def _rederive(
    tx: Connection,
    numbers: SiteNumbers,
    seeds: Mapping[str, Fact],
    keys: set[DayKey],
    now: datetime,
    described_from: str = "",
) -> None:
    """`described_from`: the first work day whose standing records are described anew by the roster; '': all."""
    if not seeds and not keys:
        return
    first = derive(*_world(tx, numbers.site_id, seeds.values())) if seeds else []
    keys = keys | {(r.worker_id, r.work_day) for r in first} | _keys_of(tx, seeds.keys())
    if not keys:
        return
    counted = _events_of(tx, numbers.site_id, keys)
    others = _by_id(tx, numbers.site_id, counted - seeds.keys())
    records = derive(*_world(tx, numbers.site_id, [*seeds.values(), *others])) if others else first
    known = _known(tx, numbers.site_id, keys)
    _write(tx, numbers, known, keys, {(r.worker_id, r.work_day): r for r in records}, now, described_from)


def _world(tx: Connection, site_id: str, counted: Collection[Fact]) -> tuple[list[Fact], Any]:
    """Those touches and entries with everything that acts on them, and the part of the roster they need."""
    card_keys = {str(f.payload["card_key"]) for f in counted if f.type == EventType.TOUCH}
    acting = _about(tx, site_id, _ACTING, {f.id for f in counted} | card_keys)
    fixable = {f.id for f in acting if f.type != EventType.CORRECTION}
    acting += _about(tx, site_id, [EventType.CORRECTION.value], fixable)
    facts = [*counted, *acting]
    workers = {str(f.payload.get("worker_id")) for f in facts}
    workers |= {str((f.payload.get("fields") or {}).get("worker_id")) for f in acting if f.type == EventType.CORRECTION}
    unnamed = {
        str(f.payload["card_key"]) for f in counted if not f.payload.get("worker_id") and "card_key" in f.payload
    }
    return facts, roster_of(tx, site_id, unnamed, workers - {"None"})


def _facts(rows: Iterable[Any]) -> list[Fact]:
    return [fact(row.receipt, as_event(row.body), row.received_at) for row in rows]


def _by_id(tx: Connection, site_id: str, ids: Collection[str]) -> list[Fact]:
    if not ids:
        return []
    return _facts(tx.execute(select(*_FACT).where(any_of(tx, t.event.c.id, ids), t.event.c.site_id == site_id)))


def _about(tx: Connection, site_id: str, types: Collection[str], subjects: Collection[str]) -> list[Fact]:
    if not subjects:
        return []
    return _facts(
        tx.execute(
            select(*_FACT).where(
                t.event.c.site_id == site_id, t.event.c.type.in_(types), any_of(tx, t.event.c.subject, subjects)
            )
        )
    )


def _keys_of(tx: Connection, event_ids: Collection[str]) -> set[DayKey]:
    if not event_ids:
        return set()
    rows = tx.execute(
        select(t.record_event.c.worker_id, t.record_event.c.work_day)
        .where(any_of(tx, t.record_event.c.event_id, event_ids))
        .distinct()
    )
    return {(row.worker_id, row.work_day) for row in rows}


def _events_of(tx: Connection, site_id: str, keys: Collection[DayKey]) -> set[str]:
    columns = (t.record_event.c.worker_id, t.record_event.c.work_day)
    return set(
        tx.execute(
            select(t.record_event.c.event_id).where(t.record_event.c.site_id == site_id, any_pair(tx, columns, keys))
        ).scalars()
    )


def _known(tx: Connection, site_id: str, keys: Collection[DayKey]) -> dict[DayKey, Mapping[str, Any]]:
    """The rows of these records as they stand."""
    columns = (t.work_record.c.worker_id, t.work_record.c.work_day)
    rows = tx.execute(select(t.work_record).where(t.work_record.c.site_id == site_id, any_pair(tx, columns, keys)))
    return {(row["worker_id"], row["work_day"]): dict(row) for row in rows.mappings()}


def _ids(events: str) -> list[str]:
    return codec.decode(events, list[str])


def _write(
    tx: Connection,
    numbers: SiteNumbers,
    known: Mapping[DayKey, Mapping[str, Any]],
    keys: set[DayKey],
    records: Mapping[DayKey, WorkRecord],
    now: datetime,
    described_from: str,
) -> None:
    """`known`: the rows of `keys` as they stand."""
    month = now.astimezone(JST).strftime("%Y-%m")
    changed: list[dict[str, Any]] = []
    stale: set[DayKey] = set()
    counted: list[dict[str, str]] = []
    for key in sorted(keys):
        old = known.get(key)
        row = _row(numbers.site_id, key, records.get(key), old)
        if row is not None and old is not None and key[1] < described_from and row["events"] == old["events"] != "[]":
            row |= {name: old[name] for name in _DESCRIBING}
        if row is None or (old is not None and all(old[name] == value for name, value in row.items())):
            continue
        after: tuple[str, ...] = ()
        if old is None or old["events"] != row["events"]:
            after = records[key].events if key in records else ()
            if old is not None:
                stale.add(key)
        where = {"site_id": row["site_id"], "worker_id": row["worker_id"], "work_day": row["work_day"]}
        counted += [{"event_id": id_, **where} for id_ in after]
        row |= {"change": numbers.next_record_change(), "received_month": old["received_month"] if old else month}
        changed.append(row)
    if stale:
        columns = (t.record_event.c.worker_id, t.record_event.c.work_day)
        tx.execute(
            t.record_event.delete().where(t.record_event.c.site_id == numbers.site_id, any_pair(tx, columns, stale))
        )
    upsert_many(tx, t.work_record, changed)
    insert_many(tx, t.record_event, counted)


def _row(site_id: str, key: DayKey, record: WorkRecord | None, old: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The record as a row without its numbers; a vanished one keeps its row with no events. None: nothing to say."""
    if record is None and old is None:
        return None
    worker_id, work_day = key
    if record is None:
        return {
            "site_id": site_id,
            "worker_id": worker_id,
            "work_day": work_day,
            "assurance": old["assurance"] if old else "",
            "first_in": None,
            "last_out": None,
            "company_id": None,
            "occupation": None,
            "role": None,
            "events": "[]",
        }
    return {
        "site_id": site_id,
        "worker_id": worker_id,
        "work_day": work_day,
        "assurance": record.assurance.value,
        "first_in": record.first_in,
        "last_out": record.last_out,
        "company_id": record.company_id,
        "occupation": record.occupation,
        "role": record.role,
        "events": codec.encode(record.events).decode(),
    }
