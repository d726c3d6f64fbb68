"""PaSoRi over USB against an emulator, not hardware: real libusb, libusb1 and nfcpy on umockdev's usbfs.

RC-S300 runs our own driver, RC-S380 nfcpy's, unmodified.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from tests.helpers import usb_bench
from tests.helpers.usb_bench import Bench

IDM = "0101000000001234"
OTHER = "97C09000C0030264"
BLOCKS = [f"{n:032X}" for n in range(12)]
LABELS = {"rcs300": "PaSoRi RC-S300", "rcs380": "RC-S380/P"}


@pytest.fixture
def bench() -> Iterator[Bench]:
    """An emulated USB; on our own machines its absence is a failure."""
    lacking = usb_bench.missing()
    if lacking is not None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have the emulated USB: {lacking}")
        pytest.skip(lacking)
    with Bench() as started:
        yield started


@pytest.fixture(params=sorted(LABELS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_card_is_read_once_and_its_removal_seen(bench: Bench, kind: str) -> None:
    bench.do("plug", reader=kind)
    bench.start_program(area="100B:12")
    assert bench.wait_state("ready")["label"] == LABELS[kind]
    bench.do("card", idm=IDM, blocks=BLOCKS)
    seen = bench.wait_card("CardSeen")
    assert (seen["card_key"], seen["assurance"]) == (f"felica:{IDM}", "uid")
    assert list(seen["attributes"].values()) == BLOCKS
    bench.wait_state("card_present")
    before = bench.do("look")["exchanges"]
    while bench.do("look")["exchanges"] < before + 10:  # it is left lying, and asked for again and again
        pass
    bench.do("card", idm=None)
    bench.wait_card("CardRemoved")
    bench.wait_state("ready")
    bench.do("card", idm=OTHER, blocks=BLOCKS)
    assert bench.wait_card("CardSeen")["card_key"] == f"felica:{OTHER}"
    assert [e["event"] for e in bench.events].count("CardSeen") == 2


@pytest.mark.parametrize("with_card", [False, True])
def test_reader_pulled_and_plugged_in_again(bench: Bench, kind: str, with_card: bool) -> None:
    bench.start_program()
    bench.wait_state("no_reader")
    bench.do("plug", reader=kind)
    bench.wait_state("ready")
    if with_card:
        bench.do("card", idm=IDM)
        bench.wait_state("card_present")
    bench.do("unplug")
    if with_card:
        bench.wait_card("CardRemoved")
    assert "Errno 19" in bench.wait_state("no_reader")["detail"]
    bench.do("plug", reader=kind)
    bench.wait_state("ready")
    bench.do("card", idm=OTHER)
    assert bench.wait_card("CardSeen")["card_key"] == f"felica:{OTHER}"


def test_reader_is_left_as_it_was_found(bench: Bench) -> None:
    bench.do("plug", reader="rcs300")
    bench.start_program()
    bench.wait_state("ready")
    assert bench.do("look")["claimed"] == [0, 1], "the smart-card interface too, so that PC/SC does not come between"
    assert bench.do("look")["session"]
    bench.stop_program()
    look = bench.do("look")
    assert (look["session"], look["on"], look["claimed"], look["detached"]) == (False, False, [], 0)


def test_what_an_earlier_program_left_in_the_reader(bench: Bench) -> None:
    bench.do("plug", reader="rcs300")
    bench.do("stale", transfers=["830A000000000000000000" + "C0030090009000", "8307", ""])
    bench.start_program()
    bench.wait_state("ready")
    bench.do("card", idm=IDM)
    bench.wait_card("CardSeen")


@pytest.mark.parametrize(("by", "condition"), [("program", "busy_elsewhere"), ("kernel", "driver_conflict")])
def test_reader_that_another_holds_is_left_to_it(bench: Bench, by: str, condition: str) -> None:
    bench.do("plug", reader="rcs300", held=by)
    bench.start_program()
    assert "interface 0" in bench.wait_state(condition)["detail"]
    assert bench.do("look")["detached"] == 0
    bench.do("hold", by="")
    bench.wait_state("ready")


def test_what_is_plugged_in_is_named(bench: Bench) -> None:
    bench.start_program()
    assert bench.plugged() == []
    bench.do("plug", reader="rcs300", held="program")
    assert bench.plugged() == ["PaSoRi RC-S300 (054c:0dc9)"]
