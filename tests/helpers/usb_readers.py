"""Emulated USB readers, message in, transfers out. Pure, standard library only: the umockdev bench runs it outside the
project's environment.

Written from the byte tables (RC-S300: see docs/readers.md; RC-S380: what nfcpy's port100 driver sends) and not from
`app.readers`, so that a mistake there is not repeated here. **Emulators, not hardware.**
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

PMM = bytes.fromhex("01200000000000FF")
NOBODY = bytes.fromhex("C003026401")
WELL = bytes.fromhex("C003009000")


@dataclass
class FelicaCard:
    """A card with blocks of 16 bytes by number, all in one service."""

    idm: bytes
    system: bytes = b"\x12\xfc"
    service: int = 0x100B
    blocks: list[bytes] = field(default_factory=list)

    def answer(self, frame: bytes) -> bytes | None:
        """The answer to a frame with its length byte; None: the card stays silent."""
        command, body = frame[1], frame[2:]
        if command == 0x00:
            if any(asked not in (0xFF, mine) for asked, mine in zip(body[:2], self.system, strict=True)):
                return None
            more = self.system if body[2] == 1 else b""
            return self._framed(b"\x01" + self.idm + PMM + more)
        if body[:8] != self.idm:
            return None
        if command == 0x04:
            return self._framed(b"\x05" + self.idm + b"\x00")
        if command == 0x06:
            return self._framed(b"\x07" + self.idm + self._read(body[8:]))
        return None

    def _read(self, body: bytes) -> bytes:
        if body[0] != 1 or int.from_bytes(body[1:3], "little") != self.service:
            return b"\xff\xa6"
        numbers = [body[5 + 2 * n] for n in range(body[3])]
        if any(number >= len(self.blocks) for number in numbers):
            return b"\x01\xa8"
        return bytes((0, 0, len(numbers))) + b"".join(self.blocks[number] for number in numbers)

    @staticmethod
    def _framed(data: bytes) -> bytes:
        return bytes([len(data) + 1]) + data


class Rcs300:
    """Sony RC-S300. Strict about the order: session, field, type F, exchange."""

    descriptors = bytes.fromhex(
        "12010002000000404C05C90D000101020001"  # device
        "09023E00020100A032"  # configuration: 62 bytes, two interfaces
        "09040000030B000000"  # interface 0: smart card, what pcscd claims
        "070581024000000705010240000007058303080010"
        "0904010002FF000000"  # interface 1: vendor specific, 02 out, 82 in
        "0705820240000007050202400000"
    )

    def __init__(self) -> None:
        self.card: FelicaCard | None = None
        self.session = self.on = self.type_f = False
        self.exchanges = 0

    def message(self, frame: bytes) -> list[bytes]:
        """What the reader sends back for one message, transfer by transfer."""
        kind, length, _slot, number = struct.unpack_from("<BIBB", frame)
        payload = frame[10:]
        if kind != 0x6B or length != len(payload) or frame[7:10] != bytes(3):
            return []
        answer = self.apdu(payload)
        return [b"\x83" + struct.pack("<IBB", len(answer), 0, number) + bytes(3) + answer]

    def apdu(self, payload: bytes) -> bytes:
        """The answer to one command."""
        well = WELL + b"\x90\x00"
        match payload.hex().upper():
            case "FF50000002820000" | "FF50000002810000" as session:
                self.session = session == "FF50000002810000"
                return well
            case "FF50000002830000" | "FF50000002840000" as on if self.session:
                self.on = on == "FF50000002840000"
                self.type_f = False
                return well
            case "FF500002048F02030000" if self.on:
                self.type_f = True
                return well
        if payload[:5] == bytes.fromhex("FF50000100") and self.type_f:
            return self._exchange(payload)
        return bytes.fromhex("6985")

    def _exchange(self, payload: bytes) -> bytes:
        objects, tail = payload[7:-3], payload[-3:]
        frame = objects[11:]
        good = int.from_bytes(payload[5:7], "big") == len(objects) and tail == bytes(3)
        good = good and objects[:3] == b"\x5f\x46\x04" and objects[7:9] == b"\x95\x82"
        if not good or int.from_bytes(objects[9:11], "big") != len(frame) or len(frame) != frame[0]:
            return bytes.fromhex("6700")
        self.exchanges += 1
        answer = self.card.answer(frame) if self.card else None
        if answer is None:
            return NOBODY + b"\x90\x00"
        long = b"\x97" + (bytes([len(answer)]) if len(answer) < 0x80 else bytes([0x81, len(answer)]))
        return WELL + bytes.fromhex("92010096020000") + long + answer + b"\x90\x00"


class Rcs380:
    """Sony RC-S380 (NFC Port-100) as far as nfcpy asks it."""

    ACK = bytes.fromhex("0000FF00FF00")
    descriptors = bytes.fromhex(
        "12010002000000404C05C30600010102000109022000010100A0320904000002FF0000000705810240000007050202400000"
    )

    def __init__(self) -> None:
        self.card: FelicaCard | None = None
        self.exchanges = 0

    def message(self, frame: bytes) -> list[bytes]:
        """An acknowledgement, then the answer; nothing for a bare acknowledgement (it resets the reader)."""
        if frame == self.ACK or frame[:5] != bytes.fromhex("0000FFFFFF"):
            return []
        length = int.from_bytes(frame[5:7], "little")
        data = frame[8 : 8 + length]
        return [self.ACK, self._framed(bytes([0xD7, data[1] + 1]) + self._answer(data[1], data[2:]))]

    def _answer(self, command: int, data: bytes) -> bytes:
        if command == 0x20:
            return b"\x11\x01"  # firmware 1.11
        if command == 0x22:
            return b"\x00\x01"
        if command != 0x04:
            return b"\x00"
        self.exchanges += 1
        frame = data[2:]
        felica = self.card is not None and len(frame) == frame[0]
        answer = self.card.answer(frame) if self.card and felica else None
        return bytes.fromhex("80000000") if answer is None else bytes(5) + answer

    @staticmethod
    def _framed(data: bytes) -> bytes:
        length = struct.pack("<H", len(data))
        head = b"\x00\x00\xff\xff\xff" + length + bytes([-sum(length) & 0xFF])
        return head + data + bytes([-sum(data) & 0xFF, 0])
