"""Readers that nfcpy drives: PaSoRi over USB, and nfcpy's own UDP pair (demonstrations and tests).

`nfc` is imported here and in `virtual_card` only, and only when a reader runs: it loads libusb, which a PC without one
of these readers need not have. nfcpy's `connect()` is not used but the `sense()` under it, which raises when the device
is lost (`connect()` returns False and logs an error each time) and lets every wait end with `stop`.

The UDP pair was run; the USB road only against emulated readers, never on a real PaSoRi (RC-S300: our own driver,
`rcs300`; the others: nfcpy's drivers as they are).
"""

from __future__ import annotations

import errno
import logging
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from app.clock import Clock
from app.domain.assurance import Assurance
from app.domain.ids import InvalidId, card_key, mask_card_key
from app.readers.backoff import Backoff
from app.readers.channel import CardAnswer
from app.readers.felica import FelicaArea, block_attributes
from app.readers.port import CardRemoved, CardSeen, CardUnreadable, Emit, ReaderCondition, ReaderState
from app.readers.profile import Profile
from app.readers.profile_card import Chip, recognise
from app.readers.specs import udp_address
from app.readers.storage_card import StorageArea, Technology
from app.readers.tag_area import read_blocks, read_whole
from app.readers.usb import Held, PcscFirst

log = logging.getLogger(__name__)

PAUSE_S = 0.1
"""Seconds between two looks for a card over USB (a look takes about 30 ms)."""
PRESENCE_S = 0.05
"""Seconds between two looks whether the card still lies there."""
MISSES = 4
"""Looks in a row without an answer before a card counts as gone: some 0.25 s, so that one slow answer of a card at the
edge of the field is no second touch."""

_SYSTEM_TRANSIT = bytes.fromhex("0000030100")
_SYSTEM_ANY = bytes.fromhex("00FFFF0100")
_SENSF_BYTES = (17, 19)
"""A FeliCa card's answer to polling: 01, IDm, PMm, and its system code when it was asked for (JIS X 6319-4)."""
_RANDOM = ((b"\x08", 4), (b"\x01\xfe", 8))
_KERNEL_DRIVERS = ("port100", "pn533_usb")
_NO_DEVICE = frozenset({errno.ENODEV, errno.ENXIO, errno.EIO, errno.ETIMEDOUT})


class DeviceTrouble(Exception):
    """The device cannot be used now; `condition` says why, the text is for the log."""

    def __init__(self, condition: ReaderCondition, detail: str) -> None:
        super().__init__(detail)
        self.condition = condition


