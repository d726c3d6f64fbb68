"""Payloads of events, as the contract has them (`docs/contract.md`). The centre checks forms and rules besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.domain.assurance import Assurance
from app.domain.events import Direction, EventType


@dataclass(frozen=True, slots=True)
class Clock:
    """`clock` of a touch."""

    skew_ms: int | None
    suspect: bool


@dataclass(frozen=True, slots=True)
class TouchPayload:
    """A card touch that counts (or a suppressed one)."""

    card_key: str
    direction: Direction
    work_day: str
    assurance: Assurance
    reader: str
    source: str
    clock: Clock
    worker_id: str | None = None
    suppressed_by: str | None = None


@dataclass(frozen=True, slots=True)
class RefusalPayload:
    """A card that was read and refused; never a work record."""

    card_key: str
    reason: str
    work_day: str
    assurance: Assurance
    reader: str
    source: str
    clock: Clock


@dataclass(frozen=True, slots=True)
class EntryPayload:
    """Direct entry (直接入力) of a day."""

    worker_id: str
    work_day: str
    reason: str
    entered_by: str
    in_at: str | None = None
    out_at: str | None = None
    company_id: str | None = None
    occupation: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class ApprovalPayload:
    """The 元請's word on an entry."""

    entry: str
    decision: Literal["approved", "refused"]
    by: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CorrectionPayload:
    """Takes an event out (`void`) or replaces some of its fields (`set`)."""

    target: str
    op: Literal["void", "set"]
    reason: str
    by: str
    fields: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CardBindingPayload:
    """From a day on, a card is a worker's."""

    card_key: str
    worker_id: str
    valid_from: str
    by: str


@dataclass(frozen=True, slots=True)
class RosterChangePayload:
    """Fields of one roster item, changed at the site."""

    kind: str
    key: str
    fields: dict[str, Any]
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class HeadcountPayload:
    """総出面: people of a company on a day."""

    company_id: str
    day: str
    count: int
    by: str


PAYLOADS: Mapping[str, type] = {
    EventType.TOUCH.value: TouchPayload,
    EventType.REFUSAL.value: RefusalPayload,
    EventType.ENTRY.value: EntryPayload,
    EventType.APPROVAL.value: ApprovalPayload,
    EventType.CORRECTION.value: CorrectionPayload,
    EventType.CARD_BINDING.value: CardBindingPayload,
    EventType.ROSTER_CHANGE.value: RosterChangePayload,
    EventType.HEADCOUNT.value: HeadcountPayload,
}
