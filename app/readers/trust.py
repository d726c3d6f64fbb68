"""What a card's certificate is worth to this site: cryptography's X.509, nothing home-made.

A certificate is good when one of the site's own roots issued it, it is in its time, its key is of a kind we can check,
it is meant for card authentication (extended key usage 2.16.840.1.101.3.6.8, FIPS 201), names this very card (SAN
`urn:uuid:GUID`, SP 800-73-4 part 1, 3.1.3) and its issuer's revocation list, in time and signed, does not name it.
The rules of the certificate alone are in `certificate.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from app.domain.verdict import Reason
from app.errors import InputRefused
from app.readers.certificate import CardKey, card_key, check_guid, check_path, check_time, check_usage
from app.readers.secure import Note, ProofFailed

WARN_AFTER = timedelta(days=3)
"""Past a revocation list's next update: from then on the gate says so."""
REFUSE_AFTER_DAYS = 30
"""Days past the next update from which no card is taken on this list any more, unless the settings say otherwise."""
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    Warning,  # where warnings are errors: a negative serial number
)
"""What the library raises for bytes that are no certificate or list (one byte changed, 100,000 times, found them)."""


@dataclass(frozen=True)
class Root:
    """A certificate authority of the site's own."""

    certificate: x509.Certificate

    @property
    def name(self) -> str:
        """For people: the common name, or the whole name."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else self.certificate.subject.rfc4514_string()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, hex."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def not_after(self) -> datetime:
        return self.certificate.not_valid_after_utc

    def in_time(self, now: datetime) -> bool:
        return self.certificate.not_valid_before_utc <= now <= self.not_after

    def issued(self, certificate: x509.Certificate) -> bool:
        """By name and by signature."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True


@dataclass(frozen=True)
class Crl:
    """A revocation list whose signature was checked against `root`."""

    list: x509.CertificateRevocationList
    root: Root
    next_update: datetime

    @property
    def this_update(self) -> datetime:
        return self.list.last_update_utc

    @property
    def count(self) -> int:
        return len(self.list)

    def names(self, certificate: x509.Certificate) -> bool:
        return self.list.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None


@dataclass(frozen=True)
class Anchors:
    """What a site trusts at one moment. Immutable; share it between threads freely."""

    roots: tuple[Root, ...] = ()
    crls: tuple[Crl, ...] = ()

    def crl_of(self, root: Root) -> Crl | None:
        """The newest one of a root."""
        own = [crl for crl in self.crls if crl.root is root]
        return max(own, key=lambda crl: crl.this_update, default=None)

    def check(
        self, der: bytes, guid: bytes, now: datetime, note: Note, *, refuse_after: timedelta = timedelta(days=30)
    ) -> CardKey:
        """See `piv.Judge.check`. `refuse_after`: how long past its next update a revocation list still counts."""
        try:
            return self._check(_load(der), guid, now, note, refuse_after)
        except _UNREADABLE as exc:  # the library parses some parts only when they are asked for
            raise ProofFailed(Reason.SECURE_MALFORMED, f"certificate: {exc}"[:200]) from exc

    def _check(
        self, certificate: x509.Certificate, guid: bytes, now: datetime, note: Note, refuse_after: timedelta
    ) -> CardKey:
        root = self._issuer(certificate)
        note("issuer")
        if not root.in_time(now):
            raise ProofFailed(Reason.SECURE_CA_EXPIRED, root.name)
        check_time(certificate, now)
        note("validity")
        key = card_key(certificate)
        note("key")
        check_usage(certificate)
        note("usage")
        check_guid(certificate, guid)
        note("guid")
        check_path(certificate, root.certificate, now)
        self._check_revocation(certificate, root, now, refuse_after)
        note("revocation")
        return key

    def _issuer(self, certificate: x509.Certificate) -> Root:
        # several may bear one name and key (a root that was renewed): rather one that is in its time
        found = [root for root in self.roots if root.issued(certificate)]
        if not found:
            # without its issuer's name: a stranger's names are not even parsed
            raise ProofFailed(Reason.SECURE_FOREIGN_CA, "no root of this site signed it")
        return max(found, key=lambda root: root.not_after)

    def _check_revocation(
        self, certificate: x509.Certificate, root: Root, now: datetime, refuse_after: timedelta
    ) -> None:
        crl = self.crl_of(root)
        if crl is None:
            raise ProofFailed(Reason.SECURE_NO_CRL, root.name)
        if crl.names(certificate):
            raise ProofFailed(Reason.SECURE_REVOKED, f"serial {certificate.serial_number:X}")
        if now > crl.next_update + refuse_after:
            raise ProofFailed(Reason.SECURE_CRL_TOO_OLD, crl.next_update.isoformat())


def read_roots(data: bytes) -> list[Root]:
    """The roots of a PEM file. Raises InputRefused: `cards.root_unreadable`, `root_not_ca`, `root_weak`."""
    try:
        certificates = x509.load_pem_x509_certificates(data)
        return [_root(certificate) for certificate in certificates]
    except _UNREADABLE as exc:
        raise InputRefused("cards.root_unreadable") from exc


def read_crl(data: bytes, roots: Sequence[Root]) -> Crl:
    """A revocation list that one of the roots signed. Raises InputRefused: `cards.crl_unreadable`, `crl_unsupported`
    (delta, partial or without a next update: it could not be relied on), `crl_foreign`, `crl_bad_signature`."""
    try:
        if data.lstrip().startswith(b"-----BEGIN"):
            found = x509.load_pem_x509_crl(data)
        else:
            found = x509.load_der_x509_crl(data)
        partial = any(extension.critical for extension in found.extensions)
        issuer = [root for root in roots if root.certificate.subject == found.issuer]
        next_update = found.next_update_utc
        if next_update is None or partial:
            raise InputRefused("cards.crl_unsupported")
        signer = [root for root in issuer if _signed(found, root)]
    except _UNREADABLE as exc:
        raise InputRefused("cards.crl_unreadable") from exc
    if not issuer:
        raise InputRefused("cards.crl_foreign")
    if not signer:
        raise InputRefused("cards.crl_bad_signature")
    return Crl(found, max(signer, key=lambda root: root.not_after), next_update)


def crl_der(crl: Crl) -> bytes:
    """As it is kept."""
    return crl.list.public_bytes(Encoding.DER)


def root_pem(root: Root) -> bytes:
    """As it is kept."""
    return root.certificate.public_bytes(Encoding.PEM)


def _signed(crl: x509.CertificateRevocationList, root: Root) -> bool:
    key = root.certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        return False
    try:
        usage = root.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.crl_sign:
            return False
    except x509.ExtensionNotFound:
        pass
    return crl.is_signature_valid(key)


def _root(certificate: x509.Certificate) -> Root:
    try:
        authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        authority = False
    if not authority:
        raise InputRefused("cards.root_not_ca")
    key = certificate.public_key()
    strong_curve = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(
        key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1
    )
    if not strong_curve and not (isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048):
        raise InputRefused("cards.root_weak")
    root = Root(certificate)
    root.name  # noqa: B018  parsed when asked for: an unreadable one is found here
    return root


def _load(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.extensions  # noqa: B018  parsed when asked for: a malformed one is found here
    except _UNREADABLE as exc:
        raise ProofFailed(Reason.SECURE_MALFORMED, f"certificate: {exc}"[:200]) from exc
    return certificate
