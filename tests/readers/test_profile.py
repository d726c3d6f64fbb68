"""Card profiles: files, decoding, and what a card is by them. Pure; the real roads are in test_profile_roads."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nfc.tag.tt3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import datafile
from app.domain.assurance import Assurance
from app.domain.ids import card_key
from app.domain.verdict import Reason
from app.errors import InputRefused
from app.messages import LANGUAGES, catalogue
from app.readers import tag_area
from app.readers.channel import CardAnswer, CardError, Response
from app.readers.felica import FelicaArea
from app.readers.profile import Profile, block_numbers
from app.readers.profile_card import Chip, profile_card, recognise
from app.readers.profile_decode import WHYS, date_of, decode, luhn, mod10_digit, mod11_digit
from app.readers.profile_file import profile_of, weak_spots
from app.readers.storage_card import Technology, storage_card
from app.resources import resource
from app.settings import DataDir, Settings
from app.wiring.card_profiles import enabled, found, load
from tests.helpers import sample_card
from tests.helpers.virtual_felica import FELICA_ATR, MIFARE_ATR, VirtualCard

SAMPLES = resource("card_profiles")
SAMPLE = load(SAMPLES / "sample-felica-digits.toml")
FELICA = Chip(f"felica:{sample_card.IDM}", Technology.FELICA)
TYPE_A = Chip("uid:04A1B2C3D4E5F6", Technology.TYPE_A)
TYPE_B_ATR = bytes.fromhex("3B8F8001804F0CA0000003060700030000000068")


def written(changes: Mapping[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    """The small profile that most tests change: one field of 8 digits in one block."""
    values: dict[str, Any] = {
        "schema": 1,
        "name": "ours",
        "version": "1",
        "label": {"ja": "ours", "en": "ours"},
        "assurance": "open",
        "match": {"kind": "felica", "service": "3E0B", "blocks": "0"},
        "fields": [{"name": "number", "offset": 0, "length": 8, "encoding": "ascii_digits", **(changes or {})}],
        "use": {"card_key": "number"},
    }
    return values | top


def made(changes: Mapping[str, Any] | None = None, **top: Any) -> Profile:
    """Through the schema as a file would go."""
    return profile_of(datafile.checked(written(changes, **top), "card-profile", "ours.toml"), "ours.toml")


def value(profile: Profile, data: bytes) -> tuple[str | None, str]:
    """What comes of the first field: value and why not."""
    item = decode(profile, data.ljust(16, b"\x00")).fields[0]
    return item.value, item.why


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*.toml")), ids=lambda f: f.stem)
def test_shipped_profiles_are_samples_and_say_so(file: Path) -> None:
    profile = load(file)
    assert profile.sample
    assert "見本" in profile.label["ja"]
    assert "ample" in profile.label["en"]
    assert "profile.weak_sample" in weak_spots(profile)


def _place(refused: pytest.ExceptionInfo[InputRefused]) -> tuple[str, str]:
    return refused.value.code, refused.value.where


@pytest.mark.parametrize(
    ("values", "place", "why"),
    [
        (written({"length": 17}), "$.fields[0]", "17, but only 16 bytes"),
        (written(match={"kind": "felica", "service": "3E0A", "blocks": "0"}), "$.match.service", "key"),
        (written(match={"kind": "felica", "blocks": "0"}), "$.match", "service"),
        (written(match={"kind": "felica", "service": "3E0B", "blocks": "3-1"}), "$.match.blocks", "go up"),
        (written(match={"kind": "felica", "service": "3E0B", "blocks": "0,0"}), "$.match.blocks", "once"),
        (written(match={"kind": "felica", "service": "3E0B", "blocks": "256"}), "$.match.blocks", "255"),
        (written(match={"kind": "felica", "service": "3E0B", "blocks": "0-99"}), "$.match.blocks", "64"),
        (written(match={"kind": "type_a", "blocks": "4"}), "$.match", "block_bytes"),
        (written(match={"kind": "type_a", "service": "3E0B", "blocks": "4"}), "$.match.service", "type_a"),
        (written(match={"kind": "uid"}), "$.assurance", "uid"),
        (written(match={"kind": "uid"}, assurance="uid"), "$.fields", "chip number"),
        (written(assurance="uid"), "$.assurance", "open"),
        (written(use={}), "$.use", "worker id or the card key"),
        (written(use={"card_key": "other"}), "$.use.card_key", "no field other"),
        (written(use={"card_key": "number", "expires_on": "number"}), "$.use.expires_on", "rule date"),
        (written(fields=[written()["fields"][0]] * 2), "$.fields[1].name", "twice"),
        (written({"digits": 8}), "$.fields[0].digits", "ascii_digits"),
        (written({"encoding": "binary_be", "length": 9}), "$.fields[0].length", "8 bytes"),
        (written({"encoding": "binary_be", "padding": "00"}), "$.fields[0].padding", "binary_be"),
        (written({"checks": [{"rule": "luhn", "value": "1"}]}), "$.fields[0].checks[0].value", "luhn"),
        (written({"checks": [{"rule": "fixed"}]}), "$.fields[0].checks[0]", "value"),
        (written({"checks": [{"rule": "range"}]}), "$.fields[0].checks[0]", "min or max"),
        (written({"checks": [{"rule": "range", "min": 2, "max": 1}]}), "$.fields[0].checks[0]", "more than"),
        (written({"encoding": "hex", "checks": [{"rule": "range", "min": 1}]}), "$.fields[0].checks[0]", "number"),
        (written({"encoding": "hex", "checks": [{"rule": "luhn"}]}), "$.fields[0].checks[0]", "digits"),
        (written({"checks": [{"rule": "regex", "pattern": "(a+)+"}]}), "$.fields[0].checks[0].pattern", "groups"),
        (written({"checks": [{"rule": "regex", "pattern": "a*a*a*a*b"}]}), "$.fields[0].checks[0].pattern", "repeats"),
        (written({"checks": [{"rule": "regex", "pattern": "[1"}]}), "$.fields[0].checks[0].pattern", "no pattern"),
    ],
)  # fmt: skip
def test_contradictions_are_refused_with_their_place(values: dict[str, Any], place: str, why: str) -> None:
    with pytest.raises(InputRefused) as refused:
        profile_of(datafile.checked(values, "card-profile", "ours.toml"), "ours.toml")
    assert _place(refused) == ("profile.inconsistent", f"ours.toml: {place}")
    assert why in str(refused.value.values["why"])


def test_overlapping_fields_are_refused_unless_they_are_meant() -> None:
    first = written()["fields"][0]
    other = {"name": "raw", "offset": 7, "length": 2, "encoding": "hex"}
    with pytest.raises(InputRefused, match="raw overlaps number"):
        made(fields=[first, other])
    assert made(fields=[first, other | {"overlaps": True}]).fields[1].overlaps
    assert len(made(fields=[first, other | {"offset": 8}]).fields) == 2


@pytest.mark.parametrize(
    ("values", "place"),
    [
        (written(name="Ours"), "$.name"),
        (written(extra=1), "$"),
        (written({"encoding": "utf_8"}), "$.fields[0].encoding"),
        (written({"checks": [{"rule": "crc"}]}), "$.fields[0].checks[0].rule"),
        (written(match={"kind": "felica", "service": "9", "blocks": "0"}), "$.match.service"),
    ],
)
def test_the_schema_names_the_place(values: dict[str, Any], place: str) -> None:
    with pytest.raises(InputRefused) as refused:
        datafile.checked(values, "card-profile", "ours.toml")
    assert _place(refused) == ("file.invalid", f"ours.toml: {place}")


def test_block_numbers() -> None:
    assert block_numbers("0-3,8") == (0, 1, 2, 3, 8)
    assert block_numbers("8, 2") == (8, 2)
    for text in ("", "a", "1-", "-1", "²"):
        with pytest.raises(ValueError, match="0-3,8"):
            block_numbers(text)


def test_what_is_unwise_is_said() -> None:
    assert weak_spots(made()) == ["profile.weak_no_check"]
    assert weak_spots(made({"checks": [{"rule": "luhn"}]}, fallback_uid=True)) == ["profile.weak_fallback"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_why_and_every_weak_spot_has_a_sentence(language: str) -> None:
    codes = [f"profile.why.{why}" for why in WHYS]
    codes += [f"profile.weak_{spot}" for spot in ("no_check", "fallback", "sample")]
    assert not [code for code in codes if code not in catalogue(language)]


# -- the data folder -------------------------------------------------------------------------------------------------


def _data(tmp_path: Path, **files: str) -> DataDir:
    data = DataDir.at(tmp_path)
    data.card_profiles.mkdir(parents=True)
    for name, text in files.items():
        (data.card_profiles / f"{name}.toml").write_text(text, encoding="utf-8")
    return data


def _settings(*names: str) -> Settings:
    return Settings("http://127.0.0.1", "gate", card_profiles=names)


def test_samples_are_there_and_not_in_force(tmp_path: Path) -> None:
    data = DataDir.at(tmp_path)
    assert [item.name for item in found(data)] == ["sample-felica-digits", "sample-uid"]
    assert enabled(_settings(), data) == ()
    assert enabled(_settings("sample-uid", "sample-felica-digits"), data)[1] == SAMPLE


def test_a_profile_of_the_data_folder_hides_a_shipped_one(tmp_path: Path) -> None:
    text = (SAMPLES / "sample-uid.toml").read_text(encoding="utf-8").replace("lengths = [7]", "lengths = [4]")
    data = _data(tmp_path, **{"sample-uid": text})
    assert enabled(_settings("sample-uid"), data)[0].lengths == (4,)


def test_a_gate_does_not_open_without_a_profile_that_it_should_have(tmp_path: Path) -> None:
    text = (SAMPLES / "sample-uid.toml").read_text(encoding="utf-8")
    data = _data(tmp_path, broken="name =", renamed=text)
    for name, code in (("none", "profile.unknown"), ("broken", "file.syntax"), ("renamed", "profile.other_name")):
        with pytest.raises(InputRefused) as refused:
            enabled(_settings(name), data)
        assert refused.value.code == code
    assert [item.trouble is None for item in found(data)] == [False, False, True, True]


def test_settings_keep_the_names(tmp_path: Path) -> None:
    data = DataDir.at(tmp_path)
    data.create()
    data.save_settings(_settings("sample-uid", "ours"))
    assert data.settings().card_profiles == ("sample-uid", "ours")


# -- encodings and checks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "data", "expected"),
    [
        ({}, b"12345678", ("12345678", "")),
        ({}, b"1234567 ", (None, "not_digits")),
        ({"padding": "20"}, b"1234567 ", ("1234567", "")),
        ({"padding": "20"}, b"        ", (None, "blank")),
        ({}, "1234567²".encode("latin-1"), (None, "not_digits")),
        ({}, b"00000000", ("00000000", "blank")),
        ({"encoding": "ascii"}, b"AB-12345", ("AB-12345", "")),
        ({"encoding": "ascii"}, b"AB-1234\x7f", (None, "not_text")),
        ({"encoding": "ascii"}, b"AB-1234 ", ("AB-1234 ", "card_key")),
        ({"encoding": "bcd", "length": 2}, b"\x12\x34", ("1234", "")),
        ({"encoding": "bcd", "length": 2}, b"\x12\x3f", ("123", "")),
        ({"encoding": "bcd", "length": 2}, b"\x1a\x34", (None, "not_bcd")),
        ({"encoding": "bcd", "length": 2}, b"\xff\xff", (None, "not_bcd")),
        ({"encoding": "binary_be", "length": 2}, b"\x01\x02", ("258", "")),
        ({"encoding": "binary_le", "length": 2, "digits": 5}, b"\x01\x02", ("00513", "")),
        ({"encoding": "binary_be", "length": 2, "digits": 2}, b"\x01\x02", (None, "too_many_digits")),
        ({"encoding": "binary_be", "length": 2}, b"\x00\x00", ("0", "blank")),
        ({"encoding": "hex", "length": 3}, b"\x0a\x0b\x0c", ("0A0B0C", "")),
        ({"encoding": "hex", "length": 3}, b"\xff\xff\xff", ("FFFFFF", "blank")),
        ({"encoding": "shift_jis"}, "現場太郎".encode("shift_jis"), ("現場太郎", "")),
        ({"encoding": "shift_jis"}, "髙橋①ﾀ".encode("cp932").ljust(8, b"1"), ("髙橋①ﾀ1", "")),
        ({"encoding": "shift_jis"}, b"\x8c\xbb\x8f\xea\x91\xbe\x98\xff", (None, "not_text")),
        ({"encoding": "shift_jis"}, b"abc\x07defg", (None, "not_text")),
        ({"checks": [{"rule": "luhn"}]}, b"49927398", ("49927398", "luhn")),
        ({"checks": [{"rule": "mod10"}]}, b"96385074", ("96385074", "")),  # an EAN-8
        ({"checks": [{"rule": "mod10"}]}, b"96385075", ("96385075", "mod10")),
        ({"checks": [{"rule": "fixed", "value": "12345678"}]}, b"12345678", ("12345678", "")),
        ({"checks": [{"rule": "fixed", "value": "12345678"}]}, b"12345679", ("12345679", "fixed")),
        ({"checks": [{"rule": "range", "min": 5, "max": 6}]}, b"00000005", ("00000005", "")),
        ({"checks": [{"rule": "range", "min": 5, "max": 6}]}, b"00000007", ("00000007", "range")),
        ({"checks": [{"rule": "regex", "pattern": "12[0-9]{6}"}]}, b"12345678", ("12345678", "")),
        ({"checks": [{"rule": "regex", "pattern": "12[0-9]{5}"}]}, b"12345678", ("12345678", "regex")),
        ({"checks": [{"rule": "date", "format": "YYYYMMDD"}]}, b"20280229", ("20280229", "")),
        ({"checks": [{"rule": "date", "format": "YYYYMMDD"}]}, b"20270229", ("20270229", "date")),
    ],
)
def test_encodings_and_checks(field: dict[str, Any], data: bytes, expected: tuple[str | None, str]) -> None:
    assert value(made(field), data) == expected


def test_check_digits_by_published_examples() -> None:
    assert luhn("79927398713")  # the usual example of ISO/IEC 7812-1
    assert not luhn("79927398710")
    assert mod10_digit("490123456789", (3, 1)) == "4"  # JAN 4901234567894
    assert mod11_digit("10", (2, 3), "0") == "8"  # by hand: 0·2 + 1·3 = 3, 11 - 3
    assert mod11_digit("31", (2, 3), "0") == "0"  # 1·2 + 3·3 = 11: the rest is 0, and so is the digit
    assert mod11_digit("40", (2, 3), "0") == "0"  # 4·3 = 12: the rest is 1, the digit would be 10
    assert mod11_digit("030640615", (2, 3, 4, 5, 6, 7, 8, 9, 10), "X") == "2"  # ISBN 0-306-40615-2
    assert mod11_digit("080442957", (2, 3, 4, 5, 6, 7, 8, 9, 10), "X") == "X"  # ISBN 0-8044-2957-X
    assert mod11_digit("080442957", (2, 3, 4, 5, 6, 7, 8, 9, 10), "refused") is None


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("20350331", "YYYYMMDD", "2035-03-31"),
        ("2035-03-31", "YYYY-MM-DD", "2035-03-31"),
        ("2035/03/31", "YYYY/MM/DD", "2035-03-31"),
        ("350331", "YYMMDD", "2035-03-31"),
        ("203502", "YYYYMM", "2035-02-28"),
        ("2802", "YYMM", "2028-02-29"),
        ("2035-3-31", "YYYY-MM-DD", None),
        ("2035/03/31", "YYYY-MM-DD", None),
        ("203513", "YYYYMM", None),
        ("00000000", "YYYYMMDD", None),
        ("２０３５０３３１", "YYYYMMDD", None),
    ],
)
def test_date_forms(text: str, form: str, day: str | None) -> None:
    found_day = date_of(text, form)
    assert (found_day.isoformat() if found_day else None) == day


def test_sample_card() -> None:
    content = decode(SAMPLE, bytes.fromhex("".join(sample_card.sample_blocks())))
    assert (content.card_key, content.worker_id, content.expires_on) == (
        sample_card.KEY, sample_card.WORKER, "2035-03-31",
    )  # fmt: skip
    assert content.refused == ""
    endless = decode(SAMPLE, bytes.fromhex("".join(sample_card.sample_blocks(ends="99999999"))))
    assert (endless.card_key, endless.expires_on) == (sample_card.KEY, None)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"mark": "GENBA-SAMPLX"}, "mark: fixed"),
        ({"worker": "1234567890122"}, "worker_id: not_digits"),
        ({"worker": "00000000000000"}, "worker_id: blank"),
        ({"number": sample_card.WRONG_NUMBER}, "card_number: luhn"),
        ({"ends": "20351331"}, "expires: date"),
    ],
)
def test_one_failed_check_and_the_card_is_nobody(changed: dict[str, str], refused: str) -> None:
    content = decode(SAMPLE, bytes.fromhex("".join(sample_card.sample_blocks(**changed))))
    assert (content.card_key, content.worker_id, content.expires_on) == (None, None, None)
    assert content.refused == refused


def test_a_worker_id_has_fourteen_digits() -> None:
    profile = made(use={"worker_id": "number"})
    assert value(profile, b"12345678") == ("12345678", "worker_id")
    number = made({"encoding": "binary_be", "length": 6, "digits": 14}, use={"worker_id": "number"})
    content = decode(number, (1234567890123).to_bytes(6, "big").ljust(16, b"\x00"))
    assert (content.worker_id, content.card_key) == ("01234567890123", "profile:ours:01234567890123")


# -- what a card is --------------------------------------------------------------------------------------------------

NUMBERED = made({"checks": [{"rule": "range", "min": 100}]})
GOOD, BAD = b"12345678".ljust(16, b"\x00"), b"00000001".ljust(16, b"\x00")


def test_the_area_says_who_the_card_is() -> None:
    assert recognise([NUMBERED], FELICA, lambda _area: GOOD) == CardAnswer(
        "profile:ours:12345678",
        Assurance.OPEN,
        {"profile": "ours", "chip": FELICA.key, "field.number": "12345678"},
    )


@pytest.mark.parametrize("fallback", [False, True])
def test_a_content_that_fails_never_falls_back(fallback: bool) -> None:
    profile = made({"checks": [{"rule": "range", "min": 100}]}, fallback_uid=fallback)
    answer = recognise([profile], FELICA, lambda _area: BAD)
    assert (answer.card_key, answer.assurance, answer.refused) == (FELICA.key, Assurance.UID, Reason.CARD_CONTENT)
    assert answer.attributes == {"profile": "ours", "content_refused": "number: range"}


@pytest.mark.parametrize(("fallback", "refused"), [(False, Reason.CARD_CONTENT), (True, None)])
def test_a_card_without_the_area(fallback: bool, refused: Reason | None) -> None:
    answer = recognise([made(fallback_uid=fallback)], FELICA, lambda _area: None)
    assert (answer.card_key, answer.assurance, answer.refused) == (FELICA.key, Assurance.UID, refused)


def test_profiles_are_tried_in_order_and_one_that_fits_is_enough() -> None:
    other = made({"encoding": "hex"}, name="second")
    assert recognise([NUMBERED, other], FELICA, lambda _area: BAD).card_key == "profile:second:3030303030303031"
    assert recognise([NUMBERED, other], FELICA, lambda _area: GOOD).card_key == "profile:ours:12345678"


def test_chips_that_no_profile_is_about_count_by_their_number() -> None:
    for profiles in ([], [NUMBERED]):
        answer = recognise(profiles, TYPE_A, lambda _area: pytest.fail("nothing to read"))
        assert answer == CardAnswer(TYPE_A.key, Assurance.UID)


def test_chip_numbers_by_a_profile() -> None:
    uid = load(SAMPLES / "sample-uid.toml")
    assert recognise([uid], TYPE_A, lambda _area: None) == CardAnswer(TYPE_A.key, Assurance.UID)
    short = recognise([uid], Chip("uid:04A1B2C3", Technology.TYPE_A), lambda _area: None)
    assert short.refused is Reason.CARD_CONTENT
    assert recognise([uid], FELICA, lambda _area: None) == CardAnswer(FELICA.key, Assurance.UID)
    # a content that failed is not taken for its number by the profile behind it
    any_chip = made(match={"kind": "uid"}, assurance="uid", fields=[], use={}, name="any")
    assert recognise([NUMBERED, any_chip], FELICA, lambda _area: BAD).refused is Reason.CARD_CONTENT
    assert recognise([NUMBERED, any_chip], FELICA, lambda _area: None).refused is None


@pytest.mark.parametrize("key", ["felica:01FE112233445566", "felica:FFFFFFFFFFFFFFFF"])
def test_an_id_that_must_not_count_keeps_its_own_sentence(key: str) -> None:
    answer = recognise([NUMBERED], Chip(key, Technology.FELICA), lambda _area: None)
    assert (answer.card_key, answer.refused) == (key, None)  # the gate refuses it as random or blank


class Wire:
    """A card on a PC/SC reader; `odd` is answered to every block instead."""

    def __init__(self, card: VirtualCard, odd: bytes | None = None) -> None:
        self._card, self._odd = card, odd
        self.atr = card.atr

    def transmit(self, apdu: bytes) -> Response:
        answer = self._odd if self._odd is not None and apdu[:2] == b"\xff\xb0" else self._card.answer(apdu)
        return Response(answer[:-2], int.from_bytes(answer[-2:], "big"))


def _felica(blocks: dict[int, bytes]) -> VirtualCard:
    return VirtualCard(atr=FELICA_ATR, number=bytes.fromhex(sample_card.IDM), blocks={0x3E0B: blocks})


def test_an_answer_that_may_be_another_the_next_time_is_no_refusal() -> None:
    read = profile_card([NUMBERED])
    for odd in (b"\x64\x01", GOOD[:15] + b"\x90\x00"):
        with pytest.raises(CardError):
            read(Wire(_felica({0: GOOD}), odd))
    refused = read(Wire(_felica({0: GOOD}), b"\x6a\x82"))
    assert refused is not None
    assert refused.refused is Reason.CARD_CONTENT
    assert read(Wire(VirtualCard(atr=b"\x3b\x00"))) is None  # a contact card is left to others


@pytest.mark.parametrize(("kind", "atr"), [("type_a", MIFARE_ATR), ("type_b", TYPE_B_ATR)])
def test_pages_of_other_chips_over_pcsc(kind: str, atr: bytes) -> None:
    profile = made(match={"kind": kind, "blocks": "4-5", "block_bytes": 4})
    pages = {4: b"1234", 5: b"5678"}
    card = VirtualCard(atr=atr, number=bytes.fromhex("04A1B2C3"), pages=pages)
    answer = profile_card([profile])(Wire(card))
    assert answer is not None
    assert (answer.card_key, answer.assurance) == ("profile:ours:12345678", Assurance.OPEN)
    raw = storage_card(profile.area)(Wire(card))
    assert raw is not None
    assert raw.attributes == {"block.4": "31323334", "block.5": "35363738"}


class TwoSystems:
    """nfcpy's tag of a card with two systems, each with an IDm of its own; the second holds the service."""

    def __init__(self, present: bool = True) -> None:
        self.idm, self.pmm, self.sys = b"A" * 8, b"P" * 8, 0x0003
        self.is_present = present

    def polling(self, code: int) -> tuple[bytes, bytes]:
        if code != 0x8765:
            raise nfc.tag.tt3.Type3TagCommandError(nfc.tag.TIMEOUT_ERROR)
        return b"B" * 8, b"Q" * 8

    def read_without_encryption(self, _services: object, blocks: list[object]) -> bytes:
        assert (self.idm, self.pmm, self.sys) == (b"B" * 8, b"Q" * 8, 0x8765)
        return bytes(16 * len(blocks))


