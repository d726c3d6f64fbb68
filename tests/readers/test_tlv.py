"""What a card says is bytes from a stranger: TLV, CHUID and certificate objects parse or are refused, nothing else."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.readers import tlv
from app.readers.piv import LONGEST_OBJECT, parse_certificate, parse_chuid
from app.readers.secure import ProofFailed
from app.readers.tlv import TlvError
from tests.helpers.piv_pki import GUID, certificate_object, chuid
from tests.helpers.virtual_piv import wrap

LONG = 100_000
TAGS = st.one_of(
    st.integers(0x01, 0xFE).filter(lambda tag: tag & 0x1F != 0x1F),
    st.tuples(st.sampled_from([0x1F, 0x3F, 0x5F, 0x7F, 0xDF]), st.integers(0x01, 0x7F)).map(lambda t: t[0] << 8 | t[1]),
)
VALUES = st.binary(max_size=400)


def parses(data: bytes) -> None:
    """Well-formed or refused; and what is well-formed is all there."""
    try:
        found = tlv.parse(data)
    except TlvError:
        return
    assert len(found) <= tlv.MOST
    assert sum(len(value) for _tag, value in found) <= len(data)
    again = b"".join(tlv.encode(tag, value) for tag, value in found)
    assert tlv.parse(again) == found
    assert len(again) <= len(data)  # ours is the shortest form


def objects_parse(data: bytes) -> None:
    try:
        assert len(parse_chuid(data)) == 16
    except TlvError:
        pass
    try:
        assert 0 < len(parse_certificate(data)) <= LONGEST_OBJECT + len(data)
    except (TlvError, ProofFailed):
        pass


def twisted(whole: bytes) -> st.SearchStrategy[bytes]:
    """A good object with one byte changed, or cut."""
    places = st.integers(0, len(whole) - 1)
    changed = st.tuples(places, st.integers(0, 255)).map(lambda t: whole[: t[0]] + bytes((t[1],)) + whole[t[0] + 1 :])
    return st.one_of(changed, places.map(lambda n: whole[:n]))


STRANGE = st.one_of(
    st.binary(max_size=600),
    st.lists(st.tuples(TAGS, VALUES), max_size=6).map(lambda o: b"".join(tlv.encode(tag, v) for tag, v in o)),
    twisted(chuid(GUID.bytes)),
    twisted(certificate_object(bytes(range(256)) * 2)),
    twisted(certificate_object(bytes(300), packed=True)),
)


@given(STRANGE)
def test_any_bytes(data: bytes) -> None:
    parses(data)
    objects_parse(data)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(max_examples=LONG, deadline=None)
@given(STRANGE)
def test_any_bytes_for_long(data: bytes) -> None:
    parses(data)
    objects_parse(data)


@given(st.lists(st.tuples(TAGS, VALUES), max_size=8))
@example([(0x53, bytes(tlv.LONGEST))])
def test_what_is_encoded_comes_back(objects: list[tuple[int, bytes]]) -> None:
    assert tlv.parse(b"".join(tlv.encode(tag, value) for tag, value in objects)) == objects


@given(st.binary(min_size=16, max_size=16))
def test_chuid_gives_its_guid(guid: bytes) -> None:
    assert parse_chuid(chuid(guid)) == guid


@given(st.binary(min_size=1, max_size=2000), st.booleans())
def test_certificate_object_gives_its_certificate(der: bytes, packed: bool) -> None:
    assert parse_certificate(certificate_object(der, packed=packed)) == der


@pytest.mark.parametrize(
    "data",
    [
        "00",
        "FF00",
        "53",
        "5301",
        "5380",
        "538000000000",
        "5381",
        "5382FF",
        "5382FFFF00",
        "538300000100",
        "5384FFFFFFFF",
        "1F",
        "1F8001",
        "1F81",
        "1F81818100",
    ],
)
def test_what_is_not_well_formed(data: str) -> None:
    with pytest.raises(TlvError):
        tlv.parse(bytes.fromhex(data))


def test_more_than_a_level_holds() -> None:
    assert len(tlv.parse(b"\x53\x00" * tlv.MOST)) == tlv.MOST
    with pytest.raises(TlvError):
        tlv.parse(b"\x53\x00" * (tlv.MOST + 1))


def test_one_object_alone() -> None:
    assert tlv.only(b"\x53\x01\x07", 0x53) == b"\x07"
    for data in (b"", b"\x54\x00", b"\x53\x00\x53\x00"):
        with pytest.raises(TlvError):
            tlv.only(data, 0x53)
    with pytest.raises(TlvError, match="twice"):
        tlv.fields(b"\x34\x00\x34\x00")
    with pytest.raises(ValueError, match="bytes"):
        tlv.encode(0x53, bytes(tlv.LONGEST + 1))


def test_a_nest_of_objects_is_not_entered() -> None:
    """A recursion bomb costs one level."""
    nest = b""
    for _ in range(3000):
        nest = tlv.encode(0x7C, nest)
    assert len(tlv.parse(nest)) == 1


def test_a_packed_bomb_is_cut_off() -> None:
    bomb = wrap(0x70, gzip.compress(bytes(50_000_000))[:60000]) + wrap(0x71, b"\x01")
    with pytest.raises(TlvError):
        parse_certificate(bomb)
