"""Centre → store: sites, rosters, events made elsewhere, work records. A page is one transaction, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from app import codec
from app.clock import Clock
from app.domain.events import EventType
from app.domain.outbox import SITES_SCOPE, Cursor, feed_scope, records_scope, roster_scope
from app.sync import shapes
from app.sync.answers import Pulled
from app.sync.calls import PullCalls
from app.sync.ports import RosterStore
from app.sync.trouble import BadAnswer, BadRequest, Forbidden, Unanswered
from app.sync.wire import FeedPage, Page, WorkRecordPage

MAX_PAGES = 1000
"""Most pages of one scope in one round; the rest comes in the next."""
FEED_TYPES: tuple[str, ...] = (
    EventType.ENTRY.value,
    EventType.APPROVAL.value,
    EventType.CORRECTION.value,
    EventType.CARD_BINDING.value,
    EventType.ROSTER_CHANGE.value,
    EventType.HEADCOUNT.value,
)
"""Made elsewhere and of use here. Touches are not: what they add up to comes as work records."""

P = TypeVar("P", Page, FeedPage, WorkRecordPage)


class Puller:
    """Engine's thread only. Each call gives the number of items taken and raises the first trouble.

    A page of the wrong shape, or one that contradicts itself, is refused whole (BadAnswer); pages before it stay.
    """

    def __init__(
        self, client: PullCalls, store: RosterStore, clock: Clock, feed_types: Sequence[str] = FEED_TYPES
    ) -> None:
        self._client = client
        self._store = store
        self._clock = clock
        self._types = tuple(feed_types)
        self._as_of = clock.now()
        """When the centre said what is being stored."""
        self.taken = 0
        """Items stored since the start, also by a call that ended in a trouble."""

    def sites(self) -> int:
        """The sites of this station and their rules."""
        kinds = {"site": shapes.KINDS["site"]}

        def keep(page: Page, cursor: Cursor) -> int:
            items = shapes.roster_items(page.items, kinds, None)
            self._store.apply_page(SITES_SCOPE, None, items, cursor, self._as_of)
            return len(items)

        return self._pages(SITES_SCOPE, self._client.sites, keep)

    def roster(self, site_id: str) -> int:
        """A site's people, companies, cards and calendar."""
        scope = roster_scope(site_id)

        def fetch(cursor: str | None, etag: str | None) -> Pulled[Page] | None:
            return self._client.roster(site_id, cursor, etag)

        def keep(page: Page, cursor: Cursor) -> int:
            items = shapes.roster_items(page.items, shapes.KINDS, site_id)
            self._store.apply_page(scope, site_id, items, cursor, self._as_of)
            return len(items)

        return self._pages(scope, fetch, keep)

    def feed(self, site_id: str) -> int:
        """What other stations of the site did."""

        def fetch(cursor: str | None, etag: str | None) -> Pulled[FeedPage] | None:
            return self._client.events(site_id, self._types, cursor, etag)

        def keep(page: FeedPage, cursor: Cursor) -> int:
            items = shapes.feed_events(page.items, site_id, self._types)
            self._store.apply_feed(site_id, items, cursor, self._as_of)
            return len(items)

        return self._pages(feed_scope(site_id), fetch, keep)

    def work_records(self, site_id: str, month: str) -> int:
        """The centre's records of a month ('YYYY-MM'), so that two gates of one site agree."""
        scope = records_scope(site_id, month)

        def fetch(cursor: str | None, etag: str | None) -> Pulled[WorkRecordPage] | None:
            return self._client.work_records(site_id, month, cursor, etag)

        def keep(page: WorkRecordPage, cursor: Cursor) -> int:
            for number, record in enumerate(page.items):
                if record.site_id != site_id:
                    raise BadAnswer(f"$.items[{number}]: another site")
            items = [codec.plain(record) for record in page.items]
            self._store.apply_page(scope, site_id, items, cursor, self._as_of)
            return len(items)

        return self._pages(scope, fetch, keep)

    def rosters(self, site_ids: Sequence[str], month: str | None) -> int:
        """Sites, their rosters, and the work records of a month. All are tried; then the first refusal is raised."""
        return _all([self.sites, *(partial(self.roster, site) for site in site_ids), *self._records(site_ids, month)])

    def feeds(self, site_ids: Sequence[str], month: str | None) -> int:
        """What others did at the sites, and the work records of a month, likewise."""
        return _all([*(partial(self.feed, site) for site in site_ids), *self._records(site_ids, month)])

    def _records(self, site_ids: Sequence[str], month: str | None) -> list[Callable[[], int]]:
        return [partial(self.work_records, site, month) for site in site_ids] if month else []

    def roster_at(self, site_ids: Sequence[str]) -> datetime | None:
        """When the oldest of the rosters was pulled or confirmed; None: none ever."""
        return min((at for site in site_ids if (at := self._store.roster_at(site)) is not None), default=None)

    def never_pulled(self, site_id: str) -> bool:
        """Whether this station has no roster of a site yet."""
        return self._store.cursor(roster_scope(site_id)) is None

    def _pages(
        self,
        scope: str,
        fetch: Callable[[str | None, str | None], Pulled[P] | None],
        keep: Callable[[P, Cursor], int],
    ) -> int:
        taken = 0
        for _ in range(MAX_PAGES):
            was = self._store.cursor(scope)
            try:
                answer = fetch(was.value if was else None, was.etag if was else None)
            except Unanswered:
                break
            self._as_of = self._clock.now() if answer is None or answer.at is None else answer.at
            if answer is None:
                self._store.confirm(scope, self._as_of)
                break
            page = answer.page
            moved = was is None or page.cursor != was.value
            if (page.more or page.items) and not (moved and page.cursor):
                raise BadAnswer(f"{scope}: something came, but the cursor stands still")
            # an ETag may stand for the whole scope's version: with pages still to come it would hide them
            now = Cursor(page.cursor, None if page.more else answer.etag)
            if now == was:
                self._store.confirm(scope, self._as_of)
            else:
                stored = keep(page, now)
                taken += stored
                self.taken += stored
            if not page.more:
                break
        return taken


def _all(pulls: Sequence[Callable[[], int]]) -> int:
    taken = 0
    refusal: Forbidden | BadRequest | BadAnswer | None = None
    for pull in pulls:
        try:
            taken += pull()
        except (Forbidden, BadRequest, BadAnswer) as exc:
            refusal = refusal or exc
    if refusal is not None:
        raise refusal
    return taken
