"""Who may say what: operators, the deadline of direct entry, the ban on approving one's own entry."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.direct_entry import deadline
from tests.central.world import CARD, OTHER, SECOND, SITE, SITE_FILE, TODAY, WORKER, World

NOT_ALLOWED = ("rejected", "operator_not_allowed")
OK = ("accepted", None)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """SQLite alone: nothing here depends on the database."""
    return f"sqlite:///{tmp_path / 'central.db'}"


@pytest.mark.parametrize(
    ("day", "until"),
    [
        ("2026-01-10", "2026-02-28"),
        ("2028-01-31", "2028-02-29"),
        ("2026-11-30", "2026-12-31"),
        ("2026-12-01", "2027-01-31"),
    ],
)
def test_the_deadline_is_the_end_of_the_next_month(day: str, until: str) -> None:
    assert deadline(date.fromisoformat(day)) == date.fromisoformat(until)


@pytest.mark.parametrize(
    ("at", "verdict"),
    [("2026-11-30T14:59:59+00:00", OK), ("2026-11-30T15:00:00+00:00", ("rejected", "too_late"))],
)
def test_entry_and_approval_have_the_same_deadline(world: World, at: str, verdict: Any) -> None:
    station = world.station(role="office")
    early, late = (station.entry(work_day="2026-10-15") for _ in range(2))
    assert station.verdicts([early]) == [OK]
    world.clock.set(datetime.fromisoformat(at))
    station = _again(world, station)
    assert station.verdicts([late, station.approval(early["id"])]) == [verdict] * 2


def _again(world: World, station: Any) -> Any:
    station.access_token = world.token(station.id, station.secret).json()["access_token"]
    return station


@pytest.mark.parametrize(
    ("by", "verdict"),
    [
        ("foreman", OK),
        ("boss", OK),
        ("gate", OK),
        ("approver", NOT_ALLOWED),
        ("nobody", NOT_ALLOWED),
        ("who", NOT_ALLOWED),
    ],
)
def test_who_may_enter(world: World, by: str, verdict: Any) -> None:
    station = world.station(role="office")
    assert station.verdicts([station.entry(by)]) == [verdict]


@pytest.mark.parametrize(
    ("by", "verdict"), [("approver", OK), ("boss", OK), ("foreman", NOT_ALLOWED), ("gate", NOT_ALLOWED)]
)
def test_who_may_approve(world: World, by: str, verdict: Any) -> None:
    station = world.station(role="office")
    entry = station.entry()
    assert station.verdicts([entry, station.approval(entry["id"], by)]) == [OK, verdict]
    assert bool(world.records()) == (verdict == OK)


def test_others_need_an_operator(world: World) -> None:
    station = world.station(role="office")
    touch = station.touch()
    for by, verdict in (("foreman", OK), ("gate", NOT_ALLOWED), ("nobody", NOT_ALLOWED)):
        events = [
            station.correction(touch["id"], "set", by=by, direction="out"),
            station.event(
                "card_binding", {"card_key": "uid:04A1B2C3", "worker_id": WORKER, "valid_from": TODAY, "by": by}
            ),
            station.roster_change("worker", WORKER, by=by, kana="ミホン"),
        ]
        assert station.verdicts(events) == [verdict] * 3


@pytest.mark.parametrize(("by", "verdict"), [("foreman", OK), ("gate", OK), ("nobody", NOT_ALLOWED)])
def test_the_gates_button_may_count_heads(world: World, by: str, verdict: Any) -> None:
    station = world.station(role="office")
    event = station.event("headcount", {"company_id": "c", "day": TODAY, "count": 1, "by": by})
    assert station.verdicts([event]) == [verdict]


def test_nobody_approves_what_he_entered(world: World) -> None:
    station = world.station(role="office")
    entry = station.entry("boss")
    assert station.verdicts([entry, station.approval(entry["id"], "boss")]) == [OK, ("rejected", "self_approval")]
    assert station.verdicts([station.approval(entry["id"], "boss", "refused")]) == [OK]  # one may take it back
    assert station.verdicts([station.approval(entry["id"], "approver")]) == [OK]


def test_nor_when_the_approval_comes_first(world: World) -> None:
    station = world.station(role="office")
    entry = station.entry("boss")
    approval = station.approval(entry["id"], "boss")
    assert station.verdicts([approval]) == [OK]
    assert station.verdicts([entry]) == [("rejected", "self_approval")]
    assert world.records() == {}


def test_a_one_person_site_may(world: World) -> None:
    world.load({**SITE_FILE, "site": {**SITE_FILE["site"], "self_approval": True}})
    station = world.station(role="office")
    entry = station.entry("boss")
    assert station.verdicts([entry, station.approval(entry["id"], "boss")]) == [OK, OK]
    assert list(world.records()) == [(WORKER, TODAY)]


def test_a_mended_roster_lets_the_same_event_in(world: World) -> None:
    station = world.station(role="office")
    entry = station.entry("newcomer")
    assert station.verdicts([entry]) == [NOT_ALLOWED]
    new = {"id": "newcomer", "name": "N", "roles": ["foreman"]}
    world.load({**SITE_FILE, "operators": [*SITE_FILE["operators"], new]})
    assert station.verdicts([entry]) == [OK]


def test_what_is_named_must_be_of_the_same_site(world: World) -> None:
    world.load({**SITE_FILE, "site": {"id": OTHER, "name": "2"}})
    here, there = world.station(SITE, role="office"), world.station(OTHER, role="office")
    there.site_id = OTHER
    touch, entry = here.touch(), here.entry()
    assert here.verdicts([touch, entry]) == [OK, OK]
    assert there.verdicts([there.correction(touch["id"])]) == [("rejected", "site_not_allowed")]
    assert there.verdicts([there.approval(entry["id"])]) == [("rejected", "malformed")]
    assert here.verdicts([here.approval(touch["id"])]) == [("rejected", "malformed")]
    assert list(world.records()) == [(WORKER, TODAY)]


def test_operators_are_each_sites_own(world: World) -> None:
    world.load({"site": {"id": OTHER, "name": "2"}})
    station = world.station(SITE, OTHER, role="office")
    station.site_id = OTHER
    assert station.verdicts([station.entry("foreman")]) == [NOT_ALLOWED]


GATE_ONLY = ("rejected", "station_not_allowed")


@pytest.mark.parametrize(("by", "verdict"), [("gate", OK), ("foreman", OK), ("boss", GATE_ONLY), ("who", NOT_ALLOWED)])
def test_a_gate_speaks_for_its_button_and_the_foreman(world: World, by: str, verdict: Any) -> None:
    gate = world.station()
    heads = gate.event("headcount", {"company_id": "c", "day": TODAY, "count": 1, "by": by})
    assert gate.verdicts([gate.entry(by), heads]) == [verdict] * 2


def test_a_gate_neither_approves_nor_changes_the_roster(world: World) -> None:
    gate, office = world.station(), world.station(role="office")
    entry = gate.entry("gate")
    said = [
        gate.approval(entry["id"], "boss"),
        gate.roster_change("card", "uid:04A1B2C3", worker_id=WORKER),
        gate.roster_change("assignment", "a-1", deleted=True),
    ]
    assert gate.verdicts([entry, *said]) == [OK, *[GATE_ONLY] * 3]
    assert world.records() == {}
    assert office.verdicts([office.approval(entry["id"], "boss")]) == [OK]
    assert list(world.records()) == [(WORKER, TODAY)]


def test_a_gate_corrects_only_what_it_has_delivered(world: World) -> None:
    gate, other = world.station(), world.station()
    own, foreign = gate.touch(), other.touch()
    other.verdicts([foreign])
    said = [gate.correction(foreign["id"]), gate.correction("01900000-0000-7000-8000-000000000000")]
    assert gate.verdicts([own, gate.correction(own["id"]), *said]) == [OK, OK, GATE_ONLY, GATE_ONLY]
    assert gate.verdicts([gate.correction(own["id"], "set", direction="out")]) == [OK]  # in a later batch too
    assert sorted(world.records()[WORKER, TODAY]["events"]) == sorted([own["id"], foreign["id"]])


def test_a_gate_binds_only_cards_that_are_nobodys(world: World) -> None:
    gate, office = world.station(), world.station(role="office")
    new = "uid:04A1B2C3D4E5F6"
    assert gate.verdicts([gate.binding(CARD, SECOND), gate.binding(CARD, WORKER)]) == [GATE_ONLY, OK]
    assert gate.verdicts([gate.binding(new, WORKER), gate.binding(new, SECOND)]) == [OK, GATE_ONLY]
    assert gate.verdicts([gate.binding(new, SECOND)]) == [GATE_ONLY]
    assert office.verdicts([office.binding(new, SECOND)]) == [OK]


def with_persons(**persons: str) -> dict[str, Any]:
    """The site file whose operators are these workers."""
    operators = [
        {**one, **({"worker_id": persons[one["id"]]} if one["id"] in persons else {})} for one in SITE_FILE["operators"]
    ]
    return {**SITE_FILE, "operators": operators}


@pytest.mark.parametrize("first", ["entry", "approval"])
def test_two_names_of_one_person_are_one_person(world: World, first: str) -> None:
    world.load(with_persons(foreman=SECOND, boss=SECOND))
    office = world.station(role="office")
    entry = office.entry("foreman")
    pair = [entry, office.approval(entry["id"], "boss")]
    for event in pair if first == "entry" else reversed(pair):
        last = office.verdicts([event])
    assert last == [("rejected", "self_approval")]
    assert world.records() == {}
    assert office.verdicts([office.approval(entry["id"], "approver")]) == [OK]


def test_nobody_approves_his_own_day(world: World) -> None:
    world.load(with_persons(approver=WORKER))
    office = world.station(role="office")
    own, other = office.entry(worker_id=WORKER), office.entry(worker_id=SECOND)
    said = [office.approval(own["id"], "approver"), office.approval(other["id"], "approver")]
    assert office.verdicts([own, other, *said]) == [OK, OK, ("rejected", "self_approval"), OK]
    assert list(world.records()) == [(SECOND, TODAY)]


def test_an_approval_is_for_an_approver_to_correct(world: World) -> None:
    office = world.station(role="office")
    entry = office.entry()
    approval, refusal = office.approval(entry["id"]), office.approval(entry["id"], decision="refused")
    assert office.verdicts([entry, approval, refusal]) == [OK] * 3
    assert office.verdicts([office.correction(refusal["id"], by="foreman")]) == [NOT_ALLOWED]
    assert world.records() == {}
    assert office.verdicts([office.correction(refusal["id"], by="approver")]) == [OK]
    assert list(world.records()) == [(WORKER, TODAY)]


LATE = ("rejected", "too_late")
EARLY = ("rejected", "too_early")


def test_the_deadline_is_not_slipped_by_correcting_the_day(world: World) -> None:
    office = world.station(role="office")
    entry = office.entry()
    assert office.verdicts([entry, office.approval(entry["id"])]) == [OK, OK]
    moved = [office.correction(entry["id"], "set", work_day=day) for day in ("2026-09-30", "2026-10-01")]
    assert office.verdicts(moved) == [LATE, OK]
    assert list(world.records()) == [(WORKER, "2026-10-01")]
    # the day as corrected decides when the approval is due
    second = office.entry(worker_id=SECOND)
    assert office.verdicts([second, office.correction(second["id"], "set", work_day="2026-10-02")]) == [OK, OK]
    world.clock.set(datetime.fromisoformat("2026-11-30T15:00:00+00:00"))
    office = _again(world, office)
    assert office.verdicts([office.approval(second["id"])]) == [LATE]


def test_nor_by_a_correction_that_comes_before_the_entry(world: World) -> None:
    office = world.station(role="office")
    entry = office.entry()
    assert office.verdicts([office.correction(entry["id"], "set", work_day="2026-09-30")]) == [OK]
    assert office.verdicts([entry]) == [LATE]


def test_nobody_has_worked_tomorrow(world: World) -> None:
    office = world.station(role="office")
    entry, touch = office.entry(work_day="2026-11-22"), office.touch()
    assert office.verdicts([entry, touch, office.approval(entry["id"])]) == [OK, OK, EARLY]
    assert office.verdicts([office.correction(touch["id"], "set", work_day="2026-11-22")]) == [EARLY]
    first = office.entry(work_day="2026-11-22")
    assert office.verdicts([office.approval(first["id"])]) == [OK]
    assert office.verdicts([first]) == [EARLY]
    far = office.entry(work_day="9999-12-31")
    assert office.verdicts([far, office.approval(far["id"]), office.entry(work_day="0001-01-01")]) == [OK, EARLY, LATE]
    world.clock.set(datetime.fromisoformat("2026-11-21T15:00:00+00:00"))
    office = _again(world, office)
    assert office.verdicts([office.approval(entry["id"]), first]) == [OK, OK]


def test_back_fill_reaches_two_months(world: World) -> None:
    office = world.station(role="office")
    old, new = (office.touch(SECOND, work_day=day) for day in ("2026-08-31", "2026-09-01"))
    assert office.verdicts([old, new]) == [OK, OK]
    fixes = [office.correction(e["id"], "set", company_id="90000000000122") for e in (old, new)]
    assert office.verdicts(fixes) == [LATE, OK]
    assert office.verdicts([office.correction(old["id"], "set", direction="out")]) == [OK]
    assert {day: r["company_id"] for (_, day), r in world.records().items()} == {
        "2026-08-31": None,
        "2026-09-01": "90000000000122",
    }
