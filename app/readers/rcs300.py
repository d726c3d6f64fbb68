# SPDX-License-Identifier: EUPL-1.2
"""nfcpy driver for the Sony PaSoRi RC-S300/S and RC-S300/S1 over USB, which nfcpy itself does not have.

This file extends nfcpy (EUPL-1.1) and is under the EUPL 1.2 for that reason; see THIRD_PARTY.md.

The reader takes APDUs of PC/SC's transparent session (PC/SC part 3, supplement "contactless ICC") in frames like those
of a CCID escape (USB CCID 1.1, 6.1.8 and 6.2.6). What it wants exactly was read in public sources and reproduced byte
for byte against an emulator; **nothing here was checked on a real reader**. Only what is known is offered: type F at
212 kbit/s.
"""

from __future__ import annotations

import errno
import logging
import struct
import time
from collections.abc import Iterator
from typing import Any

import nfc.clf
import nfc.clf.device

from app.readers.usb import SONY, BulkPipe, Pipe

log = logging.getLogger(__name__)

PRODUCTS = frozenset({(SONY, 0x0DC8), (SONY, 0x0DC9)})

ANSWER_S = 0.8
"""How long the reader may take to answer, beyond the time a card is given (a choice: a gate stops within a second)."""
POLL_S = 0.02
"""Time for a card to answer a polling command; FeliCa says 2.4 ms for the first time slot (JIS X 6319-4)."""
LEAST_S = 0.01
"""Least time for a card to answer any other command: nfcpy's own reckoning leaves the reader's part out."""
FIELD_S = 0.03
"""Wait after the field is on, before the first command to a card."""

_COMMAND, _ANSWER = 0x6B, 0x83
_HEADER = struct.Struct("<BIBBBBB")
_MOST_BYTES = 0x10000
_DRAIN_S, _DRAIN_READS = 0.02, 64

_END, _START = bytes.fromhex("FF50000002820000"), bytes.fromhex("FF50000002810000")
_FIELD_OFF, _FIELD_ON = bytes.fromhex("FF50000002830000"), bytes.fromhex("FF50000002840000")
_TYPE_F = bytes.fromhex("FF500002048F02030000")

_STATUS, _RESPONSE_STATUS, _RESPONSE = 0xC0, 0x96, 0x97
_WELL, _NOBODY = bytes.fromhex("009000"), bytes.fromhex("026401")
_SW_WELL = bytes.fromhex("9000")
_ASK_ANY = bytes.fromhex("00FFFF0100")


class Refused(Exception):
    """The reader answered a command, but did not carry it out."""


