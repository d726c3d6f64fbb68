"""Who may say what: operators, the deadline of direct entry, the ban on approving one's own entry."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from app.central.permission import last_day
from tests.central.world import OTHER, SITE, SITE_FILE, TODAY, WORKER, World

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
    assert last_day(date.fromisoformat(day)) == date.fromisoformat(until)


@pytest.mark.parametrize(
    ("at", "verdict"),
    [("2026-11-30T14:59:59+00:00", OK), ("2026-11-30T15:00:00+00:00", ("rejected", "too_late"))],
)
def test_entry_and_approval_have_the_same_deadline(world: World, at: str, verdict: Any) -> None:
    station = world.station()
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
    station = world.station()
    assert station.verdicts([station.entry(by)]) == [verdict]


@pytest.mark.parametrize(
    ("by", "verdict"), [("approver", OK), ("boss", OK), ("foreman", NOT_ALLOWED), ("gate", NOT_ALLOWED)]
)
def test_who_may_approve(world: World, by: str, verdict: Any) -> None:
    station = world.station()
    entry = station.entry()
    assert station.verdicts([entry, station.approval(entry["id"], by)]) == [OK, verdict]
    assert bool(world.records()) == (verdict == OK)


def test_others_need_an_operator(world: World) -> None:
    station = world.station()
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
    station = world.station()
    event = station.event("headcount", {"company_id": "c", "day": TODAY, "count": 1, "by": by})
    assert station.verdicts([event]) == [verdict]


def test_nobody_approves_what_he_entered(world: World) -> None:
    station = world.station()
    entry = station.entry("boss")
    assert station.verdicts([entry, station.approval(entry["id"], "boss")]) == [OK, ("rejected", "self_approval")]
    assert station.verdicts([station.approval(entry["id"], "boss", "refused")]) == [OK]  # one may take it back
    assert station.verdicts([station.approval(entry["id"], "approver")]) == [OK]


def test_nor_when_the_approval_comes_first(world: World) -> None:
    station = world.station()
    entry = station.entry("boss")
    approval = station.approval(entry["id"], "boss")
    assert station.verdicts([approval]) == [OK]
    assert station.verdicts([entry]) == [("rejected", "self_approval")]
    assert world.records() == {}


def test_a_one_person_site_may(world: World) -> None:
    world.load({**SITE_FILE, "site": {**SITE_FILE["site"], "self_approval": True}})
    station = world.station()
    entry = station.entry("boss")
    assert station.verdicts([entry, station.approval(entry["id"], "boss")]) == [OK, OK]
    assert list(world.records()) == [(WORKER, TODAY)]


def test_a_mended_roster_lets_the_same_event_in(world: World) -> None:
    station = world.station()
    entry = station.entry("newcomer")
    assert station.verdicts([entry]) == [NOT_ALLOWED]
    new = {"id": "newcomer", "name": "N", "roles": ["foreman"]}
    world.load({**SITE_FILE, "operators": [*SITE_FILE["operators"], new]})
    assert station.verdicts([entry]) == [OK]


def test_what_is_named_must_be_of_the_same_site(world: World) -> None:
    world.load({**SITE_FILE, "site": {"id": OTHER, "name": "2"}})
    here, there = world.station(SITE), world.station(OTHER)
    there.site_id = OTHER
    touch, entry = here.touch(), here.entry()
    assert here.verdicts([touch, entry]) == [OK, OK]
    assert there.verdicts([there.correction(touch["id"])]) == [("rejected", "site_not_allowed")]
    assert there.verdicts([there.approval(entry["id"])]) == [("rejected", "malformed")]
    assert here.verdicts([here.approval(touch["id"])]) == [("rejected", "malformed")]
    assert list(world.records()) == [(WORKER, TODAY)]


def test_operators_are_each_sites_own(world: World) -> None:
    world.load({"site": {"id": OTHER, "name": "2"}})
    station = world.station(SITE, OTHER)
    station.site_id = OTHER
    assert station.verdicts([station.entry("foreman")]) == [NOT_ALLOWED]