class PasoriReader:
    """One nfcpy reader. `path`: 'usb' (the first one found) or 'udp:HOST:PORT'. Raises ValueError for another.

    `area`: FeliCa blocks that are handed on raw with each card's number. `profiles`: by which cards are told instead.
    """

    def __init__(
        self, path: str, clock: Clock, *, area: FelicaArea | None = None, profiles: Sequence[Profile] = ()
    ) -> None:
        self._udp = udp_address(path) if path.startswith("udp:") else None
        if self._udp is None and path != "usb":
            raise ValueError(f"usb or udp:HOST:PORT, not {path!r}")
        self.name = f"pasori:{path}"
        self.label = "PaSoRi" if self._udp is None else "仮想リーダー"
        self._path = path
        self._clock = clock
        self._area = area
        self._profiles = tuple(profiles)
        self._front: Any = None
        self._pcsc_first = PcscFirst(clock.monotonic)
        self._emit: Emit = lambda event: None
        self._condition: tuple[ReaderCondition, str] | None = None

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """See `Reader.run`."""
        self._emit, self._condition = emit, None
        backoff = Backoff()
        while not stop.is_set():
            try:
                self._front = self._open()
                self._say(ReaderCondition.READY)
                self._poll(stop, backoff)
            except DeviceTrouble as exc:
                log.debug("%s: %s", self.name, exc)
                self._say(exc.condition, str(exc))
            except OSError as exc:
                log.debug("%s: device lost: %s", self.name, exc)
                self._say(_condition_of(exc), str(exc))
            finally:
                self._close()
            stop.wait(backoff.next_s())

    def interrupt(self) -> None:
        """See `Reader.interrupt`. Over UDP a look for a card waits a second for an answer: this is one."""
        device = getattr(self._front, "device", None)
        listening = getattr(device, "socket", None)
        if self._udp is None or listening is None:
            return
        try:
            port = listening.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"stop", ("127.0.0.1", port))
        except OSError:  # closed just now, or not bound yet: the next wake-up comes soon
            log.debug("%s: nothing to wake", self.name)

    # -- the device ---------------------------------------------------------------------------------------------

    def _open(self) -> Any:
        """An open nfcpy frontend. Raises DeviceTrouble, OSError."""
        try:
            import nfc.clf
        except (ImportError, OSError) as exc:  # libusb is loaded with it
            raise DeviceTrouble(ReaderCondition.DRIVER_MISSING, str(exc)) from exc
        front = nfc.clf.ContactlessFrontend()
        # not `front.open()`: that logs an error each time there is no reader, and hides why
        front.device = nfc.clf.device.connect(self._path) if self._udp else self._open_usb(nfc.clf)
        if front.device is None:
            raise DeviceTrouble(ReaderCondition.NO_READER, "no reader that nfcpy knows")
        if self._udp:
            # nfcpy asks for its address before it sends; on Windows a socket has none until then
            front.device.socket.bind(("", 0))
        return front

    def _open_usb(self, clf: Any) -> Any:
        """The first reader on USB that opens. Raises DeviceTrouble with the reason of the last that did not."""
        from app.readers import rcs300

        usb = clf.transport.libusb
        trouble = DeviceTrouble(ReaderCondition.NO_READER, "no known reader on USB")
        found = clf.transport.USB.find("usb") or ()
        for vendor, product, bus, address in found:
            ours = (vendor, product) in rcs300.PRODUCTS
            if not ours and (vendor, product) not in clf.device.usb_device_map:
                continue
            if ours and self._pcsc_first.standing_back((bus, address), [place[2:] for place in found]):
                trouble = DeviceTrouble(ReaderCondition.STARTING, f"{vendor:04x}:{product:04x}: PC/SC may take it")
                continue
            try:
                device = rcs300.connect(bus, address) if ours else clf.device.connect(f"usb:{bus:03}:{address:03}")
            except OSError as exc:
                trouble = DeviceTrouble(_condition_of(exc), f"{vendor:04x}:{product:04x}: {exc}")
            except usb.USBError as exc:
                # Windows without WinUSB: LIBUSB_ERROR_NOT_SUPPORTED or NOT_FOUND (libusb's wiki; not run)
                trouble = DeviceTrouble(ReaderCondition.DRIVER_MISSING, f"{vendor:04x}:{product:04x}: {exc}")
            else:
                if device is not None:
                    self.label = str(device.product_name or self.label)
                    return device
        raise trouble

    def _close(self) -> None:
        front, self._front = self._front, None
        if front is not None:
            front.close()

    # -- cards --------------------------------------------------------------------------------------------------

    def _poll(self, stop: threading.Event, backoff: Backoff) -> None:
        """Look for cards until `stop`. Raises OSError when the device is lost."""
        import nfc.clf

        targets = _targets(nfc.clf.RemoteTarget, every=self._udp is None)
        while not stop.is_set():
            target = self._sense(targets)
            backoff.reset()
            if target is not None:
                self._card(nfc, target, stop)
            elif self._udp is None:
                stop.wait(PAUSE_S)

    def _sense(self, targets: Sequence[Any]) -> Any:
        """A card that answered, or None. A garbled answer is none (nfcpy would fall over it): the next look is soon."""
        target = self._front.sense(*targets)
        if target is not None and target.brty.endswith("F") and len(target.sensf_res) not in _SENSF_BYTES:
            log.debug("%s: an answer of %d bytes that is none", self.name, len(target.sensf_res))
            return None
        return target

    def _card(self, nfc: Any, target: Any, stop: threading.Event) -> None:
        """Read a card that was found, report it, and wait until it is gone."""
        felica = target.brty.endswith("F")
        number = _number(target)
        tag = nfc.tag.activate(self._front, target) if felica else None
        seen = self._report(nfc, "felica" if felica else "uid", number, tag)
        self._say(ReaderCondition.CARD_PRESENT)
        try:
            self._wait_for_removal(self._presence(nfc.clf, target, tag), stop)
        finally:
            if seen:
                self._emit(CardRemoved(self.name, self._clock.now()))
        if not stop.is_set():
            self._say(ReaderCondition.READY)

    def _report(self, nfc: Any, kind: str, number: bytes, tag: Any) -> bool:
        """Emit what the card is, once. True for a `CardSeen`."""
        try:
            key = card_key(f"{kind}:{number.hex()}")
            answer = self._recognise(nfc, key, tag)
        except InvalidId:
            return self._unreadable(f"chip number of {len(number)} bytes")
        except nfc.tag.TagCommandError as exc:
            return self._unreadable(f"left or silent while it was read: {exc}")
        key, now = answer.card_key, self._clock.now()
        seen = CardSeen(self.name, key, answer.assurance, now, attributes=answer.attributes, refused=answer.refused)
        self._emit(seen)
        log.debug("%s: %s", self.name, mask_card_key(key))
        return True

    def _unreadable(self, detail: str) -> Literal[False]:
        log.debug("%s: unreadable: %s", self.name, detail)
        self._emit(CardUnreadable(self.name, self._clock.now(), detail))
        return False

    def _recognise(self, nfc: Any, key: str, tag: Any) -> CardAnswer:
        """What the card is, by its number and the profiles. Raises nfc.tag.TagCommandError."""
        if self._profiles:
            chip = Chip(key, Technology.FELICA if tag is not None else Technology.TYPE_A)
            return recognise(self._profiles, chip, lambda area: self._read_area(nfc, tag, area))
        blocks = read_blocks(nfc, tag, self._area) if tag is not None and self._area is not None else {}
        return CardAnswer(key, Assurance.UID, block_attributes(self._area, blocks) if self._area is not None else {})

    def _read_area(self, nfc: Any, tag: Any, area: FelicaArea | StorageArea) -> bytes | None:
        """FeliCa alone: blocks of chips of type A and B are read over PC/SC only."""
        return read_whole(nfc, tag, area) if tag is not None and isinstance(area, FelicaArea) else None

    def _presence(self, clf: Any, target: Any, tag: Any) -> Callable[[], bool]:
        """How to ask whether the card is still there. The question raises OSError when the device is lost."""
        if tag is not None:
            return lambda: bool(tag.is_present)
        again = clf.RemoteTarget(target.brty)
        number = _number(target)

        def found_again() -> bool:
            found = self._front.sense(again)
            return found is not None and _same_card(_number(found), number)

        return found_again

    def _wait_for_removal(self, is_present: Callable[[], bool], stop: threading.Event) -> None:
        misses = 0
        while misses < MISSES and not stop.wait(PRESENCE_S):
            misses = 0 if is_present() else misses + 1

    def _say(self, condition: ReaderCondition, detail: str = "") -> None:
        if self._condition != (condition, detail):
            self._condition = (condition, detail)
            self._emit(ReaderState(self.name, self.label, condition, detail))


