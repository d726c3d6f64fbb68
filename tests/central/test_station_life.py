"""A station's secret over its life, and the end of a station that is lost."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.central import audit, overview
from app.central import schema as t
from app.central.administration import revoke_station
from app.central.pages import Cursor, read_cursor
from app.central.station_life import ask_rotation, mark_lost
from app.errors import InputRefused
from app.secrets import new_client_secret
from tests.central.test_enrolment import problem
from tests.central.world import ACT, SITE, SITE_FILE, Station, World

PULLS = ("/v1/sites", f"/v1/sites/{SITE}/roster", f"/v1/sites/{SITE}/events", f"/v1/sites/{SITE}/work-records")


def name_next(station: Station, secret: str) -> tuple[int, str]:
    answer = station.world.call(
        "POST", f"/v1/stations/{station.id}/secret", token=station.access_token, json={"client_secret": secret}
    )
    return (204, "") if answer.status_code == 204 else problem(answer)


def withdraw(station: Station) -> tuple[int, str]:
    path = f"/v1/stations/{station.id}/withdrawal"
    answer = station.world.call("POST", path, token=station.access_token, json=station.chain_end)
    return (204, "") if answer.status_code == 204 else problem(answer)


def opens(station: Station, secret: str) -> bool:
    answer = station.world.token(station.id, secret)
    assert answer.status_code == 200 or problem(answer) == (401, "invalid_client")
    if answer.status_code == 200:
        station.access_token = answer.json()["access_token"]
    return answer.status_code == 200


def test_both_secrets_open_until_the_new_one_has(world: World) -> None:
    station, new = world.station(), new_client_secret()
    assert not opens(station, new)
    assert name_next(station, new) == (204, "")
    assert name_next(station, new) == (204, ""), "its answer may be lost"
    assert opens(station, station.secret)
    assert opens(station, station.secret), "as often as it likes: nothing has come to the end of it yet"
    old_token = station.access_token
    assert opens(station, new)
    assert not opens(station, station.secret)
    assert problem(world.call("GET", "/v1/sites", token=old_token)) == (401, "token_invalid")
    assert name_next(station, new) == (204, ""), "said late once more, it is what holds already"
    assert opens(station, new)
    with world.db.read() as tx:
        row = tx.execute(select(t.client).where(t.client.c.id == station.id)).one()
    assert (row.next_secret_hash, row.rotation_asked_at) == (None, None)


def test_a_later_next_secret_takes_the_earlier_ones_place(world: World) -> None:
    station, first, second = world.station(), new_client_secret(), new_client_secret()
    assert name_next(station, first) == name_next(station, second) == (204, "")
    assert [opens(station, secret) for secret in (first, station.secret, second)] == [False, True, True]


def test_what_is_no_secret_is_refused_and_so_is_another_station(world: World) -> None:
    one, two = world.station(), world.station()
    for bad in ("", "short", "x" * 44, "あ" * 43, " " * 43):
        assert name_next(one, bad) == (422, "wrong_shape")
    path = f"/v1/stations/{two.id}/secret"
    answer = world.call("POST", path, token=one.access_token, json={"client_secret": new_client_secret()})
    assert problem(answer) == (403, "station_mismatch")


def test_a_station_that_enrols_anew_has_one_secret(world: World) -> None:
    installation = "99990000-0000-4000-8000-000000000001"
    who = world.enrol(world.code(), installation).json()
    token = world.token(who["station_id"], who["client_secret"]).json()["access_token"]
    station, new = Station(world, who["station_id"], who["client_secret"], token), new_client_secret()
    assert name_next(station, new) == (204, "")
    again = world.enrol(world.code(), installation).json()
    assert again["station_id"] == station.id
    assert [opens(station, secret) for secret in (station.secret, new, again["client_secret"])] == [False, False, True]


def test_the_administrator_asks_and_the_station_hears_it_at_once(world: World) -> None:
    station = world.station()
    assert world.token(station.id, station.secret).json()["ask"] == ""
    ask_rotation(world.db, world.clock, station.id, ACT)
    assert problem(station.get("/v1/sites")) == (401, "token_invalid"), "so that it asks for a token now"
    assert world.token(station.id, station.secret).json()["ask"] == "rotate_secret"
    assert opens(station, station.secret)
    new = new_client_secret()
    assert name_next(station, new) == (204, "")
    assert world.token(station.id, new).json()["ask"] == ""
    assert [row.action for row in audit.rows(world.db, 9)] == ["rotate-secret"]
    with pytest.raises(InputRefused):
        ask_rotation(world.db, world.clock, "nobody", ACT)


def test_a_lost_station_delivers_and_is_handed_nothing(world: World) -> None:
    station = world.station()
    waiting = [station.touch(), station.touch()]
    assert withdraw(station) == (409, "not_lost")
    mark_lost(world.db, world.clock, station.id, ACT)
    answer = world.token(station.id, station.secret).json()
    assert answer["ask"] == "withdraw"
    station.access_token = answer["access_token"]
    for path in PULLS:
        assert problem(station.get(path)) == (403, "station_lost")
    assert name_next(station, new_client_secret()) == (403, "station_lost")
    assert station.verdicts(waiting, station.chain_end) == [("accepted", None)] * 2
    state = overview.stations(world.db, world.clock).stations[0]
    assert (state.lost_at is None, state.withdrawn_at, state.revoked_at) == (False, None, None)
    assert withdraw(station) == (204, "")
    assert problem(world.token(station.id, station.secret)) == (403, "station_revoked")
    assert withdraw(station) == (403, "station_revoked")
    rows = audit.rows(world.db, 9)
    assert [row.action for row in rows] == ["withdrawn-station", "lost-station"]
    assert rows[0].detail == {"its_last": 2, "held_to": 2}
    state = overview.stations(world.db, world.clock).stations[0]
    assert state.withdrawn_at is not None
    with pytest.raises(InputRefused):
        mark_lost(world.db, world.clock, station.id, ACT)


def test_a_lost_station_does_not_become_another(world: World) -> None:
    installation = "99990000-0000-4000-8000-000000000002"
    who = world.enrol(world.code(), installation).json()
    world.token(who["station_id"], who["client_secret"])
    mark_lost(world.db, world.clock, who["station_id"], ACT)
    code = world.code()
    assert problem(world.enrol(code, installation)) == (403, "station_lost")
    assert world.enrol(code).status_code == 201, "and no use of the code was burned"


def test_found_again_it_goes_on(world: World) -> None:
    station = world.station()
    mark_lost(world.db, world.clock, station.id, ACT)
    mark_lost(world.db, world.clock, station.id, ACT, found=True)
    assert opens(station, station.secret)
    assert all(station.get(path).status_code == 200 for path in PULLS)


def test_revoked_is_another_thing_and_stays_what_it_is(world: World) -> None:
    station = world.station()
    mark_lost(world.db, world.clock, station.id, ACT)
    revoke_station(world.db, world.clock, station.id, ACT)
    assert problem(world.token(station.id, station.secret)) == (403, "station_revoked")
    assert problem(station.push([station.touch()])) == (401, "token_invalid")


def verifiers(items: list[dict[str, object]]) -> dict[str, object]:
    return {str(i["id"]): i["pin_verifier"] for i in items if i["kind"] == "operator" and not i["deleted"]}


def test_a_gate_gets_the_pins_of_those_alone_who_act_there(world: World) -> None:
    people: list[dict[str, object]] = [
        {"id": f"op-{role}", "name": role, "roles": [role], "pin_verifier": f"scrypt$1$1$1$AA==${role}"}
        for role in ("gate", "foreman", "approver", "office", "administrator")
    ]
    people.append({**people[0], "id": "op-both", "roles": ["administrator", "gate"]})
    world.load({**SITE_FILE, "operators": people}, replace=True)
    path = f"/v1/sites/{SITE}/roster"
    at_gate = verifiers(world.station().everything(path)[0])
    assert {who for who, verifier in at_gate.items() if verifier} == {"op-gate", "op-foreman", "op-both"}
    assert set(at_gate) == {one["id"] for one in people}, "their names are still known there"
    assert all(verifiers(world.station(role="office").everything(path)[0]).values())


def test_what_an_earlier_centre_gave_away_is_taken_back_once(world: World) -> None:
    station, path = world.station(), f"/v1/sites/{SITE}/roster"
    everything, end = station.everything(path)
    at = read_cursor(end)
    before = Cursor(at.change, at.day).text()  # as version 1 of this page wrote it
    again, cursor = station.everything(path, before)
    assert {item["kind"] for item in again} == {"operator"}
    assert len(again) == len(verifiers(everything))
    assert cursor == end
    assert station.everything(path, cursor) == ([], end)
