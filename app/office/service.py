"""The office's own thread: questions wait in one queue and are answered one after the other (`app.office.desk`).

What a page waits for (marks on the screen, a saved entry) goes before what may take seconds: two queues, one thread. A
question that fails is answered by `Trouble` news, and the thread goes on.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from app.domain.roster import Operator
from app.domain.site import Site
from app.errors import GenbaError
from app.office.decisions import Decision
from app.office.desk import OfficeDesk
from app.office.port import Changed, Counted, OfficeNews, PinRefused, PinShared, Seated, Trouble
from app.office.shapes import (
    Backfill,
    Candidate,
    Deadline,
    EntryWanted,
    HeadcountDay,
    Marks,
    Month,
    Outcome,
    SignedIn,
    Waiting,
)
from app.pins import ALLOWED, PinGuard, PinResult

T = TypeVar("T")
log = logging.getLogger(__name__)

SOON, LATER, END, IDLE = 0, 1, 2, 3
"""Of questions; what is IDLE nobody has asked for, and `settle` does not wait for it."""
_Job = tuple[int, int, Callable[[], None] | None]


class Listener(Protocol):
    """Called on the office's thread; must be quick."""

    def __call__(self, news: OfficeNews) -> None: ...


class OfficeService:
    """Implements `app.office.port.OfficePort`. Public methods may be called from any thread; all return at once."""

    def __init__(self, desk: OfficeDesk, pins: PinGuard, on_stored: Callable[[], None]) -> None:
        """`on_stored`: something was put in the outbox; called on the office's thread."""
        self._desk, self._pins, self._on_stored = desk, pins, on_stored
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._searching: object = None
        """The search for missed days that is going on."""
        self._counting: object = None
        """The same, when nobody has asked: for the board."""
        self._count = 0
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        self._thread = threading.Thread(target=self._run, name="office", daemon=True)

    def start(self) -> None:
        """Start the office's thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread when its present question is answered; others are dropped. Safe to call twice."""
        with self._lock:
            self._jobs.put((-1, 0, None))
        if self._thread.is_alive():
            self._thread.join()

    def settle(self) -> None:
        """Wait until everything asked so far is answered."""
        done = threading.Event()
        self._put(END, done.set)
        done.wait()

    def post(self, job: Callable[[], None]) -> None:
        """Run a short piece of work in turn on the office's thread. Any thread."""
        self._put(SOON, lambda: self._guarded(job))

    def roster_changed(self) -> None:
        """The roster, or something made elsewhere, has come from the centre. Any thread."""

        def work() -> None:
            before = self._desk.person
            self._desk.reload()
            if self._desk.person != before:
                self._tell(Seated(self._desk.person))
            self._tell(Changed())

        self._put(SOON, lambda: self._guarded(work))

    # -- OfficePort ------------------------------------------------------------------------------------------------

    @property
    def site(self) -> Site:
        """The site as last known."""
        return self._desk.site

    @property
    def has_operators(self) -> bool:
        """See `OfficePort`."""
        wanted = ALLOWED["office"]
        return any(o.pin_verifier and wanted.intersection(o.roles) for o in self._desk.roster.operators.values())

    def listen(self, listener: Listener) -> None:
        """Add a listener; it is called on the office's thread."""
        self._listeners = (*self._listeners, listener)

    def sign_in(self, pin: str, reply: Callable[[SignedIn | PinRefused | PinShared], None]) -> None:
        """See `OfficePort`. The PIN is tried on a thread of its own: it is slow on purpose."""

        def answer(result: PinResult) -> None:
            found = [self._desk.roster.operators.get(id_, Operator(id_, id_)) for id_ in result.shared]
            if found:
                reply(PinShared(tuple((one.id, one.name, one.roles) for one in found)))
            else:
                reply(self._seat(result))

        def ask() -> None:
            def post(job: Callable[[], None]) -> None:
                self._put(SOON, lambda: self._guarded(job))

            self._pins.ask(pin, "office", self._desk.roster, post, answer, by_name=True)

        self._put(SOON, lambda: self._guarded(ask))

    def sign_in_as(self, operator_id: str, reply: Callable[[SignedIn | PinRefused], None]) -> None:
        """See `OfficePort`."""
        self._put(SOON, lambda: self._guarded(lambda: reply(self._seat(self._pins.choose("office", operator_id)))))

    def _seat(self, result: PinResult) -> SignedIn | PinRefused:
        if not result.ok or not result.operator_id:
            return PinRefused(result.wait_s)
        return self._desk.sign_in(result.operator_id)

    def sign_out(self) -> None:
        """See `OfficePort`."""

        def leave() -> None:
            self._desk.person = None

        self._put(SOON, leave)

    def month(self, month: str, reply: Callable[[Month], None]) -> None:
        """See `OfficePort`."""
        self._ask(SOON, lambda: self._desk.month(month), reply)

    def marks(self, month: str, worker_ids: Sequence[str], reply: Callable[[Marks], None]) -> None:
        """See `OfficePort`."""
        self._ask(SOON, lambda: self._desk.marks(month, worker_ids), reply)

    def candidates(
        self,
        month: str,
        reply: Callable[[Sequence[Candidate]], None],
        progress: Callable[[float], None] = lambda share: None,
    ) -> None:
        """See `OfficePort`."""
        steps = self._desk.candidates(month)

        def step() -> None:
            if self._searching is not steps:
                return
            said = next(steps)
            if isinstance(said, list):
                reply(said)
                return
            progress(said)
            self._put(LATER, lambda: self._guarded(step))

        self._searching = steps
        self._put(LATER, lambda: self._guarded(step))

    def set_aside(self, worker_id: str, day: str, aside: bool, reply: Callable[[Outcome], None]) -> None:
        """See `OfficePort`."""
        self._store(lambda: self._desk.set_aside(worker_id, day, aside), reply, day[:7])

    def enter(self, entries: Sequence[EntryWanted], reply: Callable[[Outcome], None]) -> None:
        """See `OfficePort`."""
        self._store(lambda: self._desk.enter(entries), reply)

    def waiting(self, reply: Callable[[Sequence[Waiting]], None]) -> None:
        """See `OfficePort`."""
        self._ask(SOON, self._desk.waiting, reply)

    def decide(self, entry_ids: Sequence[str], approved: bool, reason: str, reply: Callable[[Outcome], None]) -> None:
        """See `OfficePort`."""
        self._store(lambda: self._desk.decide(entry_ids, approved, reason), reply)

    def decisions(self, reply: Callable[[Sequence[Decision]], None]) -> None:
        """See `OfficePort`."""
        self._ask(SOON, self._desk.decisions, reply)

    def undo(self, approval_ids: Sequence[str], reason: str, reply: Callable[[Outcome], None]) -> None:
        """See `OfficePort`."""
        self._store(lambda: self._desk.undo(approval_ids, reason), reply)

    def take_back(self, entry_ids: Sequence[str], reason: str, reply: Callable[[Outcome], None]) -> None:
        """See `OfficePort`."""
        self._store(lambda: self._desk.take_back(entry_ids, reason), reply)

    def deadlines(self, reply: Callable[[Sequence[Deadline]], None]) -> None:
        """See `OfficePort`."""

        def answer() -> None:
            found = self._desk.deadlines()
            reply(found)
            self._count_for_board([one.month for one in reversed(found) if one.level != "past"])

        self._put(SOON, lambda: self._guarded(answer))

    def _count_for_board(self, months: Sequence[str]) -> None:
        """Count a month's likely missed days, piece by piece when nobody waits; then the next one's. Office thread."""
        month = next((one for one in months if self._desk.wants_count(one)), None)
        if month is None or self._counting is not None:
            return
        steps = self._counting = self._desk.candidates(month)

        def step() -> None:
            try:
                if self._desk.wants_count(month) and not isinstance(next(steps), list):
                    self._put(IDLE, lambda: self._guarded(step))
                    return
            except BaseException:
                self._counting = None
                raise
            self._counting = None
            self._tell(Counted())
            self._count_for_board(months)

        self._put(IDLE, lambda: self._guarded(step))

    def headcounts(self, month: str, reply: Callable[[Sequence[HeadcountDay]], None]) -> None:
        """See `OfficePort`."""
        self._ask(SOON, lambda: self._desk.headcounts(month), reply)

    def set_headcount(self, company_id: str, day: str, count: int, reply: Callable[[Outcome], None]) -> None:
        """See `OfficePort`."""
        self._store(lambda: self._desk.set_headcount(company_id, day, count), reply, day[:7])

    def backfill(self, month: str, reply: Callable[[Sequence[Backfill]], None]) -> None:
        """See `OfficePort`."""
        self._ask(LATER, lambda: self._desk.backfill(month), reply)

    def apply_backfill(self, month: str, event_ids: Sequence[str], reply: Callable[[Outcome], None]) -> None:
        """See `OfficePort`."""
        self._store(lambda: self._desk.apply_backfill(month, event_ids), reply, month)

    # -- the thread ------------------------------------------------------------------------------------------------

    def _put(self, when: int, job: Callable[[], None]) -> None:
        with self._lock:
            self._count += 1
            self._jobs.put((when, self._count, job))

    def _ask(self, when: int, question: Callable[[], T], reply: Callable[[T], None]) -> None:
        self._put(when, lambda: self._guarded(lambda: reply(question())))

    def _store(self, deed: Callable[[], Outcome], reply: Callable[[Outcome], None], month: str = "") -> None:
        def work() -> None:
            try:
                outcome = deed()
            except GenbaError as exc:  # the store's: nothing of it is there
                reply(Outcome(error=exc.code))
                raise
            except Exception:  # whoever waits for the answer must not wait for ever
                reply(Outcome(error="office.bug"))
                raise
            reply(outcome)
            if outcome.error or outcome.problems:
                return
            if outcome.stored:
                self._on_stored()
            self._tell(Changed(month))

        self._put(SOON, lambda: self._guarded(work))

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except GenbaError as exc:
            log.info("the office: %s", exc)
            self._tell(Trouble(exc.code, {name: str(value) for name, value in exc.values.items()}))
        except Exception:
            log.exception("the office: a fault")
            self._tell(Trouble("office.bug", {}))

    def _tell(self, news: OfficeNews) -> None:
        for listener in self._listeners:
            listener(news)

    def _run(self) -> None:
        while (job := self._jobs.get()[2]) is not None:
            job()