def _targets(make: Callable[..., Any], *, every: bool) -> list[Any]:
    """What to look for, in order. Only one kind over UDP: its driver waits a second for each.

    System code 0003 first: an iPhone then answers as a transit card and does not open its wallet; the wildcard
    finds every other FeliCa card.
    """
    anything = make("212F", sensf_req=bytearray(_SYSTEM_ANY))
    if not every:
        return [anything]
    return [make("212F", sensf_req=bytearray(_SYSTEM_TRANSIT)), anything, make("106A")]


def _number(target: Any) -> bytes:
    """The chip number of a target that was found; empty for a kind of chip that has none."""
    number = target.sensf_res[1:9] if target.brty.endswith("F") else target.sdd_res
    return bytes(number or b"")


def _same_card(one: bytes, other: bytes) -> bool:
    """Whether a card that was found again is the same. Looking again resets it, and a phone then takes a new number:
    a random one (four bytes from 08, ISO/IEC 14443-3; eight from 01 FE, NFC Forum) counts as any other of its kind."""
    if one == other:
        return True
    same_length = len(one) == len(other)
    return same_length and any(one.startswith(m) and other.startswith(m) and len(one) == n for m, n in _RANDOM)


def _condition_of(error: OSError) -> ReaderCondition:
    """What a device that cannot be opened, or was lost, means."""
    if isinstance(error, Held):
        return ReaderCondition.DRIVER_CONFLICT if error.by_kernel else ReaderCondition.BUSY_ELSEWHERE
    if error.errno == errno.EACCES:
        return ReaderCondition.NO_PERMISSION
    if error.errno == errno.EBUSY:
        held = sys.platform == "linux" and any(Path("/sys/bus/usb/drivers", n).exists() for n in _KERNEL_DRIVERS)
        return ReaderCondition.DRIVER_CONFLICT if held else ReaderCondition.BUSY_ELSEWHERE
    return ReaderCondition.NO_READER if error.errno in _NO_DEVICE else ReaderCondition.FAILED
