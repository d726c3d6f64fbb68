"""Sealing to a recovery key: the only importer of `cryptography`. HPKE (RFC 9180), nothing home-made.

A site's recovery key pair is made once, away from the gates; the private half lies in a safe, the public half comes
with a gate's provisioning. What is sealed can be opened by the private half alone.

Suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from app import codec
from app.errors import EnvironmentTrouble, InputRefused
from app.files import write_private

_FORMAT = "genba-touch-sealed/1"
_INFO = b"genba-touch recovery v1"
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
PRIVATE_NAME = "recovery-private.pem"
PUBLIC_NAME = "recovery-public.pem"

PrivateKey = X25519PrivateKey
PublicKey = X25519PublicKey


def fingerprint(key: PublicKey) -> str:
    """Which recovery key it is: 16 hex digits of SHA-256, fit for a label on the safe."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def seal(public_key: PublicKey, payload: bytes) -> bytes:
    """A JSON text that only the private half opens."""
    sealed = base64.b64encode(_SUITE.encrypt(payload, public_key, _INFO)).decode()
    return codec.encode({"format": _FORMAT, "key": fingerprint(public_key), "sealed": sealed})


def unseal(private_key: PrivateKey, sealed: bytes) -> bytes:
    """What was sealed. Raises InputRefused: `recovery.not_sealed`, `recovery.other_key`, `recovery.altered`."""
    try:
        parts = codec.decode(sealed, dict)
        text = base64.b64decode(str(parts["sealed"]), validate=True)
    except (codec.DecodeError, KeyError, binascii.Error) as exc:
        raise InputRefused("recovery.not_sealed") from exc
    if parts.get("format") != _FORMAT:
        raise InputRefused("recovery.not_sealed")
    own = fingerprint(private_key.public_key())
    if parts.get("key") != own:
        raise InputRefused("recovery.other_key", wanted=str(parts.get("key"))[:16], given=own)
    try:
        return _SUITE.decrypt(text, private_key, _INFO)
    except (InvalidTag, ValueError) as exc:
        raise InputRefused("recovery.altered") from exc


def key_of_code(code: str, salt: bytes) -> PrivateKey:
    """The private key that a code of at least 100 random bits stands for. Some 100 ms and 32 MiB, for each try."""
    raw = hashlib.scrypt(code.encode(), salt=salt, n=1 << 15, r=8, p=1, maxmem=1 << 26, dklen=32)
    return X25519PrivateKey.from_private_bytes(raw)


def make_key_pair(folder: Path, password: str | None = None) -> tuple[Path, Path]:
    """Write a new pair as PEM files (private 0600, encrypted if a password is given). Returns (private, public).

    Raises InputRefused `recovery.key_exists` rather than overwrite one; EnvironmentTrouble `recovery.cannot_write`.
    """
    private_file, public_file = folder / PRIVATE_NAME, folder / PUBLIC_NAME
    for file in (private_file, public_file):
        if file.exists():
            raise InputRefused("recovery.key_exists", str(file))
    key = X25519PrivateKey.generate()
    hiding: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hiding)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_private(private_file, private)
        write_private(public_file, public_pem(key.public_key()))
    except OSError as exc:
        raise EnvironmentTrouble("recovery.cannot_write", str(folder)) from exc
    return private_file, public_file


def public_pem(key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo as PEM."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def public_key(pem: bytes) -> PublicKey:
    """Read a public half. Raises InputRefused `recovery.bad_public_key`."""
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError as exc:
        raise InputRefused("recovery.bad_public_key") from exc
    if not isinstance(key, X25519PublicKey):
        raise InputRefused("recovery.bad_public_key")
    return key


def private_key(pem: bytes, password: str | None = None) -> PrivateKey:
    """Read a private half. Raises InputRefused: `recovery.bad_private_key`, `recovery.password`."""
    try:
        key = serialization.load_pem_private_key(pem, password.encode() if password else None)
    except TypeError as exc:
        raise InputRefused("recovery.password") from exc
    except ValueError as exc:
        if b"ENCRYPTED" in pem:
            raise InputRefused("recovery.password") from exc
        raise InputRefused("recovery.bad_private_key") from exc
    if not isinstance(key, X25519PrivateKey):
        raise InputRefused("recovery.bad_private_key")
    return key
