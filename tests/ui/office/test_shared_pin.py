"""Two people with the same PIN: their names come up, and who presses his sits down, nobody else."""

from __future__ import annotations

import os

from PySide6.QtWidgets import QApplication

from app.secrets import make_pin_verifier
from app.ui.pads import Pad
from app.ui.theme import TARGET
from tests.office.desk_bench import OPERATORS
from tests.ui.office.conftest import PINS, Desk
from tests.ui.walk import clipped, overlapping, small_targets

SHARED = "7777"


def share(desk: Desk, *who: str) -> None:
    """Give these operators the same PIN."""
    verifiers = {one: make_pin_verifier(SHARED) for one in who}
    desk.bench.roster(operators=[one | {"pin_verifier": verifiers.get(str(one["id"]), "")} for one in OPERATORS])
    desk.service.roster_changed()
    desk.service.settle()


def type_it(desk: Desk, pin: str) -> None:
    for digit in pin:
        desk.window.pin.press(digit)
    desk.window.pin.press("ok")


def names(desk: Desk) -> dict[str, Pad]:
    pads = desk.window.pin.people.findChildren(Pad)
    return {pad.text(): pad for pad in pads if not pad.isHidden()}


def test_one_of_them_is_chosen(desk: Desk) -> None:
    first, second = list(PINS)[:2]
    share(desk, first, second)
    shown = {str(one["name"]): str(one["id"]) for one in OPERATORS if one["id"] in (first, second)}
    type_it(desk, SHARED)
    desk.until(lambda: not desk.window.pin.people.isHidden())
    QApplication.processEvents()
    assert set(names(desk)) == set(shown)
    assert (clipped(desk.window), overlapping(desk.window), small_targets(desk.window.pin, TARGET)) == ([], [], [])
    if folder := os.environ.get("GENBA_PICTURES"):
        desk.window.grab().save(f"{folder}/pin-who.png")
    assert desk.window.person is None
    type_it(desk, SHARED)  # the keys are away: nothing is typed behind the names
    for name, id_ in shown.items():
        if id_ == second:
            names(desk)[name].click()
    desk.until(lambda: desk.window.person is not None)
    assert desk.window.person is not None
    assert desk.window.person.operator_id == second
    desk.window.sign_out()
    assert desk.window.pin.people.isHidden()
    assert names(desk) == {}


def test_nobody_else_can_be_chosen_nor_twice(desk: Desk) -> None:
    first, second, third = list(PINS)[:3]
    share(desk, first, second)
    said: list[object] = []
    desk.service.sign_in(SHARED, said.append)
    desk.until(lambda: len(said) == 1)
    desk.service.sign_in_as(third, said.append)
    desk.service.sign_in_as(first, said.append)
    desk.until(lambda: len(said) == 3)
    assert [type(one).__name__ for one in said] == ["PinShared", "PinRefused", "PinRefused"]
    desk.service.sign_in(SHARED, said.append)
    desk.until(lambda: len(said) == 4)
    desk.bench.clock.forward(61)
    desk.service.sign_in_as(first, said.append)
    desk.until(lambda: len(said) == 5)
    assert type(said[-1]).__name__ == "PinRefused", "too late: somebody else may stand there now"
