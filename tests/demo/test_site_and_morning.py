"""The demonstration site says what it promises, and its morning is what the rules make of it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app.codec import convert, encode
from app.datafile import checked
from app.demo.morning import Step, StepKind, script
from app.demo.site import PHONE, SUPPRESS_SECONDS, UNKNOWN_CARD, demo_site, tray_cards
from app.domain import ids
from app.domain.assurance import Assurance
from app.domain.events import JST, Direction
from app.domain.roster import ROSTER_KINDS, Roster
from app.domain.site import Site
from app.domain.verdict import CardRead, ClockState, LastTouch, Outcome, Reason, Verdict, judge
from app.secrets import make_pin_verifier

TODAY = date(2026, 11, 20)
LISTS = {
    "companies": "company",
    "contracts": "contract",
    "workers": "worker",
    "assignments": "assignment",
    "cards": "card",
    "occupations": "occupation",
    "roles": "role",
    "operators": "operator",
    "calendar": "calendar",
    "targets": "target",
}


def as_item(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    """As it travels: a calendar day's `kind` is called `day_kind` outside site files."""
    return {"day_kind" if (kind, name) == ("calendar", "kind") else name: value for name, value in item.items()}


def roster_of(site: dict[str, Any]) -> Roster:
    return Roster.of(
        convert(as_item(kind, item), ROSTER_KINDS[kind]) for name, kind in LISTS.items() for item in site[name]
    )


@pytest.fixture
def site() -> dict[str, Any]:
    return demo_site(TODAY)


def test_every_field_is_one_the_domain_knows(site: dict[str, Any]) -> None:
    assert set(site) == {"site", *LISTS}
    assert set(site["site"]) <= set(Site.__dataclass_fields__)
    for name, kind in LISTS.items():
        known = {field.name for field in fields(ROSTER_KINDS[kind])}
        assert all(set(as_item(kind, item)) <= known for item in site[name]), name
        assert len({item["id"] for item in site[name]}) == len(site[name]), name
    assert convert(site["site"], Site).suppress_seconds == SUPPRESS_SECONDS


def test_it_fits_the_schema_of_site_files() -> None:
    site = demo_site(TODAY, pin="2580", make_verifier=make_pin_verifier)
    assert checked(site, "site-file", "demo") == site


def test_the_people(site: dict[str, Any]) -> None:
    roster = roster_of(site)
    assert len(roster.workers) == 40
    assert Counter(w.nationality for w in roster.workers.values()) == {"JP": 31, "VN": 5, "ID": 4}
    for worker in roster.workers.values():
        assert ids.worker_id(worker.id) == worker.id
        assert worker.id.startswith("9999")
        assert re.fullmatch(r"[ァ-ヴー ]+", worker.kana), worker
        assert worker.name_latin
        assert unicodedata.normalize("NFC", worker.name_latin) == worker.name_latin
    names = "".join(w.name for w in roster.workers.values())
    assert all(letter in names for letter in "髙﨑邉")
    assert len({w.name for w in roster.workers.values()}) == 40


def test_the_contract_tree(site: dict[str, Any]) -> None:
    roster = roster_of(site)
    assert [roster.tier(c) for c in roster.companies] == [0, 1, 1, 1, 2, 2, 3, 3]
    assert [c.name for c in roster.companies.values() if not c.registered] == ["青葉圧接"]
    assert [c.name for c in roster.companies.values() if c.sole_proprietor] == ["宇佐見内装"]
    assert all(ids.company_id(c.id) == c.id for c in roster.companies.values() if c.registered)


def test_everything_refers_to_something(site: dict[str, Any]) -> None:
    roster = roster_of(site)
    for assignment in roster.assignments.values():
        assert assignment.worker_id in roster.workers
        assert assignment.company_id in roster.companies
        assert assignment.occupation is None or assignment.occupation in roster.occupations
        assert assignment.role is None or assignment.role in roster.roles
    for card in roster.cards.values():
        assert card.worker_id in roster.workers
        assert ids.card_key(card.id) == card.id
        assert ids.unusable_card(card.id) is None
        assert card.id.startswith("felica:")
    assert all(operator.worker_id in {None, *roster.workers} for operator in roster.operators.values())
    assert UNKNOWN_CARD not in roster.cards


