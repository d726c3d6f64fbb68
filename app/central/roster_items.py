"""Roster items as rows: read, compare, write with a new change number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from app import codec
from app.central import schema as t
from app.central.roster_rules import MAX_TIER, bad_id, bad_text
from app.central.sets import any_of, upsert_many
from app.central.sites import SiteNumbers
from app.domain import ids
from app.domain.roster import ROSTER_KINDS, Roster, RosterItem

RESIDENCE_DAYS = 30
"""Days before the end of 在留期間 from which a gate is told `visit_office`."""

_EARLIEST = "1900-01-01"
_DAYS = frozenset({"starts_on", "ends_on", "expires_on", "residence_expires_on"})

Fields = dict[str, Any]
Key = tuple[str, str]
"""Kind and id of an item."""


@dataclass
class Affected:
    """Whose work records may look different after a change of the roster."""

    workers: set[str] = field(default_factory=set)
    card_keys: set[str] = field(default_factory=set)


class ItemRefused(ValueError):
    """`args`: the field it is about ('' for the whole item), and what is wrong."""


def item(kind: str, item_id: str, values: Mapping[str, Any]) -> Any:
    """The domain's object of an item. Raises codec.DecodeError."""
    return codec.convert({**values, "id": item_id}, ROSTER_KINDS[kind])


def field_names(kind: str) -> frozenset[str]:
    """Fields an item of this kind may have beside its id, as they travel."""
    return frozenset(f.name for f in fields(ROSTER_KINDS[kind])) - {"id"}


def whole(kind: str, item_id: str, values: Mapping[str, Any]) -> Fields:
    """All fields of an item, defaults filled in, as they are kept and travel. Raises ItemRefused."""
    why = bad_id(kind, item_id) or (_unusable(item_id) if kind == "card" else None)
    if why is not None:
        raise ItemRefused("id", why)
    try:
        built = item(kind, item_id, values)
    except codec.DecodeError as exc:
        what, _, place = str(exc).partition(" - at `$")
        raise ItemRefused(place.removesuffix("`").lstrip("."), what) from exc
    for name in _DAYS & values.keys():
        if values[name] is not None and not is_day(values[name]):
            raise ItemRefused(name, "expected a day YYYY-MM-DD from 1900 on")
    if kind == "calendar" and not is_day(item_id):
        raise ItemRefused("id", "expected a day YYYY-MM-DD from 1900 on")
    if kind == "calendar" and values.get("day_kind") not in ("closed", "open"):
        raise ItemRefused("day_kind", "expected 'closed' or 'open'")
    if kind == "contract" and not 0 <= built.tier <= MAX_TIER:
        raise ItemRefused("tier", f"expected 0 to {MAX_TIER}")
    plain: Fields = codec.decode(codec.encode(built), dict)
    del plain["id"]
    for name, value in plain.items():
        if isinstance(value, str) and (unfit := bad_text(name, value)):
            raise ItemRefused(name, unfit)
    return plain


def is_day(text: str) -> bool:
    """Whether this is a day as YYYY-MM-DD, from 1900 on."""
    try:
        return date.fromisoformat(text).isoformat() == text >= _EARLIEST
    except ValueError:
        return False


def _unusable(key: str) -> str | None:
    reason = ids.unusable_card(key)
    return f"a chip number that must not stand for a person ({reason})" if reason else None


def load_fields(tx: Connection, site_id: str, kind: str, item_ids: Collection[str]) -> dict[str, Fields]:
    """Fields of the living items of one kind with these ids."""
    if not item_ids:
        return {}
    rows = tx.execute(
        select(t.roster_item.c.id, t.roster_item.c.fields).where(
            t.roster_item.c.site_id == site_id,
            t.roster_item.c.kind == kind,
            any_of(tx, t.roster_item.c.id, item_ids),
            ~t.roster_item.c.deleted,
        )
    )
    return {row.id: codec.decode(row.fields, dict) for row in rows}


