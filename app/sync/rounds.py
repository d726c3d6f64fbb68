"""The engine's mind without its thread: which job is due, what a trouble means, when to try again.

Everything here runs on one thread (the engine's, or the caller's of `run_once`). Time comes from the clock alone, so
that tests can let weeks pass.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from app.clock import Clock
from app.domain.outbox import SyncState
from app.errors import GenbaError
from app.sync import schedule
from app.sync.calls import Carried, CentreCalls, Duties
from app.sync.hold import Hold
from app.sync.jobs import Job, heartbeat_of, pauses, reached, stops_all
from app.sync.ports import Outbox, RosterStore
from app.sync.pull import Puller
from app.sync.push import Pushed, Pusher
from app.sync.schedule import Pace
from app.sync.status import RunSummary, SyncStatus
from app.sync.trouble import Busy, Hung
from app.sync.wire import PcReport, ReaderReport

log = logging.getLogger(__name__)

BUG = "sync.bug"
TELL_EVERY_S = 0.5
"""While batch after batch goes out: counting what waits costs as much as that is."""


class Rounds:
    """See the module. `sites`: ids of the sites to pull now; `readers`: their states for the heartbeat."""

    def __init__(
        self,
        client: CentreCalls,
        outbox: Outbox,
        roster: RosterStore,
        clock: Clock,
        sites: Callable[[], Sequence[str]],
        readers: Callable[[], Sequence[ReaderReport]],
        app_version: str,
        pace: Pace,
        listener: Callable[[SyncStatus], None],
        dice: random.Random,
        work_records: bool,
        duties: Duties | None = None,
        pc: Callable[[], PcReport | None] = lambda: None,
    ) -> None:
        self._client, self._outbox, self._clock = client, outbox, clock
        self._sites, self._readers, self._version = sites, readers, app_version
        self._pace, self._listener, self._dice = pace, listener, dice
        self._work_records = work_records
        self._pusher = Pusher(client, outbox, clock, on_settled=self._settled)
        self._puller = Puller(client, roster, clock)
        self._carried = client if isinstance(client, Carried) else None
        push_every = math.inf if self._carried is None else pace.carried_every
        self._push = Job("push", self._run_push, push_every, for_station=True)
        self._roster = Job("roster", self._run_roster, pace.roster_every)
        self._feed = Job("feed", self._run_feed, pace.feed_every)
        self._beat = Job("heartbeat", self._run_heartbeat, pace.heartbeat_every, for_station=True)
        self._duties, self._pc = duties, pc
        self._duty = Job("duties", self._run_duties, pace.heartbeat_every)
        self._jobs = (self._push, self._duty, self._roster, self._feed, self._beat)
        self._hold = Hold(clock)
        self._asked = False
        self._told_at = -TELL_EVERY_S
        self._state = SyncState()
        self._stored = SyncState()
        self._online: bool | None = None
        self.status = SyncStatus()

    # --- from outside: start, wake, tick

    def start(self) -> None:
        """Take up the state of the last run. Raises StorageTrouble."""
        self._state = self._stored = self._outbox.sync_state()
        wait = schedule.remaining(self._state.next_attempt_at, self._clock.now(), self._pace)
        self._hold.put(wait or self._dice.uniform(0.0, self._pace.first_delay))
        self.publish()

    def wake(self, reasons: frozenset[str]) -> None:
        """'touch': something to send. 'network': the way may be open again. 'now': a person wants it sent.

        'roster': a person wants the roster, rush or not.
        """
        start = self._clock.monotonic()
        if not reasons & {"network", "now", "roster"}:
            if self._push.failures == 0 and self._carried is None:
                self._push.due = min(self._push.due, start)
            return
        for job in self._jobs:
            if job is not self._roster or reasons & {"network", "roster"}:
                job.due = min(job.due, start)
        self._asked = self._asked or "roster" in reasons
        spread = 0.0 if reasons & {"now", "roster"} else self._dice.uniform(0.0, self._pace.first_delay)
        if not self._hold.asked and self._hold.left() > spread:
            self._hold.put(spread)

    def tick(self) -> float:
        """Do what is due. Seconds until something is due again. Raises Hung alone."""
        try:
            if self._hold.left() <= 0:
                self._round()
            self.publish()
        except Hung:
            raise
        except Exception as exc:
            return self._stumble(exc, self._push)
        due = min(job.due for job in self._jobs) - self._clock.monotonic()
        return max(0.0, self._hold.left(), due)

    def once(self) -> RunSummary:
        """Everything once, whatever was held back. Unexpected exceptions are the caller's."""
        self._state = self._stored = self._outbox.sync_state()
        before, self._pusher.total = self._puller.taken, Pushed()
        error: GenbaError | None = None
        for job in self._in_order():
            try:
                reached = job.run()
            except GenbaError as exc:
                error = error or exc
                if self._fail(job, exc):
                    break
            else:
                self._succeed(job, reached)
        self.publish()
        done, status = self._pusher.total, self.status
        return RunSummary(
            done.accepted,
            done.rejected,
            done.conflict,
            self._puller.taken - before,
            status.pending,
            status.chain_state,
            error,
            status.handed,
        )

    def rest(self) -> None:
        """The end: keep what was not worth a write while it ran. Raises StorageTrouble."""
        if self._state != self._stored:
            self._outbox.save_sync_state(self._state)
            self._stored = self._state

    def publish(self) -> None:
        """Say how things stand, if they changed. Raises StorageTrouble."""
        counts, state = self._outbox.counts(), self._state
        chain = self._pusher.chain_state
        again_at = self._hold.until if self._hold.left() > 0 else self._push.again_at
        self._tell(
            SyncStatus(
                pending=counts.pending,
                rejected=counts.rejected + counts.conflict,
                accepted=counts.accepted,
                oldest_pending_at=counts.oldest_pending_at,
                last_sync_at=state.last_sync_at,
                last_error=state.last_error,
                next_attempt_at=again_at,
                online=self._online,
                roster_at=self._puller.roster_at(self._sites()),
                chain_state=None if chain is None else chain.value,
                skew_ms=self._clock.skew_ms(),
                paused=state.paused,
                changes=self._puller.taken,
                held=self._hold.asked and self._hold.left() > 0,
                handed=0 if self._carried is None else min(counts.pending, self._carried.handed()),
            )
        )

    def _tell(self, status: SyncStatus) -> None:
        if status == self.status:
            return
        self.status = status
        try:
            self._listener(status)
        except Exception:
            log.exception("sync: a listener failed")

    def _save(self, state: SyncState) -> None:
        """Keep in memory, and in the store unless nothing but a minute passed."""
        self._state = state
        was, now = self._stored.last_sync_at, state.last_sync_at
        recent = was is not None and now is not None and abs(now - was) < timedelta(minutes=1)
        if state != self._stored and not (recent and replace(state, last_sync_at=was) == self._stored):
            self._outbox.save_sync_state(state)
            self._stored = state

    # --- one job

    def _in_order(self) -> list[Job]:
        """Records first; but one that changes its secret does so before, or another copy of it may deliver as well."""
        return sorted(self._jobs, key=lambda job: job is not self._duty or not (self._duties and self._duties.asked()))

    def _round(self) -> None:
        for job in self._in_order():
            now = self._clock.monotonic()
            if job.due > now:
                continue
            if job is self._roster and self._carried is None and (rush := self._rush()) > 0:
                job.due = now + rush
            elif not self._do(job):
                return
        self._asked = False

    def _rush(self) -> float:
        """Seconds that roster pulls should wait. A station without a roster, or a person who asks, need not."""
        wait = schedule.until_after_rush(self._clock.now(), self._pace)
        if wait <= 0 or self._asked or any(self._puller.never_pulled(site) for site in self._sites()):
            return 0.0
        return wait + self._dice.uniform(0.0, self._pace.after_rush)

    def _do(self, job: Job) -> bool:
        """Run it; False when nothing else should be tried in this round."""
        try:
            reached = job.run()
        except Hung:
            raise
        except GenbaError as exc:
            return not self._fail(job, exc)
        except Exception as exc:
            self._stumble(exc, job)
            return True
        self._succeed(job, reached)
        return True

    def _succeed(self, job: Job, reached: bool) -> None:
        job.failures, job.error, job.again_at = 0, None, None
        job.due = self._clock.monotonic() + schedule.jittered(job.every, self._dice)
        if not reached:
            return
        if job is not self._duty and self._duties is not None and self._duties.asked():
            self._duty.due = self._clock.monotonic()  # heard just now
        self._online = True
        self._hold.lift()
        heard = job in (self._push, self._beat) and self._carried is None  # else `_settled` says when
        at = self._clock.now() if heard else self._state.last_sync_at
        error = next((other.error for other in self._jobs if other.error), None)
        self._save(SyncState(last_sync_at=at, last_error=error))

    def _fail(self, job: Job, exc: GenbaError) -> bool:
        """Remember and put off. True when it concerns every job."""
        log.info("%s: %s", job.name, exc)
        online = reached(exc)
        if online is not None:
            self._online = online
        if not stops_all(job, exc):
            self._put_off(job, exc.code, long=pauses(exc))
            return False
        failures = self._state.failures + 1
        paused = exc.code if pauses(exc) else ""
        asked = isinstance(exc, Busy) and exc.retry_after is not None
        if isinstance(exc, Busy) and exc.retry_after is not None:
            wait = exc.retry_after + self._dice.uniform(0.0, 1.0 + exc.retry_after / 10)
        elif paused:
            wait = schedule.jittered(self._pace.paused_every, self._dice)
        else:
            wait = schedule.backoff(failures, self._pace, self._dice)
        until = self._hold.put(wait, asked)
        self._save(SyncState(until, failures, self._state.last_sync_at, exc.code, paused))
        return True

    def _put_off(self, job: Job, code: str, *, long: bool = False) -> None:
        job.failures += 1
        job.error = code
        if long:
            wait = schedule.jittered(self._pace.paused_every, self._dice)
        else:
            wait = schedule.backoff(job.failures, self._pace, self._dice)
        job.due = self._clock.monotonic() + wait
        job.again_at = self._clock.now() + timedelta(seconds=wait)
        self._save(replace(self._state, last_error=code))

    def _stumble(self, exc: Exception, job: Job) -> float:
        """Our own mistake, or the store's: log it, show it, go on later."""
        code = exc.code if isinstance(exc, GenbaError) else BUG
        if code == BUG:
            log.exception("sync: a bug in %s", job.name)
        try:
            self._put_off(job, code)
        except Exception:  # the store again
            log.info("sync: the state could not be stored")
        self._tell(replace(self.status, last_error=code))
        return schedule.backoff(max(1, job.failures), self._pace, self._dice)

    # --- the jobs

    def _run_duties(self) -> bool:
        return self._duties is not None and self._duties.run()

    def _run_push(self) -> bool:
        if self._carried is None:
            return self._pusher.run()
        try:
            self._pusher.run()
        finally:  # in this same round: who carries it may be gone soon
            for job in (self._roster, self._feed, self._beat):
                job.due = self._clock.monotonic()
        return True

    def _settled(self) -> None:
        self._online = True
        self._state = replace(self._state, last_sync_at=self._clock.now())
        now = self._clock.monotonic()
        if now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            self.publish()

    def _run_roster(self) -> bool:
        _, before = schedule.months(self._clock.now())
        self._puller.rosters(self._sites(), before if self._work_records else None)
        return True

    def _run_feed(self) -> bool:
        month, _ = schedule.months(self._clock.now())
        sites = self._sites()
        self._puller.feeds(sites, month if self._work_records else None)
        return bool(sites)

    def _run_heartbeat(self) -> bool:
        beat = heartbeat_of(self._outbox.counts(), self._clock, self._readers(), self._version, self._pc())
        self._client.heartbeat(beat)
        return True
