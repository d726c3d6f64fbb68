"""A certificate authority and cards for trying things out: TESTS ONLY, and every name in them says so.

The private keys lie in plain files, which is just what a site's real CA must not do. Real cards are issued by whatever
the site's IT trusts; what a gate needs of them is in docs/secure-cards.md.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from app import codec
from app.errors import EnvironmentTrouble, InputRefused
from app.files import write_private
from app.readers import tlv
from app.readers.certificate import CARD_AUTHENTICATION

KINDS = ("p256", "p384", "rsa2048")
CA_NAME = "Genba Touch TEST CA - not for real sites"
_KEY, _CERTIFICATE, _CRL = "test-ca-key.pem", "test-ca.pem", "test-ca.crl"
_CA_DAYS, _CARD_DAYS, _CRL_DAYS = 365, 90, 30
_FORMAT = "genba-touch-test-card/1"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def make_ca(folder: Path, now: datetime) -> tuple[Path, Path]:
    """A test CA for a year: key, certificate and an empty revocation list. Returns (certificate, revocation list).

    Raises InputRefused `cards.file_exists`, EnvironmentTrouble `cards.cannot_write`.
    """
    paths = [folder / name for name in (_KEY, _CERTIFICATE, _CRL)]
    _must_be_new(*paths)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CA_NAME)])
    certificate = (
        _certificate(name, name, key.public_key(), now, _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name)
        .last_update(now - timedelta(minutes=5))
        .next_update(now + timedelta(days=_CRL_DAYS))
        .sign(key, hashes.SHA256())
    )
    _write(paths[0], _private_pem(key).encode())
    _write(paths[1], certificate.public_bytes(serialization.Encoding.PEM))
    _write(paths[2], crl.public_bytes(serialization.Encoding.DER))
    return paths[1], paths[2]


def issue_card(folder: Path, guid: bytes, kind: str, out: Path, now: datetime) -> None:
    """A card file for the emulated card, its private key in it. `kind`: one of `KINDS`.

    Raises InputRefused `cards.not_test_ca`, `cards.file_exists`; EnvironmentTrouble `cards.cannot_write`.
    """
    _must_be_new(out)
    ca_key, ca = _open(folder)
    key = _new_key(kind)
    card_id = uuid.UUID(bytes=guid)
    certificate = (
        _certificate(_name(f"TEST CARD {card_id}"), ca.subject, key.public_key(), now, _CARD_DAYS)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([CARD_AUTHENTICATION]), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"urn:uuid:{card_id}")]), critical=False
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    # SP 800-73-4 part 1, tables 9 and 14; no FASC-N, which only US agencies have
    chuid = tlv.encode(0x34, guid) + tlv.encode(0x35, f"{certificate.not_valid_after_utc:%Y%m%d}".encode())
    chuid += tlv.encode(0x3E, b"") + tlv.encode(0xFE, b"")
    held = tlv.encode(0x70, der) + tlv.encode(0x71, b"\x00") + tlv.encode(0xFE, b"")
    card = {
        "format": _FORMAT,
        "label": "TEST ONLY: the private key is in this file",
        "guid": str(card_id),
        "key": _private_pem(key),
        "objects": {"5fc101": held.hex(), "5fc102": chuid.hex()},
    }
    _write(out, codec.encode(card) + b"\n")


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
    )


def _open(folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    try:
        key = serialization.load_pem_private_key((folder / _KEY).read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / _CERTIFICATE).read_bytes())
    except (OSError, ValueError, TypeError) as exc:
        raise InputRefused("cards.not_test_ca", str(folder)) from exc
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    # never a real CA, whatever somebody puts in the folder
    if not isinstance(key, ec.EllipticCurvePrivateKey) or [name.value for name in names] != [CA_NAME]:
        raise InputRefused("cards.not_test_ca", str(folder))
    return key, certificate


def _new_key(kind: str) -> Key:
    if kind == "rsa2048":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP384R1() if kind == "p384" else ec.SECP256R1())


def _private_pem(key: Key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _must_be_new(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise InputRefused("cards.file_exists", str(path))


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, data)
    except OSError as exc:
        raise EnvironmentTrouble("cards.cannot_write", str(path), why=exc.strerror or "") from exc
