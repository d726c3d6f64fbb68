"""Who acts at the command line: an operator by id and PIN, slowed as at the gate."""

from __future__ import annotations

from app.domain.roster import Operator
from app.errors import InputRefused
from app.pins import PinGuard
from app.secrets import check_pin
from app.store.audit import AuditTrail
from app.wiring.station import Station


def proven(station: Station, action: str, found: Operator | None, operator_id: str, pin: str, *, may: bool) -> Operator:
    """The operator `found` (None: there is none of this id) if this is his PIN and he `may`; every try is noted down.

    Who may not learns no more than who mistypes, but his own PIN is no wrong one: nobody waits longer for it.
    Raises InputRefused `phones.operator`, `phones.pin_wait`."""
    trail = AuditTrail(station.db)
    pins = PinGuard(trail, station.clock, check_pin)
    too_soon = pins.may_try(action)
    if too_soon is not None:
        raise InputRefused("phones.pin_wait", operator_id[:40], seconds=too_soon.wait_s)
    right = found is not None and check_pin(found.pin_verifier, pin)
    known = found.id if found else None
    if right and not may:
        trail.record(action, ok=False, operator_id=known, detail="no_right")
    else:
        pins.settle(action, known if right else None, named=known)
    if found is None or not right or not may:
        raise InputRefused("phones.operator", operator_id[:40])
    return found
