"""A station's file is put back from an old copy and goes on: nothing is lost, doubled, or sent under a new id."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from app.central import audit
from app.central import schema as t
from app.central.incidents import incidents
from tests.central.test_enrolment import problem
from tests.central.world import SITE, TODAY, WORKER, Station, World

INSTALLATION = "installation-1"


def enrol(world: World, code: str, restored: dict[str, Any] | None = None) -> Any:
    body = {
        "enrolment_code": code,
        "installation_id": INSTALLATION,
        "station_name": "門1",
        "app_version": "0.1.0",
        "restored": restored,
    }
    return world.call("POST", "/v1/stations/enrol", json=body)


def station(world: World, answer: Any, like: Station | None = None) -> Station:
    who = answer.json()
    token = world.token(who["station_id"], who["client_secret"]).json()["access_token"]
    seq, hashed = (like.seq, like.hash) if like else (0, bytes(32))
    return Station(world, who["station_id"], who["client_secret"], token, seq, SITE, hashed)


def put_back(copy: Station, at: tuple[int, bytes]) -> Station:
    """The file as it was."""
    return Station(copy.world, copy.id, copy.secret, copy.access_token, at[0], SITE, at[1])


def held(world: World) -> int:
    with world.db.read() as tx:
        return int(tx.execute(select(func.count()).select_from(t.event)).scalar_one())


def test_a_restored_copy_goes_on_as_a_new_station(world: World) -> None:
    old = station(world, enrol(world, world.code()))
    events = []
    for _ in range(2):
        events.append(old.touch())
    settled = old.chain_end  # what the copy knows to be settled
    events += [old.touch(), old.touch()]
    backup = (old.seq, old.hash)  # 3 and 4 were waiting in it when it was made
    events += [old.touch(), old.touch()]
    assert old.push(events, old.chain_end).json()["chain_state"] == "ok"

    copy = put_back(old, backup)
    forks = [copy.touch(), copy.touch(), copy.touch()]
    assert copy.verdicts(forks[1:2]) == [("conflict", "seq_reused")]  # noticed
    new = station(world, enrol(world, world.code(), settled), copy)
    assert new.id != old.id

    # the copy sends everything that it does not know to be settled, as it stands in it, in any order
    answer = new.push([forks[2], *events[2:4]], new.chain_end).json()
    assert [r["verdict"] for r in answer["results"]] == ["accepted", "duplicate", "duplicate"]
    assert (answer["chain_head"]["seq"], answer["chain_state"]) == (4, "waiting")
    answer = new.push(forks, new.chain_end).json()
    assert [r["verdict"] for r in answer["results"]] == ["accepted", "accepted", "duplicate"]
    assert (answer["chain_head"], answer["chain_state"]) == (new.chain_end, "ok")
    late = new.touch()
    assert new.push([late, *events], new.chain_end).json()["chain_state"] == "ok"

    everything = {e["id"] for e in [*events, *forks, late]}
    assert held(world) == len(everything)
    assert set(world.records()[WORKER, TODAY]["events"]) == everything
    # the file itself turns up after all: its unsent part comes under the old id
    unsent = old.touch()
    answer = old.push([*events, unsent], old.chain_end).json()
    assert [r["verdict"] for r in answer["results"]] == ["duplicate"] * 6 + ["accepted"]
    assert answer["chain_head"] == old.chain_end
    assert [(one.station_id, one.kind) for one in incidents(world.db)] == [(old.id, "seq_reused")]
    assert [(r.action, r.subject) for r in audit.rows(world.db, 1)] == [("branch-station", old.id)]
    # and the copy is told what was recorded in the file after the backup
    fed = {i["event"]["id"] for i in new.everything(f"/v1/sites/{SITE}/events")[0]}
    assert {e["id"] for e in [*events[4:], unsent]} <= fed


def test_put_back_twice(world: World) -> None:
    first = station(world, enrol(world, world.code()))
    events = [first.touch(), first.touch()]
    first.push(events, first.chain_end)
    second = station(world, enrol(world, world.code(), first.chain_end), first)
    middle = [second.touch()]
    base = second.chain_end
    assert second.push(middle, base).json()["chain_state"] == "ok"
    third = station(world, enrol(world, world.code(), base), second)
    last = third.touch()
    answer = third.push([*events, *middle, last], third.chain_end).json()
    assert [r["verdict"] for r in answer["results"]] == ["duplicate"] * 3 + ["accepted"]
    assert (answer["chain_head"], answer["chain_state"]) == (third.chain_end, "ok")
    assert third.push([], base).json()["chain_state"] == "ok"
    assert third.push([], {"seq": 1, "hash": "ab" * 32}).json()["chain_state"] == "ok"  # not this chain's matter


def test_what_was_refused_before_is_judged_again_and_new_ids_before_the_base_are_not_taken(world: World) -> None:
    old = station(world, enrol(world, world.code()))
    refused, fine = old.entry("newcomer"), old.touch()
    assert old.verdicts([refused, fine]) == [("rejected", "operator_not_allowed"), ("accepted", None)]
    new = station(world, enrol(world, world.code(), old.chain_end), old)
    assert new.verdicts([refused]) == [("rejected", "operator_not_allowed")]
    for seq in (1, 2):
        forged = put_back(new, (seq - 1, b"")).touch()
        assert new.verdicts([forged]) == [("conflict", "seq_reused")]
    assert held(world) == 1


@pytest.mark.parametrize(
    "restored", [{"seq": 1, "hash": "ab" * 32}, {"seq": 9, "hash": "00" * 32}, {"seq": 1, "hash": "z"}]
)
def test_only_a_copy_of_this_stations_file_branches(world: World, restored: dict[str, Any]) -> None:
    old = station(world, enrol(world, world.code()))
    old.verdicts([old.touch()])
    code = world.code()
    assert problem(enrol(world, code, restored)) == (409, "chain_unknown")
    assert enrol(world, code).json()["station_id"] == old.id  # the code is not burned


def test_a_lost_answer_burns_nothing_and_makes_one_station(world: World) -> None:
    old = station(world, enrol(world, world.code()))
    old.push([old.touch()], old.chain_end)
    code = world.code()
    lost = enrol(world, code, old.chain_end).json()["station_id"]
    new = station(world, enrol(world, code, old.chain_end), old)
    assert (new.id, new.id != old.id) == (lost, True)
    assert new.push([new.touch()], new.chain_end).json()["chain_state"] == "ok"
