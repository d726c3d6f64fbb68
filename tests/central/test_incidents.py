"""Broken chains: looked at, closed with a reason, and a new break is new."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app import codec
from app.central import audit
from app.central import schema as t
from app.central.audit import Act
from app.central.incidents import Incident, close_incident, incidents
from app.central.oddities import odd_events
from app.domain.events import next_hash
from app.errors import InputRefused
from tests.central.world import ACT, SITE_FILE, TODAY, Station, World


def opened(world: World) -> list[tuple[str, int]]:
    return [(one.kind, one.seq) for one in incidents(world.db) if one.closed_at is None]


def close(world: World, one: Incident) -> None:
    close_incident(world.db, world.clock, one.id, Act("suzuki", "PC のディスクを交換したため"))


def state(station: Station, events: list[Any]) -> str:
    answer = station.push(events, station.chain_end).json()
    assert {r["verdict"] for r in answer["results"]} <= {"accepted", "duplicate"}
    return str(answer["chain_state"])


def edited(station: Station) -> dict[str, Any]:
    """A delivered event was edited in the station's file: its chain differs from here on."""
    touch = station.touch()
    before = station.hash
    assert station.verdicts([touch]) == [("accepted", None)]
    station.hash = next_hash(before, codec.canonical({**touch, "recorded_at": f"{TODAY}T09:00:00.000+09:00"}))
    return touch


def test_a_closed_break_is_whole_again_and_a_new_one_is_new(world: World) -> None:
    station = world.station()
    edited(station)
    assert state(station, [station.touch()]) == "broken"
    assert state(station, [station.touch()]) == "broken"
    (one,) = incidents(world.db)
    assert (one.kind, one.seq, one.times, one.station, one.closed_at) == ("hash_mismatch", 2, 2, "門1", None)
    close(world, one)
    assert opened(world) == []
    assert state(station, []) == "ok"
    for _ in range(3):
        assert state(station, [station.touch()]) == "ok"
    edited(station)
    assert state(station, [station.touch()]) == "broken"
    assert opened(world) == [("hash_mismatch", 8)]
    newest, oldest = incidents(world.db)
    assert (oldest.id, oldest.closed_by, oldest.reason) == (one.id, "suzuki", "PC のディスクを交換したため")
    close(world, newest)
    assert state(station, [station.touch()]) == "ok"


def test_what_comes_again_of_a_closed_break_is_counted_on_it(world: World) -> None:
    station = world.station()
    edited(station)
    ends = []
    for _ in range(3):
        assert state(station, [station.touch()]) == "broken"
        ends.append(station.chain_end)
    close(world, incidents(world.db)[0])
    assert state(station, []) == "ok"
    for end in ends:  # a rejected row that is sent again carries the hash of its own place
        assert station.push([], end).json()["chain_state"] == "ok"
    assert opened(world) == []
    assert state(station, [station.touch()]) == "ok"


def test_a_hash_ahead_of_a_hole_is_taken_over_when_the_chain_gets_there(world: World) -> None:
    station = world.station()
    edited(station)
    assert state(station, [station.touch()]) == "broken"
    close(world, incidents(world.db)[0])
    late = station.touch()
    assert state(station, [station.touch()]) == "waiting"
    assert state(station, [late]) == "ok"
    assert state(station, [station.touch()]) == "ok"


def test_a_reused_seq_is_closed_each_for_itself(world: World) -> None:
    station = world.station()
    station.verdicts([station.touch(), station.touch()])
    station.seq = 0
    forks = [station.touch(), station.touch()]
    assert {code for _, code in station.verdicts(forks)} == {"seq_reused"}
    first, second = incidents(world.db)
    close(world, first)
    assert station.push([]).json()["chain_state"] == "broken"
    close(world, second)
    assert station.push([]).json()["chain_state"] == "ok"
    assert {code for _, code in station.verdicts(forks)} == {"seq_reused"}  # sent again: the same, not a new one
    assert station.push([]).json()["chain_state"] == "ok"
    station.seq = 1
    station.verdicts([station.touch()])
    assert station.push([]).json()["chain_state"] == "broken"
    assert [one.times for one in incidents(world.db)] == [1, 2, 2]


def test_closing_needs_a_reason_and_an_open_incident(world: World) -> None:
    station = world.station()
    edited(station)
    state(station, [station.touch()])
    (one,) = incidents(world.db)
    with pytest.raises(InputRefused, match="reason_needed"):
        Act("suzuki", " ")
    for unknown in ("0" * 12, one.id[:6], ""):
        with pytest.raises(InputRefused, match="incident_unknown"):
            close_incident(world.db, world.clock, unknown, ACT)
    close(world, one)
    with pytest.raises(InputRefused, match="incident_unknown"):
        close_incident(world.db, world.clock, one.id, ACT)
    with world.db.read() as tx:
        assert len(tx.execute(select(t.incident_closure)).all()) == 1
    newest = audit.rows(world.db, 1)[0]
    assert (newest.action, newest.subject) == ("close-incident", station.id)


def test_odd_times_are_noted_and_nothing_else_is(world: World) -> None:
    world.load({**SITE_FILE, "site": {**SITE_FILE["site"], "opens_on": "2026-04-01"}})
    gate, office = world.station(), world.station(role="office")
    odd = [
        gate.touch(work_day="2027-11-21", occurred_at="2027-11-21T07:30:00.000+09:00"),
        gate.touch(occurred_at="2026-11-23T07:30:00.000+09:00"),
        gate.touch(work_day="2026-03-31", occurred_at="2026-03-31T07:30:00.000+09:00"),
    ]
    head = gate.event("headcount", {"company_id": "c", "day": "2099-01-01", "count": 1, "by": "gate"})
    assert {v for v, _ in gate.verdicts([*odd, gate.touch(), gate.entry(), head])} == {"accepted"}
    noted = {one.event_id: (one.code, one.corrected) for one in odd_events(world.db)}
    codes = ["impossible_day", "clock_ahead", "before_site"]
    assert noted == {event["id"]: (code, False) for event, code in zip(odd, codes, strict=True)}
    office.verdicts([office.correction(odd[0]["id"], "set", work_day=TODAY)])
    assert [one.corrected for one in odd_events(world.db) if one.code == "impossible_day"] == [True]
