"""From news to the system's own log: each serious trouble once, and again when it comes back after it was gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app import eventlog
from app.errors import GenbaError
from app.gate.news import News, StorageAlarm
from app.sync.status import SyncStatus

_opening: set[str] = set()
"""What kept the data folder from being opened: a window tries again and again."""


@contextmanager
def opening() -> Iterator[None]:
    """Around what opens a data folder for work: serious trouble there is told once a process, and goes on its way."""
    try:
        yield
    except GenbaError as error:
        if error.code in eventlog.EVENTS and error.code not in _opening:
            _opening.add(error.code)
            eventlog.write(error.code)
        raise


class Serious:
    """Listens to a gate and to sync; any thread. What is not in `eventlog.EVENTS` is not serious."""

    def __init__(self) -> None:
        self._standing: dict[str, frozenset[str]] = {}
        self._alarms: set[str] = set()

    def news(self, news: News) -> None:
        """A listener for `GatePort.listen`."""
        if isinstance(news, StorageAlarm):
            if news.code in eventlog.EVENTS and news.code not in self._alarms:
                self._alarms.add(news.code)
                eventlog.write(news.code)
        elif isinstance(news, tuple):
            self._now("gate", {warning.code for warning in news})

    def sync(self, status: SyncStatus) -> None:
        """A listener for the sync engine's status."""
        if status.online is None:
            return  # not tried yet
        codes = {status.last_error or "", status.paused}
        self._now("sync", codes | {"sync.chain_broken"} if status.chain_state == "broken" else codes)

    def _now(self, of: str, codes: set[str]) -> None:
        now = frozenset(codes & eventlog.EVENTS.keys())
        before, self._standing[of] = self._standing.get(of, frozenset()), now
        for code in sorted(now - before):
            eventlog.write(code)
