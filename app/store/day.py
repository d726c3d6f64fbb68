"""Questions about a day and about how things stand: small, indexed, asked after every touch."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app import codec
from app.domain.events import Direction, EventType
from app.domain.outbox import OutboxState
from app.domain.verdict import LastTouch, Outcome, Reason
from app.store.rows import StoreCounts, TodayRow, TodayRows, from_ms, to_ms
from app.store.schema import centre_record, event, mention, outbox, remote_event, touch

_LAST = (
    "SELECT id, at_ms, direction, work_day, outcome FROM touch WHERE card_key = ? AND at_ms <= ?"
    " AND suppressed_by IS NULL AND outcome <> 'refused' AND (? IS NULL OR site_id = ?)"
    " ORDER BY at_ms DESC, seq DESC LIMIT 1"
)
_NEVER_MS = 1 << 62


def last_unsuppressed(
    connection: Any, card_key: str, site_id: str | None, not_after: datetime | None
) -> LastTouch | None:
    """`connection`: the driver's."""
    latest = _NEVER_MS if not_after is None else to_ms(not_after)
    row = connection.execute(_LAST, (card_key, latest, site_id, site_id)).fetchone()
    if row is None:
        return None
    return LastTouch(row[0], from_ms(row[1]), Direction(row[2]), date.fromisoformat(row[3]), Outcome(row[4]))


def today(connection: sa.Connection, site_id: str, work_day: str, limit: int) -> TodayRows:
    """See `EventLog.today`."""
    here = sa.and_(touch.c.site_id == site_id, touch.c.work_day == work_day)
    rows = _touches(connection, here, limit) + _entries(connection, site_id, work_day, limit)
    rows.sort(key=lambda row: (row.at, row.seq), reverse=True)
    counted = sa.and_(here, touch.c.suppressed_by.is_(None), touch.c.outcome != Outcome.REFUSED.value)
    present = connection.execute(
        sa.select(touch.c.worker_id).where(counted, touch.c.worker_id.is_not(None)).distinct()
    ).scalars()
    elsewhere = connection.execute(
        sa.select(centre_record.c.worker_id).where(
            centre_record.c.site_id == site_id, centre_record.c.work_day == work_day
        )
    ).scalars()
    unknown = connection.execute(
        sa.select(sa.func.count(touch.c.card_key.distinct())).where(counted, touch.c.worker_id.is_(None))
    ).scalar_one()
    return TodayRows(
        tuple(rows[:limit]), frozenset([*present, *elsewhere]), unknown, headcounts_today(connection, site_id, work_day)
    )


def _touches(connection: sa.Connection, here: sa.ColumnElement[bool], limit: int) -> list[TodayRow]:
    query = (
        sa.select(touch, outbox.c.state)
        .join(outbox, outbox.c.seq == touch.c.seq)
        .where(here)
        .order_by(touch.c.seq.desc())
        .limit(limit)
    )
    return [
        TodayRow(
            row.seq,
            row.id,
            from_ms(row.at_ms),
            row.worker_id,
            row.card_key,
            Outcome(row.outcome),
            tuple(Reason(reason) for reason in row.reasons.split()),
            Direction(row.direction),
            OutboxState(row.state),
            entered=False,
            suppressed_by=row.suppressed_by,
        )
        for row in connection.execute(query)
    ]


def _entries(connection: sa.Connection, site_id: str, work_day: str, limit: int) -> list[TodayRow]:
    query = (
        sa.select(event.c.seq, event.c.id, event.c.occurred_at, mention.c.worker_id, outbox.c.state)
        .join(mention, mention.c.seq == event.c.seq)
        .join(outbox, outbox.c.seq == event.c.seq)
        .where(
            mention.c.type == EventType.ENTRY.value,
            mention.c.site_id == site_id,
            mention.c.work_day == work_day,
        )
        .order_by(event.c.seq.desc())
        .limit(limit)
    )
    return [
        TodayRow(
            row.seq,
            row.id,
            datetime.fromisoformat(row.occurred_at),
            row.worker_id,
            "",
            Outcome.RECORDED,
            (),
            Direction.NONE,
            OutboxState(row.state),
            entered=True,
        )
        for row in connection.execute(query)
    ]


def headcounts(connection: sa.Connection, site_id: str, first_day: str, last_day: str) -> dict[tuple[str, str], int]:
    """(day, company) → 総出面 as last typed (by its time), here or at another station."""
    own = (
        sa.select(event.c.occurred_at, event.c.body)
        .join(mention, mention.c.seq == event.c.seq)
        .join(outbox, outbox.c.seq == event.c.seq)
        .where(
            mention.c.type == EventType.HEADCOUNT.value,
            mention.c.site_id == site_id,
            mention.c.work_day.between(first_day, last_day),
            outbox.c.state != OutboxState.REJECTED.value,
        )
    )
    others = sa.select(remote_event.c.occurred_at, remote_event.c.body).where(
        remote_event.c.type == EventType.HEADCOUNT.value,
        remote_event.c.site_id == site_id,
        remote_event.c.work_day.between(first_day, last_day),
    )
    rows = [*connection.execute(own), *connection.execute(others)]
    found: dict[tuple[str, str], int] = {}
    for _, body in sorted(rows, key=lambda row: datetime.fromisoformat(row.occurred_at)):
        payload = codec.decode(body, dict).get("payload", {})
        day, company, count = payload.get("day"), payload.get("company_id"), payload.get("count")
        if isinstance(day, str) and isinstance(company, str) and isinstance(count, int):
            found[day, company] = count
    return found


def headcounts_today(connection: sa.Connection, site_id: str, work_day: str) -> dict[str, int]:
    """See `EventLog.headcounts`."""
    found = headcounts(connection, site_id, work_day, work_day)
    return {company: count for (_, company), count in found.items()}


def counts(connection: sa.Connection) -> StoreCounts:
    """See `EventLog.counts`. Accepted rows are counted by what is left: seq has no gaps, and nothing is deleted."""
    events = connection.execute(sa.select(sa.func.max(event.c.seq))).scalar() or 0
    pending = connection.execute(
        sa.select(sa.func.count()).select_from(outbox).where(outbox.c.state == sa.literal_column("'waiting'"))
    ).scalar_one()
    look = _grouped(connection, outbox.c.state, "state IN ('rejected', 'conflict')")
    rare = _grouped(connection, touch.c.outcome, "outcome IN ('suppressed', 'refused', 'unknown_card')")
    rejected, conflict = look.get("rejected", 0), look.get("conflict", 0)
    return StoreCounts(
        events,
        pending,
        rejected,
        conflict,
        events - pending - rejected - conflict,
        rare.get("suppressed", 0),
        rare.get("refused", 0),
        rare.get("unknown_card", 0),
    )


def _grouped(connection: sa.Connection, column: sa.Column[Any], where: str) -> dict[str, int]:
    # the condition is spelled as in the partial index, or SQLite would not use it
    query = sa.select(column, sa.func.count()).where(sa.text(where)).group_by(column)
    return {name: number for name, number in connection.execute(query)}
