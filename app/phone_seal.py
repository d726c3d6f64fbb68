"""What a phone sends: signed by it (Ed25519, RFC 8032), sealed to the station (HPKE, RFC 9180). Nothing home-made.

Suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, base mode, no AAD. The format around it is
`app.office.phone_file`, the page for makers of apps docs/phone-file.md.
"""

from __future__ import annotations

import hashlib
import re

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

INFO = b"genba-touch phone v1"
OVERHEAD = 48
"""Bytes that sealing adds: the encapsulated key (32) and the tag (16)."""
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_HEX = re.compile(r"[0-9a-f]{64}")


class BadKey(ValueError):
    """The text is no public key of that kind."""


class NotOurs(ValueError):
    """It was not sealed to this key, or a byte of it was changed."""


def fingerprint(public: bytes) -> str:
    """Which key it is: 16 hex digits of SHA-256. Of a phone's key it is the phone's id."""
    return hashlib.sha256(public).hexdigest()[:16]


def new_private() -> bytes:
    """A station's new private half, 32 bytes."""
    return X25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    """The public half, 32 bytes."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal(public: bytes, payload: bytes) -> bytes:
    """Encapsulated key, then ciphertext with its tag."""
    return _SUITE.encrypt(payload, X25519PublicKey.from_public_bytes(public), INFO)


def unseal(private: bytes, sealed: bytes) -> bytes:
    """What was sealed. Raises NotOurs."""
    try:
        return _SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(private), INFO)
    except (InvalidTag, ValueError) as exc:
        raise NotOurs from exc


def is_signed(public: bytes, signature: bytes, text: bytes) -> bool:
    """Whether the holder of an Ed25519 key signed exactly these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def as_text(public: bytes) -> str:
    """A station's public half as it is handed on: fits a QR code, can be read aloud."""
    return f"x25519:{public.hex()}"


def phone_key(text: str) -> bytes:
    """A phone's public key from `ed25519:` and 64 hex digits, blanks and capitals forgiven. Raises BadKey."""
    kind, _, digits = "".join(text.split()).lower().partition(":")
    if kind != "ed25519" or not _HEX.fullmatch(digits):
        raise BadKey(text[:80])
    public = bytes.fromhex(digits)
    try:
        Ed25519PublicKey.from_public_bytes(public)
    except ValueError as exc:
        raise BadKey(text[:80]) from exc
    return public
