"""What the engine's parts ask of the client (`app.sync.http.CentreClient` has it all)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.sync.answers import Pulled
from app.sync.wire import BatchAnswer, ChainEnd, FeedPage, Heartbeat, Page, WorkRecordPage


class PushCalls(Protocol):
    """What push needs of the client."""

    host: str

    def push(self, events: Sequence[bytes], chain_end: ChainEnd | None) -> BatchAnswer:
        """Send events."""


class PullCalls(Protocol):
    """What pull needs of the client. None: nothing new (304)."""

    def sites(self, cursor: str | None, etag: str | None = None) -> Pulled[Page] | None:
        """This station's sites."""

    def roster(self, site_id: str, cursor: str | None, etag: str | None = None) -> Pulled[Page] | None:
        """A site's roster."""

    def events(
        self, site_id: str, types: Sequence[str], cursor: str | None, etag: str | None = None
    ) -> Pulled[FeedPage] | None:
        """Events of other stations."""

    def work_records(
        self, site_id: str, month: str, cursor: str | None, etag: str | None = None
    ) -> Pulled[WorkRecordPage] | None:
        """Derived records."""


class CentreCalls(PushCalls, PullCalls, Protocol):
    """All that the engine asks of the client."""

    def heartbeat(self, beat: Heartbeat) -> None:
        """Alive."""

    def abort(self) -> None:
        """Give up the running call and all later ones."""

    def close(self) -> None:
        """Abort and let the sockets go."""