def test_operators_and_the_pin() -> None:
    site = demo_site(TODAY, pin="2580", make_verifier=lambda pin: f"verifier-of-{len(pin)}-digits")
    assert {role for one in site["operators"] for role in one["roles"]} == {
        "administrator",
        "office",
        "approver",
        "foreman",
        "gate",
    }
    assert {one["pin_verifier"] for one in site["operators"]} == {"verifier-of-4-digits"}
    assert b"2580" not in encode(site)
    assert {one["pin_verifier"] for one in demo_site(TODAY)["operators"]} == {""}


@pytest.mark.parametrize("today", [TODAY, date(2028, 2, 29), date(2027, 1, 1)])
def test_each_card_of_the_tray_does_what_it_says(today: date) -> None:
    site = demo_site(today)
    at = datetime(today.year, today.month, today.day, 7, 42, tzinfo=JST)
    tray = tray_cards(site)
    for card in tray:
        assert bool(card.note_ja) == bool(card.note_en) == (card.outcome is not Outcome.RECORDED)
        found = _judge(site, card.card_key, card.assurance, at, None)
        assert (found.outcome, _as_told(found), found.worker_id) == (card.outcome, card.reasons, card.worker_id)
    assert {card.outcome for card in tray} == set(Outcome) - {Outcome.SUPPRESSED, Outcome.UNREADABLE}
    assert {card.card_key for card in tray} >= {PHONE, UNKNOWN_CARD}


@pytest.mark.parametrize("seed", range(8))
def test_the_morning_is_what_the_rules_make_of_it(site: dict[str, Any], seed: int) -> None:
    at = datetime(2026, 11, 20, 7, 30, tzinfo=JST)
    lasts: dict[str, LastTouch] = {}
    for number, step in enumerate(script(site, seed)):
        at += timedelta(seconds=step.after_s)
        if step.card is None:
            continue
        key = step.card.card_key
        found = _judge(site, key, step.card.assurance, at, lasts.get(key))
        assert (found.outcome, found.direction) == (step.expected, step.direction), step
        assert _as_told(found) == step.reasons, step
        assert step.stored_as == ("refusal" if found.outcome is Outcome.REFUSED else "touch")
        if found.outcome not in (Outcome.REFUSED, Outcome.SUPPRESSED):
            lasts[key] = LastTouch(str(number), at, found.direction, found.work_day, found.outcome)


@pytest.mark.parametrize("seed", range(8))
def test_a_morning_has_everything(site: dict[str, Any], seed: int) -> None:
    steps = script(site, seed)
    touches = [step for step in steps if step.kind is StepKind.TOUCH]
    assert len(touches) >= 60
    assert {step.expected for step in touches} == set(Outcome) - {Outcome.UNREADABLE}
    assert sum(step.direction is Direction.OUT for step in touches) >= 20
    kinds = [step.kind for step in steps]
    away, back = kinds.index(StepKind.CENTRE_AWAY), kinds.index(StepKind.CENTRE_BACK)
    assert 10 < away < back - 5 < back < len(steps) - 20
    assert kinds.count(StepKind.CENTRE_AWAY) == kinds.count(StepKind.CENTRE_BACK) == 1
    assert all(step.note_ja and step.note_en and step.after_s > 0 for step in steps)


def test_a_morning_is_the_same_for_the_same_seed(site: dict[str, Any]) -> None:
    def cards(steps: list[Step]) -> list[str]:
        return [step.card.card_key for step in steps if step.card]

    assert script(site, 3) == script(site, 3)
    assert cards(script(site, 3)) != cards(script(site, 4))


def _judge(site: dict[str, Any], key: str, assurance: Assurance, at: datetime, last: LastTouch | None) -> Verdict:
    return judge(
        CardRead(key, assurance, at),
        site=convert(site["site"], Site),
        roster=roster_of(site),
        last=last,
        chosen=None,
        clock=ClockState(),
    )


def _as_told(found: Verdict) -> tuple[Reason, ...]:
    """Reasons as the gate's screen names them: a matter of one's own is 'visit the office', once."""
    told = [Reason.VISIT_OFFICE if reason.personal else reason for reason in found.reasons]
    return tuple(dict.fromkeys(told))
