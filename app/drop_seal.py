"""Letters that are carried in files: packed (zstd), sealed (HPKE, RFC 9180), signed (Ed25519, RFC 8032).

Nothing home-made. Suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, base mode. The bytes are in
docs/file-drop.md; what is in a letter is `app.sync.wire.DropLetter` or `DropAnswer`, and this file does not care.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass, field
from enum import Enum

import zstandard
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

MAGIC = b"genba-touch-drop/1\n"
MAX_FILE = 64 * 1024 * 1024
"""Most bytes of a letter as it lies in the folder."""
MAX_PLAIN = 128 * 1024 * 1024
"""Most bytes of what is in it, unpacked."""
MARKER = "genba-touch-drop.txt"
"""Lies in every folder that letters are carried in: without it, it is another stick, or the bare place of none."""
ENDING = ".gtd"
_HEAD = struct.Struct(">cQ8s8s")
_SIGNATURE = 64
_START = len(MAGIC) + _HEAD.size + _SIGNATURE
_INFO = b"genba-touch drop v1"
_WINDOW = 1 << 23
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_TEXT = re.compile(r"genba-drop:([0-9a-f]{128})")


class BadLetter(ValueError):
    """No letter of ours: another file, cut short, changed, for or from somebody else. The text says which."""


class Kind(Enum):
    """What a letter is."""

    ENROL = b"E"
    """A station's first: its public keys and its enrolment code are in it."""
    EVENTS = b"S"
    ANSWER = b"A"


@dataclass(frozen=True, slots=True)
class Head:
    """What stands outside the seal. `sender`, `receiver`: fingerprints (16 hex digits)."""

    kind: Kind
    number: int
    sender: str
    receiver: str


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Somebody's public halves, 32 bytes each: Ed25519 to sign, X25519 to seal."""

    sign: bytes
    seal: bytes

    @property
    def fingerprint(self) -> str:
        """Whose they are: 16 hex digits of SHA-256."""
        return hashlib.sha256(self.sign + self.seal).hexdigest()[:16]

    @property
    def text(self) -> str:
        """As they are handed on."""
        return f"genba-drop:{(self.sign + self.seal).hex()}"

    @classmethod
    def read(cls, text: str) -> PublicKeys:
        """From `text`. Raises BadLetter."""
        found = _TEXT.fullmatch(text.strip())
        if found is None:
            raise BadLetter("no public keys")
        raw = bytes.fromhex(found[1])
        return cls(raw[:32], raw[32:])


@dataclass(frozen=True, slots=True)
class Keys:
    """Somebody's private halves, 32 bytes each."""

    sign: bytes = field(repr=False)
    seal: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Keys:
        """A new pair of pairs."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw(), X25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def of(cls, raw: bytes) -> Keys:
        """From `raw`. ValueError for another length."""
        if len(raw) != 64:
            raise ValueError("not 64 bytes")
        return cls(raw[:32], raw[32:])

    @property
    def raw(self) -> bytes:
        """64 bytes, for the vault."""
        return self.sign + self.seal

    @property
    def public(self) -> PublicKeys:
        """The public halves."""
        sign = Ed25519PrivateKey.from_private_bytes(self.sign).public_key().public_bytes_raw()
        return PublicKeys(sign, X25519PrivateKey.from_private_bytes(self.seal).public_key().public_bytes_raw())


def name(to_centre: bool, station: str, number: int) -> str:
    """What a letter's file is called. `station`: the fingerprint of the station's keys, either way."""
    return f"{'s' if to_centre else 'c'}-{station}-{number:08d}{ENDING}"


def named(text: str) -> tuple[bool, str, int] | None:
    """What `name` was given; None for another file's name."""
    found = re.fullmatch(rf"([sc])-([0-9a-f]{{16}})-([0-9]{{8,18}}){re.escape(ENDING)}", text)
    return (found[1] == "s", found[2], int(found[3])) if found else None


def write(kind: Kind, number: int, sender: Keys, receiver: PublicKeys, payload: bytes) -> bytes:
    """A letter. ValueError for a payload or a letter that is too large to be read."""
    if len(payload) > MAX_PLAIN:
        raise ValueError("too much for one letter")
    mine = sender.public
    head = MAGIC + _HEAD.pack(kind.value, number, bytes.fromhex(mine.fingerprint), bytes.fromhex(receiver.fingerprint))
    packed = zstandard.ZstdCompressor(level=9).compress(payload)
    # the head is bound into the seal: whoever signs another's sealed text as his own cannot have it opened
    sealed = _SUITE.encrypt(packed, X25519PublicKey.from_public_bytes(receiver.seal), _INFO + head)
    if _START + len(sealed) > MAX_FILE:
        raise ValueError("too much for one letter")
    return head + Ed25519PrivateKey.from_private_bytes(sender.sign).sign(head + sealed) + sealed


def head_of(letter: bytes) -> Head:
    """What stands outside, unproven. Raises BadLetter."""
    if len(letter) > MAX_FILE:
        raise BadLetter("too large")
    if not letter.startswith(MAGIC) or len(letter) <= _START:
        raise BadLetter("no letter, or cut short")
    kind, number, sender, receiver = _HEAD.unpack_from(letter, len(MAGIC))
    try:
        return Head(Kind(kind), number, sender.hex(), receiver.hex())
    except ValueError as exc:
        raise BadLetter("a kind of letter that is not known") from exc


def check_signature(letter: bytes, sender: PublicKeys) -> None:
    """Whether this sender signed all of it. Raises BadLetter."""
    if head_of(letter).sender != sender.fingerprint:
        raise BadLetter("from somebody else")
    signature = letter[_START - _SIGNATURE : _START]
    try:
        Ed25519PublicKey.from_public_bytes(sender.sign).verify(
            signature, letter[: _START - _SIGNATURE] + letter[_START:]
        )
    except (InvalidSignature, ValueError) as exc:
        raise BadLetter("not signed by its sender, or changed") from exc


def unsealed(letter: bytes, receiver: Keys) -> bytes:
    """What is in it. The signature is not looked at: `check_signature`. Raises BadLetter."""
    if head_of(letter).receiver != receiver.public.fingerprint:
        raise BadLetter("for somebody else")
    try:
        info = _INFO + letter[: _START - _SIGNATURE]
        packed = _SUITE.decrypt(letter[_START:], X25519PrivateKey.from_private_bytes(receiver.seal), info)
    except (InvalidTag, ValueError) as exc:
        raise BadLetter("sealed for somebody else, or changed") from exc
    return unpacked(packed)


def unpacked(packed: bytes) -> bytes:
    """Unpack, up to MAX_PLAIN bytes and no further. Raises BadLetter."""
    try:
        with zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(packed) as reader:
            plain = reader.read(MAX_PLAIN + 1)
    except zstandard.ZstdError as exc:
        raise BadLetter("not packed as it should be") from exc
    if len(plain) > MAX_PLAIN:
        raise BadLetter("too much in it")
    return plain
