"""A person is taken out: nothing of him stays, everything that counts does, and the stations' chains go on."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app.central import derivation
from app.central import schema as t
from app.central.erasure import erase_person
from app.central.retention import TOMBSTONES, retention
from app.central.roster_items import Affected
from app.central.sites import lock_sites
from app.errors import InputRefused
from tests.central import test_restored as restored
from tests.central.world import ACT, CARD, SECOND, SITE, WORKER, Station, World

NAME = "見本 太郎"
OWN_CARD = "uid:04112233445566"


def everything(world: World, *, but: tuple[str, ...] = ()) -> str:
    """All that the database holds, as text."""
    parts = []
    with world.db.read() as tx:
        for table in t.METADATA.sorted_tables:
            if table.name in but:
                continue
            for row in tx.execute(select(table)).all():
                parts += [bytes(v).decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in row]
    return "\n".join(parts)


def a_life(station: Station, office: Station) -> list[dict[str, Any]]:
    """Events of and about WORKER, and of SECOND."""
    world = station.world
    touch, unnamed, other = (
        station.touch(),
        station.touch(worker=None),
        station.touch(SECOND, card_key="uid:04AABBCCDDEE80"),
    )
    late = station.touch(suppressed_by=touch["id"])
    refused = station.event("refusal", {**touch["payload"], "reason": "not_accepted"})
    broken = station.event("touch", {"worker_id": WORKER})
    bound = office.binding(OWN_CARD, WORKER)
    by_new_card = station.touch(worker=None, card_key=OWN_CARD, work_day="2026-11-20")
    fix = office.correction(touch["id"], "set", company_id="90000000000022")
    fix["payload"]["reason"] = f"{NAME} {WORKER}"
    changed = office.roster_change("worker", WORKER, name=NAME)
    mine = [touch, unnamed, other, late, refused, broken, by_new_card]
    assert [v for v, _ in station.verdicts(mine, station.chain_end)].count("rejected") == 1
    verdicts = office.verdicts([bound, changed, fix])
    assert {v for v, _ in verdicts} == {"accepted"}, verdicts
    assert len(world.records()) == 3
    return mine


@pytest.fixture
def lived(world: World) -> tuple[World, Station, list[dict[str, Any]]]:
    station, office = world.station(), world.station(role="office")
    return world, station, a_life(station, office)


def counts(world: World) -> tuple[int, list[tuple[str, str, str, str]]]:
    """Events, and the records without whose they are."""
    with world.db.read() as tx:
        events = tx.execute(select(func.count()).select_from(t.event)).scalar_one()
    kept = ("work_day", "assurance", "company_id", "occupation", "received_month", "events")
    return events, sorted(tuple(str(row[name]) for name in kept) for row in world.records().values())


def test_nothing_of_the_person_stays_and_everything_counts(lived: Any) -> None:
    world, station, events = lived
    before = counts(world)
    _, cursor = station.everything(f"/v1/sites/{SITE}/roster")
    done = erase_person(world.db, world.clock, WORKER, ACT)
    assert (done.work_records, done.held_back) == (2, 0)
    assert counts(world) == before

    left = everything(world, but=("roster_item", "work_record"))
    for trace in (WORKER, NAME, "太郎", CARD, OWN_CARD):
        assert trace not in left, trace
    assert SECOND in left
    with world.db.read() as tx:  # the bare ids stay as tombstones, and hold nothing
        gone = tx.execute(select(t.roster_item).where(t.roster_item.c.id.in_([WORKER, CARD]))).all()
        assert [(row.deleted, row.fields) for row in gone] == [(True, "{}")] * 2
        old = tx.execute(select(t.work_record.c.events).where(t.work_record.c.worker_id == WORKER)).scalars()
        assert set(old) == {"[]"}
    items, _ = station.everything(f"/v1/sites/{SITE}/roster", cursor)
    told = {item["id"] for item in items if item["deleted"]}
    assert {WORKER, CARD, "a-1"} <= told

    # sent again, everything is what it was; the chain goes on, also over what was replaced
    again = station.push(events, station.chain_end).json()
    assert [r["verdict"] for r in again["results"]] == ["duplicate"] * 5 + ["rejected", "duplicate"]
    assert (again["chain_head"], again["chain_state"]) == (station.chain_end, "ok")
    for seq in range(1, station.seq + 1):
        answer = station.push([], {"seq": seq, "hash": "0" * 64})
        assert answer.status_code == 200
    next_one = station.touch(SECOND, card_key="uid:04AABBCCDDEE80")
    assert station.push([next_one]).json()["chain_head"] == station.chain_end


def test_the_chain_is_still_judged_everywhere(lived: Any) -> None:
    world, station, events = lived
    ends = []
    fresh = Station(world, station.id, station.secret, station.access_token)
    from app import codec
    from app.domain.events import next_hash

    for event in events:
        fresh.hash = next_hash(fresh.hash, codec.canonical(event))
        ends.append({"seq": event["seq"], "hash": fresh.hash.hex()})
    erase_person(world.db, world.clock, WORKER, ACT)
    for end in ends:
        assert station.push([], end).json()["chain_state"] == "ok", end
    assert station.push([], {**ends[2], "hash": "1" * 64}).json()["chain_state"] == "broken"


def test_records_derived_again_are_the_same(lived: Any) -> None:
    world, _, _ = lived
    before = counts(world)
    done = erase_person(world.db, world.clock, WORKER, ACT)

    def again(tx: Any) -> None:
        numbers = lock_sites(tx, [SITE])[SITE]
        derivation.after_roster(tx, numbers, Affected({done.pseudonym, SECOND}), world.clock.now())
        numbers.save(tx)

    world.db.write(again)
    assert counts(world) == before


def test_what_comes_late_goes_with_the_next_run(lived: Any) -> None:
    world, station, _ = lived
    first = erase_person(world.db, world.clock, WORKER, ACT)
    station.verdicts([station.touch(occurred_at="2026-11-21T18:00:00.000+09:00", direction="out")])
    hole = station.touch()  # kept back: the chain has not come so far
    station.verdicts([station.touch()])
    second = erase_person(world.db, world.clock, WORKER, ACT)
    assert (second.pseudonym, second.events, second.held_back) == (first.pseudonym, 1, 1)
    station.verdicts([hole])
    third = erase_person(world.db, world.clock, WORKER, ACT)
    assert (third.pseudonym, third.held_back) == (first.pseudonym, 0)
    records = world.records()
    assert len(records) == 3
    assert records[first.pseudonym, "2026-11-21"]["last_out"] == "2026-11-21T18:00:00.000+09:00"
    with pytest.raises(InputRefused, match="person_unknown"):
        erase_person(world.db, world.clock, WORKER, ACT)


def test_the_door_lets_nothing_else_through(lived: Any) -> None:
    world, _, _ = lived
    erase_person(world.db, world.clock, WORKER, ACT)
    for attack in (
        "UPDATE event SET body = digest",
        "UPDATE event SET type = 'x'",
        "UPDATE event SET subject = NULL WHERE subject IS NOT NULL",
        "DELETE FROM event",
        "DELETE FROM event_erasure",
        "UPDATE event_erasure SET body = event_id",
        "UPDATE audit SET reason = 'another'",
        "DELETE FROM audit",
    ):
        with pytest.raises(DBAPIError):
            world.db.write(lambda tx, attack=attack: tx.execute(text(attack)))


def test_a_dry_run_changes_nothing(lived: Any) -> None:
    world, _, _ = lived
    before = everything(world)
    done = erase_person(world.db, world.clock, WORKER, ACT, dry_run=True)
    assert (done.work_records, done.events > 5) == (2, True)
    assert everything(world) == before


def test_retention_takes_those_who_left(lived: Any) -> None:
    world = lived[0]
    assert retention(world.db, world.clock, 1, ACT) == []
    world.clock.forward(days=62)
    assert retention(world.db, world.clock, 1, ACT) == []  # still on the roster of an open site
    world.load({"site": {"id": SITE, "name": "2"}, "companies": [{"id": "90000000000022", "name": "x"}]}, replace=True)
    dry = retention(world.db, world.clock, 1, ACT, dry_run=True)
    assert len(dry) == 3
    assert len(retention(world.db, world.clock, 1, ACT)) == 3
    assert retention(world.db, world.clock, 1, ACT) == []
    assert len(world.records()) == 3
    world.clock.forward(days=TOMBSTONES.days + 1)
    retention(world.db, world.clock, 1, ACT)
    assert WORKER not in everything(world)
    with pytest.raises(InputRefused):
        retention(world.db, world.clock, 0, ACT)


def test_a_branched_stations_chain_goes_on_too(world: World) -> None:
    old = restored.station(world, restored.enrol(world, world.code()))
    events = [old.touch(), old.touch()]
    settled, ends = old.chain_end, []
    for _ in range(3):
        events.append(old.touch())
        ends.append(old.chain_end)
    old.push(events, old.chain_end)
    new = restored.station(world, restored.enrol(world, world.code(), settled), old)
    assert new.push(events[2:], new.chain_end).json()["chain_state"] == "ok"
    assert erase_person(world.db, world.clock, WORKER, ACT).events == 5
    for station in (old, new):
        for end in ends:
            assert station.push([], end).json()["chain_state"] == "ok", end
    assert [r["verdict"] for r in new.push(events[2:], new.chain_end).json()["results"]] == ["duplicate"] * 3
