"""PaSoRi over USB: nfcpy's search and opening play each trouble, a fake device the cards. No real reader was here."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from typing import Any

import nfc.clf
import pytest

from app.clock import SystemClock
from app.readers.pasori import PasoriReader
from app.readers.port import CardRemoved, CardSeen, CardUnreadable, ReaderCondition, ReaderEvent, ReaderState

RCS380 = (0x054C, 0x06C3, 1, 23)
RCS300 = (0x054C, 0x0DC9, 1, 24)
KEYBOARD = (0x046D, 0xC31C, 1, 5)
C = ReaderCondition
Enough = Callable[[list[ReaderEvent]], bool]


class FakeDevice:
    """An nfcpy device driver with cards by what they answer to; `lost` makes every call fail."""

    product_name = "RC-S380/P"

    def __init__(self) -> None:
        self.type_a: bytes | None = None
        self.type_f: bytes | None = None
        self.polled: list[bytes] = []
        self.lost = False
        self.closed = False

    def _check(self) -> None:
        if self.lost:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    def mute(self) -> None:
        self._check()

    def close(self) -> None:
        self.closed = True

    def sense_tta(self, target: Any) -> Any:
        self._check()
        if self.type_a is None:
            return None
        found = nfc.clf.RemoteTarget("106A")
        found.sens_res, found.sdd_res, found.sel_res = bytearray(b"\x04\x00"), bytearray(self.type_a), bytearray(1)
        return found

    def sense_ttf(self, target: Any) -> Any:
        self._check()
        self.polled.append(bytes(target.sensf_req))
        if self.type_f is None or target.sensf_req[1:3] == b"\x00\x03":
            return None
        identity = bytearray(b"\x01" + self.type_f + b"\xff" * 8 + b"\x12\xfc")
        return nfc.clf.RemoteTarget("212F", sensf_res=identity)

    def send_cmd_recv_rsp(self, target: Any, data: Any, timeout: float) -> bytearray:
        self._check()
        if self.type_f is None:
            raise nfc.clf.TimeoutError
        return bytearray(b"\x12\x01" + self.type_f + b"\xff" * 8)


@pytest.fixture
def usb(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Say what is plugged in, and what opening it brings."""

    def plug(found: list[tuple[int, int, int, int]], opened: Callable[[str], Any]) -> None:
        monkeypatch.setattr(nfc.clf.transport.USB, "find", lambda path: found)
        monkeypatch.setattr(nfc.clf.device, "connect", opened)

    return plug


def raising(error: Exception) -> Callable[[str], Any]:
    def fail(path: str) -> Any:
        raise error

    return fail


def run(enough: Enough, then: Callable[[int], None] = lambda n: None) -> list[ReaderEvent]:
    """Run the reader until it has said enough; `then` is told after each event how many there are."""
    said: list[ReaderEvent] = []
    stop = threading.Event()

    def emit(event: ReaderEvent) -> None:
        said.append(event)
        then(len(said))
        if enough(said):
            stop.set()

    reader = PasoriReader("usb", SystemClock())
    watchdog = threading.Timer(20, stop.set)
    watchdog.start()
    reader.run(emit, stop)
    reader.interrupt()
    watchdog.cancel()
    assert enough(said), said
    return said


def last(condition: ReaderCondition) -> Enough:
    return lambda said: isinstance(said[-1], ReaderState) and said[-1].condition is condition


@pytest.mark.parametrize(
    ("number", "condition"),
    [
        (errno.EACCES, C.NO_PERMISSION),
        (errno.ENODEV, C.NO_READER),
        (errno.EIO, C.NO_READER),
        (errno.EINVAL, C.FAILED),
    ],
)
def test_reader_that_does_not_open(usb: Callable[..., None], number: int, condition: ReaderCondition) -> None:
    usb([KEYBOARD, RCS380], raising(OSError(number, os.strerror(number))))
    (state,) = run(last(condition))
    assert isinstance(state, ReaderState)
    assert "054c:06c3" in state.detail


@pytest.mark.parametrize(("kernel", "condition"), [(False, C.BUSY_ELSEWHERE), (True, C.DRIVER_CONFLICT)])
def test_reader_that_another_holds(
    usb: Callable[..., None], monkeypatch: pytest.MonkeyPatch, kernel: bool, condition: ReaderCondition
) -> None:
    monkeypatch.setattr("app.readers.pasori.sys.platform", "linux")
    monkeypatch.setattr("app.readers.pasori.Path.exists", lambda path: kernel)
    usb([RCS380], raising(OSError(errno.EBUSY, "busy")))
    run(last(condition))


