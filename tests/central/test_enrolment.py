"""Enrolment, tokens, administrators."""

from __future__ import annotations

import re
import uuid

import pytest
from sqlalchemy import select

from app.central import schema as t
from app.central.administration import revoke_station
from app.central.credentials import code_hash, new_code
from app.central.enrolment import create_client, issue_code
from app.errors import InputRefused
from tests.central.world import ACT, OTHER, SITE, World, in_threads


def problem(answer: object) -> tuple[int, str]:
    """Status and code of a problem; also checks its form."""
    assert answer.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    body = answer.json()  # type: ignore[attr-defined]
    assert body["status"] == answer.status_code  # type: ignore[attr-defined]
    assert body["title"]
    return body["status"], body["code"]


def test_a_code_is_typed_as_people_type(world: World) -> None:
    code = world.code(uses=3)
    assert re.fullmatch(r"[A-HJ-NP-Z2-9]{4}(-[A-HJ-NP-Z2-9]{4}){2}", code)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code)
    for typed in (code.lower(), f" {code.replace('-', ' ')} ", wide):
        assert world.enrol(typed).status_code == 201


def test_codes_never_hold_ambiguous_letters() -> None:
    assert not set("".join(new_code() for _ in range(200))) & set("01IO")
    assert code_hash("short") is None
    assert code_hash("ABCD-EFGH-JKL0") is None


def test_wrong_used_up_and_expired_codes(world: World) -> None:
    code = world.code()
    assert problem(world.enrol("ABCD-EFGH-JKLM")) == (409, "code_unknown")
    assert problem(world.enrol("no code")) == (409, "code_unknown")
    late = world.code(valid_days=1)
    world.clock.forward(days=1)
    assert problem(world.enrol(late)) == (409, "code_expired")
    assert world.enrol(code).status_code == 201
    assert problem(world.enrol(code)) == (409, "code_used_up")


def test_a_lost_answer_burns_nothing(world: World) -> None:
    code, me = world.code(), str(uuid.uuid4())
    lost = world.enrol(code, me).json()
    world.clock.forward(days=400)  # even when the code has expired since
    again = world.enrol(code, me).json()
    assert again["station_id"] == lost["station_id"]
    assert problem(world.token(lost["station_id"], lost["client_secret"])) == (401, "invalid_client")
    assert world.token(again["station_id"], again["client_secret"]).status_code == 200
    assert problem(world.enrol(code, me))[0] == 409  # the secret was used: no more


def test_enrolling_again_with_a_new_code_keeps_the_station(world: World) -> None:
    world.load({"site": {"id": OTHER, "name": "2"}})
    me = str(uuid.uuid4())
    first = world.enrol(world.code(SITE), me).json()
    token = world.token(first["station_id"], first["client_secret"]).json()["access_token"]
    second = world.enrol(world.code(OTHER), me).json()
    assert second["station_id"] == first["station_id"]
    assert second["site_ids"] == [SITE, OTHER]
    assert problem(world.call("GET", "/v1/sites", token=token)) == (401, "token_invalid")


def test_a_code_is_never_used_more_often_than_allowed(world: World) -> None:
    code = world.code(uses=3)
    statuses = in_threads(8, lambda _: world.enrol(code).status_code)
    assert sorted(statuses) == [201] * 3 + [409] * 5


def test_one_installation_enrolling_twice_at_once_is_one_station(world: World) -> None:
    codes, me = [world.code(), world.code()], str(uuid.uuid4())
    answers = in_threads(2, lambda i: world.enrol(codes[i], me))
    assert len({a.json()["station_id"] for a in answers}) == 1


def test_secrets_codes_and_tokens_are_kept_only_hashed(world: World) -> None:
    code = world.code()
    who = world.enrol(code).json()
    token = world.token(who["station_id"], who["client_secret"]).json()["access_token"]
    with world.db.read() as tx:
        for table in t.METADATA.sorted_tables:
            for row in tx.execute(select(table)).all():
                text = repr(row)
                for secret in (code, code.replace("-", ""), who["client_secret"], token):
                    assert secret not in text, table.name


@pytest.mark.parametrize("name", ["station_name", "installation_id", "app_version"])
def test_names_must_be_names(world: World, name: str) -> None:
    body = {"enrolment_code": world.code(), "installation_id": "i", "station_name": "n", "app_version": "1"}
    answer = world.call("POST", "/v1/stations/enrol", json={**body, name: "a\x00b"})
    assert problem(answer) == (422, "wrong_shape")
    assert answer.json()["errors"][0]["where"] == f"$.{name}"