def test_another_system_of_a_card_is_asked_for_and_left_again() -> None:
    """nfcpy asks by IDm and system whether a card is still there: they must be those by which it was found."""
    tag = TwoSystems()
    assert tag_area.read_whole(nfc, tag, FelicaArea(0x3E0B, (0, 1), (0x1111, 0x8765))) == bytes(32)
    assert (tag.idm, tag.pmm, tag.sys) == (b"A" * 8, b"P" * 8, 0x0003)
    assert tag_area.read_whole(nfc, tag, FelicaArea(0x3E0B, (0,), (0x1111,))) is None
    with pytest.raises(nfc.tag.TagCommandError):
        tag_area.read_whole(nfc, TwoSystems(present=False), FelicaArea(0x3E0B, (0,), (0x1111,)))


# -- in general ------------------------------------------------------------------------------------------------------

_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
_CHECKS = st.one_of(
    st.sampled_from([{"rule": "luhn"}, {"rule": "mod10"}, {"rule": "mod11", "ten": "X"}]),
    st.builds(lambda v: {"rule": "fixed", "value": v}, st.text(min_size=1, max_size=8)),
    st.builds(lambda a, b: {"rule": "range", "min": a, "max": b}, st.integers(0, 9999), st.integers(0, 10**9)),
    st.sampled_from([{"rule": "regex", "pattern": "[0-9A-F]*"}, {"rule": "date", "format": "YYMMDD"}]),
)
_FIELDS = st.fixed_dictionaries(
    {
        "name": _NAMES,
        "offset": st.integers(0, 40),
        "length": st.integers(1, 20),
        "encoding": st.sampled_from(["ascii_digits", "ascii", "bcd", "binary_be", "binary_le", "shift_jis", "hex"]),
    },
    optional={
        "padding": st.sampled_from(["00", "20", "FF"]),
        "overlaps": st.booleans(),
        "checks": st.lists(_CHECKS, max_size=2),
        "digits": st.integers(1, 20),
    },
)
_AREA = {"kind": "felica", "service": "3E0B", "blocks": "0-2"}
_PROFILES = st.builds(
    lambda fields, key: written(match=_AREA, fields=fields, use={"card_key": key or fields[0]["name"]}),
    st.lists(_FIELDS, min_size=1, max_size=4),
    st.one_of(st.none(), _NAMES),
)
_DIGITS = st.text("0123456789", max_size=48).map(str.encode)
_DATA = st.one_of(st.binary(max_size=48), _DIGITS, st.just(bytes(48)), st.just(b"\xff" * 48))


