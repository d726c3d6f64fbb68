"""`derive` against its golden cases (hand-written; the authority for both ends) and against general properties."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.codec import convert, encode
from app.domain.roster import ROSTER_KINDS, Assignment, Card, Roster
from app.domain.work_records import Fact, derive

GOLDEN = Path(__file__).parent.parent / "golden" / "work_records"
CASES = sorted(GOLDEN.glob("*.json"))


def roster_of(items: list[dict[str, Any]]) -> Roster:
    return Roster.of([convert(item, ROSTER_KINDS[item["kind"]]) for item in items])


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_golden_case(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    assert case["name"] == path.stem
    assert case["why"].endswith(".")
    facts = [Fact(**fact) for fact in case["facts"]]
    roster = roster_of(case["roster"])
    for order in (facts, facts[::-1], facts + facts):
        assert json.loads(encode(derive(order, roster))) == case["expected"]


def test_there_are_golden_cases() -> None:
    assert len(CASES) >= 60


# -- properties ------------------------------------------------------------------------------------------------------

WORKERS, SITES, KEYS = ["W1", "W2", "W3"], ["S1", "S2"], ["uid:0A0B0C0D", "uid:04A1B2C3D4E5F6"]
DAYS = ["2026-11-19", "2026-11-20", "2026-11-21"]
IDS = [f"f{n}" for n in range(14)]
TIMES = st.builds(
    lambda day, hour, minute, offset: f"{day}T{hour:02}:{minute:02}:00.000{offset}",
    st.sampled_from(DAYS),
    st.integers(0, 23),
    st.sampled_from([0, 30]),
    st.sampled_from(["+09:00", "+07:00", "Z", "-03:30"]),
)
JUNK: st.SearchStrategy[Any] = st.sampled_from([None, "", 7, [], {"a": 1}, "2026-13-01", "?"])
CODES = st.sampled_from(["A", "B"])


def now_and_then(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(strategy, strategy, strategy, JUNK)


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "worker_id": st.sampled_from([*WORKERS, None]),
        "work_day": st.sampled_from([*DAYS, "junk"]),
        "direction": st.sampled_from(["in", "out"]),
        "occupation": st.one_of(CODES, st.none()),
        "in_at": TIMES,
        "valid_from": st.sampled_from(DAYS),
        "unknown": st.integers(),
    },
)
PAYLOADS = {
    "touch": st.fixed_dictionaries(
        {
            "card_key": now_and_then(st.sampled_from(KEYS)),
            "work_day": now_and_then(st.sampled_from(DAYS)),
            "assurance": now_and_then(st.sampled_from(["authenticated", "open", "uid", "declared"])),
            "direction": st.sampled_from(["in", "out", "none"]),
        },
        optional={"worker_id": now_and_then(st.sampled_from(WORKERS)), "suppressed_by": st.sampled_from(IDS)},
    ),
    "entry": st.fixed_dictionaries(
        {"worker_id": now_and_then(st.sampled_from(WORKERS)), "work_day": now_and_then(st.sampled_from(DAYS))},
        optional={"in_at": now_and_then(TIMES), "out_at": TIMES, "occupation": CODES, "role": CODES},
    ),
    "approval": st.fixed_dictionaries(
        {"entry": st.sampled_from(IDS), "decision": now_and_then(st.sampled_from(["approved", "refused"]))}
    ),
    "correction": st.fixed_dictionaries(
        {"target": st.sampled_from(IDS), "op": now_and_then(st.sampled_from(["void", "set"]))},
        optional={"fields": now_and_then(FIELDS)},
    ),
    "card_binding": st.fixed_dictionaries(
        {
            "card_key": st.sampled_from(KEYS),
            "worker_id": now_and_then(st.sampled_from(WORKERS)),
            "valid_from": now_and_then(st.sampled_from(DAYS)),
        }
    ),
    "headcount": st.just({"company_id": "C1", "day": DAYS[0], "count": 3, "by": "op"}),
    "some_day": st.just({"worker_id": "W1"}),
}


def fact(kind: str) -> st.SearchStrategy[Fact]:
    return st.builds(
        Fact,
        receipt=st.integers(1, 20),
        id=st.sampled_from(IDS),
        type=st.just(kind),
        site_id=st.sampled_from(SITES),
        occurred_at=TIMES,
        payload=PAYLOADS[kind],
    )


FACT = st.sampled_from(["touch", "touch", "touch", *PAYLOADS]).flatmap(fact)
FACTS = st.lists(FACT, max_size=14, unique_by=lambda f: f.id)
ROSTER = Roster.of(
    [
        Card(KEYS[1], "W3"),
        Assignment("a1", "W1", "C1", "A", "A", ends_on=DAYS[0]),
        Assignment("a2", "W1", "C2", "B", None, starts_on=DAYS[1]),
    ]
)


@settings(deadline=None)
@given(st.lists(FACT, max_size=14), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_twice_is_once(facts: list[Fact], random: Any) -> None:
    """Even when one id comes with several payloads or receipts."""
    expected = derive(facts, ROSTER)
    shuffled = facts * 2
    random.shuffle(shuffled)
    assert derive(shuffled, ROSTER) == expected


@settings(deadline=None)
@given(FACTS)
def test_the_parts_give_the_whole(facts: list[Fact]) -> None:
    """The touches and entries of one record alone, with all said about them, give it; the rest none."""
    about = [f for f in facts if f.type not in ("touch", "entry")]
    records = derive(facts, ROSTER)
    used: set[str] = set()
    for record in records:
        own = [f for f in facts if f.id in record.events]
        assert derive(own + about, ROSTER) == [record]
        assert not used & set(record.events)
        used |= set(record.events)
    assert derive([f for f in facts if f.id not in used], ROSTER) == []


@settings(deadline=None)
@given(FACTS, st.sampled_from(SITES))
def test_a_station_that_sees_one_site_derives_what_the_centre_does(facts: list[Fact], site: str) -> None:
    of_site = [record for record in derive(facts, ROSTER) if record.site_id == site]
    assert derive([f for f in facts if f.site_id == site], ROSTER) == of_site


@settings(deadline=None)
@given(FACTS)
def test_records_are_unique_and_sorted(facts: list[Fact]) -> None:
    keys = [(r.work_day, r.worker_id, r.site_id) for r in derive(facts, ROSTER)]
    assert keys == sorted(set(keys))


@settings(deadline=None)
@given(FACTS)
def test_a_last_void_of_everything_leaves_nothing(facts: list[Fact]) -> None:
    voids = [
        Fact(100, f"void-{f.id}", "correction", f.site_id, f.occurred_at, {"target": f.id, "op": "void"})
        for f in facts
        if f.type in ("touch", "entry")
    ]
    assert derive(facts + voids, ROSTER) == []
