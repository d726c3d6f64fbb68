"""USB without a bus: what each of libusb's errors becomes, which interface is taken. `usb1` is played."""

from __future__ import annotations

import errno
import threading
from types import SimpleNamespace
from typing import Any

import nfc.clf
import pytest
import usb1

from app.clock import SystemClock
from app.readers import rcs300, usb
from app.readers.pasori import PasoriReader
from app.readers.port import ReaderCondition, ReaderEvent, ReaderState

C = ReaderCondition
OUT, IN, INTERRUPT = (0x02, 2), (0x82, 2), (0x83, 3)


def setting(number: int, kind: int, *ends: tuple[int, int]) -> Any:
    points = [
        SimpleNamespace(getAddress=lambda a=a: a, getAttributes=lambda t=t: t, getMaxPacketSize=lambda: 64)
        for a, t in ends
    ]
    return SimpleNamespace(getNumber=lambda: number, getClass=lambda: kind, iterEndpoints=lambda: iter(points))


class Handle:
    """An open device; `trouble` is raised by claiming an interface (by its number), reading and writing."""

    def __init__(self, **trouble: Any) -> None:
        self.trouble = trouble
        self.claimed: list[int] = []
        self.written: list[tuple[int, bytes]] = []
        self.kernel = False
        self.short = 0

    def _maybe(self, what: str) -> None:
        if what in self.trouble:
            raise self.trouble[what]

    def claimInterface(self, number: int) -> None:
        self._maybe(f"claim{number}")
        self.claimed.append(number)

    def kernelDriverActive(self, number: int) -> bool:
        self._maybe("kernel")
        return self.kernel

    def bulkWrite(self, end: int, data: bytes, timeout: int) -> int:
        assert timeout >= 1
        self._maybe("write")
        self.written.append((end, data))
        return len(data) - self.short

    def bulkRead(self, end: int, length: int, timeout: int) -> bytes:
        assert (end, timeout >= 1) == (0x82, True)
        self._maybe("read")
        return b"\x83"

    def close(self) -> None:
        pass


class Bus:
    """A libusb context with one device at bus 1, address 7."""

    def __init__(self, handle: Handle | Exception, *settings: Any, numbers: tuple[int, int] = (0x054C, 0x0DC9)) -> None:
        self.closed = 0
        self._opened = handle
        self.device = SimpleNamespace(
            getBusNumber=lambda: 1,
            getDeviceAddress=lambda: 7,
            getVendorID=lambda: numbers[0],
            getProductID=lambda: numbers[1],
            iterSettings=lambda: iter(settings),
            open=self._open,
        )

    def _open(self) -> Handle:
        if isinstance(self._opened, Exception):
            raise self._opened
        return self._opened

    def open(self) -> Bus:
        return self

    __enter__ = open

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.closed += 1

    def getDeviceList(self, skip_on_error: bool) -> list[Any]:
        return [self.device]


BOTH = (setting(0, 0x0B, (0x01, 2), (0x81, 2), INTERRUPT), setting(1, 0xFF, INTERRUPT, IN, OUT))


def put(monkeypatch: pytest.MonkeyPatch, handle: Handle | Exception, *settings: Any, **more: Any) -> Bus:
    bus = Bus(handle, *(settings or BOTH), **more)
    monkeypatch.setattr(usb1, "USBContext", lambda: bus)
    return bus


def test_vendor_interface_is_found_by_class_and_all_are_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = Handle()
    bus = put(monkeypatch, handle)
    pipe = usb.BulkPipe(1, 7)
    assert handle.claimed == [0, 1], "ours last: whoever has the smart-card interface has the reader"
    pipe.write(bytes(63), 0.0001)
    pipe.write(bytes(64), 1.0)
    assert handle.written == [(0x02, bytes(63)), (0x02, bytes(64)), (0x02, b"")]
    assert pipe.read(1.0) == b"\x83"
    pipe.close()
    assert bus.closed == 1


def test_time_out_while_reading_is_nothing_or_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    late = usb1.USBErrorTimeout()
    put(monkeypatch, Handle(read=late))
    pipe = usb.BulkPipe(1, 7)
    late.received = b""
    assert pipe.read(0.1) is None
    late.received = b"\x83\x01"
    assert pipe.read(0.1) == b"\x83\x01"


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (usb1.USBErrorNoDevice(), errno.ENODEV),
        (usb1.USBErrorIO(), errno.EIO),
        (usb1.USBErrorPipe(), errno.EIO),
        (usb1.USBErrorTimeout(), errno.ETIMEDOUT),
        (usb1.USBErrorNotFound(), errno.EIO),
    ],
)
def test_trouble_of_a_transfer_is_an_oserror(monkeypatch: pytest.MonkeyPatch, error: Exception, number: int) -> None:
    handle = Handle()
    put(monkeypatch, handle)
    pipe = usb.BulkPipe(1, 7)
    handle.trouble = {"write": error}
    with pytest.raises(OSError, match="Errno") as caught:
        pipe.write(b"x", 0.1)
    assert caught.value.errno == number


