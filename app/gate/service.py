"""The gate itself: one thread, one queue; a card goes in, a stored event and its news come out.

Order for a card: verdict → commit (`synchronous=FULL`) → announce. Whatever else a window asks waits in the same
queue, so the store has one writer here and a card is never behind more than one short job.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from app.clock import Clock
from app.domain.events import Direction
from app.domain.roster import Roster
from app.domain.site import Site
from app.domain.verdict import ClockState, Outcome
from app.errors import StorageTrouble
from app.gate import health
from app.gate import today as today_view
from app.gate.direction import DirectionChoice
from app.gate.news import (
    Announcement,
    News,
    StandingWarning,
    StorageAlarm,
    WorkerHit,
)
from app.gate.policy import SecurePolicy
from app.gate.port import PinAnswer
from app.gate.record import Recorder, Situation
from app.pins import PinGuard
from app.readers.port import CardSeen, CardUnreadable, ReaderEvent
from app.store.backup import DiskSpace
from app.store.events import EventLog

log = logging.getLogger(__name__)

LINES = 20
"""Touches listed for the screen; it shows as many as fit."""
HEALTH_EVERY_S = 15.0


class RosterSource(Protocol):
    """Where site and roster come from (the store)."""

    def site(self) -> Site:
        """The site's settings as last pulled."""

    def roster(self) -> Roster:
        """The effective roster."""

    def roster_at(self) -> datetime | None:
        """When the roster was last confirmed by the centre."""

    def own_changes(self) -> int:
        """Moves when this station itself changes the roster (a card bound, a name mended)."""


