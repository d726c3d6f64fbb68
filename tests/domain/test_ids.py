"""Ids: their one form, what is refused, what a log may show, which chips must not stand for a person."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import ids


@pytest.mark.parametrize(
    "text",
    [
        "12345678901234",
        " 1234-5678-9012-34 ",
        "１２３４５６７８９０１２３４",
        "1234　5678　9012　34",
        "１２３４－５６７８−９０１２ー３４",
        "1234\t5678\u00a09012\n34",
        "1234‐5678‑9012–34",
    ],
)
def test_fourteen_digits_however_written(text: str) -> None:
    assert ids.worker_id(text) == ids.company_id(text) == ids.site_id(text) == "12345678901234"


@pytest.mark.parametrize("text", ["", "1234567890123", "123456789012345", "1234567890123X", "١" * 14, "²" * 13])
def test_anything_else_is_no_worker_or_company(text: str) -> None:
    with pytest.raises(ids.InvalidId, match="技能者ID"):
        ids.worker_id(text)
    with pytest.raises(ids.InvalidId, match="事業者ID"):
        ids.company_id(text)


def test_a_site_id_of_another_length_is_taken_as_unusual() -> None:
    assert ids.site_id(" ＡＢ-1２3 ") == "AB-123"
    assert not ids.is_usual_site_id("AB-123")
    assert ids.is_usual_site_id("12345678901234")
    assert ids.site_id("123456789") == "123456789"


@pytest.mark.parametrize("text", ["", "   ", "A" * 33, "現場1", "a b", "x/y"])
def test_what_cannot_be_a_site_id(text: str) -> None:
    with pytest.raises(ids.InvalidId, match="現場ID"):
        ids.site_id(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("felica:0114b34d5e6f7081", "felica:0114B34D5E6F7081"),
        (" felica:01:14:b3:4d:5e:6f:70:81\n", "felica:0114B34D5E6F7081"),
        ("uid:04 a1 b2 c3", "uid:04A1B2C3"),
        ("uid:04-A1-B2-C3-D4-E5-F6", "uid:04A1B2C3D4E5F6"),
        ("uid:e0040150abcdef01", "uid:E0040150ABCDEF01"),
        ("uid:" + "ab" * 10, "uid:" + "AB" * 10),
        ("piv:00112233-4455-6677-8899-aabbccddeeff", "piv:00112233445566778899AABBCCDDEEFF"),
        ("profile:ledger_1:No. 12:a", "profile:ledger_1:No. 12:a"),
    ],
)
def test_card_keys_in_their_one_form(text: str, key: str) -> None:
    assert ids.card_key(text) == key
    assert ids.card_key(key) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0114B34D5E6F7081",
        "card:0114B34D5E6F7081",
        "felica:0114B34D5E6F70",
        "felica:0114B34D5E6F708Z",
        "felica:",
        "uid:04A1B",
        "uid:04A1B2C3D4",
        "piv:0011",
        "profile:x",
        "profile:X:1",
        "profile:x:",
        "profile:x:" + "1" * 81,
        "profile:x:a\u0007b",
    ],
)
def test_what_is_no_card_key(text: str) -> None:
    with pytest.raises(ids.InvalidId):
        ids.card_key(text)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_crashes_and_a_key_is_stable(text: str) -> None:
    for parse in (ids.card_key, ids.worker_id, ids.site_id):
        try:
            value = parse(text)
        except ids.InvalidId:
            continue
        assert parse(value) == value
    ids.mask_card_key(text)
    ids.unusable_card(text)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("felica:0114B34D5E6F7081", "felica:…7081"),
        ("uid:04A1B2C3", "uid:…B2C3"),
        ("uid:04A1", "uid:…"),
        ("profile:ledger:123456", "profile:ledger:…3456"),
        ("profile:ledger:1234:5678:9012", "profile:ledger:…9012"),
    ],
)
def test_masks(key: str, shown: str) -> None:
    assert ids.mask_card_key(key) == shown


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("uid:08A1B2C3", "random_id"),
        ("felica:01FE112233445566", "random_id"),
        ("uid:00000000", "blank_id"),
        ("uid:FFFFFFFFFFFFFF", "blank_id"),
        ("felica:0000000000000000", "blank_id"),
        ("piv:" + "F" * 32, "blank_id"),
        ("uid:04A1B2C3", None),
        ("uid:08A1B2C3D4E5F6", None),
        ("felica:0114B34D5E6F7081", None),
        ("felica:0801FE0011223344", None),
        ("profile:ledger:0000", None),
        ("profile:ledger:08A1B2C3", None),
    ],
)
def test_chips_that_must_not_stand_for_a_person(key: str, why: str | None) -> None:
    assert ids.unusable_card(key) == why
