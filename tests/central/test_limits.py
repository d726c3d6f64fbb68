"""What one side may ask of the centre, and what it says when it is too much: guesses, floods, herds, old programs."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
from bisect import insort
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.central import guard
from app.central.load import LONGEST_S, SHORTEST_S, Load
from app.central.refusals import Refused
from app.central.settings import CentralSettings, is_version
from app.logs import JsonLines
from tests.central.test_enrolment import problem
from tests.central.test_status import beat, viewer
from tests.central.world import SITE, World


def test_guessing_codes_costs_more_and_more(world: World) -> None:
    code = world.code(uses=50)
    waits = []
    for _ in range(26):
        answer = world.enrol("ABCD-EFGH-JKLM")
        if answer.status_code == 429:
            assert problem(answer) == (429, "too_many_attempts")
            waits.append(int(answer.headers["retry-after"]))
            assert problem(world.enrol(code)) == (429, "too_many_attempts")  # the right one too, or it would tell
            world.clock.forward(seconds=waits[-1])
    assert waits == [2, 4, 8]
    world.clock.forward(hours=1)
    assert world.enrol(code).status_code == 201
    assert problem(world.enrol("ABCD-EFGH-JKLM")) == (409, "code_unknown")


def test_the_count_is_the_databases(world: World, tmp_path: Path) -> None:
    for _ in range(21):
        world.enrol("ABCD-EFGH-JKLM")
    other = World(world.db, tmp_path, clock=world.clock)  # another process
    assert problem(other.enrol(world.code())) == (429, "too_many_attempts")


def test_a_broken_station_keeps_no_other_out(world: World) -> None:
    broken, well = world.station(), world.station()
    answers = [world.token(broken.id, "wrong").status_code for _ in range(12)]
    assert answers == [401] * 11 + [429]
    assert problem(world.token(broken.id, broken.secret)) == (429, "too_many_attempts")
    assert world.token(well.id, well.secret).status_code == 200
    for n in range(300):
        if world.token(f"nobody-{n}", "wrong").status_code == 429:
            break
    assert n < 200
    assert problem(world.token(well.id, well.secret)) == (429, "too_many_attempts")


def test_guessing_at_the_page(world: World) -> None:
    name, secret = viewer(world)
    answers = [world.call("GET", "/status", auth=(name, "wrong")).status_code for _ in range(12)]
    assert answers == [401] * 11 + [429]
    assert world.call("GET", "/status", auth=(name, secret)).status_code == 429


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("/run/x.sock", "unknown"),
    ],
)
def test_what_is_one_place(address: str, place: str) -> None:
    assert guard.place(address) == place


def test_a_program_gone_wild_is_slowed_down(db: Any, tmp_path: Path) -> None:
    world = World(db, tmp_path, settings=CentralSettings(burst=5, a_second=0.5))
    world.load()
    wild, calm = world.station(), world.station()
    answers = [wild.get("/v1/sites") for _ in range(7)]
    assert [a.status_code for a in answers] == [200] * 5 + [429] * 2
    assert problem(answers[-1]) == (429, "too_many_requests")
    assert answers[-1].headers["retry-after"] == "2"
    assert calm.get("/v1/sites").status_code == 200
    world.clock.forward(seconds=2)
    assert wild.get("/v1/sites").status_code == 200


def test_a_herd_is_spread_over_the_time_it_takes() -> None:
    """6,500 stations at once, 100 requests a second, 64 at work: simulated in virtual time."""
    now, dice = 0.0, random.Random(4)
    load = Load(64, lambda: now, dice)
    due = sorted((dice.uniform(0, 1), n) for n in range(6500))
    running: list[float] = []
    told: list[int] = []
    served, asked, last = 0, 0, 0.0
    while due or running:
        now = min([*running[:1], *(at for at, _ in due[:1])])
        if running and running[0] <= now:
            running.pop(0)
            load.leave()
            served, last = served + 1, now
            continue
        at, n = due.pop(0)
        asked += 1
        try:
            load.enter()
        except Refused as refused:
            told.append(refused.retry_after or 0)
            wait = told[-1] + dice.uniform(0, 1 + told[-1] / 10)  # as app.sync.rounds adds
            insort(due, (at + wait, n))
        else:
            running.append(max(running[-1] if running else now, now) + 0.01)
    assert served == 6500
    assert load.highest == 64
    assert SHORTEST_S <= min(told) <= max(told) <= LONGEST_S
    assert last < 180, f"the last one after {last:.0f} s; no way takes less than 65"
    assert asked < 3 * 6500


def test_too_many_at_once_are_told_to_come_again(db: Any, tmp_path: Path) -> None:
    world = World(db, tmp_path, settings=CentralSettings(most_requests=2))
    world.load()
    station = world.station()
    headers = {"Authorization": f"Bearer {station.access_token}"}

    async def flood() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=world.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://centre", headers=headers) as client:
            calls = [client.get("/v1/sites") for _ in range(12)] + [client.get("/livez")]
            return list(await asyncio.gather(*calls))

    *answers, alive = asyncio.run(flood())
    assert alive.status_code == 200
    busy = [a for a in answers if a.status_code != 200]
    assert len(busy) == 10
    assert {problem(a) for a in busy} == {(503, "busy")}
    assert all(SHORTEST_S <= int(a.headers["retry-after"]) <= LONGEST_S for a in busy)
    assert station.get("/v1/sites").status_code == 200


def test_an_old_program_is_told_to_upgrade(db: Any, tmp_path: Path) -> None:
    world = World(db, tmp_path, settings=CentralSettings(oldest_version="0.10"))
    world.load()
    old = {"User-Agent": "genba-touch/0.9.5"}
    assert problem(world.enrol(world.code())) == (403, "upgrade_needed")
    world.settings = CentralSettings()
    plain = World(db, tmp_path, clock=world.clock)
    station = plain.station()
    station.world = world
    event = station.touch()
    answer = station.push([event], headers=old)
    assert problem(answer) == (403, "upgrade_needed")
    assert "0.10" in answer.json()["detail"]
    assert problem(station.get("/v1/sites", headers=old)) == (403, "upgrade_needed")
    assert beat(station).status_code == 204  # so that the centre knows of it
    for new in ("genba-touch/0.10.0", "genba-touch/1.0 (x)", "another/0.1", ""):
        assert station.push([event], headers={"User-Agent": new}).status_code == 200
    assert [is_version(text) for text in ("1", "0.1.0", "", "1.", "a", "1.0b")] == [True, True, *[False] * 4]


def test_the_log_says_what_happened_and_no_secret(world: World, caplog: pytest.LogCaptureFixture) -> None:
    station = world.station()
    caplog.clear()
    with caplog.at_level(logging.INFO, "app.central.access"):
        touch = station.touch()
        station.push([touch], headers={"X-Request-ID": "r-1"})
        station.get(f"/v1/sites/{SITE}/roster?cursor=secret")
        world.call("GET", "/secret/path")
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    first, second, third = lines
    assert (first["request_id"], first["client"], first["route"]) == ("r-1", station.id, "/v1/events/batch")
    assert (first["status"], first["method"], second["route"]) == (200, "POST", "/v1/sites/{site_id}/roster")
    assert first["bytes_in"] > 300
    assert first["bytes_out"] > 100
    assert first["ms"] > 0
    assert (third["status"], third["client"], third["route"]) == (404, None, "-")
    text = json.dumps(lines)
    for secret in (station.access_token, station.secret, "felica:", "secret", touch["id"]):
        assert secret not in text


def test_a_logged_fault_holds_no_values() -> None:
    try:
        raise ValueError("felica:0123456789ABCDEF of 見本 太郎")
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "f", 1, "a fault", (), sys.exc_info())
    line = json.loads(JsonLines().format(record))
    assert (line["message"], line["error"], len(line["places"])) == ("a fault", "ValueError", 1)
    assert "felica" not in json.dumps(line, ensure_ascii=False)
