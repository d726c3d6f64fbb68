"""One blocking call at a time on a thread of its own, so that whoever waits for it can walk away.

A name server or a firewall that swallows packets can hold a thread for minutes, and no library can be told to let go.
The call runs on the daemon thread `sync-line`; the caller waits with a deadline and wakes at once on `hang_up`.
The thread touches sockets only, never the store, so a call left behind harms nothing.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from app.sync.trouble import Hung

T = TypeVar("T")


class LineBusy(Exception):
    """A call that was given up earlier still holds the thread."""


class LineTimeout(Exception):
    """The deadline passed; the call was left behind."""


class _Job(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.wake = threading.Event()
        self.ended = threading.Event()
        self.result: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result.append(self.work())
        except BaseException as exc:
            self.error = exc
        finally:
            self.ended.set()
            self.wake.set()


class Line:
    """`run` from one thread, `hang_up` and `close` from any. `let_go` frees a blocked call if it can (best effort)."""

    def __init__(self, let_go: Callable[[], None], at_end: Callable[[], None]) -> None:
        self._let_go = let_go
        self._at_end = at_end
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._job: _Job[Any] | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether somebody hung up for good."""
        return self._closed

    def run(self, work: Callable[[], T], deadline_s: float) -> T:
        """Do `work` on the line's thread. Raises what it raises, LineTimeout, LineBusy or Hung."""
        last = self._job
        if last is not None and not last.ended.wait(1.0):
            raise LineBusy
        job: _Job[T] = _Job(work)
        with self._lock:
            if self._closed:
                raise Hung
            self._job = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="sync-line", daemon=True)
                self._thread.start()
            self._jobs.put(job)
        in_time = job.wake.wait(deadline_s)
        if self._closed:
            raise Hung
        if not in_time:
            self._let_go()
            raise LineTimeout
        if job.error is not None:
            raise job.error
        return job.result[0]

    def hang_up(self) -> None:
        """Wake the caller with Hung, now and in future. Any thread; does not block."""
        with self._lock:
            self._closed = True
            job, idle = self._job, self._thread is None
            self._jobs.put(None)
        if job is not None:
            job.wake.set()
            if not job.ended.is_set():  # else the thread closes its sockets itself, at this moment
                self._let_go()
        if idle:
            self._at_end()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread after `hang_up`. False: a call still holds it (it ends by itself)."""
        thread = self._thread
        if thread is None:
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._closed:
                job.ended.set()
            else:
                job.run()
        self._at_end()
