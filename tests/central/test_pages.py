"""What stations pull: scope, cursors, ETags."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from app.central import schema as t
from app.central.pages import Cursor, read_cursor
from app.central.refusals import Refused
from tests.central.test_enrolment import problem
from tests.central.world import OTHER, SECOND, SITE, SITE_FILE, TODAY, WORKER, Station, World

ROSTER = f"/v1/sites/{SITE}/roster"
EVENTS = f"/v1/sites/{SITE}/events"


def workers(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {i["id"]: i for i in items if i["kind"] == "worker"}


def again(world: World, station: Station) -> Station:
    """The same station with a fresh token."""
    station.access_token = world.token(station.id, station.secret).json()["access_token"]
    return station


def test_a_roster_comes_whole_and_in_pages(world: World) -> None:
    items, _ = world.station().everything(ROSTER)
    wanted = sum(len(v) for k, v in SITE_FILE.items() if k != "site")
    assert len(items) == wanted > world.settings.page_size
    assert len({(i["kind"], i["id"]) for i in items}) == wanted
    assert not any(i["deleted"] for i in items)


def test_a_gate_is_told_only_to_send_people_to_the_office(world: World) -> None:
    found = workers(world.station().everything(ROSTER)[0])
    assert not any({"insurance_confirmed", "residence_expires_on"} & w.keys() for w in found.values())
    assert {k: w["visit_office"] for k, w in found.items()} == {WORKER: False, SECOND: True, "L-1": False}
    office = workers(world.station(role="office").everything(ROSTER)[0])
    assert office["L-1"]["residence_expires_on"] == "2027-01-20"
    assert [office[k]["insurance_confirmed"] for k in (WORKER, SECOND)] == [True, False]
    assert not any(w["visit_office"] for w in office.values())


@pytest.mark.parametrize(("at", "due"), [("2026-12-20T14:59:00+00:00", False), ("2026-12-20T15:00:00+00:00", True)])
def test_residence_becomes_a_matter_for_the_office_as_days_pass(world: World, at: str, due: bool) -> None:
    gate, office = world.station(), world.station(role="office")
    _, cursor = gate.everything(ROSTER)
    _, office_cursor = office.everything(ROSTER)
    world.clock.set(datetime.fromisoformat(at))
    changed, later = again(world, gate).everything(ROSTER, cursor)
    assert [(i["id"], i["visit_office"]) for i in changed] == ([("L-1", True)] if due else [])
    assert gate.everything(ROSTER, later)[0] == []  # told once
    assert again(world, office).everything(ROSTER, office_cursor)[0] == []
    world.clock.forward(days=3)
    assert len(again(world, gate).everything(ROSTER, cursor)[0]) == 1  # an old cursor still gets it


def test_changes_and_due_workers_come_in_one_pull(world: World) -> None:
    gate = world.station()
    _, cursor = gate.everything(ROSTER)
    changed = [{**w, "name": "新しい名"} for w in SITE_FILE["workers"]]
    more = [{"id": f"L-{n}", "name": "n"} for n in range(2, 8)]
    world.load({**SITE_FILE, "workers": changed + more})
    world.clock.set(datetime(2026, 12, 31, tzinfo=UTC))
    items, cursor = again(world, gate).everything(ROSTER, cursor)
    assert len({i["id"] for i in items}) == 9
    assert len(items) == 10  # L-1 on its own page and, the same, on the last one
    assert workers(items)["L-1"]["visit_office"] is True
    assert gate.everything(ROSTER, cursor)[0] == []


def test_a_station_that_became_an_office_gets_everything_again(world: World) -> None:
    gate = world.station()
    items, cursor = gate.everything(ROSTER)
    world.db.write(lambda tx: tx.execute(t.station.update().where(t.station.c.id == gate.id).values(role="office")))
    found, cursor = gate.everything(ROSTER, cursor)
    assert len(found) == len(items)
    assert "insurance_confirmed" in workers(found)[WORKER]
    assert gate.everything(ROSTER, cursor)[0] == []


def test_only_what_changed_comes_again(world: World) -> None:
    station = world.station()
    _, cursor = station.everything(ROSTER)
    loaded = world.load()
    assert (loaded.added, loaded.changed, loaded.removed) == (0, 0, 0)
    assert station.everything(ROSTER, cursor)[0] == []
    world.load({**SITE_FILE, "roles": [{"id": "1", "name": "班長"}]})
    items, cursor = station.everything(ROSTER, cursor)
    assert items == [{"kind": "role", "id": "1", "deleted": False, "name": "班長"}]
    world.load({**SITE_FILE, "roles": [{"id": "1", "name": "班長"}], "operators": []}, replace=True)
    items, cursor = station.everything(ROSTER, cursor)
    assert [(i["kind"], set(i)) for i in items] == [("operator", {"kind", "id", "deleted"})] * 4


def test_a_change_made_at_the_site_reaches_the_others(world: World) -> None:
    one, two = world.station(role="office"), world.station()
    _, cursor = two.everything(ROSTER)
    events = [
        one.roster_change("worker", WORKER, kana="ミホン"),
        one.roster_change("worker", WORKER, name_latin="MIHON", unheard_of=1),
        one.roster_change("calendar", "2026-12-31", day_kind="closed", note="年末"),
        one.roster_change("card", "uid:04A1B2C3", worker_id=SECOND),
        one.roster_change("card", "uid:04A1B2C3", deleted=True),
    ]
    assert {v for v, _ in one.verdicts(events)} == {"accepted"}
    items, cursor = two.everything(ROSTER, cursor)
    found = {(i["kind"], i["id"]): i for i in items}
    worker = found["worker", WORKER]
    assert (worker["name"], worker["kana"], worker["name_latin"]) == ("見本 太郎", "ミホン", "MIHON")
    assert found["calendar", "2026-12-31"]["day_kind"] == "closed"
    assert found["card", "uid:04A1B2C3"] == {"kind": "card", "id": "uid:04A1B2C3", "deleted": True}
    one.verdicts(events)  # duplicates change nothing
    assert two.everything(ROSTER, cursor)[0] == []
    with world.db.read() as tx:
        kept = tx.execute(select(t.roster_item.c.fields).where(t.roster_item.c.id == WORKER)).scalar_one()
    assert '"insurance_confirmed":true' in kept  # hidden fields survive a change from a site


def test_sites_given_later_come(world: World) -> None:
    station = world.station()
    items, cursor = station.everything("/v1/sites")
    assert [(i["kind"], i["id"], i["name"]) for i in items] == [("site", SITE, "架空タワー")]
    assert station.everything("/v1/sites", cursor)[0] == []
    world.load({**SITE_FILE, "site": {**SITE_FILE["site"], "day_change": "05:00"}})
    items, cursor = station.everything("/v1/sites", cursor)
    assert [i["day_change"] for i in items] == ["05:00"]
    world.load({"site": {"id": OTHER, "name": "2"}})
    assert station.everything("/v1/sites", cursor)[0] == []


def test_events_of_other_stations_come_in_the_order_of_receipts(world: World) -> None:
    one, two, office = world.station(), world.station(), world.station(role="office")
    entry, touch = one.entry(), one.touch()
    one.verdicts([touch, entry, *(one.touch() for _ in range(6))])
    two.verdicts([two.touch()])
    items, cursor = office.everything(EVENTS)
    assert len(items) == 9
    assert [i["receipt"] for i in items] == sorted({i["receipt"] for i in items})
    assert items[0]["event"] in (entry, touch)
    assert {i["station_id"] for i in items} == {one.id, two.id}
    assert len(one.everything(EVENTS)[0]) == 1
    only, end = office.everything(EVENTS, types="entry,approval")
    assert [i["event"] for i in only] == [entry]
    assert office.everything(EVENTS, end, types="entry,approval")[0] == []
    office.verdicts([office.approval(entry["id"])])
    (answer,), _ = one.everything(EVENTS, end, types="approval")
    assert answer["event"]["payload"]["decision"] == "approved"
    assert office.everything(EVENTS, cursor)[0] == []


def test_rejected_events_are_not_passed_on(world: World) -> None:
    one, two = world.station(), world.station()
    one.verdicts([one.entry("nobody")])
    assert two.everything(EVENTS)[0] == []


@pytest.mark.parametrize("path", ["/v1/sites", ROSTER, EVENTS, f"/v1/sites/{SITE}/work-records"])
def test_the_same_page_is_304(world: World, path: str) -> None:
    station, other = world.station(), world.station()
    other.verdicts([other.touch()])
    answer = station.get(path)
    tag = answer.headers["etag"]
    assert tag.startswith('W/"')
    assert len(answer.json()["items"]) > 0
    same = station.get(path, headers={"If-None-Match": f'"x", {tag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert "content-length" not in same.headers
    fresh = station.get(path, headers={"If-None-Match": 'W/"x"'})
    assert fresh.status_code == 200


@pytest.mark.parametrize("path", [ROSTER, EVENTS, f"/v1/sites/{SITE}/work-records"])
def test_other_sites_are_closed_to_a_station(world: World, path: str) -> None:
    world.load({"site": {"id": OTHER, "name": "2"}})
    station = world.station(OTHER)
    assert problem(station.get(path)) == (403, "site_not_allowed")
    assert problem(station.get(path.replace(SITE, "nowhere%00"))) == (403, "site_not_allowed")


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("/v1/sites", {"cursor": "!"}, "bad_cursor"),
        (ROSTER, {"cursor": "eyJjIjoiMSJ9"}, "bad_cursor"),
        (EVENTS, {"cursor": "é"}, "bad_cursor"),
        (f"/v1/sites/{SITE}/work-records", {"month": "2026-13"}, "bad_parameter"),
        (f"/v1/sites/{SITE}/work-records", {"month": "2026-1\x00"}, "bad_parameter"),
    ],
)
def test_bad_parameters(world: World, path: str, params: dict[str, str], code: str) -> None:
    assert problem(world.station().get(path, params=params)) == (400, code)


@pytest.mark.parametrize("cursor", [Cursor(), Cursor(5), Cursor(2**53 - 1, TODAY)])
def test_cursors_come_back_as_they_went(cursor: Cursor) -> None:
    assert read_cursor(cursor.text()) == cursor


@pytest.mark.parametrize("text", ["e30", "eyJjIjotMX0", "eyJjIjoxLCJkIjoieCJ9", "W10", "a" * 300, "eyJjIjp0cnVlfQ"])
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(Refused):
        read_cursor(text)


def test_heartbeats_keep_the_latest(world: World) -> None:
    station = world.station()
    path = f"/v1/stations/{station.id}/heartbeat"
    beat = {"app_version": "1", "pending": 3, "rejected": 0, "oldest_pending_at": None, "skew_ms": -20}
    for pending in (3, 0):
        body = {**beat, "pending": pending, "readers": [{"reader": "r", "label": "l", "condition": "ready"}]}
        answer = world.call("POST", path, token=station.access_token, json=body)
        assert (answer.status_code, answer.content) == (204, b"")
    with world.db.read() as tx:
        rows = tx.execute(select(t.heartbeat)).all()
    assert len(rows) == 1
    assert '"pending":0' in rows[0].body
    answer = world.call("POST", path, token=station.access_token, json={"pending": "3"})
    assert problem(answer) == (422, "wrong_shape")
    other = world.station()
    assert problem(world.call("POST", path, token=other.access_token, json=beat)) == (403, "station_mismatch")
