"""A wedge reader's burst becomes a card key; a person's typing never does."""

from __future__ import annotations

import pytest

from app.readers.wedge import Burst, WedgeListener


def typed(text: str, gap_s: float, start: float = 100.0) -> list[Burst]:
    listener = WedgeListener()
    times = [start + i * gap_s for i in range(len(text))]
    return [burst for char, at in zip(text, times, strict=True) if (burst := listener.take(char, at)) is not None]


@pytest.mark.parametrize(
    ("digits", "key"),
    [
        ("04a1b2c3", "uid:04A1B2C3"),
        ("04A1B2C3D4E5F6", "uid:04A1B2C3D4E5F6"),
        ("0123456789abcdef", "felica:0123456789ABCDEF"),
        ("00112233445566778899", "uid:00112233445566778899"),
        ("0123456789", None),
    ],
)
def test_a_burst_and_enter_is_a_card(digits: str, key: str | None) -> None:
    assert typed(f"{digits}\r", 0.004) == [Burst(key)]


def test_a_person_is_not_a_reader() -> None:
    assert typed("04a1b2c3\r", 0.12) == []


def test_a_few_fast_keys_are_not_a_card() -> None:
    assert typed("12\r", 0.004) == []


def test_what_a_person_typed_before_is_not_part_of_the_burst() -> None:
    listener = WedgeListener()
    assert listener.take("9", 10.0) is None
    at = 11.0
    for char in "04a1b2c3":
        assert listener.take(char, at) is None
        at += 0.003
    assert listener.take("\n", at) == Burst("uid:04A1B2C3")