def _any_profile(values: dict[str, Any], data: bytes) -> None:
    """A profile file is refused by name or decodes any bytes; a key that comes out is whole and every field passed."""
    try:
        profile = profile_of(datafile.checked(values, "card-profile", "ours.toml"), "ours.toml")
    except InputRefused as refused:
        if not refused.where.startswith("ours.toml: $"):
            raise
        return
    content = decode(profile, data)
    assert content == decode(profile, data)
    assert [item.field for item in content.fields] == list(profile.fields)
    assert all(item.why in ("", *WHYS) for item in content.fields)
    if content.card_key is None:
        assert content.refused
        assert content.worker_id is None
        return
    assert content.refused == ""
    assert card_key(content.card_key) == content.card_key
    assert all(item.value is not None and len(item.raw) == item.field.length for item in content.fields)
    key = next(item for item in content.fields if item.field.name == profile.key_field)
    assert content.card_key == f"profile:ours:{key.value}"
    assert set(key.raw) not in ({0x00}, {0xFF})


def _changed_digit(place: int, new: int) -> None:
    """One digit (half a byte) of a good card's number changed: it is the same card, or none."""
    data = bytearray.fromhex("".join(sample_card.sample_blocks()))
    byte, high = 32 + place // 2, place % 2 == 0
    data[byte] = (new << 4 | data[byte] & 0x0F) if high else (data[byte] & 0xF0 | new)
    content = decode(SAMPLE, bytes(data))
    same = data == bytes.fromhex("".join(sample_card.sample_blocks()))
    assert content.card_key == (sample_card.KEY if same else None)


@settings(deadline=None)
@given(_PROFILES, _DATA)
def test_any_profile_and_any_bytes(values: dict[str, Any], data: bytes) -> None:
    _any_profile(values, data)


def test_every_single_wrong_digit_of_the_number_is_found() -> None:
    for place in range(16):
        for new in range(16):
            _changed_digit(place, new)


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_any_file_is_refused_by_name_or_is_a_profile(text: bytes) -> None:
    try:
        values = tomllib.loads(text.decode("utf-8"))
        profile_of(datafile.checked(values, "card-profile", "x"), "x")
    except (ValueError, InputRefused):
        return


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(deadline=None, max_examples=100_000)
@given(_PROFILES, _DATA)
def test_any_profile_and_any_bytes_long(values: dict[str, Any], data: bytes) -> None:
    _any_profile(values, data)
