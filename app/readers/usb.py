"""USB as this program uses it: which card readers are plugged in, and two bulk pipes to one of them.

`usb1` (libusb1, libusb by ctypes) is imported here only, and only inside functions: a PC without a USB reader need not
have libusb. Run under the real libusb with umockdev (tests/readers/test_reader_usb_bench.py), not on a real reader.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

SONY = 0x054C
PASORI = {
    (SONY, 0x02E1): "PaSoRi RC-S330/360/370",
    (SONY, 0x06C1): "PaSoRi RC-S380",
    (SONY, 0x06C3): "PaSoRi RC-S380",
    (SONY, 0x0DC8): "PaSoRi RC-S300",
    (SONY, 0x0DC9): "PaSoRi RC-S300",
}
"""Vendor and product numbers: nfcpy's table of USB devices, libccid's list of readers."""

PCSC_FIRST_S = 1.0
PCSC_SOCKET = Path("/run/pcscd/pcscd.comm")
SYSFS = Path("/sys/bus/usb/devices")
_READ_BYTES = 4096
_SMART_CARD, _VENDOR_SPECIFIC = 0x0B, 0xFF
_BULK = 2
_IN = 0x80


@dataclass(frozen=True, slots=True)
class UsbReader:
    """A card reader that is plugged in, whoever owns it."""

    vendor: int
    product: int
    name: str = ""

    def __str__(self) -> str:
        numbers = f"{self.vendor:04x}:{self.product:04x}"
        return f"{self.name} ({numbers})" if self.name else numbers


class Held(OSError):
    """Somebody else holds the reader: another program (pcscd with libccid is one), or a driver of the kernel."""

    def __init__(self, text: str, *, by_kernel: bool = False) -> None:
        super().__init__(errno.EBUSY, text)
        self.by_kernel = by_kernel


class Pipe(Protocol):
    """Two bulk pipes. Every method raises OSError when the reader cannot be reached."""

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send one message."""

    def read(self, timeout_s: float) -> bytes | None:
        """What one transfer brought (empty for an empty one); None when nothing came in time."""

    def close(self) -> None:
        """Let the reader go. May be called again."""


def plugged_in() -> list[UsbReader]:
    """Every PaSoRi and every reader with a smart-card interface on USB; nothing is opened.

    Raises OSError when libusb is not there or cannot look.
    """
    import usb1

    found = []
    with _as_oserror(usb1, every=True), usb1.USBContext() as context:
        for device in context.getDeviceList(skip_on_error=True):
            numbers = device.getVendorID(), device.getProductID()
            name = PASORI.get(numbers, "")
            if name or any(setting.getClass() == _SMART_CARD for setting in device.iterSettings()):
                found.append(UsbReader(*numbers, name))
    return found


def kernel_drivers(readers: Container[tuple[int, int]], devices: Path = SYSFS) -> set[str]:
    """Linux: names of the drivers on the interfaces of these readers (vendor, product); 'usbfs' is a program's."""
    found = set()
    for device in devices.glob("*"):
        try:
            numbers = tuple(int((device / name).read_text(), 16) for name in ("idVendor", "idProduct"))
        except (OSError, ValueError):
            continue  # an interface, or unplugged this moment
        if numbers in readers:
            found |= {link.resolve().name for link in devices.glob(f"{device.name}:*/driver")}
    return found


