"""A certificate with one byte changed is good for nothing, and nothing but a reason comes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.domain.verdict import Reason
from app.errors import InputRefused
from app.readers.secure import ProofFailed
from app.readers.trust import Anchors, read_crl, read_roots
from tests.helpers.piv_pki import GUID, OTHER_GUID, Authority, pem

NOW = datetime(2026, 11, 20, tzinfo=UTC)
CA = Authority(now=NOW)


@lru_cache(maxsize=1)
def anchors() -> Anchors:
    roots = tuple(read_roots(pem(CA.certificate)))
    return Anchors(roots, (read_crl(CA.crl(666), roots),))


@lru_cache(maxsize=1)
def good() -> bytes:
    return CA.issue().public_bytes(Encoding.DER)


def check(der: bytes, now: datetime = NOW, guid: bytes = GUID.bytes) -> Reason | None:
    try:
        anchors().check(der, guid, now, lambda step: None)
    except ProofFailed as failed:
        return failed.reason
    return None


def test_the_good_one_is_good() -> None:
    assert check(good()) is None
    assert check(good(), guid=OTHER_GUID.bytes) is Reason.SECURE_GUID_MISMATCH


def changed(place: int, byte: int, cut: int) -> None:
    der = good()
    place %= len(der)
    assume(der[place] != byte)
    # whatever is wrong first names it, but it never passes and never ends in another way
    twisted = der[:place] + bytes((byte,)) + der[place + 1 :]
    if check(twisted) is None:
        # outside what is signed: 'unused bits' of a signature that happens to end in zero bits
        signed = [x509.load_der_x509_certificate(each).tbs_certificate_bytes for each in (der, twisted)]
        assert signed[0] == signed[1]
    assert check(der[: cut % len(der)]) is Reason.SECURE_MALFORMED


BYTES = {"place": st.integers(0, 2000), "byte": st.integers(0, 255), "cut": st.integers(0, 2000)}


@given(**BYTES)
def test_one_byte_changed(place: int, byte: int, cut: int) -> None:
    changed(place, byte, cut)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(max_examples=100_000, deadline=None)
@given(**BYTES)
def test_one_byte_changed_for_long(place: int, byte: int, cut: int) -> None:
    changed(place, byte, cut)


@given(st.binary(max_size=500))
def test_any_bytes_are_no_certificate_no_root_and_no_list(data: bytes) -> None:
    assert check(data) is Reason.SECURE_MALFORMED
    with pytest.raises(InputRefused):
        read_roots(data)
    with pytest.raises(InputRefused):
        read_crl(data, anchors().roots)


def test_a_version_that_there_is_not() -> None:
    der = good()
    place = der.index(b"\xa0\x03\x02\x01\x02") + 4
    assert check(der[:place] + b"\x07" + der[place + 1 :]) is Reason.SECURE_MALFORMED
    with pytest.raises(InputRefused):
        read_roots(pem(CA.certificate).replace(b"MII", b"MIA", 1))


def test_the_moments_between_which_it_is_good() -> None:
    start, end = NOW - timedelta(days=30), NOW + timedelta(days=300)
    second = timedelta(seconds=1)
    assert check(good(), start - second) is Reason.SECURE_NOT_YET_VALID
    assert check(good(), start) is None
    # the list of that day has long run out by then: the next reason in line
    assert check(good(), end) is Reason.SECURE_CRL_TOO_OLD
    assert check(good(), end + second) is Reason.SECURE_EXPIRED


def test_a_renewed_root_with_the_same_key() -> None:
    """Old and new certificate of one CA lie side by side: the one that is in its time counts."""
    old = Authority(now=NOW, valid_days=401)
    roots = tuple(read_roots(pem(old.certificate) + pem(CA.certificate)))
    both = Anchors(roots, (read_crl(CA.crl(), roots),))
    both.check(good(), GUID.bytes, NOW + timedelta(days=10), lambda step: None)