def test_part_of_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = Handle()
    put(monkeypatch, handle)
    pipe = usb.BulkPipe(1, 7)
    handle.short = 1
    with pytest.raises(OSError, match="part of a message"):
        pipe.write(b"abc", 0.1)


def test_system_that_gives_no_way_to_the_other_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows: WinUSB for the vendor interface, another driver for the other (libusb's wiki; not run)."""
    handle = Handle(claim0=usb1.USBErrorNotFound())
    put(monkeypatch, handle)
    usb.BulkPipe(1, 7)
    assert handle.claimed == [1]


def condition(monkeypatch: pytest.MonkeyPatch, seconds: float = 20.0) -> ReaderState:
    """What `pasori:usb` says with this on USB."""
    monkeypatch.setattr(nfc.clf.transport.USB, "find", lambda path: [(0x054C, 0x0DC9, 1, 7)])
    monkeypatch.setattr(usb.PCSC_SOCKET.__class__, "exists", lambda path: False)
    said: list[ReaderEvent] = []
    stop = threading.Event()

    def emit(event: ReaderEvent) -> None:
        said.append(event)
        stop.set()

    PasoriReader("usb", SystemClock()).run(emit, stop)
    (state,) = said
    assert isinstance(state, ReaderState)
    return state


@pytest.mark.parametrize(
    ("handle", "expected"),
    [
        (usb1.USBErrorAccess(), C.NO_PERMISSION),
        (usb1.USBErrorBusy(), C.BUSY_ELSEWHERE),
        (usb1.USBErrorNoDevice(), C.NO_READER),
        (usb1.USBErrorIO(), C.NO_READER),
        (usb1.USBErrorNotSupported(), C.DRIVER_MISSING),
        (usb1.USBErrorNotFound(), C.DRIVER_MISSING),
        (Handle(claim0=usb1.USBErrorBusy()), C.BUSY_ELSEWHERE),
        (Handle(claim1=usb1.USBErrorBusy(), kernel=usb1.USBErrorNotSupported()), C.BUSY_ELSEWHERE),
        (Handle(claim1=usb1.USBErrorAccess()), C.NO_PERMISSION),
        (Handle(claim1=usb1.USBErrorNotSupported()), C.DRIVER_MISSING),
    ],
)
def test_reader_that_does_not_open(
    monkeypatch: pytest.MonkeyPatch, handle: Handle | Exception, expected: ReaderCondition
) -> None:
    bus = put(monkeypatch, handle)
    state = condition(monkeypatch)
    assert state.condition is expected
    assert "054c:0dc9" in state.detail
    assert bus.closed == 1


def test_driver_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    handle = Handle(claim1=usb1.USBErrorBusy())
    handle.kernel = True
    put(monkeypatch, handle)
    assert condition(monkeypatch).condition is C.DRIVER_CONFLICT


def test_device_without_the_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, Handle(), BOTH[0])
    assert condition(monkeypatch).condition is C.FAILED
    with pytest.raises(OSError, match="No such device"):
        usb.BulkPipe(1, 8)


def test_road_stands_back_while_pcsc_may_take_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usb.PcscFirst, "standing_back", lambda self, reader, present: True)
    monkeypatch.setattr(rcs300, "connect", lambda bus, address: pytest.fail("not to be opened"))
    assert condition(monkeypatch).condition is C.STARTING


def test_what_is_plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, Handle())
    assert [str(reader) for reader in usb.plugged_in()] == ["PaSoRi RC-S300 (054c:0dc9)"]
    put(monkeypatch, Handle(), BOTH[0], numbers=(0x076B, 0x3021))
    assert [str(reader) for reader in usb.plugged_in()] == ["076b:3021"]
    put(monkeypatch, Handle(), BOTH[1], numbers=(0x046D, 0xC31C))
    assert usb.plugged_in() == []


def test_libusb_that_cannot_look(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = put(monkeypatch, Handle())
    monkeypatch.setattr(bus, "getDeviceList", lambda skip_on_error: (_ for _ in ()).throw(usb1.USBErrorNoMem()))
    with pytest.raises(OSError, match="NO_MEM"):
        usb.plugged_in()
