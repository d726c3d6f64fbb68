"""`genba-touch status` in sentences that one person can read out to another on the telephone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.domain.events import JST
from app.messages import known, say


def lines(status: Mapping[str, Any], language: str) -> Iterator[str]:
    """What `Station.status` says; what needs somebody comes with its remedy below."""

    def sentence(name: str, /, **values: object) -> Iterator[str]:
        message = say(f"status.{name}", language, **values)
        yield message.title
        if message.remedy:
            yield f"    → {message.remedy}"

    yield from sentence("station", station=status["station_id"], site=status["site_id"] or "-")
    pending, rejected = status["pending"], status["rejected"]
    oldest = _when(status["oldest_pending_at"])
    yield from sentence("pending" if pending else "all_sent", count=f"{pending:,}", since=oldest)
    last = _when(status["last_sync_at"])
    yield from sentence("last_sync" if last else "never_synced", at=last)
    if status["last_error"]:
        trouble = known(status["last_error"], "sync.refused", language)
        yield from sentence("last_error", what=trouble.title, verdict=status["last_error"])
        if trouble.remedy:
            yield f"    → {trouble.remedy}"
    if rejected:
        yield from sentence("rejected", count=f"{rejected:,}")
    yield from sentence("stored", count=f"{status['accepted']:,}", suppressed=f"{status['suppressed']:,}")
    seq = status["chain_head"]["seq"]
    yield from sentence("chain_broken" if status["chain_broken"] else "chain_whole", count=f"{seq:,}")
    for reader in status["readers"]:
        condition = say(f"reader.{reader['condition']}", language)
        yield from sentence("reader", name=reader["label"], state=condition.title)
    if not status["readers"]:
        yield from sentence("no_reader")
    yield from sentence("versions", schema=status["schema_version"], sqlite=status["sqlite_version"])


def _when(text: str | None) -> str:
    return f"{datetime.fromisoformat(text).astimezone(JST):%Y/%m/%d %H:%M}" if text else ""
