"""A certificate authority for tests that issues good cards and every kind of bad one."""

from __future__ import annotations

import gzip
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

from tests.helpers.virtual_piv import wrap

CARD_AUTHENTICATION = "2.16.840.1.101.3.6.8"
CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2"
GUID = uuid.UUID("3f2504e0-4f89-41d3-9a0c-0305e82c3301")
OTHER_GUID = uuid.UUID("9b2504e0-4f89-41d3-9a0c-0305e82c3302")
NUMBER = "04A1B2C3D4E5F6"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@lru_cache(maxsize=32)
def key(kind: str = "p256", which: int = 0) -> Key:
    """A key of a kind, made once a run; `which` tells them apart."""
    del which
    curves: dict[str, type[ec.EllipticCurve]] = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}
    if kind == "k1":
        return ec.generate_private_key(ec.SECP256K1())
    if kind in curves:
        return ec.generate_private_key(curves[kind]())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa")))


@dataclass
class Authority:
    """A root. `now`: around which everything it issues is valid."""

    name: str = "Test Root"
    which: int = 100
    kind: str = "p256"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    valid_from_days: float = -400
    valid_days: float = 4000
    revoked: list[int] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return key(self.kind, self.which)

    @property
    def certificate(self) -> x509.Certificate:
        start = self.now + timedelta(days=self.valid_from_days)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(self.name))
            .issuer_name(_name(self.name))
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=self.valid_days))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def issue(
        self,
        kind: str = "p256",
        *,
        names: tuple[uuid.UUID, ...] = (GUID,),
        purposes: tuple[str, ...] = (CARD_AUTHENTICATION,),
        signs: bool = True,
        from_days: float = -30,
        until_days: float = 300,
        serial: int = 4711,
        which: int = 0,
        extra: tuple[x509.ExtensionType, ...] = (),
    ) -> x509.Certificate:
        """A card's certificate."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name("card"))
            .issuer_name(_name(self.name))
            .public_key(key(kind, which).public_key())
            .serial_number(serial)
            .not_valid_before(self.now + timedelta(days=from_days))
            .not_valid_after(self.now + timedelta(days=until_days))
            .add_extension(_usage(digital_signature=signs, key_agreement=not signs), critical=True)
        )
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ObjectIdentifier(p) for p in purposes]), True)
        if names:
            uris = [x509.UniformResourceIdentifier(f"urn:uuid:{name}") for name in names]
            builder = builder.add_extension(x509.SubjectAlternativeName(uris), critical=False)
        for extension in extra:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(self.key, hashes.SHA256())

    def crl(self, *serials: int, next_days: float = 7, this_days: float = -1, delta: bool = False) -> bytes:
        """A revocation list (DER) from `this_days` to `next_days` from now."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(_name(self.name))
            .last_update(self.now + timedelta(days=this_days))
            .next_update(self.now + timedelta(days=next_days))
        )
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(self.now).build()
            builder = builder.add_revoked_certificate(entry)
        if delta:
            builder = builder.add_extension(x509.DeltaCRLIndicator(1), critical=True)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def trust(self, folder: Path, *serials: int, next_days: float = 7, crl: bool = True) -> Path:
        """Write root and revocation list where a site keeps them."""
        for part in ("roots", "crls"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        stem = self.name.replace(" ", "-")
        (folder / "roots" / f"{stem}.pem").write_bytes(pem(self.certificate))
        if crl:
            this_days = min(-1.0, next_days - 7)
            (folder / "crls" / f"{stem}.crl").write_bytes(self.crl(*serials, next_days=next_days, this_days=this_days))
        return folder


def card(
    certificate: x509.Certificate | bytes,
    kind: str = "p256",
    *,
    which: int = 0,
    guid: uuid.UUID = GUID,
    packed: bool = False,
    **more: Any,
) -> dict[str, Any]:
    """What the virtual card is made of: a certificate, the private key that the card holds, its GUID."""
    der = certificate if isinstance(certificate, bytes) else certificate.public_bytes(serialization.Encoding.DER)
    private = key(kind, which).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "objects": {"5fc102": chuid(guid.bytes).hex(), "5fc101": certificate_object(der, packed=packed).hex()},
        "key": private.decode(),
        "number": NUMBER,
        **more,
    }


def chuid(guid: bytes) -> bytes:
    """SP 800-73-4 part 1, table 9: FASC-N, GUID, expiry, (no) signature, error detection."""
    fascn = bytes.fromhex("D4E739DA739CED39CE739DA1685A1082108CE73984108CA3F5")
    return wrap(0x30, fascn) + wrap(0x34, guid) + wrap(0x35, b"20351231") + wrap(0x3E, b"") + wrap(0xFE, b"")


def certificate_object(der: bytes, *, packed: bool = False) -> bytes:
    """SP 800-73-4 part 1, table 14."""
    body = gzip.compress(der) if packed else der
    return wrap(0x70, body) + wrap(0x71, b"\x01" if packed else b"\x00") + wrap(0xFE, b"")


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(**on: bool) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: on.get(name, False) for name in every})
