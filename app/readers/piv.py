"""PIV card authentication (NIST SP 800-73-4 parts 1 and 2, key 9E): the card signs what we have just made up.

The commands and data objects only; what a certificate is worth is `trust.py`'s to say. No PIN, by design: made for
doors. It proves that the card is here, not that its owner is. Run against an emulated card, never against hardware.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from app.domain.ids import InvalidId, card_key
from app.domain.verdict import Reason
from app.readers import tlv
from app.readers.apdu import TooMuch, ask
from app.readers.channel import Channel
from app.readers.secure import Note, ProofFailed, Proven
from app.readers.storage_card import storage_standard

_SELECT = bytes.fromhex("00A40400")
_APPLICATION = bytes.fromhex("A000000308000010000100")
_GET_DATA = bytes.fromhex("00CB3FFF")
_CHUID = bytes.fromhex("5FC102")
_CERTIFICATE = bytes.fromhex("5FC101")
_CARD_AUTHENTICATION = 0x9E
_NOT_FOUND = 0x6A82
_GUID_TAG, _CERT_TAG, _CERTINFO_TAG = 0x34, 0x70, 0x71
_OBJECT, _TEMPLATE, _CHALLENGE, _RESPONSE = 0x53, 0x7C, 0x81, 0x82
_GZIP = 0x01
"""Bit of CertInfo: the certificate is compressed (SP 800-73-4 part 1, appendix A)."""
GUID_BYTES = 16
LONGEST_OBJECT = 8192
"""Bytes a data object, and a certificate unpacked, may have; SP 800-73-4 says 1,905 and 3,377."""
_LONGEST_ANSWER = 600
LABEL = b"genba-touch card authentication v1\x00"
"""Before the random bytes: what a card signs for us is good for nothing else."""
_NONCE_BYTES = 32
_SHA256_DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")
"""PKCS #1 (RFC 8017, 9.2, note 1)."""


class Algorithm(Enum):
    """Keys a card may prove itself with: PIV's identifier (SP 800-78-4, table 6-2) and the digest that fits."""

    RSA_2048 = (0x07, "sha256")
    P256 = (0x11, "sha256")
    P384 = (0x14, "sha384")

    @property
    def identifier(self) -> int:
        return self.value[0]

    def digest(self, message: bytes) -> bytes:
        """What is signed."""
        return hashlib.new(self.value[1], message).digest()

    def block(self, digest: bytes) -> bytes:
        """The digest as the card takes it: bare for a curve, padded (EMSA-PKCS1-v1_5) to the modulus for RSA."""
        if self is not Algorithm.RSA_2048:
            return digest
        info = _SHA256_DIGEST_INFO + digest
        return b"\x00\x01" + b"\xff" * (256 - 3 - len(info)) + b"\x00" + info


class CertifiedKey(Protocol):
    """The public key of a certificate that was found good."""

    @property
    def algorithm(self) -> Algorithm:
        """How it signs."""

    def signed(self, digest: bytes, signature: bytes) -> bool:
        """Whether `signature` is its signature of `digest`."""


class Judge(Protocol):
    """Who knows the site's roots and revocation lists."""

    @property
    def active(self) -> bool:
        """Whether the site has roots at all."""

    def check(self, certificate: bytes, guid: bytes, note: Note) -> CertifiedKey:
        """The certificate's key. Raises ProofFailed with the reason why it is not good for a card with this GUID."""


