"""When to try: back-off, the stored next attempt, and manners towards a centre with 6,500 sites. Seconds throughout."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from app.domain.events import JST


@dataclass(frozen=True, slots=True)
class Pace:
    """The engine's intervals in seconds. The demo sets `first_delay` to 0."""

    backoff_base: float = 2.0
    backoff_cap: float = 600.0
    first_delay: float = 20.0
    """Spread of the first attempt after a start, or after the network came back."""
    paused_every: float = 1800.0
    """After 401 and 403: somebody must do something, but it may be done at the centre."""
    feed_every: float = 300.0
    roster_every: float = 3600.0
    heartbeat_every: float = 300.0
    carried_every: float = 60.0
    """Where letters are carried: a look into the folder, and new letters when there is something new."""
    rush_from: time = time(7, 0)
    rush_until: time = time(8, 30)
    """No roster pulls from … until … (Japan's time): the centre is busy with touches."""
    after_rush: float = 1800.0
    """Spread of the pulls that waited for the end of the rush."""
    longest_hold: float = 3960.0
    """No stored next attempt is believed that is further away: the longest `Retry-After` and its jitter."""


def backoff(failures: int, pace: Pace, dice: random.Random) -> float:
    """Full jitter: `rand(0, min(cap, base·2^n))`. `failures`: rounds in a row that failed, from 1."""
    return dice.uniform(0.0, min(pace.backoff_cap, pace.backoff_base * 2.0 ** min(failures, 40)))


def jittered(every: float, dice: random.Random) -> float:
    """An interval ± 20 %, so that stations do not march in step."""
    return every * dice.uniform(0.8, 1.2)


def remaining(stored: datetime | None, now: datetime, pace: Pace) -> float:
    """Seconds until a stored next attempt. A clock that jumped in between postpones no further than `longest_hold`."""
    if stored is None:
        return 0.0
    return max(0.0, min((stored - now).total_seconds(), pace.longest_hold))


def until_after_rush(now: datetime, pace: Pace) -> float:
    """Seconds until the rush is over; 0 outside of it."""
    local = now.astimezone(JST)
    if not pace.rush_from <= local.time() < pace.rush_until:
        return 0.0
    end = datetime.combine(local.date(), pace.rush_until, tzinfo=JST)
    return max(0.0, (end - local).total_seconds())


def months(now: datetime) -> tuple[str, str]:
    """This month and the one before in Japan, 'YYYY-MM'."""
    first = now.astimezone(JST).date().replace(day=1)
    return f"{first:%Y-%m}", f"{first - timedelta(days=1):%Y-%m}"
