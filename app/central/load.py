"""How much one process takes on: a bound on requests at work, and on what one client may ask in a row.

None of this is state that matters: every process counts for itself, and a new one starts at nothing.
"""

from __future__ import annotations

import math
import random
from collections import OrderedDict, deque
from collections.abc import Callable

from app.central.refusals import Refused

WINDOW_S = 10.0
SHORTEST_S = 2
LONGEST_S = 120
MAX_CLIENTS = 20_000


class Load:
    """Event loop's thread only. `monotonic`: seconds.

    `most`: requests at work or waiting for a thread or the database. What comes beyond is told to come again after a
    while drawn from a span in which, at the pace of the last seconds, all who were sent away can be served.
    """

    def __init__(self, most: int, monotonic: Callable[[], float], dice: random.Random | None = None) -> None:
        self._most = most
        self._monotonic = monotonic
        self._dice = dice or random.SystemRandom()
        self._running = 0
        self._done: deque[float] = deque()
        self._sent_away: deque[float] = deque()
        self.highest = 0
        """Most requests that were at work at once."""

    def enter(self) -> None:
        """Take a request on. Raises Refused `busy`."""
        if self._running >= self._most:
            self._sent_away.append(self._monotonic())
            raise Refused("busy", retry_after=self._dice.randint(SHORTEST_S, self._span()))
        self._running += 1
        self.highest = max(self.highest, self._running)

    def leave(self) -> None:
        """A request that was taken on has its answer."""
        self._running -= 1
        self._done.append(self._monotonic())
        self._forget(self._done)

    def _span(self) -> int:
        self._forget(self._done)
        self._forget(self._sent_away)
        first = self._done[0] if self._done else None
        seconds = max(1.0, self._monotonic() - first) if first is not None else WINDOW_S
        pace = max(1.0, len(self._done) / seconds)
        return max(SHORTEST_S + 1, min(LONGEST_S, math.ceil((len(self._sent_away) + self._running) / pace)))

    def _forget(self, moments: deque[float]) -> None:
        oldest = self._monotonic() - WINDOW_S
        while moments and moments[0] < oldest:
            moments.popleft()


class Allowance:
    """Requests a client may make: `burst` in a row, then `a_second`. Event loop's thread only.

    Far above what a station needs (a day's backlog is a dozen requests): it stops a program gone wild, nobody else.
    """

    def __init__(self, burst: int, a_second: float, monotonic: Callable[[], float]) -> None:
        self._burst = burst
        self._rate = a_second
        self._monotonic = monotonic
        self._spent: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, client: bytes) -> None:
        """One request of this client. Raises Refused `too_many_requests`."""
        now = self._monotonic()
        spent, at = self._spent.pop(client, (0.0, now))
        spent = max(0.0, spent - (now - at) * self._rate)
        if spent + 1 > self._burst:
            self._spent[client] = (spent, now)
            raise Refused("too_many_requests", retry_after=max(1, math.ceil((spent + 1 - self._burst) / self._rate)))
        self._spent[client] = (spent + 1, now)
        while len(self._spent) > MAX_CLIENTS:
            self._spent.popitem(last=False)
