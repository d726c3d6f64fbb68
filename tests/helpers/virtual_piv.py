"""What an emulated PIV card answers (NIST SP 800-73-4 part 2). Written from its tables and not from `app.readers`, so
that a mistake there is not repeated here; OpenSC is the judge of both.

`mischief` makes it a forger's: see `VirtualPiv`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils

OK = b"\x90\x00"
ATR = bytes.fromhex("3B80800101")
"""ISO 14443-4 without historical bytes, as PC/SC part 3 makes it up."""
AID = bytes.fromhex("A000000308000010000100")
TEMPLATE = bytes.fromhex("61114F0600001000010079074F05A000000308")
PART = 256
PIN = b"123456\xff\xff"
"""Taken, and needed for nothing: OpenSC will not sign without having asked for one."""


@dataclass
class VirtualPiv:
    """`objects`: content of each data object by its tag in hex (`5fc102`), without the 53 around it.

    `mischief`: 'replay' (the first signature again and again: `signature`), 'endless' (data objects go on for ever),
    'hollow' (parts with nothing in them, for ever), 'drip' (a byte at a time), 'truncated' / 'oversize' (length of the
    object's 53 is wrong), 'silent_key' (refuses to sign), 'no_chaining' (takes long commands in extended form only),
    'deaf' (every command but SELECT is refused).
    """

    objects: dict[str, bytes]
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None
    number: bytes = b""
    mischief: str = ""
    signature: bytes = b""
    delay_s: float = 0.0
    atr: bytes = ATR
    vanish_at: bytes | None = None
    hang_at: bytes | None = None
    commands: int = 0
    _rest: bytes = b""
    _chain: bytes = b""
    _endless: bool = field(default=False)

    @classmethod
    def of(cls, card: dict[str, Any]) -> VirtualPiv:
        """From a test card file (`cards issue-test-card`) or a test's own dict: bytes in hex, key in PEM."""
        values = {k: v for k, v in card.items() if k in cls.__dataclass_fields__}
        values["objects"] = {tag.lower(): bytes.fromhex(content) for tag, content in card["objects"].items()}
        if card.get("key"):
            values["key"] = serialization.load_pem_private_key(card["key"].encode(), None)
        for name in ("number", "signature", "vanish_at", "hang_at", "atr"):
            if card.get(name) is not None:
                values[name] = bytes.fromhex(card[name])
        return cls(**values)

    def answer(self, apdu: bytes) -> bytes:
        """The answer with its status word."""
        self.commands += 1
        if self.delay_s:
            time.sleep(self.delay_s)
        if apdu[:2] == b"\xff\xca":
            return self.number + OK if self.number else b"\x6a\x81"
        cla, ins, p1, p2 = apdu[:4]
        if cla not in (0x00, 0x10):
            return b"\x6e\x00"
        if ins == 0xC0:
            return self._part(apdu[4] or PART)
        data = body(apdu)
        if cla == 0x10:
            if self.mischief == "no_chaining":
                return b"\x68\x84"
            self._chain += data
            return OK
        data, self._chain = self._chain + data, b""
        self._rest, self._endless = b"", False
        match ins:
            case 0xA4:
                return TEMPLATE + OK if AID.startswith(data[:9]) and len(data) >= 5 else b"\x6a\x82"
            case _ if self.mischief == "deaf":
                return b"\x69\x82"
            case 0xCB if (p1, p2) == (0x3F, 0xFF):
                return self._object(data)
            case 0x87 if p2 == 0x9E:
                return self._authenticate(p1, data)
            case 0x20:
                return OK if data == PIN else b"\x63\xc3"
            case 0x87:
                return b"\x6a\x88"
        return b"\x6d\x00"

    def _object(self, data: bytes) -> bytes:
        content = self.objects.get(data[2:].hex()) if data[:1] == b"\x5c" else None
        if content is None:
            return b"\x6a\x82"
        whole = wrap(0x53, content)
        if self.mischief == "truncated":
            whole = whole[:-3]
        elif self.mischief == "oversize":
            whole = b"\x53\x84\xff\xff\xff\xff" + content
        self._endless = self.mischief in ("endless", "hollow")
        self._rest = whole
        return self._part()

    def _authenticate(self, algorithm: int, data: bytes) -> bytes:
        if self.mischief == "silent_key" or self.key is None:
            return b"\x69\x82"
        # 7C L { 82 00, 81 L challenge }, in the order every client sends
        inner = unwrap(0x7C, data)
        assert inner[:2] == b"\x82\x00", inner.hex()
        challenge = unwrap(0x81, inner[2:])
        if algorithm != algorithm_of(self.key):
            return b"\x6a\x86"
        signature = self.signature if self.mischief == "replay" else sign(self.key, challenge)
        self._rest = wrap(0x7C, wrap(0x82, signature))
        return self._part()

    def _part(self, most: int = PART) -> bytes:
        if self._endless and len(self._rest) <= PART:
            if self.mischief == "hollow":
                return b"\x61\x00"
            self._rest += bytes(PART + 1)
        most = 1 if self.mischief == "drip" else most
        part, self._rest = self._rest[:most], self._rest[most:]
        return part + (bytes((0x61, min(len(self._rest), 255))) if self._rest else OK)


def algorithm_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> int:
    """SP 800-78-4, table 6-2."""
    if isinstance(key, rsa.RSAPrivateKey):
        return 0x07
    return {256: 0x11, 384: 0x14}.get(key.key_size, 0x00)


def sign(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, challenge: bytes) -> bytes:
    """A curve signs a digest; RSA raises the padded block to its exponent."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        size = key.key_size // 8
        assert len(challenge) == size
        return pow(int.from_bytes(challenge), numbers.d, numbers.public_numbers.n).to_bytes(size)
    digest: hashes.HashAlgorithm = hashes.SHA384() if len(challenge) == 48 else hashes.SHA256()
    return key.sign(challenge, ec.ECDSA(utils.Prehashed(digest)))


def body(apdu: bytes) -> bytes:
    """The data of a command, short or extended."""
    if len(apdu) <= 5:
        return b""
    if apdu[4]:
        return apdu[5 : 5 + apdu[4]]
    return apdu[7 : 7 + int.from_bytes(apdu[5:7])]


def wrap(tag: int, value: bytes) -> bytes:
    """BER-TLV with a one-byte tag."""
    size = len(value)
    length = bytes((size,)) if size < 128 else b"\x81" + bytes((size,)) if size < 256 else b"\x82" + size.to_bytes(2)
    return bytes((tag,)) + length + value


def unwrap(tag: int, data: bytes) -> bytes:
    """The value of the object that `data` starts with."""
    assert data[0] == tag, data.hex()
    if data[1] < 128:
        return data[2 : 2 + data[1]]
    size = data[1] & 0x7F
    length = int.from_bytes(data[2 : 2 + size])
    return data[2 + size : 2 + size + length]
