"""Wrong PINs stay slow after a restart, and whichever program of the folder asks."""

from __future__ import annotations

from datetime import timedelta

from app.pins import LONGEST_WAIT_S, PinGuard
from app.store.audit import AuditTrail
from tests.gate.conftest import Bench


def guard(bench: Bench) -> PinGuard:
    """Of a program that has just started."""
    return PinGuard(AuditTrail(bench.db), bench.clock, lambda verifier, pin: False)


def wrong(bench: Bench) -> int:
    """One wrong PIN in a program of its own; the wait after it."""
    pins = guard(bench)
    assert pins.may_try("office") is None
    return pins.settle("office", None).wait_s


def test_the_count_goes_on_in_the_next_program(bench: Bench) -> None:
    waits = []
    for _ in range(14):
        waits.append(wrong(bench))
        bench.clock.forward(waits[-1])
    assert waits[:6] == [0, 0, 15, 30, 60, 120]
    assert waits[-3:] == [LONGEST_WAIT_S] * 3


def test_a_restart_does_not_shorten_the_wait_nor_lengthen_it(bench: Bench) -> None:
    for _ in range(4):
        bench.clock.forward(wrong(bench))
    bench.clock.forward(-20)
    asked = guard(bench).may_try("phone_register")
    assert asked is not None
    assert asked.wait_s == 21
    for _ in range(40):  # trying in vain neither hides the wrong ones nor adds to them
        assert guard(bench).may_try("leave_kiosk") is not None
    bench.clock.forward(20)
    assert guard(bench).may_try("leave_kiosk") is None


def test_a_clock_set_back_locks_nobody_out(bench: Bench) -> None:
    for _ in range(3):
        wrong(bench)
    bench.clock.time -= timedelta(days=400)
    asked = guard(bench).may_try("office")
    assert asked is not None
    assert asked.wait_s <= 16


def test_a_right_pin_ends_the_count(bench: Bench) -> None:
    for _ in range(3):
        bench.clock.forward(wrong(bench))
    pins = guard(bench)
    assert pins.may_try("office") is None
    assert pins.settle("office", "op1").ok
    assert [wrong(bench), wrong(bench), wrong(bench)] == [0, 0, 15]
