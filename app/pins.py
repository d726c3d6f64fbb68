"""Operators' PINs, at the gate and in the office: few tries, growing waits, an audit row for each."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Protocol

from app.clock import Clock
from app.domain.roster import Roster

FREE_TRIES = 3
"""Wrong PINs in a row before the first wait."""
LONGEST_WAIT_S = 900
CHOOSE_S = 60
"""For so long a PIN that several have is good for choosing who it is."""
_COUNTED = 12
"""Wrong PINs in a row after which one more changes nothing."""
ALLOWED: dict[str, frozenset[str]] = {
    "leave_kiosk": frozenset({"gate", "foreman", "office", "approver", "administrator"}),
    "office": frozenset({"foreman", "office", "approver", "administrator"}),
}
"""Which roles may do what."""


class Audit(Protocol):
    """Where tries are noted down (`app.store.audit`)."""

    def record(self, action: str, *, ok: bool, operator_id: str | None = None, detail: str = "") -> None:
        """One row. Raises StorageTrouble."""

    def noted(self, details: Collection[str], limit: int) -> Sequence[tuple[datetime, str]]:
        """When and which of these `details` was recorded, newest first. Raises StorageTrouble."""


@dataclass(frozen=True, slots=True)
class PinResult:
    """Answer to a PIN. `wait_s`: seconds until the next try is allowed."""

    ok: bool
    wait_s: int = 0
    operator_id: str | None = None
    """Whose PIN it was, when it is allowed; several, parted by blanks, where it is more than one person's."""
    shared: tuple[str, ...] = ()
    """Ids of operators who all have this PIN: one of them must be chosen first (`choose`). Then `ok` is False."""


class PinGuard:
    """Checks PINs against the roster's operators: `may_try`, then `find` on a thread of its own, then `settle`.

    The count of wrong ones goes on where the trail says an earlier program on this data folder left it.
    """

    def __init__(self, audit: Audit, clock: Clock, check: Callable[[str, str], bool]) -> None:
        self._audit = audit
        self._clock = clock
        self._check = check
        self._wrong: int | None = None
        self._until = 0.0
        self._shared: tuple[str, ...] = ()
        self._shared_until = 0.0

    def ask(
        self,
        pin: str,
        action: str,
        roster: Roster,
        post: Callable[[Callable[[], None]], None],
        reply: Callable[[PinResult], None],
        *,
        by_name: bool = False,
    ) -> None:
        """The whole of it: the owner's thread, then one of its own (scrypt is slow on purpose, a card must not wait),
        then the owner's again by `post`. `reply` is called on the owner's thread (the gate's, or the office's).

        `by_name`: it matters who it is, so a PIN that several have is answered by `shared`.
        """
        too_soon = self.may_try(action)
        if too_soon is not None:
            reply(too_soon)
            return

        def find() -> None:
            found = self.find(pin, action, roster)
            if by_name and len(found) > 1:
                post(lambda: reply(self._share(found)))
            else:
                post(lambda: reply(self.settle(action, " ".join(found) or None)))

        self._shared = ()
        threading.Thread(target=find, name="pin", daemon=True).start()

    def choose(self, action: str, operator_id: str) -> PinResult:
        """After `shared`: it is this one of them; somebody else, or too late, is no wrong PIN. Owner's thread. Raises
        StorageTrouble."""
        shared, self._shared = self._shared, ()
        if operator_id in shared and self._clock.monotonic() < self._shared_until:
            return self.settle(action, operator_id)
        return PinResult(False)

    def _share(self, found: tuple[str, ...]) -> PinResult:
        self._shared, self._shared_until = found, self._clock.monotonic() + CHOOSE_S
        return PinResult(False, shared=found)

    def may_try(self, action: str) -> PinResult | None:
        """None when a PIN may be tried now; else the answer, noted down. Owner's thread. Raises StorageTrouble."""
        if self._wrong is None:
            self._wrong = self._go_on()
        left = self._until - self._clock.monotonic()
        if left <= 0:
            return None
        self._note(action, "too_soon")
        return PinResult(False, int(left) + 1)

    def find(self, pin: str, action: str, roster: Roster) -> tuple[str, ...]:
        """Ids of all operators with a fitting role who have this PIN: nothing keeps two people from the same one.

        Any thread: it takes some 40 ms an operator on one core. Cores are used together, but one is left to the cards.
        """
        roles = ALLOWED.get(action, frozenset())
        asked = [o for o in roster.operators.values() if o.pin_verifier and roles.intersection(o.roles)]
        with ThreadPoolExecutor(max(1, min(4, (os.cpu_count() or 1) - 1)), "pin") as cores:
            right = list(cores.map(lambda operator: self._check(operator.pin_verifier, pin), asked))
        return tuple(operator.id for operator, fits in zip(asked, right, strict=True) if fits)

    def settle(self, action: str, operator_id: str | None, *, named: str | None = None) -> PinResult:
        """Note a try down and answer it. `named`: whose PIN it should have been, where somebody said so.

        Owner's thread, after `may_try`. Raises StorageTrouble: then nobody is let through."""
        if operator_id is not None:
            self._note(action, "allowed", operator_id)
            self._wrong = 0
            return PinResult(True, operator_id=operator_id)
        self._wrong = (self._wrong or 0) + 1
        wait = _wait_after(self._wrong)
        self._until = self._clock.monotonic() + wait
        self._note(action, "wrong_pin", named)
        return PinResult(False, wait)

    def _go_on(self) -> int:
        """Wrong PINs in a row so far, by the trail; what is left of the wait after the last one begins to run."""
        tries = self._audit.noted(("wrong_pin", "allowed"), _COUNTED)
        wrong = list(takewhile(lambda one: one[1] == "wrong_pin", tries))
        wait = _wait_after(len(wrong))
        if wait:
            # a clock that was set back must not make it longer
            passed = max(0.0, (self._clock.now() - wrong[0][0]).total_seconds())
            self._until = self._clock.monotonic() + max(0.0, wait - passed)
        return len(wrong)

    def _note(self, action: str, result: str, operator_id: str | None = None) -> None:
        self._audit.record(action, ok=result == "allowed", operator_id=operator_id, detail=result)


def _wait_after(wrong: int) -> int:
    return min(LONGEST_WAIT_S, 15 * 2 ** (wrong - FREE_TRIES)) if wrong >= FREE_TRIES else 0
