"""A road that nobody has is not held against the gate; a reader that is gone is."""

from __future__ import annotations

from app.gate.roads import RoadFilter
from app.readers.port import CardRemoved, ReaderCondition, ReaderEvent, ReaderState
from tests.helpers.fake_clock import FakeClock

READY, GONE, STOPPED = ReaderCondition.READY, ReaderCondition.NO_READER, ReaderCondition.STOPPED


def run(*states: tuple[str, ReaderCondition]) -> dict[str, ReaderCondition]:
    """What stands on the screen after these states."""
    screen: dict[str, ReaderCondition] = {}

    def show(event: ReaderEvent) -> None:
        assert isinstance(event, ReaderState)
        if event.condition is STOPPED:
            screen.pop(event.reader)
        else:
            screen[event.reader] = event.condition

    roads = RoadFilter(show)
    for name, condition in states:
        roads.take(ReaderState(name, name, condition))
    return screen


def test_a_road_that_never_had_a_reader_is_left_out_once_another_works() -> None:
    assert run(("pcsc", GONE), ("usb", GONE)) == {"pcsc": GONE}
    assert run(("pcsc", GONE), ("usb", GONE), ("usb", READY)) == {"usb": READY}


def test_a_reader_that_worked_and_is_gone_is_trouble() -> None:
    assert run(("pcsc", READY), ("usb", READY), ("usb", GONE)) == {"pcsc": READY, "usb": GONE}


def test_a_reader_that_pcsc_has_is_no_trouble_on_the_usb_road() -> None:
    """Both roads can drive an RC-S300; whichever has it, the other says that it is held."""
    held, conflict = ReaderCondition.BUSY_ELSEWHERE, ReaderCondition.DRIVER_CONFLICT
    starting = ReaderCondition.STARTING
    for other in (held, conflict):
        states = [("pcsc", starting), ("usb", starting), ("usb", other), ("pcsc", STOPPED), ("pcsc:RC-S300", READY)]
        assert run(*states) == {"pcsc:RC-S300": READY}
        assert run(*states, ("usb", starting), ("usb", other)) == {"pcsc:RC-S300": READY}
    assert run(("pcsc", GONE), ("usb", starting), ("usb", READY)) == {"usb": READY}


def test_a_reader_that_ended_leaves_the_screen() -> None:
    assert run(("pcsc:A", READY), ("pcsc:A", STOPPED)) == {}


def test_other_events_pass() -> None:
    seen: list[ReaderEvent] = []
    removed = CardRemoved("usb", FakeClock().now())
    RoadFilter(seen.append).take(removed)
    assert seen == [removed]