def load_kind(tx: Connection, site_id: str, kind: str) -> dict[str, Fields]:
    """Fields of all living items of one kind."""
    rows = tx.execute(
        select(t.roster_item.c.id, t.roster_item.c.fields).where(
            t.roster_item.c.site_id == site_id, t.roster_item.c.kind == kind, ~t.roster_item.c.deleted
        )
    )
    return {row.id: codec.decode(row.fields, dict) for row in rows}


def load_all(tx: Connection, site_id: str) -> dict[Key, Fields]:
    """Fields of every living item of a site."""
    rows = tx.execute(
        select(t.roster_item.c.kind, t.roster_item.c.id, t.roster_item.c.fields).where(
            t.roster_item.c.site_id == site_id, ~t.roster_item.c.deleted
        )
    )
    return {(row.kind, row.id): codec.decode(row.fields, dict) for row in rows}


def roster_of(tx: Connection, site_id: str, card_keys: Collection[str], workers: Collection[str]) -> Roster:
    """The part of the roster that work records look at: these cards, and the assignments of these workers.

    Workers of the cards are looked up too.
    """
    cards = load_fields(tx, site_id, "card", card_keys)
    found: list[RosterItem] = [item("card", key, values) for key, values in cards.items()]
    wanted = set(workers) | {str(values["worker_id"]) for values in cards.values()}
    if wanted:
        rows = tx.execute(
            select(t.roster_item.c.id, t.roster_item.c.fields).where(
                t.roster_item.c.site_id == site_id,
                t.roster_item.c.kind == "assignment",
                any_of(tx, t.roster_item.c.worker_id, wanted),
                ~t.roster_item.c.deleted,
            )
        )
        found += [item("assignment", row.id, codec.decode(row.fields, dict)) for row in rows]
    return Roster.of(found)


def write(tx: Connection, numbers: SiteNumbers, changed: Mapping[Key, Fields], removed: Iterable[Key] = ()) -> Affected:
    """Write items with new change numbers; the caller holds the site's lock and saves `numbers`.

    `changed` are whole items. Returns whose work records to derive again.
    """
    affected = Affected()
    gone = list(removed)
    before = _assigned_before(tx, numbers.site_id, [*changed, *gone])
    rows = []
    for key, values in [*changed.items(), *((key, None) for key in gone)]:
        kind, item_id = key
        kept = values if values is not None else before.get(key, {})
        worker = kept.get("worker_id") if kind in ("assignment", "card") else None
        if kind == "card":
            affected.card_keys.add(item_id)
        elif kind == "assignment":
            affected.workers |= {str(w) for w in (worker, before.get(key, {}).get("worker_id")) if w}
        rows.append(
            {
                "site_id": numbers.site_id,
                "kind": kind,
                "id": item_id,
                "change": numbers.next_roster_change(),
                "deleted": values is None,
                "fields": codec.encode(kept).decode(),
                "worker_id": worker,
                "due_on": due_on(kept) if kind == "worker" and values is not None else None,
            }
        )
    upsert_many(tx, t.roster_item, rows)
    return affected


def _assigned_before(tx: Connection, site_id: str, keys: Iterable[Key]) -> dict[Key, Fields]:
    """Living items among `keys`, as they are now."""
    by_kind: dict[str, list[str]] = {}
    for kind, item_id in keys:
        by_kind.setdefault(kind, []).append(item_id)
    return {
        (kind, item_id): values
        for kind, item_ids in by_kind.items()
        for item_id, values in load_fields(tx, site_id, kind, item_ids).items()
    }


def due_on(worker: Mapping[str, Any]) -> str | None:
    """The day on which a worker's residence starts to be 'expiring soon'; None when it never does."""
    ends = worker.get("residence_expires_on")
    return (date.fromisoformat(ends) - timedelta(days=RESIDENCE_DAYS)).isoformat() if ends else None
