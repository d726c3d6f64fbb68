"""Operators' PINs, at the gate and in the office: few tries, growing waits, an audit row for each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Protocol

from app.clock import Clock
from app.domain.roster import Roster

FREE_TRIES = 3
"""Wrong PINs in a row before the first wait."""
LONGEST_WAIT_S = 900
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
    """Whose PIN it was, when it is allowed."""


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

    def ask(
        self,
        pin: str,
        action: str,
        roster: Roster,
        post: Callable[[Callable[[], None]], None],
        reply: Callable[[PinResult], None],
    ) -> None:
        """The whole of it: the owner's thread, then one of its own (scrypt is slow on purpose, a card must not wait),
        then the owner's again by `post`. `reply` is called on the owner's thread (the gate's, or the office's)."""
        too_soon = self.may_try(action)
        if too_soon is not None:
            reply(too_soon)
            return

        def find() -> None:
            found = self.find(pin, action, roster)
            post(lambda: reply(self.settle(action, found)))

        threading.Thread(target=find, name="pin", daemon=True).start()

    def may_try(self, action: str) -> PinResult | None:
        """None when a PIN may be tried now; else the answer, noted down. Owner's thread. Raises StorageTrouble."""
        if self._wrong is None:
            self._wrong = self._go_on()
        left = self._until - self._clock.monotonic()
        if left <= 0:
            return None
        self._note(action, "too_soon")
        return PinResult(False, int(left) + 1)

    def find(self, pin: str, action: str, roster: Roster) -> str | None:
        """Id of an operator with a fitting role who has this PIN. Any thread: it takes some 50 ms an operator."""
        roles = ALLOWED.get(action, frozenset())
        for operator in roster.operators.values():
            allowed = roles.intersection(operator.roles)
            if allowed and operator.pin_verifier and self._check(operator.pin_verifier, pin):
                return operator.id
        return None

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
