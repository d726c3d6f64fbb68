"""What a card's own certificate must be like, rule by rule; each broken rule is a `ProofFailed` with its reason.

The path is verified by `cryptography.x509.verification`; the other checks are there to say *which* rule was broken.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier

from app.domain.verdict import Reason
from app.readers.piv import Algorithm
from app.readers.secure import ProofFailed

CARD_AUTHENTICATION = ObjectIdentifier("2.16.840.1.101.3.6.8")
"""id-PIV-cardAuth."""
_KNOWN = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES,
}
"""Extensions of a card's certificate that may be marked critical."""


@dataclass(frozen=True)
class CardKey:
    """Implements `piv.CertifiedKey`."""

    algorithm: Algorithm
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey

    def signed(self, digest: bytes, signature: bytes) -> bool:
        hashed = utils.Prehashed(hashes.SHA384() if self.algorithm is Algorithm.P384 else hashes.SHA256())
        try:
            if isinstance(self.key, rsa.RSAPublicKey):
                self.key.verify(signature, digest, padding.PKCS1v15(), hashed)
            else:
                self.key.verify(signature, digest, ec.ECDSA(hashed))
        except InvalidSignature:
            return False
        return True


def check_time(certificate: x509.Certificate, now: datetime) -> None:
    if now < certificate.not_valid_before_utc:
        raise ProofFailed(Reason.SECURE_NOT_YET_VALID, certificate.not_valid_before_utc.isoformat())
    if now > certificate.not_valid_after_utc:
        raise ProofFailed(Reason.SECURE_EXPIRED, certificate.not_valid_after_utc.isoformat())


def card_key(certificate: x509.Certificate) -> CardKey:
    try:
        key = certificate.public_key()
    except Exception as exc:  # a curve or key type that the library does not know, a point off its curve
        raise ProofFailed(Reason.SECURE_WRONG_KEY, f"{type(exc).__name__}: {exc}"[:200]) from exc
    if isinstance(key, ec.EllipticCurvePublicKey):
        if isinstance(key.curve, ec.SECP256R1):
            return CardKey(Algorithm.P256, key)
        if isinstance(key.curve, ec.SECP384R1):
            return CardKey(Algorithm.P384, key)
        raise ProofFailed(Reason.SECURE_WRONG_KEY, key.curve.name)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size == 2048:
        return CardKey(Algorithm.RSA_2048, key)
    raise ProofFailed(Reason.SECURE_WRONG_KEY, type(key).__name__)


def check_usage(certificate: x509.Certificate) -> None:
    extensions = certificate.extensions
    unknown = [e.oid.dotted_string for e in extensions if e.critical and e.oid not in _KNOWN]
    if unknown:
        raise ProofFailed(Reason.SECURE_WRONG_USAGE, f"critical extension {unknown[0]}")
    try:
        signs = extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
        purposes = list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound as exc:
        raise ProofFailed(Reason.SECURE_WRONG_USAGE, str(exc)) from exc
    if not signs:
        raise ProofFailed(Reason.SECURE_WRONG_USAGE, "key usage without digitalSignature")
    if CARD_AUTHENTICATION not in purposes or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in purposes:
        raise ProofFailed(Reason.SECURE_WRONG_USAGE, "extended key usage is not card authentication")
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise ProofFailed(Reason.SECURE_WRONG_USAGE, "a CA's certificate")
    except x509.ExtensionNotFound:
        pass


def check_guid(certificate: x509.Certificate, guid: bytes) -> None:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as exc:
        raise ProofFailed(Reason.SECURE_GUID_MISMATCH, str(exc)) from exc
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    named = {uri.lower() for uri in uris if uri.lower().startswith("urn:uuid:")}
    if named != {f"urn:uuid:{uuid.UUID(bytes=guid)}"}:
        raise ProofFailed(Reason.SECURE_GUID_MISMATCH, f"the certificate names {sorted(named)[:2]}")


def check_path(certificate: x509.Certificate, root: x509.Certificate, now: datetime) -> None:
    """The library's own path validation; by now only what the other checks do not name can be left."""
    agnostic = verification.Criticality.AGNOSTIC
    card = verification.ExtensionPolicy.permit_all()
    card = card.require_present(x509.SubjectAlternativeName, agnostic, None)
    card = card.require_present(x509.ExtendedKeyUsage, agnostic, None)
    authority = verification.ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, agnostic, None)
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store([root]))
        .time(now)
        .max_chain_depth(0)
        .extension_policies(ca_policy=authority, ee_policy=card)
        .build_client_verifier()
    )
    try:
        verifier.verify(certificate, [])
    except verification.VerificationError as exc:
        raise ProofFailed(Reason.SECURE_MALFORMED, f"path: {exc}"[:200]) from exc
