"""Touches and entries whose times cannot be right: a station's clock had jumped. Accepted, and noted for a person.

A touch hangs on a real person who stood at a gate, so no date makes the centre refuse it. What counts is decided by
app.central.derivation; here is only the note.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.central import schema as t
from app.central.database import CentralDatabase
from app.domain.events import Event, EventType
from app.domain.site import Site

IMPOSSIBLE_DAY = "impossible_day"
"""The work day had not come, or is before all such systems: it counts nowhere until a correction sets the day."""
CLOCK_AHEAD = "clock_ahead"
"""It happened, by the station's clock, more than a day after it was received."""
BEFORE_SITE = "before_site"
"""The work day is before the site opens. It counts."""
_DATED = frozenset({EventType.TOUCH.value, EventType.ENTRY.value, EventType.REFUSAL.value})
_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OddEvent:
    """A note. `corrected`: somebody has said something of it since."""

    event_id: str
    station_id: str
    site_id: str
    code: str
    detail: str
    received_at: str
    corrected: bool


def oddity(event: Event, site: Site, received: datetime, impossible: bool) -> tuple[str, str] | None:
    """Code and detail of what is odd about an accepted event; None for nothing."""
    if event.type not in _DATED:
        return None
    day = str(event.payload["work_day"])
    if impossible:
        return IMPOSSIBLE_DAY, f"work day {day}"
    if datetime.fromisoformat(event.occurred_at) - received > _SLACK:
        return CLOCK_AHEAD, f"occurred at {event.occurred_at}"
    if site.opens_on is not None and day < site.opens_on:
        return BEFORE_SITE, f"work day {day}, the site opens on {site.opens_on}"
    return None


def odd_events(db: CentralDatabase) -> list[OddEvent]:
    """All notes, newest first."""
    said = select(t.event.c.subject).where(t.event.c.type == EventType.CORRECTION.value)
    corrected: Any = t.odd_event.c.event_id.in_(said)
    with db.read() as tx:
        found = tx.execute(
            select(t.odd_event, corrected.label("corrected")).order_by(
                t.odd_event.c.received_at.desc(), t.odd_event.c.event_id.desc()
            )
        ).mappings()
        return [OddEvent(**{**row, "corrected": bool(row["corrected"])}) for row in found]
