"""IT's signature under a provisioning file: Ed25519 over the file's own bytes.

A signed file ends with a table `[signature]`; what is signed is everything before it (line ends and a byte order mark
do not count). Nothing that stands after the signed part is taken for settings.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.errors import EnvironmentTrouble, InputRefused
from app.files import write_private

PRIVATE_NAME, PUBLIC_NAME = "it-key-private.pem", "it-key.pem"
_HEAD = "[signature]\n"
_CONTEXT = b"genba-touch provisioning v1\n"

PrivateKey = Ed25519PrivateKey
PublicKey = Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Signed:
    """A file's text without its signature, and whose key signed it (None: it has none)."""

    body: str
    key: PublicKey | None


def fingerprint(key: PublicKey) -> str:
    """Which key it is: 16 hex digits of SHA-256, to be compared on the phone."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def opened(data: bytes, where: str) -> Signed:
    """The signed part of a file whose signature is right, or all of a file that has none.

    Says nothing of whether the key is to be trusted. Raises InputRefused: `file.not_text`, `signing.damaged`,
    `signing.altered`.
    """
    body, tail = _parts(data, where)
    if not tail:
        return Signed(body, None)
    try:
        table = tomllib.loads(tail)
        if set(table) != {"signature"} or set(table["signature"]) != {"key", "value"}:
            raise ValueError
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(table["signature"]["key"], validate=True))
        value = base64.b64decode(table["signature"]["value"], validate=True)
    except (ValueError, TypeError, binascii.Error) as exc:
        raise InputRefused("signing.damaged", f"{where}: $.signature") from exc
    try:
        key.verify(value, _CONTEXT + body.encode())
    except InvalidSignature as exc:
        raise InputRefused("signing.altered", where, key=fingerprint(key)) from exc
    return Signed(body, key)


def signed(data: bytes, key: PrivateKey, where: str) -> bytes:
    """The text with its signature at the end, in place of one that it has. Raises InputRefused `file.not_text`."""
    body = _parts(data, where)[0].rstrip("\n") + "\n"
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    value = base64.b64encode(key.sign(_CONTEXT + body.encode())).decode()
    return f'{body}{_HEAD}key = "{public}"\nvalue = "{value}"\n'.encode()


def _parts(data: bytes, where: str) -> tuple[str, str]:
    """What is signed, and the signature's table ('': none). Raises InputRefused `file.not_text`."""
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as exc:
        raise InputRefused("file.not_text", f"{where}: byte {exc.start}") from exc
    body, head, tail = f"\n{text}".rpartition("\n" + _HEAD)
    return (f"{body}\n".removeprefix("\n"), _HEAD + tail) if head else (text, "")


def make_key(
    folder: Path, passphrase: str | None = None, names: tuple[str, str] = (PRIVATE_NAME, PUBLIC_NAME)
) -> tuple[Path, Path, str]:
    """A new pair as PEM files, the private one 0600 and encrypted if a passphrase is given: their paths, fingerprint.

    Raises InputRefused `signing.key_exists` rather than overwrite one; EnvironmentTrouble `signing.cannot_write`.
    """
    private_file, public_file = folder / names[0], folder / names[1]
    for file in (private_file, public_file):
        if file.exists():
            raise InputRefused("signing.key_exists", str(file))
    key = Ed25519PrivateKey.generate()
    hiding: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_private(public_file, public)
        write_private(
            private_file, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hiding)
        )
    except OSError as exc:
        raise EnvironmentTrouble("signing.cannot_write", str(folder), why=exc.strerror or "") from exc
    return private_file, public_file, fingerprint(key.public_key())


def needs_passphrase(file: Path) -> bool:
    """Whether a private key's file is encrypted. Raises InputRefused `file.missing`."""
    return b"ENCRYPTED" in _read(file)


def private_key(file: Path, passphrase: str | None = None) -> PrivateKey:
    """Raises InputRefused: `file.missing`, `signing.bad_key`, `signing.passphrase`."""
    pem = _read(file)
    try:
        key = serialization.load_pem_private_key(pem, passphrase.encode() if passphrase else None)
    except (TypeError, ValueError) as exc:
        code = "signing.passphrase" if b"ENCRYPTED" in pem else "signing.bad_key"
        raise InputRefused(code, str(file)) from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise InputRefused("signing.bad_key", str(file))
    return key


def public_key(file: Path) -> PublicKey:
    """Raises InputRefused: `file.missing`, `signing.bad_key`."""
    try:
        key = serialization.load_pem_public_key(_read(file))
    except ValueError as exc:
        raise InputRefused("signing.bad_key", str(file)) from exc
    if not isinstance(key, Ed25519PublicKey):
        raise InputRefused("signing.bad_key", str(file))
    return key


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        raise InputRefused("file.missing", str(file), why=exc.strerror or "") from exc