@dataclass(frozen=True, slots=True)
class PivCard:
    """Implements `SecureCardProtocol`."""

    judge: Judge
    random: Callable[[int], bytes] = secrets.token_bytes
    name: str = "piv"
    steps: tuple[str, ...] = (
        "select",
        "chuid",
        "certificate",
        "issuer",
        "validity",
        "key",
        "usage",
        "guid",
        "revocation",
        "signature",
    )

    @property
    def active(self) -> bool:
        """A site without roots issues no such cards."""
        return self.judge.active

    def prove(self, channel: Channel, note: Note) -> Proven | None:
        """See `SecureCardProtocol.prove`."""
        if storage_standard(channel.atr) is not None:
            return None  # a memory chip that the reader speaks for: it has no applications
        if not self._select(channel):
            return None
        note("select")
        guid: bytes | None = None
        try:
            guid = parse_chuid(_object(channel, _CHUID))
            note("chuid")
            certificate = parse_certificate(_object(channel, _CERTIFICATE))
            note("certificate")
            key = self.judge.check(certificate, guid, note)
            self._challenge(channel, key)
            note("signature")
            return Proven(_key_of(guid), {"secure.protocol": self.name})
        except (tlv.TlvError, TooMuch) as exc:
            raise ProofFailed(Reason.SECURE_MALFORMED, str(exc), _key_of(guid) if guid is not None else None) from exc
        except ProofFailed as failed:
            failed.card_key = _key_of(guid) if guid is not None else None
            raise

    def _select(self, channel: Channel) -> bool:
        try:
            return ask(channel, _SELECT, _APPLICATION, limit=_LONGEST_ANSWER).ok
        except TooMuch as exc:
            raise ProofFailed(Reason.SECURE_MALFORMED, str(exc)) from exc

    def _challenge(self, channel: Channel, key: CertifiedKey) -> None:
        digest = key.algorithm.digest(LABEL + self.random(_NONCE_BYTES))
        asked = tlv.encode(_RESPONSE, b"") + tlv.encode(_CHALLENGE, key.algorithm.block(digest))
        head = bytes((0x00, 0x87, key.algorithm.identifier, _CARD_AUTHENTICATION))
        answer = ask(channel, head, tlv.encode(_TEMPLATE, asked), limit=_LONGEST_ANSWER)
        if not answer.ok:
            raise ProofFailed(Reason.SECURE_NO_PROOF, f"GENERAL AUTHENTICATE: {answer.sw:04X}")
        signature = tlv.only(tlv.only(answer.data, _TEMPLATE), _RESPONSE)
        if not key.signed(digest, signature):
            raise ProofFailed(Reason.SECURE_BAD_SIGNATURE)


def parse_chuid(data: bytes) -> bytes:
    """The GUID of a CHUID object's content. Raises TlvError."""
    guid = tlv.fields(data).get(_GUID_TAG, b"")
    if len(guid) != GUID_BYTES:
        raise tlv.TlvError(f"CHUID: a GUID of {len(guid)} bytes")
    return guid


def parse_certificate(data: bytes) -> bytes:
    """The certificate (DER) of a certificate object's content. Raises TlvError."""
    found = tlv.fields(data)
    certificate, info = found.get(_CERT_TAG, b""), found.get(_CERTINFO_TAG, b"\x00")
    if not certificate:
        raise ProofFailed(Reason.SECURE_NOT_ISSUED, "an empty certificate object")
    if len(info) != 1 or info[0] & ~_GZIP:
        raise tlv.TlvError(f"CertInfo {info[:4].hex()}")
    return _unpack(certificate) if info[0] & _GZIP else certificate


def _unpack(packed: bytes) -> bytes:
    """gzip, whole, and never more than a certificate's size: the output is bounded before it is made."""
    unzip = zlib.decompressobj(wbits=31)
    try:
        data = unzip.decompress(packed, LONGEST_OBJECT)
    except zlib.error as exc:
        raise tlv.TlvError(f"compressed certificate: {exc}") from exc
    if not unzip.eof or unzip.unused_data:
        raise tlv.TlvError("compressed certificate: too long, cut short, or followed by something")
    return data


def _object(channel: Channel, tag: bytes) -> bytes:
    """A data object's content. Raises ProofFailed, TlvError, TooMuch."""
    answer = ask(channel, _GET_DATA, tlv.encode(0x5C, tag), limit=LONGEST_OBJECT)
    if answer.sw == _NOT_FOUND:
        raise ProofFailed(Reason.SECURE_NOT_ISSUED, f"no object {tag.hex()}")
    if not answer.ok:
        raise ProofFailed(Reason.SECURE_MALFORMED, f"GET DATA {tag.hex()}: {answer.sw:04X}")
    content = tlv.only(answer.data, _OBJECT)
    if not content:
        raise ProofFailed(Reason.SECURE_NOT_ISSUED, f"an empty object {tag.hex()}")
    return content


def _key_of(guid: bytes) -> str:
    return card_key(f"piv:{guid.hex()}")


def guid_of(text: str) -> bytes:
    """A GUID as people write it (UUID or 32 hex digits). Raises InvalidId."""
    key = card_key(f"piv:{text.strip().removeprefix('piv:')}")
    guid = bytes.fromhex(key.removeprefix("piv:"))
    if set(guid) in ({0}, {0xFF}):
        raise InvalidId("a GUID of all zeros or ones is nobody's")
    return guid
