"""What the engine's parts ask of the client (`app.sync.http.CentreClient` has it all)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from app.sync.answers import Pulled
from app.sync.wire import BatchAnswer, ChainEnd, FeedPage, Heartbeat, Page, WorkRecordPage


class PushCalls(Protocol):
    """What push needs of the client."""

    host: str

    def push(self, events: Sequence[bytes], chain_end: ChainEnd | None) -> BatchAnswer | None:
        """Send events. None: they are on their way, and the centre's word on them comes by `Carried.collect`."""


@runtime_checkable
class Carried(Protocol):
    """What a client has besides that cannot answer at once, since its letters are carried.

    The engine then makes whole rounds: `collect`, every waiting row by `push`, the pulls, and `heartbeat` to close.
    """

    def collect(self) -> Iterator[BatchAnswer]:
        """Answers to what was pushed in earlier rounds. Each is settled before the next is asked for."""

    def handed(self) -> int:
        """Events that lie in the last letters, with no word of the centre on them yet."""


class PullCalls(Protocol):
    """What pull needs of the client. None: nothing new (304). Raises Unanswered when it cannot know."""

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


class Duties(Protocol):
    """What a station does at the centre's asking, beside delivering and pulling. Engine's thread."""

    def asked(self) -> bool:
        """Whether there is something to do now, as far as it is known without a call."""

    def run(self) -> bool:
        """Ask, and do it; whether the centre was reached. Raises GenbaErrors: it is tried again later."""
