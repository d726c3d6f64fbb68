"""Wrong PINs stay slow after a restart, and whichever program of the folder asks."""

from __future__ import annotations

import time
from datetime import timedelta

from app.domain.roster import Operator, Roster
from app.pins import LONGEST_WAIT_S, PinGuard, PinResult
from app.secrets import check_pin, make_pin_verifier
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


def test_a_pin_that_two_have_lets_either_out_and_says_so(bench: Bench) -> None:
    people = [Operator(f"op{n}", f"N{n}", ("gate",), f"v{n}") for n in range(4)]
    pins = PinGuard(AuditTrail(bench.db), bench.clock, lambda verifier, pin: verifier in ("v1", "v3"))
    said: list[PinResult] = []
    jobs: list[object] = []
    for by_name in (False, True):
        pins.ask("1234", "leave_kiosk", Roster.of(people), jobs.append, said.append, by_name=by_name)
        while not jobs:
            time.sleep(0.01)
        jobs.pop()()  # type: ignore[operator]
    assert (said[0].ok, said[0].operator_id) == (True, "op1 op3")
    assert (said[1].ok, said[1].shared) == (False, ("op1", "op3"))
    assert pins.choose("leave_kiosk", "op3").operator_id == "op3"
    assert pins.choose("leave_kiosk", "op3") == PinResult(False)
    assert wrong(bench) == 0, "and no wrong one was counted"


def test_many_operators_take_no_longer_than_their_verifiers(bench: Bench) -> None:
    """All are tried, whoever is right, so that nothing is told by the time it takes; on all cores but one."""
    verifier = make_pin_verifier("4829")
    began = time.perf_counter()
    check_pin(verifier, "0000")
    alone = time.perf_counter() - began
    roster = Roster.of(Operator(f"op{n}", f"N{n}", ("gate",), verifier) for n in range(20))
    pins = PinGuard(AuditTrail(bench.db), bench.clock, check_pin)
    began = time.perf_counter()
    assert pins.find("0000", "leave_kiosk", roster) == ()
    took = time.perf_counter() - began
    print(f"one verifier {alone * 1000:.0f} ms, 20 in {took * 1000:.0f} ms")
    assert took < 20 * alone * 4 + 1.0
