"""Why something has not been sent, what happens next, and how old things are: the sync page's sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.ui.status import SyncStatus
from app.ui.words import Words

SKEW_SHOWN_MS = 120_000
"""From this skew on the clock is said to be wrong, as at the gate."""
_BROKEN = "sync.chain_broken"
_DROP = "sync.offline_drop_"
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Why:
    """`sentence`: what waits, why, and what happens next. `remedy`: what a person can do; '' for nothing."""

    sentence: str
    remedy: str = ""
    calm: bool = True
    """Nothing is wrong."""


def why(status: SyncStatus, words: Words) -> Why:
    """The one sentence."""
    code = status.last_error or (_BROKEN if status.chain_state == "broken" else None)
    if code is None and not status.pending and not status.rejected:
        return Why(words.title("sync_page.all_sent"))
    count = "waiting" if status.pending else "nothing"
    parts = [words.title("sync_page.handed", count=status.handed)] if status.handed else []
    if status.pending > status.handed or not status.handed:
        parts.append(words.title(f"sync_page.{count}", count=status.pending - status.handed))
    remedy = ""
    if code is None and not status.pending:
        parts.append(words.title("sync_page.to_be_looked_at", count=status.rejected))
    elif code is None and status.handed:
        remedy = words.title("sync_page.carry")
    elif code is None:
        parts.append(words.title("sync_page.sending" if status.online else "sync_page.soon"))
    else:
        message = words.known(code, "sync.bug")
        parts.append(words.title("sync_page.why", title=message.title))
        if code.startswith(_DROP):
            parts.append(words.title("sync_page.when_put_in"))
        elif code != _BROKEN:
            parts.append(words.title(f"sync_page.{_next_step(status)}"))
        remedy = message.remedy
    parts.append(words.title("sync_page.saved"))
    return Why("".join(parts), remedy, calm=code is None and (status.pending > 0 or not status.rejected))


def _next_step(status: SyncStatus) -> str:
    if status.paused:
        return "paused"
    return "when_connected" if status.online is False else "by_itself"


def next_attempt(status: SyncStatus, words: Words, now: datetime) -> str:
    """'約 3 分後', 'まもなく' …"""
    at = status.next_attempt_at
    if at is None:
        return words.title("sync_page.next_soon" if status.pending > status.handed else "sync_page.next_none")
    left = at - now
    if left < _MINUTE:
        said = words.title("sync_page.next_soon")
    elif left < _HOUR:
        said = words.title("sync_page.next_minutes", minutes=-(-left // _MINUTE))
    else:
        said = words.title("sync_page.next_at", when=words.when(at, now))
    return words.title("sync_page.next_held", next=said) if status.held else said


def ago(moment: datetime | None, words: Words, now: datetime, never: str) -> str:
    """'07:10(32 分前)'. `never`: message code for None."""
    if moment is None:
        return words.title(never)
    when, age = words.when(moment, now), now - moment
    if age < _MINUTE:
        return when
    if age < _HOUR:
        return words.title("sync_page.minutes_ago", when=when, minutes=age // _MINUTE)
    if age < _DAY:
        return words.title("sync_page.hours_ago", when=when, hours=age // _HOUR)
    return words.title("sync_page.days_ago", when=when, days=age // _DAY)


def facts(status: SyncStatus, words: Words, now: datetime) -> list[tuple[str, str]]:
    """Heading and what there is to say, in the order of the page."""
    found = [
        (words.title("sync_page.next"), next_attempt(status, words, now)),
        (words.title("sync_page.last"), ago(status.last_sync_at, words, now, "sync_page.last_none")),
        (words.title("sync_page.roster"), ago(status.roster_at, words, now, "sync_page.roster_none")),
    ]
    if status.oldest_pending_at is not None and now - status.oldest_pending_at >= _HOUR:
        oldest = ago(status.oldest_pending_at, words, now, "sync_page.last_none")
        found.append((words.title("sync_page.oldest"), oldest))
    return found


def clock_trouble(status: SyncStatus, words: Words) -> str:
    """The clock's sentence from `SKEW_SHOWN_MS` on; ''."""
    if status.skew_ms is None or abs(status.skew_ms) < SKEW_SHOWN_MS:
        return ""
    way = "ahead" if status.skew_ms > 0 else "behind"
    return words.title(f"health.clock_{way}", minutes=abs(status.skew_ms) // 60_000)
