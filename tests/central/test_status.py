"""What administrators see and do: stations, sites, the status page (in a real browser too), audited acts."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.central import audit, overview
from app.central import schema as t
from app.central.administration import close_site, move_station, revoke_station
from app.central.enrolment import create_client
from app.central.presence import KEPT_DAYS
from app.central.server import CentralServer
from app.errors import InputRefused
from tests.central.test_enrolment import problem
from tests.central.world import ACT, OTHER, SITE, TODAY, WORKER, Station, World

CHROMIUM = shutil.which("chromium")


def beat(station: Station, condition: str = "ready", **fields: Any) -> httpx.Response:
    """A heartbeat with one reader."""
    body = {
        "app_version": "0.1.0",
        "pending": 0,
        "rejected": 0,
        "oldest_pending_at": None,
        "skew_ms": 40,
        "readers": [{"reader": "pcsc:X", "label": "X", "condition": condition}],
        **fields,
    }
    return station.world.call("POST", f"/v1/stations/{station.id}/heartbeat", token=station.access_token, json=body)


def renew(station: Station) -> None:
    """A fresh token after the clock moved."""
    station.access_token = station.world.token(station.id, station.secret).json()["access_token"]


def viewer(world: World) -> tuple[str, str]:
    """Somebody who may look."""
    made = create_client(world.db, world.clock, "本社", "viewer", ACT)
    return made.client_id, made.client_secret


def test_heartbeats_become_one_row_a_day(world: World) -> None:
    station = world.station()  # 10:00 in Japan
    for condition in ("missing", "ready", "missing"):
        assert beat(station, condition).status_code == 204
    world.clock.forward(hours=1)
    renew(station)
    beat(station, "missing")
    with world.db.read() as tx:
        (row,) = tx.execute(select(t.station_day)).all()
    assert (row.day, row.heard, row.working) == (TODAY, 1 << 10 | 1 << 11, 1 << 10)
    (one,) = overview.stations(world.db, world.clock).stations
    assert (one.heard_hours, one.working_hours, one.waiting, one.chain) == (2, 1, 0, "ok")
    world.clock.forward(days=KEPT_DAYS + 1)
    renew(station)
    beat(station)
    with world.db.read() as tx:
        assert len(tx.execute(select(t.station_day)).all()) == 1


def test_stations_come_page_by_page(world: World) -> None:
    ids = sorted(world.station().id for _ in range(5))
    found, after = [], ""
    while after is not None:
        page = overview.stations(world.db, world.clock, after, 2)
        found += [one.id for one in page.stations]
        after = page.next
    assert found == ids


def test_a_site_works_when_it_records_or_could(world: World) -> None:
    world.load({"site": {"id": OTHER, "name": "2", "opens_on": TODAY}})
    one, two = world.station(SITE), world.station(OTHER)
    one.verdicts([one.touch()])
    states = overview.sites(world.db, world.clock, 2)
    assert overview.working_share(states, TODAY) == (1, 2)
    assert [len(site.days) for site in states] == [2, 1]
    beat(two)
    assert overview.working_share(overview.sites(world.db, world.clock, 2), TODAY) == (2, 2)
    assert overview.working_share(states, "2026-11-20") == (0, 1)


def test_a_moved_stations_late_touches_are_taken(world: World) -> None:
    world.load({"site": {"id": OTHER, "name": "2"}})
    station = world.station()
    late = station.touch()
    assert move_station(world.db, world.clock, station.id, OTHER, ACT) == [SITE]
    after = station.touch(occurred_at="2026-11-21T10:00:01.000+09:00")
    there = station.touch(site_id=OTHER)
    verdicts = station.verdicts([late, after, there], station.chain_end)
    assert verdicts == [("accepted", None), ("rejected", "site_not_allowed"), ("accepted", None)]
    items = {item["id"]: item["deleted"] for item in station.everything("/v1/sites")[0]}
    assert items == {SITE: True, OTHER: False}
    assert problem(station.get(f"/v1/sites/{SITE}/roster"))[0] == 403
    move_station(world.db, world.clock, station.id, SITE, ACT)
    assert station.verdicts([after]) == [("accepted", None)]
    for wrong in (("nobody", SITE), (station.id, "99990000000009")):
        with pytest.raises(InputRefused):
            move_station(world.db, world.clock, *wrong, ACT)


def test_a_closed_site(world: World) -> None:
    station = world.station()
    close_site(world.db, world.clock, SITE, date(2026, 11, 20), ACT)
    late, new = station.touch(work_day="2026-11-20"), station.touch()
    assert station.verdicts([late, new]) == [("accepted", None), ("rejected", "site_closed")]
    (site,) = station.everything("/v1/sites")[0]
    assert site["closes_on"] == "2026-11-20"
    assert station.get(f"/v1/sites/{SITE}/roster").status_code == 200
    with pytest.raises(InputRefused):
        move_station(world.db, world.clock, station.id, SITE, ACT)
    world.load()  # opened again
    assert station.verdicts([new]) == [("accepted", None)]


def test_every_act_is_written_down(world: World) -> None:
    station = world.station()
    revoke_station(world.db, world.clock, station.id, ACT)
    close_site(world.db, world.clock, SITE, date(2026, 11, 20), ACT)
    viewer(world)
    rows = audit.rows(world.db, 10)
    assert [(row.action, row.who, row.reason) for row in rows] == [
        (name, "test", "because") for name in ("create-viewer", "close-site", "revoke-station")
    ]
    assert rows[2].subject == station.id
    for reason in ("", "  ", "x" * 301, "a\x00"):
        with pytest.raises(InputRefused):
            audit.Act("test", reason)


def test_the_page_is_never_public(world: World) -> None:
    station, who = world.station(), viewer(world)
    answer = world.call("GET", "/status")
    assert problem(answer) == (401, "login_needed")
    assert answer.headers["www-authenticate"].startswith("Basic ")
    for pair in ((who[0], "wrong"), ("nobody", who[1]), (station.id, station.secret), ("", "")):
        assert problem(world.call("GET", "/status", auth=pair)) == (401, "login_needed")
    assert problem(world.call("GET", "/status", token=station.access_token)) == (401, "login_needed")
    for odd in ("Basic", "Basic ???", "Basic /w=="):
        assert problem(world.call("GET", "/status", headers={"Authorization": odd})) == (401, "login_needed")
    assert world.call("GET", "/status", auth=who).status_code == 200


def test_a_viewer_may_only_look(world: World) -> None:
    token = world.token(*viewer(world)).json()["access_token"]
    assert problem(world.call("GET", "/v1/sites", token=token)) == (403, "wrong_client")
    asked = {"site_ids": [SITE], "uses": 1}
    assert problem(world.call("POST", "/v1/enrolment-codes", token=token, json=asked)) == (403, "wrong_client")


def test_the_page_holds_figures_and_no_person(world: World) -> None:
    world.load({"site": {"id": OTHER, "name": "<b>第2</b>工区"}})
    station, silent = world.station(), world.station(OTHER)
    station.verdicts([station.touch()])
    beat(station, pending=17)
    answer = world.call("GET", "/status", auth=viewer(world))
    text = answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in text
    assert "&lt;b&gt;第2&lt;/b&gt;工区" in text
    assert "50.0 %" in text
    assert "架空タワー" in text
    for person in (WORKER, "見本", "felica:", station.secret, silent.id):
        assert person not in text


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (Debian: chromium)")
def test_a_browser_shows_it(db: Any, tmp_path: Path) -> None:
    if db.kind != "sqlite":
        pytest.skip("the same page")
    world = World(db, tmp_path)
    show(world)
    server = CentralServer(world.app)
    server.start()
    try:
        name, secret = viewer(world)
        url = server.url.replace("http://", f"http://{name}:{secret}@") + "/status"
        shot = tmp_path / "status.png"
        dom = browse(tmp_path, url, f"--screenshot={shot}", "--dump-dom")
    finally:
        server.stop()
    text = re.sub(r"<[^>]+>", " ", dom)
    assert "センターの状態" in text
    assert "66.7 %" in text
    assert shot.stat().st_size > 20_000


def browse(folder: Path, url: str, *what: str) -> str:
    """A page in Chromium without a window; what it prints. Fails when the page broke its own policy."""
    assert CHROMIUM is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1500,1050"]
    own = [f"--user-data-dir={folder / 'chromium'}", "--enable-logging=stderr", "--disable-background-networking"]
    done = subprocess.run(
        [CHROMIUM, *flags, *own, *what, url], capture_output=True, text=True, encoding="utf-8", timeout=90, check=True
    )
    assert "Content Security Policy" not in done.stderr, done.stderr
    return done.stdout


def show(world: World) -> None:
    """Three sites, one of which is silent, and stations in every state."""
    world.load()
    world.load({"site": {"id": OTHER, "name": "架空橋りょう 下部工"}})
    world.load({"site": {"id": "99990000000003", "name": "見本トンネル"}})
    one, two, three = world.station(SITE), world.station(OTHER), world.station("99990000000003")
    for day in (9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21):
        one.verdicts([one.touch(work_day=f"2026-11-{day:02d}")])
        if day % 3:
            two.verdicts([two.touch(site_id=OTHER, work_day=f"2026-11-{day:02d}")])
    beat(three, "missing", pending=212, oldest_pending_at="2026-11-18T07:31:00.000+09:00", skew_ms=95_000)
    world.clock.forward(minutes=55)
    beat(one)
    beat(two, pending=3, oldest_pending_at="2026-11-21T10:50:00.000+09:00")
    broken = world.station(OTHER)
    broken.site_id = OTHER
    broken.push([broken.touch()], {"seq": 1, "hash": "0" * 64})
    beat(broken)
