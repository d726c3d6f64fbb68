"""Growing pauses between attempts: the one way the readers wait before trying again."""

from __future__ import annotations

FIRST_S = 0.1
CAP_S = 2.0


class Backoff:
    """Pauses that double from `first_s` up to `cap_s` (seconds). Belongs to one thread."""

    def __init__(self, first_s: float = FIRST_S, cap_s: float = CAP_S) -> None:
        self._first_s = first_s
        self._cap_s = cap_s
        self._next_s = first_s

    def next_s(self) -> float:
        """The pause to make now; the next one is twice as long."""
        pause = self._next_s
        self._next_s = min(pause * 2, self._cap_s)
        return pause

    def reset(self) -> None:
        """Something worked: start over with the shortest pause."""
        self._next_s = self._first_s
