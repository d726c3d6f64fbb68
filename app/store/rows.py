"""What goes into the store and comes out of it as plain rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.domain.events import Direction, Draft, EventType
from app.domain.outbox import OutboxState
from app.domain.verdict import Outcome, Reason, Verdict

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Unix time in whole milliseconds, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(at_ms: int) -> datetime:
    """Aware, UTC."""
    return _EPOCH + timedelta(milliseconds=at_ms)


@dataclass(frozen=True, slots=True)
class TouchRow:
    """What the gate keeps of a touch or a refusal beside the event. `at_ms`: Unix time in milliseconds."""

    card_key: str
    worker_id: str | None
    direction: str
    work_day: str
    assurance: str
    outcome: str
    reasons: tuple[str, ...]
    suppressed_by: str | None
    reader: str
    source: str
    at_ms: int

    @classmethod
    def of(cls, verdict: Verdict, *, reader: str, source: str) -> TouchRow:
        """The row of a verdict."""
        return cls(
            verdict.card_key,
            verdict.worker_id,
            verdict.direction.value,
            verdict.work_day.isoformat(),
            verdict.assurance.value,
            verdict.outcome.value,
            tuple(reason.value for reason in verdict.reasons),
            verdict.suppressed_by,
            reader,
            source,
            to_ms(verdict.occurred_at),
        )

    @classmethod
    def from_draft(cls, draft: Draft) -> TouchRow:
        """The row of a touch or refusal that no verdict was made for (an import)."""
        payload = draft.payload
        reasons: tuple[str, ...] = ()
        if draft.type is EventType.REFUSAL:
            outcome, reasons = Outcome.REFUSED, (str(payload["reason"]),)
        else:
            outcome = Outcome.RECORDED if payload.get("worker_id") else Outcome.UNKNOWN_CARD
            if payload.get("suppressed_by"):
                outcome = Outcome.SUPPRESSED
        return cls(
            payload["card_key"],
            payload.get("worker_id"),
            payload.get("direction") or Direction.NONE.value,
            payload["work_day"],
            payload["assurance"],
            outcome.value,
            reasons,
            payload.get("suppressed_by"),
            payload["reader"],
            payload["source"],
            to_ms(datetime.fromisoformat(draft.occurred_at)),
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """Where an event stands, on disk. `hash`: the chain's after it."""

    seq: int
    id: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class TodayRow:
    """A line of 本日のタッチ, before names. `at`: aware, UTC."""

    seq: int
    id: str
    at: datetime
    worker_id: str | None
    card_key: str
    """'' for an entry."""
    outcome: Outcome
    reasons: tuple[Reason, ...]
    direction: Direction
    state: OutboxState
    entered: bool
    suppressed_by: str | None = None


@dataclass(frozen=True, slots=True)
class TodayRows:
    """A work day at a site. `rows`: this station's, latest first."""

    rows: tuple[TodayRow, ...]
    present: frozenset[str]
    """Workers with a touch here that counts, or with a work record of the day at the centre (another gate's)."""
    unknown_cards: int
    """Cards that nobody is known for."""
    headcounts: Mapping[str, int]
    """総出面 by company, other stations' included."""


@dataclass(frozen=True, slots=True)
class StoreCounts:
    """Of all times. `pending`, `rejected`, `conflict`, `accepted`: the outbox's states; they add up to `events`."""

    events: int
    pending: int
    rejected: int
    conflict: int
    accepted: int
    suppressed: int
    refused: int
    unknown_cards: int