class PcscFirst:
    """Lets PC/SC take a reader that both roads can drive, as soon as it is plugged in.

    Whoever claims the reader keeps it. So that the same reader does not come by one road today and by the other
    tomorrow, the USB road stands back for a second where pcscd is installed: pcscd claims what is plugged in at once.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seen: dict[tuple[int, int], float] = {}

    def standing_back(self, reader: tuple[int, int], present: Iterable[tuple[int, int]]) -> bool:
        """Whether to leave this reader (bus, address) alone for now. `present`: all that are plugged in."""
        here = set(present)
        self._seen = {at: when for at, when in self._seen.items() if at in here}
        first = self._seen.setdefault(reader, self._monotonic())
        waiting = self._monotonic() - first < PCSC_FIRST_S
        return waiting and sys.platform == "linux" and PCSC_SOCKET.exists()


class BulkPipe:
    """`Pipe` to the vendor-specific interface of one device (bus, address), found by its class.

    Every interface of the device is claimed, none is taken from a driver that has it: a reader answers one program at
    a time, and pcscd may hold its smart-card interface while this one is free. Raises `Held`, OSError (EACCES, ENODEV),
    and `usb1.USBError` where the system gives libusb no way to the reader (Windows without WinUSB).
    """

    def __init__(self, bus: int, address: int) -> None:
        import usb1

        self._usb1 = usb1
        self._context: Any = usb1.USBContext()
        with _as_oserror(usb1):
            self._context.open()
            try:
                self._open(bus, address)
            except BaseException:
                self._context.close()
                raise

    def _open(self, bus: int, address: int) -> None:
        devices = self._context.getDeviceList(skip_on_error=True)  # an iterator left open would block `close`
        device = next((d for d in devices if (d.getBusNumber(), d.getDeviceAddress()) == (bus, address)), None)
        if device is None:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        settings = list(device.iterSettings())
        ours, self._out, self._in, self._packet = _vendor_interface(settings)
        self._handle = device.open()
        for number in sorted({setting.getNumber() for setting in settings}, key=lambda n: (n == ours, n)):
            self._claim(number, must=number == ours)

    def _claim(self, number: int, *, must: bool) -> None:
        usb1 = self._usb1
        try:
            self._handle.claimInterface(number)
        except usb1.USBErrorBusy:
            try:
                by_kernel = bool(self._handle.kernelDriverActive(number))
            except usb1.USBError:  # only Linux can say
                by_kernel = False
            holder = "a driver of the kernel" if by_kernel else "another program, perhaps PC/SC (pcscd)"
            raise Held(f"interface {number} is held by {holder}", by_kernel=by_kernel) from None
        except (usb1.USBErrorNotSupported, usb1.USBErrorNotFound):
            if must:
                raise

    def write(self, data: bytes, timeout_s: float) -> None:
        """See `Pipe.write`. A message that fills its last packet is followed by an empty one (USB 2.0, 5.8.3)."""
        with _as_oserror(self._usb1, every=True):
            if self._handle.bulkWrite(self._out, data, _milliseconds(timeout_s)) != len(data):
                raise OSError(errno.EIO, "the reader took part of a message")
            if len(data) % self._packet == 0:
                self._handle.bulkWrite(self._out, b"", _milliseconds(timeout_s))

    def read(self, timeout_s: float) -> bytes | None:
        """See `Pipe.read`."""
        with _as_oserror(self._usb1, every=True):
            try:
                return bytes(self._handle.bulkRead(self._in, _READ_BYTES, _milliseconds(timeout_s)))
            except self._usb1.USBErrorTimeout as exc:
                return bytes(exc.received) or None

    def close(self) -> None:
        """See `Pipe.close`. Closing gives back every interface."""
        self._handle.close()
        self._context.close()


def _vendor_interface(settings: list[Any]) -> tuple[int, int, int, int]:
    """Number, bulk out, bulk in and packet size of the first vendor-specific interface with both pipes."""
    for setting in settings:
        ends = [e for e in setting.iterEndpoints() if e.getAttributes() & 3 == _BULK]
        out = next((e for e in ends if not e.getAddress() & _IN), None)
        back = next((e for e in ends if e.getAddress() & _IN), None)
        if setting.getClass() == _VENDOR_SPECIFIC and out and back:
            return setting.getNumber(), out.getAddress(), back.getAddress(), out.getMaxPacketSize() or 64
    raise OSError(errno.EPROTO, "no vendor-specific interface with bulk pipes")


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))  # 0 would wait for ever


@contextmanager
def _as_oserror(usb1: Any, *, every: bool = False) -> Iterator[None]:
    """libusb's errors as OSError; without `every`, those that may mean a missing driver pass as they are."""
    known = {
        usb1.USBErrorAccess: errno.EACCES,
        usb1.USBErrorBusy: errno.EBUSY,
        usb1.USBErrorNoDevice: errno.ENODEV,
        usb1.USBErrorTimeout: errno.ETIMEDOUT,
        usb1.USBErrorIO: errno.EIO,
    }
    try:
        yield
    except usb1.USBError as exc:
        number = known.get(type(exc), errno.EIO if every else 0)
        if not number:
            raise
        raise OSError(number, f"{os.strerror(number)} ({exc})") from exc
