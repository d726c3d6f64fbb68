"""Is a pulled item what the contract says? Kinds and types that are not known here are passed over, not refused:
a centre may be newer than its stations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import codec
from app.domain.payloads import PAYLOADS
from app.domain.roster import ROSTER_KINDS
from app.domain.site import Site
from app.sync.trouble import BadAnswer
from app.sync.wire import FeedEvent

KINDS: Mapping[str, type] = {**ROSTER_KINDS, "site": Site}


@dataclass(frozen=True, slots=True)
class _Head:
    kind: str
    id: str
    deleted: bool


@dataclass(frozen=True, slots=True)
class _Event:
    id: str
    seq: int
    type: str
    site_id: str
    occurred_at: str
    recorded_at: str
    payload: dict[str, Any]


def roster_items(
    items: Sequence[Mapping[str, Any]], kinds: Mapping[str, type], site_id: str | None
) -> list[Mapping[str, Any]]:
    """The items of known kinds, checked. Raises BadAnswer naming the place: then none of them may be kept."""
    return list(_known(items, kinds, site_id))


def _known(
    items: Sequence[Mapping[str, Any]], kinds: Mapping[str, type], site_id: str | None
) -> Iterator[Mapping[str, Any]]:
    seen: dict[tuple[str, str], Mapping[str, Any]] = {}
    for number, item in enumerate(items):
        where = f"$.items[{number}]"
        head = _as(item, _Head, where)
        shape = kinds.get(head.kind)
        if shape is None:
            continue
        if not head.id:
            raise BadAnswer(f"{where}: an empty id")
        if seen.setdefault((head.kind, head.id), item) != item:
            raise BadAnswer(f"{where}: {head.kind} twice, and different")
        if head.kind == "site" and site_id is not None and head.id != site_id:
            raise BadAnswer(f"{where}: another site")
        if not head.deleted:
            _as(item, shape, where)
        yield item


def feed_events(items: Sequence[FeedEvent], site_id: str, types: Sequence[str]) -> list[FeedEvent]:
    """The events of known types, checked. Raises BadAnswer naming the place."""
    found: list[FeedEvent] = []
    last = 0
    for number, item in enumerate(items):
        where = f"$.items[{number}]"
        if item.receipt <= last:
            raise BadAnswer(f"{where}: receipts out of order")
        last = item.receipt
        event = _as(item.event, _Event, f"{where}.event")
        if event.type not in types or event.type not in PAYLOADS:
            continue
        if event.site_id != site_id or not event.id or event.seq < 1:
            raise BadAnswer(f"{where}: another site, or no event")
        _as(event.payload, PAYLOADS[event.type], f"{where}.event.payload")
        found.append(item)
    return found


def _as(value: object, shape: type, where: str) -> Any:
    try:
        return codec.convert(value, shape)
    except codec.DecodeError as exc:
        raise BadAnswer(f"{where}: {exc}"[:200]) from None
