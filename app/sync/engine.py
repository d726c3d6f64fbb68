"""The thread `sync`: delivers what waits, pulls what is new, and never lets anybody wait for it."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence

from app.clock import Clock
from app.errors import GenbaError
from app.sync.calls import CentreCalls, Duties
from app.sync.ports import Outbox, RosterStore
from app.sync.rounds import Rounds
from app.sync.schedule import Pace
from app.sync.status import RunSummary, SyncStatus
from app.sync.trouble import Hung
from app.sync.wire import PcReport, ReaderReport

log = logging.getLogger(__name__)

LONGEST_NAP_S = 60.0
"""The thread looks at the clocks at least this often: they jump, and PCs sleep."""


def _nobody(status: SyncStatus) -> None:
    """No listener."""


class SyncEngine:
    """One per station. `start` once, `stop` once; or `run_once` without either.

    `sites`, `readers`, `pc` and `listener` are called on the engine's thread and must be quick. `wake`, `sync_now`,
    `roster_now`, `status` and `stop` may be called from any thread; all but `stop` return at once. The client is
    closed by `stop`.
    """

    def __init__(
        self,
        client: CentreCalls,
        outbox: Outbox,
        roster: RosterStore,
        clock: Clock,
        sites: Callable[[], Sequence[str]],
        app_version: str,
        readers: Callable[[], Sequence[ReaderReport]] = tuple,
        pace: Pace | None = None,
        listener: Callable[[SyncStatus], None] = _nobody,
        work_records: bool = True,
        dice: random.Random | None = None,
        duties: Duties | None = None,
        pc: Callable[[], PcReport | None] = lambda: None,
    ) -> None:
        self._client = client
        self._rounds = Rounds(
            client,
            outbox,
            roster,
            clock,
            sites,
            readers,
            app_version,
            pace or Pace(),
            listener,
            dice or random.SystemRandom(),
            work_records,
            duties,
            pc,
        )
        self._condition = threading.Condition()
        self._reasons: set[str] = set()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread. RuntimeError the second time."""
        if self._thread is not None:
            raise RuntimeError("the sync engine was started before")
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
        self._thread.start()

    def wake(self, reason: str = "touch") -> None:
        """Something happened: 'touch' (an event was stored), 'network' (the machine is connected again)."""
        with self._condition:
            self._reasons.add(reason)
            self._condition.notify_all()

    def sync_now(self) -> None:
        """A person asked: send at once, paused or not. Only a wait that the centre asked for is kept."""
        self.wake("now")

    def roster_now(self) -> None:
        """A person asked for the roster (and the feed): likewise, and in the rush too."""
        self.wake("roster")

    def status(self) -> SyncStatus:
        """How delivery stood when the engine looked last."""
        return self._rounds.status

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Give up a running request and end the thread. Whether it ended in time (it does, but for a hung disk)."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._client.abort()
        thread, ended = self._thread, True
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)
            ended = not thread.is_alive()
        self._client.close()
        return ended

    def run_once(self) -> RunSummary:
        """One round of everything on the caller's thread (`genba-touch sync --once`), waits or not.

        Troubles are in the summary; bugs are raised, and Hung if somebody called `stop`.
        """
        if self._thread is not None:
            raise RuntimeError("the sync engine has a thread of its own")
        summary = self._rounds.once()
        self._rounds.rest()
        return summary

    def _run(self) -> None:
        started = False
        while not self._stopping:
            try:
                if not started:
                    self._rounds.start()
                    started = True
                wait = self._rounds.tick()
            except Hung:
                break
            except Exception:  # tick lets none out; start may meet a sick disk
                log.exception("sync: could not start a round")
                wait = 5.0
            with self._condition:
                if not self._reasons and not self._stopping and wait > 0:
                    self._condition.wait(min(wait, LONGEST_NAP_S))
                reasons, self._reasons = frozenset(self._reasons), set()
            if reasons:
                self._rounds.wake(reasons)
        try:
            self._rounds.rest()
        except GenbaError as trouble:  # it says no more than when a person looks: nothing else hangs on it
            log.info("sync: the state could not be stored: %s", trouble)
