"""Canonical bytes and the chain, against a vector made by hand and by other tools.

The texts below were written by hand after RFC 8785; the hashes come from OpenSSL:

    (head -c 32 /dev/zero; cat event1) | openssl dgst -sha256 -binary > hash1
    (cat hash1 event2) | openssl dgst -sha256 -binary > hash2
"""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.codec import canonical, decode
from app.domain.events import GENESIS, JST, Direction, Draft, Event, EventType, digest, next_hash, rfc3339

EVENT_1 = (
    '{"id":"019a9f2c-5b40-7000-8000-000000000001","occurred_at":"2026-11-20T07:42:00.000+09:00",'
    '"payload":{"by":"gate","company_id":"90000000000122","count":12,"day":"2026-11-20",'
    '"x":["髙﨑","a\\"b\\\\c\\n\\u0001/",true,null,-3]},'
    '"recorded_at":"2026-11-20T07:42:00.001+09:00","seq":1,"site_id":"90000000000011","type":"headcount"}'
)
EVENT_2 = (
    '{"id":"019a9f2c-5b41-7000-8000-000000000002","occurred_at":"2026-11-20T07:42:00.001+09:00",'
    '"payload":{"card_key":"uid:04A1B2C3","reason":"card_stopped"},'
    '"recorded_at":"2026-11-20T07:42:00.002+09:00","seq":2,"site_id":"90000000000011","type":"refusal"}'
)
DIGEST_1 = "55cc4df0d871ded709a7b18d912de48bec1b9ee296d5a87f6fd54446d861ef26"
HASH_1 = "0f770d5cdf6776dd758b2e992127327fd64ac5a67ae9b4042a8739b5ceca628a"
HASH_2 = "9187a17b6fb7a1cb3db63d00ba432fb6a2ce83959b3f71f91eb49ac2aa26c4c1"

FIRST = Draft(
    "019a9f2c-5b40-7000-8000-000000000001",
    EventType.HEADCOUNT,
    "90000000000011",
    "2026-11-20T07:42:00.000+09:00",
    "2026-11-20T07:42:00.001+09:00",
    {
        "x": ["髙﨑", 'a"b\\c\n\x01/', True, None, -3],
        "day": "2026-11-20",
        "count": 12,
        "company_id": "90000000000122",
        "by": "gate",
    },
).numbered(1)
SECOND = Draft(
    "019a9f2c-5b41-7000-8000-000000000002",
    EventType.REFUSAL,
    "90000000000011",
    "2026-11-20T07:42:00.001+09:00",
    "2026-11-20T07:42:00.002+09:00",
    {"reason": "card_stopped", "card_key": "uid:04A1B2C3"},
).numbered(2)


def test_canonical_bytes_of_the_vector() -> None:
    assert canonical(FIRST.as_wire()) == EVENT_1.encode()
    assert canonical(SECOND.as_wire()) == EVENT_2.encode()


def test_chain_of_the_vector() -> None:
    assert bytes.fromhex("00" * 32) == GENESIS
    first = next_hash(GENESIS, EVENT_1.encode())
    second = next_hash(first, EVENT_2.encode())
    assert (first.hex(), second.hex()) == (HASH_1, HASH_2)
    assert digest(EVENT_1.encode()).hex() == DIGEST_1


def test_unknown_fields_are_part_of_the_canonical_bytes() -> None:
    wire = {**SECOND.as_wire(), "colour": "blue"}
    assert canonical(wire) == EVENT_2.replace('{"id"', '{"colour":"blue","id"').encode()


@settings(deadline=None)
@given(st.integers(0, len(EVENT_1.encode()) - 1), st.integers(1, 255))
def test_any_change_of_an_event_changes_every_hash_after_it(place: int, change: int) -> None:
    forged = bytearray(EVENT_1.encode())
    forged[place] ^= change
    assert next_hash(next_hash(GENESIS, bytes(forged)), EVENT_2.encode()).hex() != HASH_2


def test_swapped_or_missing_events_change_the_chain() -> None:
    swapped = next_hash(next_hash(GENESIS, EVENT_2.encode()), EVENT_1.encode())
    assert swapped.hex() != HASH_2
    assert next_hash(GENESIS, EVENT_2.encode()).hex() != HASH_2


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(TEXT, PLAIN, max_size=5))
def test_canonical_survives_a_journey(value: dict[str, Any]) -> None:
    """What is read from canonical bytes has the same canonical bytes, whoever reads."""
    body = canonical(value)
    assert json.loads(body) == value
    assert canonical(json.loads(body)) == canonical(decode(body, dict)) == body


@pytest.mark.parametrize("value", [1.0, [0.5], {"a": {"b": float("nan")}}, (2.0,)])
def test_a_float_has_no_canonical_form(value: object) -> None:
    with pytest.raises(ValueError, match="no canonical form"):
        canonical(value)


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        FIRST.seq = 9  # type: ignore[misc]


def test_numbering_keeps_everything_else() -> None:
    assert Event("019a9f2c-5b41-7000-8000-000000000002", 7, "refusal", *_rest(SECOND)) == dataclasses.replace(
        SECOND, seq=7
    )


def _rest(event: Event) -> tuple[str, str, str, Any]:
    return event.site_id, event.occurred_at, event.recorded_at, event.payload


def test_times_are_written_in_japan_with_milliseconds() -> None:
    moment = datetime(2026, 11, 19, 22, 42, 0, 123999, tzinfo=UTC)
    assert rfc3339(moment) == "2026-11-20T07:42:00.123+09:00"
    assert rfc3339(moment, timezone(timedelta(hours=-3, minutes=-30))) == "2026-11-19T19:12:00.123-03:30"
    assert rfc3339(datetime(2026, 1, 1, tzinfo=JST)) == "2026-01-01T00:00:00.000+09:00"


def test_words_of_the_contract() -> None:
    assert [t.value for t in EventType] == [
        "touch",
        "refusal",
        "entry",
        "approval",
        "correction",
        "card_binding",
        "roster_change",
        "headcount",
    ]
    assert [d.value for d in Direction] == ["in", "out", "none"]
