"""The roster: the contract tree (施工体制) and who is assigned as what, when."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.assurance import Assurance, best
from app.domain.roster import ROSTER_KINDS, Assignment, Card, Company, Contract, Roster, Worker


def tree(*contracts: tuple[str, str, int, str | None], unknown: str = "", virtual: str = "") -> Roster:
    """Contracts as (id, company, tier, parent); every company is known but `unknown`."""
    companies = {c[1] for c in contracts} - {unknown}
    return Roster.of(
        [
            *(Company(one, one, registered=one != virtual) for one in companies),
            *(Contract(*contract) for contract in contracts),
        ]
    )


FULL = (("k0", "prime", 0, None), ("k1", "first", 1, "k0"), ("k2", "second", 2, "k1"), ("k3", "third", 3, "k2"))


def test_tiers_of_a_whole_tree() -> None:
    roster = tree(*FULL)
    assert [roster.tier(c) for c in ("prime", "first", "second", "third", "stranger")] == [0, 1, 2, 3, None]


def test_a_missing_contract_breaks_all_below() -> None:
    roster = tree(FULL[0], FULL[2], FULL[3])
    assert [roster.tier(c) for c in ("prime", "second", "third")] == [0, None, None]


def test_a_company_that_is_not_known_breaks_all_below() -> None:
    roster = tree(*FULL, unknown="first")
    assert [roster.tier(c) for c in ("prime", "first", "second", "third")] == [0, None, None, None]


def test_a_virtual_company_keeps_the_tiers_below() -> None:
    roster = tree(*FULL, virtual="first")
    assert [roster.tier(c) for c in ("first", "second", "third")] == [1, 2, 3]


def test_without_the_prime_contractor_nobody_hangs_on_anything() -> None:
    roster = tree(("k1", "first", 1, None), ("k2", "second", 2, "k1"))
    assert roster.tier("first") is None
    assert roster.tier("second") is None


def test_a_ring_of_contracts_ends() -> None:
    roster = tree(FULL[0], ("k1", "first", 1, "k2"), ("k2", "second", 2, "k1"), ("k3", "self", 1, "k3"))
    assert [roster.tier(c) for c in ("prime", "first", "second", "self")] == [0, None, None, None]


def test_a_company_with_two_places_has_the_one_nearest_to_the_top() -> None:
    roster = tree(*FULL, ("k4", "third", 1, "k0"), ("k5", "second", 4, "nowhere"))
    assert roster.tier("third") == 1
    assert roster.tier("second") == 2


ASSIGNED = Roster.of(
    [
        Assignment("b", "W1", "first", starts_on="2026-11-01", ends_on="2026-11-10"),
        Assignment("a", "W1", "second", starts_on="2026-11-11"),
        Assignment("c", "W1", "third", starts_on="2026-11-20", ends_on="2026-11-20"),
        Assignment("d", "W2", "first"),
        Assignment("f", "W3", "first", starts_on="2026-11-01"),
        Assignment("e", "W3", "second", starts_on="2026-11-01"),
    ]
)


@pytest.mark.parametrize(
    ("worker", "day", "company"),
    [
        ("W1", "2026-10-31", None),
        ("W1", "2026-11-01", "first"),
        ("W1", "2026-11-10", "first"),
        ("W1", "2026-11-11", "second"),
        ("W1", "2026-11-20", "third"),
        ("W1", "2026-11-21", "second"),
        ("W2", "1999-01-01", "first"),
        ("W2", "2099-12-31", "first"),
        ("W3", "2026-11-02", "first"),
        ("nobody", "2026-11-02", None),
    ],
)
def test_assignment_of_a_day(worker: str, day: str, company: str | None) -> None:
    """Both ends included; of several the one that started last, then the higher id."""
    for on in (day, date.fromisoformat(day)):
        found = ASSIGNED.assignment(worker, on)
        assert (found.company_id if found else None) == company


@settings(deadline=None)
@given(st.permutations(list(ASSIGNED.assignments.values())))
def test_the_order_of_items_does_not_matter(items: list[Assignment]) -> None:
    for worker in ("W1", "W2", "W3"):
        for day in ("2026-11-01", "2026-11-20"):
            assert Roster.of(items).assignment(worker, day) == ASSIGNED.assignment(worker, day)


def test_a_later_item_replaces_an_earlier_one_of_its_kind_alone() -> None:
    roster = Roster.of([Worker("1", "old"), Card("1", "W1"), Worker("1", "new")])
    assert roster.workers == {"1": Worker("1", "new")}
    assert roster.cards == {"1": Card("1", "W1")}


def test_every_kind_lands_in_its_own_place() -> None:
    names = [field.name for field in fields(Roster)]
    assert len(names) == len(ROSTER_KINDS)
    for name, (kind, cls) in zip(names, ROSTER_KINDS.items(), strict=True):
        assert name in (f"{kind}s", "companies", "calendar")
        given_ = [f.default for f in fields(cls)][1:]
        item = cls("x", *("y" for default in given_ if isinstance(default, type(fields(cls)[0].default))))
        assert getattr(Roster.of([item]), name) == {"x": item}


def test_no_field_is_called_as_the_envelope_of_an_item() -> None:
    """Items travel as `{kind, id, deleted, …fields}`."""
    for cls in ROSTER_KINDS.values():
        assert not {"kind", "deleted"} & {field.name for field in fields(cls)}


def test_best_assurance() -> None:
    ordered = list(Assurance)
    assert [a.value for a in ordered] == ["authenticated", "certified", "open", "uid", "logged", "declared"]
    for place, one in enumerate(ordered):
        assert best(reversed(ordered[place:])) is one
    with pytest.raises(ValueError, match=r"empty|arg is an empty"):
        best([])