class Device(nfc.clf.device.Device):  # type: ignore[misc]
    """See `nfc.clf.device.Device`. Raises OSError when the reader is lost or does not answer."""

    def __init__(self, pipe: Pipe, path: str = "usb") -> None:
        self._pipe = pipe
        self._path = path
        self._vendor_name, self._device_name, self._chipset_name = "Sony", "PaSoRi RC-S300", "RC-S300"
        self._sequence = 0
        self._received = bytearray()
        self._lost = False
        self._field = False
        self._drain()
        try:
            self._command(_END)  # of a program that was killed
        except Refused as exc:
            log.debug("no session to end: %s", exc)
        self._must(_START)
        self._must(_FIELD_OFF)

    # -- nfcpy's interface --------------------------------------------------------------------------------------

    def close(self) -> None:
        """Field off, session over, interface given back; whatever state the reader is in."""
        try:
            for command in (_FIELD_OFF, _END):
                if not self._lost:
                    self._command(command)
        except (OSError, Refused) as exc:
            log.debug("not closed properly: %s", exc)
        finally:
            self._pipe.close()

    def mute(self) -> None:
        """Field off. Nothing is sent when it is off already."""
        if self._field:
            self._must(_FIELD_OFF)
            self._field = False

    def sense_tta(self, target: Any) -> None:
        """Not known how the reader does it."""
        raise nfc.clf.UnsupportedTargetError("type A is not known for this reader")

    def sense_ttb(self, target: Any) -> None:
        """Not known how the reader does it."""
        raise nfc.clf.UnsupportedTargetError("type B is not known for this reader")

    def sense_dep(self, target: Any) -> None:
        """Not known how the reader does it."""
        raise nfc.clf.UnsupportedTargetError("peer to peer is not known for this reader")

    def sense_ttf(self, target: Any) -> Any:
        """A FeliCa card at 212 kbit/s, or None."""
        if target.brty != "212F":
            raise nfc.clf.UnsupportedTargetError(f"{target.brty} is not known for this reader")
        self._type_f()
        ask = bytes(target.sensf_req or _ASK_ANY)
        try:
            answer = self._exchange(bytes([len(ask) + 1]) + ask, POLL_S)
        except nfc.clf.CommunicationError as exc:
            log.debug("polling: %r", exc)
            return None
        if len(answer) < 18 or answer[1] != 1:
            return None
        return nfc.clf.RemoteTarget(target.brty, sensf_res=answer[1:])

    def send_cmd_recv_rsp(self, target: Any, data: Any, timeout: float | None) -> bytearray:
        """Exchange a command with the card. Raises nfc.clf.TimeoutError, TransmissionError."""
        return self._exchange(bytes(data), max(timeout or 0.0, LEAST_S))

    def get_max_send_data_size(self, target: Any) -> int:
        """A FeliCa frame's length is one byte."""
        return 255

    def get_max_recv_data_size(self, target: Any) -> int:
        """A FeliCa frame's length is one byte."""
        return 255

    # -- the transparent session --------------------------------------------------------------------------------

    def _type_f(self) -> None:
        if not self._field:
            self._must(_FIELD_ON)
            self._field = True
            time.sleep(FIELD_S)
            self._must(_TYPE_F)

    def _exchange(self, frame: bytes, timeout_s: float) -> bytearray:
        """A FeliCa frame (with its length byte) for a FeliCa frame."""
        objects = struct.pack("<3sI", b"\x5f\x46\x04", round(timeout_s * 1e6))
        objects += struct.pack(">2sH", b"\x95\x82", len(frame)) + frame
        payload = bytes.fromhex("FF50000100") + struct.pack(">H", len(objects)) + objects + bytes(3)
        try:
            said = self._command(payload, timeout_s)
        except Refused as exc:
            raise nfc.clf.TransmissionError(str(exc)) from exc
        status = said.get(_STATUS)
        if status == _NOBODY:
            raise nfc.clf.TimeoutError("no card answered")
        if status != _WELL:
            raise nfc.clf.TransmissionError(f"status {status.hex() if status else 'missing'}")
        if said.get(_RESPONSE_STATUS, b"\x00")[:1] != b"\x00":
            raise nfc.clf.TransmissionError(f"response status {said[_RESPONSE_STATUS].hex()}")
        answer = bytearray(said.get(_RESPONSE, b""))
        if len(answer) < 2 or answer[0] != len(answer):
            raise nfc.clf.TransmissionError(f"a frame of {len(answer)} bytes that is none")
        return answer

    def _must(self, payload: bytes) -> None:
        """A command that can only fail when the reader is of no use. Raises OSError."""
        try:
            said = self._command(payload)
        except Refused as exc:
            raise OSError(errno.EPROTO, f"{payload.hex()}: {exc}") from exc
        if said.get(_STATUS, _WELL) != _WELL:
            raise OSError(errno.EPROTO, f"{payload.hex()}: status {said[_STATUS].hex()}")

    def _command(self, payload: bytes, timeout_s: float = 0.0) -> dict[int, bytes]:
        """The data objects of the answer. Raises Refused, OSError."""
        failed, answer = self._escape(payload, timeout_s + ANSWER_S)
        if failed:
            raise Refused(f"the reader's error {failed:#04x}")
        if answer[-2:] != _SW_WELL:
            raise Refused(f"status word {answer[-2:].hex() or 'missing'}")
        found: dict[int, bytes] = {}
        try:
            for tag, value in data_objects(answer[:-2]):
                found.setdefault(tag, value)
        except ValueError as exc:
            raise Refused(f"{exc}: {answer.hex()}") from exc
        return found

    # -- frames -------------------------------------------------------------------------------------------------

    def _escape(self, payload: bytes, within_s: float) -> tuple[int, bytes]:
        """Send a frame and wait for the answer with its sequence number: its error (0: none) and payload."""
        number, self._sequence = self._sequence, (self._sequence + 1) & 0xFF
        try:
            self._pipe.write(_HEADER.pack(_COMMAND, len(payload), 0, number, 0, 0, 0) + payload, ANSWER_S)
            until = time.monotonic() + within_s
            while True:
                status, error, answered, answer = self._frame(until)
                if answered != number:
                    log.debug("dropped a late answer: %d, not %d", answered, number)
                elif status & 0xC0 == 0x80:  # the reader asks for time (CCID, 6.2.6)
                    until = time.monotonic() + within_s
                else:
                    return (error or 0xFF) if status & 0xC0 else 0, answer
        except OSError:
            self._lost = True
            raise

    def _frame(self, until: float) -> tuple[int, int, int, bytes]:
        """The next whole frame: status, error, sequence number, payload. Raises OSError (ETIMEDOUT)."""
        while True:
            if self._received and self._received[0] != _ANSWER:
                log.debug("dropped what is no answer: %s", self._received.hex())
                self._received.clear()
            if len(self._received) >= _HEADER.size:
                _, length, _, number, status, error, _ = _HEADER.unpack_from(self._received)
                whole = _HEADER.size + length
                if length > _MOST_BYTES:
                    self._received.clear()
                elif len(self._received) >= whole:
                    payload = bytes(self._received[_HEADER.size : whole])
                    del self._received[:whole]
                    return status, error, number, payload
            left = until - time.monotonic()
            got = self._pipe.read(left) if left > 0 else None
            if got is None:
                raise OSError(errno.ETIMEDOUT, "the reader did not answer")
            self._received += got

    def _drain(self) -> None:
        """Throw away what an earlier program did not fetch."""
        for _ in range(_DRAIN_READS):
            stale = self._pipe.read(_DRAIN_S)
            if stale is None:
                return
            log.debug("stale: %s", stale.hex())
        raise OSError(errno.EPROTO, "the reader talks without being asked")


def connect(bus: int, address: int) -> Device:
    """The reader at this place on USB, ready to look for cards. Raises what `BulkPipe` raises."""
    pipe = BulkPipe(bus, address)
    try:
        return Device(pipe, f"usb:{bus:03}:{address:03}")
    except BaseException:
        pipe.close()
        raise


def data_objects(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and value of each data object (BER-TLV: ISO/IEC 7816-4, 5.2.2). Raises ValueError when it is malformed."""
    at = 0
    try:
        while at < len(data):
            tag, at = data[at], at + 1
            if tag & 0x1F == 0x1F:
                tag, at = tag << 8 | data[at], at + 1
                while tag & 0x80:
                    tag, at = tag << 8 | data[at], at + 1
            length, at = data[at], at + 1
            if length & 0x80:
                size = length & 0x7F
                if not 1 <= size <= 4:
                    raise ValueError("a length that cannot be")
                length, at = int.from_bytes(data[at : at + size], "big"), at + size
            if at + length > len(data):
                raise ValueError("a value that is cut off")
            yield tag, data[at : at + length]
            at += length
    except IndexError:
        raise ValueError("a data object that is cut off") from None
