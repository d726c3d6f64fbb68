"""When to look for updates, and when a new version may go in: never while people stand in line."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time, timedelta, timezone

JST = timezone(timedelta(hours=9))
RUSHES = ((time(6, 0), time(9, 30)), (time(16, 30), time(18, 30)))
"""Japan's hours in which people arrive and leave: nothing is fetched, nothing put in."""
QUIET_S = 900.0
"""Nor so many seconds after a touch."""
EVERY_S = 6 * 3600.0
"""Between two looks that came to an end."""
AGAIN_S = 1800.0
"""After one that did not."""
SPREAD_S = 3600.0
"""Stations of one site do not ask at the same moment."""
FIRST_AFTER_S = 300.0
"""Not while the program starts."""


def in_rush(now: datetime) -> bool:
    """`now`: aware."""
    local = now.astimezone(JST).time()
    return any(begin <= local < end for begin, end in RUSHES)


def is_quiet(now: datetime, since_touch_s: float | None) -> bool:
    """Whether something may be fetched now. `since_touch_s`: seconds since the last touch; None: there was none."""
    return not in_rush(now) and (since_touch_s is None or since_touch_s >= QUIET_S)


def spread_s(station_id: str, now: datetime) -> float:
    """Seconds that this station waits longer than others today."""
    day = now.astimezone(UTC).date().isoformat()
    digest = hashlib.sha256(f"{day}\n{station_id}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32 * SPREAD_S