def test_windows_without_the_usb_driver(usb: Callable[..., None]) -> None:
    usb([RCS380], raising(nfc.clf.transport.libusb.USBErrorNotSupported()))
    run(last(C.DRIVER_MISSING))


def test_libusb_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def no_nfc(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("nfc"):
            raise OSError("libusb-1.0.so.0: cannot open shared object file")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", no_nfc)
    run(last(C.DRIVER_MISSING))


def test_nothing_that_can_be_used(usb: Callable[..., None]) -> None:
    usb([KEYBOARD], raising(AssertionError("not to be opened")))
    run(last(C.NO_READER))


def test_felica_card_comes_and_goes(usb: Callable[..., None]) -> None:
    device = FakeDevice()
    device.type_f = bytes.fromhex("0101000000001234")
    usb([RCS380], lambda path: device)

    def take_away(said: int) -> None:
        if said == 3:  # ready, card, card present
            device.type_f = None

    said = run(lambda s: len(s) > 1 and last(C.READY)(s), take_away)
    assert [type(event) for event in said] == [ReaderState, CardSeen, ReaderState, CardRemoved, ReaderState]
    seen = said[1]
    assert isinstance(seen, CardSeen)
    assert seen.card_key == "felica:0101000000001234"
    assert [request[1:3].hex() for request in device.polled[:2]] == ["0003", "ffff"]
    assert device.closed
    state = said[0]
    assert isinstance(state, ReaderState)
    assert state.label == "RC-S380/P"


def test_type_a_card_comes_and_goes(usb: Callable[..., None]) -> None:
    device = FakeDevice()
    device.type_a = bytes.fromhex("04A1B2C3D4E5F6")
    usb([RCS380], lambda path: device)

    def take_away(said: int) -> None:
        if said == 3:
            device.type_a = None

    said = run(lambda s: isinstance(s[-1], CardRemoved), take_away)
    assert [e.card_key for e in said if isinstance(e, CardSeen)] == ["uid:04A1B2C3D4E5F6"]


def test_phone_left_lying_is_one_card(usb: Callable[..., None]) -> None:
    """Each look resets it, and it answers with another random number."""

    class Phone(FakeDevice):
        looks = 0

        def sense_tta(self, target: Any) -> Any:
            self.looks += 1
            self.type_a = bytes((8, 0, 0, self.looks)) if self.looks < 10 else None
            return super().sense_tta(target)

    phone = Phone()
    usb([RCS380], lambda path: phone)
    said = run(lambda s: isinstance(s[-1], CardRemoved))
    assert sum(isinstance(event, CardSeen) for event in said) == 1
    assert phone.looks >= 10


def test_chip_number_that_cannot_be_one(usb: Callable[..., None]) -> None:
    device = FakeDevice()
    device.type_a = b"\x01\x02\x03"
    usb([RCS380], lambda path: device)
    said = run(last(C.CARD_PRESENT))
    assert isinstance(said[1], CardUnreadable)
    assert said[1].detail == "chip number of 3 bytes"
    assert not any(isinstance(event, CardRemoved) for event in said)


@pytest.mark.parametrize("with_card", [False, True])
def test_reader_pulled_and_plugged_in_again(usb: Callable[..., None], with_card: bool) -> None:
    first, second = FakeDevice(), FakeDevice()
    first.type_f = bytes.fromhex("0101000000001234") if with_card else None
    devices = [first, second]
    usb([RCS380], lambda path: devices.pop(0))

    def pull(said: int) -> None:
        first.lost = said >= (3 if with_card else 1)

    said = run(lambda s: sum(isinstance(e, ReaderState) and e.condition is C.READY for e in s) == 2, pull)
    states = [event.condition for event in said if isinstance(event, ReaderState)]
    assert states == [C.READY, *([C.CARD_PRESENT] if with_card else []), C.NO_READER, C.READY]
    assert sum(isinstance(event, CardRemoved) for event in said) == (1 if with_card else 0)
    assert first.closed


def test_path_that_is_none() -> None:
    with pytest.raises(ValueError, match="usb or udp"):
        PasoriReader("tty:USB0", SystemClock())
