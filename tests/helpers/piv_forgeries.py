"""Cards that must not pass, each with the reason it is to be refused for; and a channel to a card in this process."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier

from app.domain.verdict import Reason
from app.readers.channel import Response
from tests.helpers.piv_pki import CLIENT_AUTHENTICATION, GUID, OTHER_GUID, Authority, card, certificate_object, key
from tests.helpers.virtual_piv import VirtualPiv, sign, wrap

REVOKED = 666
CLAIMED = f"piv:{GUID.hex.upper()}"
OTHER_CLAIMED = f"piv:{OTHER_GUID.hex.upper()}"
CHIP = "uid:04A1B2C3D4E5F6"
Card = dict[str, Any]


class Direct:
    """A `Channel` to an emulated card, without reader and service."""

    def __init__(self, made: Card) -> None:
        self.card = VirtualPiv.of(made)

    @property
    def atr(self) -> bytes:
        return self.card.atr

    def transmit(self, apdu: bytes) -> Response:
        answer = self.card.answer(apdu)
        return Response(answer[:-2], int.from_bytes(answer[-2:]))


def _with(name: str, value: bytes, **more: Any) -> Card:
    made = card(Authority().issue(), **more)
    made["objects"][name] = value.hex()
    return made


def _without_certificate() -> Card:
    made = card(Authority().issue())
    del made["objects"]["5fc101"]
    return made


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _tampered() -> bytes:
    """A genuine certificate with another GUID written into it."""
    return _der(Authority().issue()).replace(str(GUID).encode(), str(OTHER_GUID).encode())


FORGERIES: dict[str, tuple[Callable[[], Card], Reason, str]] = {
    "copied certificate": (lambda: card(Authority().issue(), which=1), Reason.SECURE_BAD_SIGNATURE, CLAIMED),
    "replayed signature": (
        lambda: card(Authority().issue(), mischief="replay", signature=sign(key(), bytes(32)).hex()),  # type: ignore[arg-type]
        Reason.SECURE_BAD_SIGNATURE,
        CLAIMED,
    ),
    "empty signature": (lambda: card(Authority().issue(), mischief="replay"), Reason.SECURE_BAD_SIGNATURE, CLAIMED),
    "foreign CA": (lambda: card(Authority("Other", 101).issue()), Reason.SECURE_FOREIGN_CA, CLAIMED),
    "foreign CA of the same name": (lambda: card(Authority(which=101).issue()), Reason.SECURE_FOREIGN_CA, CLAIMED),
    "altered certificate": (lambda: card(_tampered(), guid=OTHER_GUID), Reason.SECURE_FOREIGN_CA, OTHER_CLAIMED),
    "swapped GUID": (
        lambda: card(Authority().issue(), guid=OTHER_GUID),
        Reason.SECURE_GUID_MISMATCH,
        OTHER_CLAIMED,
    ),
    "two GUIDs": (
        lambda: card(Authority().issue(names=(GUID, OTHER_GUID))),
        Reason.SECURE_GUID_MISMATCH,
        CLAIMED,
    ),
    "no GUID": (lambda: card(Authority().issue(names=())), Reason.SECURE_GUID_MISMATCH, CLAIMED),
    "expired": (lambda: card(Authority().issue(until_days=-1)), Reason.SECURE_EXPIRED, CLAIMED),
    "not yet valid": (lambda: card(Authority().issue(from_days=1)), Reason.SECURE_NOT_YET_VALID, CLAIMED),
    "no purpose": (lambda: card(Authority().issue(purposes=())), Reason.SECURE_WRONG_USAGE, CLAIMED),
    "another purpose": (
        lambda: card(Authority().issue(purposes=(CLIENT_AUTHENTICATION,))),
        Reason.SECURE_WRONG_USAGE,
        CLAIMED,
    ),
    "any purpose": (
        lambda: card(Authority().issue(purposes=("2.5.29.37.0",))),
        Reason.SECURE_WRONG_USAGE,
        CLAIMED,
    ),
    "may not sign": (lambda: card(Authority().issue(signs=False)), Reason.SECURE_WRONG_USAGE, CLAIMED),
    "unknown critical extension": (
        lambda: card(
            Authority().issue(extra=(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"),))
        ),
        Reason.SECURE_WRONG_USAGE,
        CLAIMED,
    ),
    "a CA's certificate": (
        lambda: card(Authority().issue(extra=(x509.BasicConstraints(ca=True, path_length=None),))),
        Reason.SECURE_WRONG_USAGE,
        CLAIMED,
    ),
    "revoked": (lambda: card(Authority().issue(serial=REVOKED)), Reason.SECURE_REVOKED, CLAIMED),
    "wrong curve": (lambda: card(Authority().issue("p521"), "p521"), Reason.SECURE_WRONG_KEY, CLAIMED),
    "curve of another family": (lambda: card(Authority().issue("k1"), "k1"), Reason.SECURE_WRONG_KEY, CLAIMED),
    "key of another size": (lambda: card(Authority().issue("rsa3072"), "rsa3072"), Reason.SECURE_WRONG_KEY, CLAIMED),
    "key of another kind": (lambda: card(Authority().issue(), "p384"), Reason.SECURE_NO_PROOF, CLAIMED),
    "refuses to sign": (lambda: card(Authority().issue(), mischief="silent_key"), Reason.SECURE_NO_PROOF, CLAIMED),
    "no certificate": (_without_certificate, Reason.SECURE_NOT_ISSUED, CLAIMED),
    "empty certificate": (
        lambda: _with("5fc101", wrap(0x70, b"") + wrap(0x71, b"\x00")),
        Reason.SECURE_NOT_ISSUED,
        CLAIMED,
    ),
    "truncated object": (lambda: card(Authority().issue(), mischief="truncated"), Reason.SECURE_MALFORMED, CHIP),
    "oversize object": (lambda: card(Authority().issue(), mischief="oversize"), Reason.SECURE_MALFORMED, CHIP),
    "endless object": (lambda: card(Authority().issue(), mischief="endless"), Reason.SECURE_MALFORMED, CHIP),
    "61xx for ever": (lambda: card(Authority().issue(), mischief="hollow"), Reason.SECURE_MALFORMED, CHIP),
    "a byte at a time": (lambda: card(Authority().issue(), mischief="drip"), Reason.SECURE_MALFORMED, CLAIMED),
    "refuses everything": (lambda: card(Authority().issue(), mischief="deaf"), Reason.SECURE_MALFORMED, CHIP),
    "CHUID without GUID": (lambda: _with("5fc102", wrap(0x35, b"20351231")), Reason.SECURE_MALFORMED, CHIP),
    "CHUID with two GUIDs": (
        lambda: _with("5fc102", wrap(0x34, GUID.bytes) + wrap(0x34, OTHER_GUID.bytes)),
        Reason.SECURE_MALFORMED,
        CHIP,
    ),
    "certificate cut short": (
        lambda: card(_der(Authority().issue())[:-20]),
        Reason.SECURE_MALFORMED,
        CLAIMED,
    ),
    "no certificate at all": (lambda: card(b"\x30\x03\x02\x01\x01"), Reason.SECURE_MALFORMED, CLAIMED),
    "unknown packing": (
        lambda: _with("5fc101", wrap(0x70, _der(Authority().issue())) + wrap(0x71, b"\x04")),
        Reason.SECURE_MALFORMED,
        CLAIMED,
    ),
    "packed bomb": (
        lambda: _with("5fc101", wrap(0x70, gzip.compress(bytes(2_000_000))) + wrap(0x71, b"\x01")),
        Reason.SECURE_MALFORMED,
        CLAIMED,
    ),
    "packed and something after": (
        lambda: _with("5fc101", wrap(0x70, gzip.compress(_der(Authority().issue())) + b"x") + wrap(0x71, b"\x01")),
        Reason.SECURE_MALFORMED,
        CLAIMED,
    ),
    "packed, but not": (
        lambda: _with(
            "5fc101", certificate_object(_der(Authority().issue())).replace(b"\x71\x01\x00", b"\x71\x01\x01")
        ),
        Reason.SECURE_MALFORMED,
        CLAIMED,
    ),
}
"""Name → (the card, the reason, the key under which the refusal is kept)."""