class GateService:
    """Implements `app.gate.port.GatePort`, and takes readers' events. Public methods may be called from any thread."""

    def __init__(
        self,
        *,
        source: RosterSource,
        event_log: EventLog,
        recorder: Recorder,
        pins: PinGuard,
        clock: Clock,
        disk: Callable[[], DiskSpace],
        key_file: bool,
        on_stored: Callable[[], None],
        policy: SecurePolicy,
        standing_trouble: Callable[[], tuple[str, ...]] = lambda: (),
    ) -> None:
        self._source = source
        self._log = event_log
        self._recorder = recorder
        self._pins = pins
        self._clock = clock
        self._disk = disk
        self._key_file = key_file
        self._on_stored = on_stored
        self._policy = policy
        self._standing_trouble = standing_trouble
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._listeners: tuple[Callable[[News], None], ...] = ()
        self._thread = threading.Thread(target=self._run, name="gate", daemon=True)
        # Below: gate thread only, but for `_site`, which is replaced whole.
        self._site = policy.in_force(source.site())
        self._roster, self._own_changes = source.roster(), source.own_changes()
        self._direction = DirectionChoice(clock)
        self._clock_state = ClockState()
        self._last_recorded_at = event_log.newest_recorded_at()
        self._warnings: tuple[StandingWarning, ...] | None = None
        self._today_due = True
        self._next_health = 0.0
        self._day = self._site.work_day(clock.now())

    # -- life ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the gate's thread."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is in the queue and end the thread. Safe to call twice."""
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def settle(self) -> None:
        """Wait until everything asked so far is done."""
        done = threading.Event()
        self._jobs.put(done.set)
        done.wait()

    def post(self, job: Callable[[], None]) -> None:
        """Run a short piece of work in turn on the gate's thread."""
        self._jobs.put(job)

    # -- from the readers ------------------------------------------------------------------------------------------

    def on_reader_event(self, event: ReaderEvent) -> None:
        """Take what a reader says; cards only, states go to the screen by the supervisor."""
        if isinstance(event, CardSeen):
            self._jobs.put(lambda: self._card(event))
        elif isinstance(event, CardUnreadable):
            self._jobs.put(lambda: self._unreadable(event))

    # -- GatePort --------------------------------------------------------------------------------------------------

    @property
    def site(self) -> Site:
        """The site as last known."""
        return self._site

    @property
    def roster(self) -> Roster:
        """The effective roster as last loaded; replaced whole."""
        return self._roster

    def listen(self, listener: Callable[[News], None]) -> None:
        """Add a listener; it is called on the gate's thread."""
        self._listeners = (*self._listeners, listener)

    def choose_direction(self, direction: Direction | None) -> None:
        """入場 / 退場, or None for 自動."""
        self._jobs.put(lambda: self._choose(direction))

    def search(self, text: str, reply: Callable[[list[WorkerHit]], None]) -> None:
        """Workers by kana, name or latin name."""
        self._jobs.put(lambda: reply(today_view.search(self._roster, text, self._site.work_day(self._clock.now()))))

    def enter_forgotten(self, worker_id: str, reason: str = "card_forgotten") -> None:
        """An `entry` for a person without a card. `reason`: 'card_forgotten' or 'no_card'."""
        self._jobs.put(lambda: self._enter(worker_id, reason))

    def set_headcount(self, company_id: str, count: int) -> None:
        """総出面 of a company today."""
        self._jobs.put(lambda: self._headcount(company_id, count))

    def check_pin(self, pin: str, action: str, reply: Callable[[PinAnswer], None]) -> None:
        """Does an operator's PIN allow `action`?"""
        self._jobs.put(lambda: self._pins.ask(pin, action, self._roster, self._jobs.put, reply))

    def refresh(self) -> None:
        """Send everything that stands again."""
        self._jobs.put(self._refresh)

    def roster_changed(self) -> None:
        """The store has a new roster or site: use it from the next card on."""
        self._jobs.put(self._reload)

    def delivery_changed(self) -> None:
        """Sync settled some events: the list is due."""
        self._jobs.put(self._mark_today)

    # -- gate thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._guard(self._refresh)
        while True:
            try:
                job = self._jobs.get(timeout=self._idle_s())
            except queue.Empty:
                job = self._nothing
            if job is None:
                return
            self._guard(job)
            if self._jobs.empty():
                self._guard(self._after)

    def _idle_s(self) -> float:
        until_health = self._next_health - self._clock.monotonic()
        return min(max(until_health, 0.05), 1.0)

    def _nothing(self) -> None:
        pass

    def _guard(self, job: Callable[[], None]) -> None:
        """No job may end the gate. A card's own trouble was announced by `_store`; the rest goes to the log."""
        try:
            job()
        except StorageTrouble as trouble:
            log.error("storage: %s", trouble)
            self._tell(StorageAlarm("", self._clock.now(), trouble.code))
        except Exception:
            log.exception("gate job failed")

    def _after(self) -> None:
        self._return_direction()
        if self._clock.monotonic() >= self._next_health:
            self._next_health = self._clock.monotonic() + HEALTH_EVERY_S
            self._check_health()
        day = self._site.work_day(self._clock.now())
        if day != self._day:
            self._day = day
            self._reload()  # what begins on this day (a card's binding) is in force from now on
        if self._today_due:
            self._today_due = False
            self._tell(today_view.today(self._log, self._roster, self._site, day, LINES))

    def _card(self, seen: CardSeen) -> None:
        self._check_clock()
        self._store(seen.reader, seen.seen_at, lambda: self._recorder.card(seen, self._situation()))

    def _unreadable(self, seen: CardUnreadable) -> None:
        self._tell(Announcement(seen.reader, Outcome.UNREADABLE, (), seen.seen_at))

    def _enter(self, worker_id: str, reason: str) -> None:
        if worker_id in self._roster.workers:
            self._store("", self._clock.now(), lambda: self._recorder.entry(worker_id, reason, self._situation()))

    def _headcount(self, company_id: str, count: int) -> None:
        self._recorder.headcount(company_id, count, self._situation())
        self._today_due = True
        self._on_stored()

    def _situation(self) -> Situation:
        if self._source.own_changes() != self._own_changes:
            self._reload()  # a card that was just bound is known at its next touch
        return Situation(self._site, self._roster, self._direction.state.chosen, self._clock_state)

    def _store(self, lane: str, at: datetime, act: Callable[[], Announcement]) -> None:
        """Announce what was stored, or that it was not: nothing in between."""
        try:
            told = act()
        except StorageTrouble as trouble:
            log.error("not stored: %s", trouble)
            self._tell(StorageAlarm(lane, at, trouble.code))
            return
        except Exception:
            log.exception("not stored")
            self._tell(StorageAlarm(lane, at, "store.failed"))
            return
        self._last_recorded_at = max(told.stored_at or at, self._last_recorded_at or at)
        if self._direction.state.chosen is not None:
            self._choose(self._direction.state.chosen)
        self._today_due = True
        self._tell(told)
        self._on_stored()
        if self._policy.passed(told):
            self.roster_changed()

    def _choose(self, direction: Direction | None) -> None:
        self._direction.choose(direction, self._site)
        self._tell(self._direction.state)

    def _return_direction(self) -> None:
        if self._direction.is_over(self._site):
            self._choose(None)

    def _reload(self) -> None:
        self._site = self._policy.in_force(self._source.site())
        self._own_changes = self._source.own_changes()
        self._roster = self._source.roster()
        self._today_due = True
        self._next_health = 0.0

    def _mark_today(self) -> None:
        self._today_due = True

    def _refresh(self) -> None:
        self._tell(self._direction.state)
        self._warnings = None
        self._check_health()
        self._today_due = True

    def _facts(self) -> health.HealthFacts:
        return health.HealthFacts(
            now=self._clock.now(),
            skew_ms=self._clock.skew_ms(),
            last_recorded_at=self._last_recorded_at,
            disk=self._disk(),
            key_file=self._key_file,
            roster_size=len(self._roster.workers),
            roster_at=self._source.roster_at(),
            trouble=(*self._standing_trouble(), *self._policy.trouble()),
        )

    def _check_clock(self) -> None:
        skew = self._clock.skew_ms()
        now, last = self._clock.now(), self._last_recorded_at
        self._clock_state = health.clock_state(skew, now, last)

    def _check_health(self) -> None:
        facts = self._facts()
        self._check_clock()
        found = health.warnings(facts)
        if found != self._warnings:
            self._warnings = found
            self._tell(found)

    def _tell(self, news: News) -> None:
        for listener in self._listeners:
            try:
                listener(news)
            except Exception:
                log.exception("a listener failed")
