"""How this PC is, as its heartbeat says it."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

from app import codec, crash
from app.domain.events import rfc3339
from app.errors import GenbaError
from app.settings import DataDir
from app.store.backup import disk_space
from app.store.events import EventLog
from app.sync.wire import PcReport


def report(data: DataDir, events: EventLog) -> PcReport | None:
    """For the heartbeat; None when it cannot be told: no heartbeat fails for it. Engine's thread."""
    with suppress(GenbaError, OSError):
        newest = events.newest_recorded_at()
        crashed = next((one.at for one in crash.reports(data.crashes) if one.ended), None)
        return PcReport(
            os=_os(),
            last_recorded_at=rfc3339(newest) if newest else None,
            disk_free_mb=disk_space(data.root).free // 1024**2,
            update=_update(data),
            crashed_at=rfc3339(crashed) if crashed else None,
        )
    return None


@lru_cache(maxsize=1)
def _os() -> str:
    return crash.os_name()


def _update(data: DataDir) -> str:
    """See `PcReport.update`; a file that is damaged or not there says nothing."""
    try:
        kept = codec.decode((data.updates / "state.json").read_bytes(), dict[str, object])
    except (OSError, codec.DecodeError):
        return ""
    ready, applied = kept.get("ready"), kept.get("applied")
    if kept.get("error"):
        return str(kept["error"])
    if isinstance(ready, dict) and ready.get("version"):
        return f"ready {ready['version']}"
    if isinstance(applied, dict) and applied.get("stage") == "begun":
        return f"applied {applied.get('to_version', '')}"
    return f"found {kept['found']}" if kept.get("found") else ""