def test_tokens_expire(world: World) -> None:
    station = world.station()
    world.clock.forward(seconds=3599)
    assert station.get("/v1/sites").status_code == 200
    world.clock.forward(seconds=1)
    answer = station.get("/v1/sites")
    assert problem(answer) == (401, "token_invalid")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert world.token(station.id, station.secret).status_code == 200
    with world.db.read() as tx:
        assert len(tx.execute(select(t.token)).all()) == 1  # the expired one went


def test_token_refusals(world: World) -> None:
    station = world.station()
    assert problem(world.token(station.id, "wrong")) == (401, "invalid_client")
    assert problem(world.token("nobody", station.secret)) == (401, "invalid_client")
    assert problem(world.token("a\x00b", "x")) == (401, "invalid_client")
    form = {"grant_type": "password", "client_id": station.id, "client_secret": station.secret}
    assert problem(world.call("POST", "/v1/token", data=form)) == (400, "unsupported_grant")
    assert problem(world.call("POST", "/v1/token", json=form)) == (415, "unsupported_media_type")
    typed = {"Content-Type": "application/x-www-form-urlencoded"}
    assert problem(world.call("POST", "/v1/token", content=b"\xff", headers=typed)) == (400, "bad_request")
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}):
        assert problem(world.call("GET", "/v1/sites", headers=headers)) == (401, "token_missing")


def test_a_revoked_station_is_told(world: World) -> None:
    station, me = world.station(), str(uuid.uuid4())
    revoke_station(world.db, world.clock, station.id, ACT)
    assert problem(station.get("/v1/sites")) == (403, "station_revoked")
    assert problem(world.token(station.id, station.secret)) == (403, "station_revoked")
    who = world.enrol(world.code(), me).json()
    revoke_station(world.db, world.clock, who["station_id"], ACT)
    assert problem(world.enrol(world.code(), me)) == (403, "station_revoked")
    with pytest.raises(InputRefused):
        revoke_station(world.db, world.clock, "nobody", ACT)


def test_an_administrator_issues_codes(world: World) -> None:
    admin = create_client(world.db, world.clock, "本社", "administrator", ACT)
    token = world.token(admin.client_id, admin.client_secret).json()["access_token"]
    asked = {"site_ids": [SITE], "uses": 2, "valid_days": 10, "role": "office"}
    answer = world.call("POST", "/v1/enrolment-codes", token=token, json=asked)
    assert answer.status_code == 201
    assert answer.json()["uses"] == 2
    assert answer.json()["expires_at"] == "2026-12-01T01:00:00.000+00:00"
    assert world.enrol(answer.json()["enrolment_code"]).status_code == 201
    for wrong, code in (
        ({"site_ids": [OTHER]}, "site_unknown"),
        ({"site_ids": ["?"]}, "site_unknown"),
        ({"site_ids": []}, "wrong_shape"),
        ({"site_ids": [SITE], "uses": 0}, "wrong_shape"),
        ({"site_ids": [SITE], "role": "king"}, "wrong_shape"),
        ({"site_ids": SITE}, "wrong_shape"),
    ):
        assert problem(world.call("POST", "/v1/enrolment-codes", token=token, json=wrong)) == (422, code)
    assert problem(world.call("GET", "/v1/sites", token=token)) == (403, "wrong_client")
    station = world.station()
    answer = world.call("POST", "/v1/enrolment-codes", token=station.access_token, json=asked)
    assert problem(answer) == (403, "wrong_client")


def test_the_command_lines_code_needs_a_site(world: World) -> None:
    with pytest.raises(InputRefused, match="site_unknown"):
        issue_code(world.db, world.clock, [OTHER])
    with pytest.raises(InputRefused, match="code_request"):
        issue_code(world.db, world.clock, [SITE], 0)


def test_the_chain_goes_on_after_enrolling_again(world: World) -> None:
    me = str(uuid.uuid4())
    who = world.enrol(world.code(), me).json()
    station = world.station()
    station.id = who["station_id"]
    station.access_token = world.token(who["station_id"], who["client_secret"]).json()["access_token"]
    station.verdicts([station.touch()])
    who = world.enrol(world.code(), me).json()
    station.access_token = world.token(who["station_id"], who["client_secret"]).json()["access_token"]
    answer = station.push([station.touch()], station.chain_end).json()
    assert answer["chain_head"] == station.chain_end
    assert answer["chain_state"] == "ok"
