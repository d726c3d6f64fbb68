"""Operators' PINs at the gate: few tries, growing waits, an audit row for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.clock import Clock
from app.domain.roster import Roster
from app.store.audit import AuditTrail

FREE_TRIES = 3
"""Wrong PINs in a row before the first wait."""
LONGEST_WAIT_S = 900
ALLOWED: dict[str, frozenset[str]] = {
    "leave_kiosk": frozenset({"gate", "foreman", "office", "approver", "administrator"}),
}
"""Which roles may do what."""


@dataclass(frozen=True, slots=True)
class PinResult:
    """Answer to a PIN. `wait_s`: seconds until the next try is allowed."""

    ok: bool
    wait_s: int = 0


class PinGuard:
    """Checks PINs against the roster's operators. Gate thread alone (a check takes some 50 ms an operator)."""

    def __init__(self, audit: AuditTrail, clock: Clock, check: Callable[[str, str], bool]) -> None:
        self._audit = audit
        self._clock = clock
        self._check = check
        self._wrong = 0
        self._until = 0.0

    def check(self, pin: str, action: str, roster: Roster) -> PinResult:
        """Does some operator with a fitting role have this PIN? Raises StorageTrouble when it cannot be noted down."""
        left = self._until - self._clock.monotonic()
        if left > 0:
            self._note(action, "too_soon")
            return PinResult(False, int(left) + 1)
        roles = ALLOWED.get(action, frozenset())
        for operator in roster.operators.values():
            allowed = roles.intersection(operator.roles)
            if allowed and operator.pin_verifier and self._check(operator.pin_verifier, pin):
                self._wrong = 0
                self._note(action, "allowed", operator.id)
                return PinResult(True)
        self._wrong += 1
        wait = 0
        if self._wrong >= FREE_TRIES:
            wait = min(LONGEST_WAIT_S, 15 * 2 ** (self._wrong - FREE_TRIES))
            self._until = self._clock.monotonic() + wait
        self._note(action, "wrong_pin")
        return PinResult(False, wait)

    def _note(self, action: str, result: str, operator_id: str | None = None) -> None:
        self._audit.record(action, ok=result == "allowed", operator_id=operator_id, detail=result)
