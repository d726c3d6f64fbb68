"""Work records at the centre: always what a fresh `derive` over all facts says."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.central import schema as t
from app.central.access import Principal
from app.central.database import CentralDatabase
from app.central.derivation import fact
from app.central.event_shapes import as_event
from app.central.intake import take_batch
from app.central.roster_items import item, load_all
from app.domain.roster import Roster
from app.domain.work_records import derive
from app.sync.wire import BatchRequest
from tests.central.world import CARD, SECOND, SITE, SITE_FILE, TODAY, WORKER, Station, World, in_threads

KEYS = [CARD, "uid:04A1B2C3D4E5F6", "uid:04FFFFFFFFFFF0"]
WORKERS = [WORKER, SECOND, "L-1"]
DAYS = ["2026-11-19", "2026-11-20", TODAY]


def fresh(db: CentralDatabase, site_id: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The records of a site from all its facts and its whole roster."""
    with db.read() as tx:
        rows = tx.execute(select(t.event).where(t.event.c.site_id == site_id)).all()
        items = load_all(tx, site_id)
    facts = [fact(row.receipt, as_event(bytes(row.body)), row.received_at) for row in rows]
    roster = Roster.of([item(kind, id_, values) for (kind, id_), values in items.items()])
    return {(r.worker_id, r.work_day): asdict(r) for r in derive(facts, roster)}


def assert_fresh(world: World, site_id: str) -> None:
    wanted = fresh(world.db, site_id)
    held = world.records(site_id)
    assert {k: {n: v for n, v in r.items() if n not in ("change", "received_month")} for k, r in held.items()} == {
        k: {**r, "events": list(r["events"])} for k, r in wanted.items()
    }
    with world.db.read() as tx:
        index = tx.execute(select(t.record_event).where(t.record_event.c.site_id == site_id)).all()
    assert {(row.event_id, row.worker_id, row.work_day) for row in index} == {
        (event, *key) for key, record in wanted.items() for event in record["events"]
    }


steps = st.lists(
    st.one_of(
        st.tuples(st.just("touch"), st.sampled_from(KEYS), st.sampled_from([None, *WORKERS]), st.sampled_from(DAYS)),
        st.tuples(st.just("entry"), st.sampled_from(WORKERS), st.sampled_from(DAYS)),
        st.tuples(st.just("approval"), st.integers(0, 40), st.sampled_from(["approved", "refused"])),
        st.tuples(st.just("void"), st.integers(0, 40)),
        st.tuples(st.just("set_worker"), st.integers(0, 40), st.sampled_from(WORKERS)),
        st.tuples(st.just("set_day"), st.integers(0, 40), st.sampled_from(DAYS)),
        st.tuples(st.just("set_from"), st.integers(0, 40), st.sampled_from(DAYS)),
        st.tuples(st.just("binding"), st.sampled_from(KEYS), st.sampled_from(WORKERS), st.sampled_from(DAYS)),
        st.tuples(st.just("card"), st.sampled_from(KEYS), st.sampled_from(WORKERS)),
        st.tuples(st.just("no_card"), st.sampled_from(KEYS)),
        st.tuples(st.just("assign"), st.sampled_from(WORKERS), st.sampled_from(["90000000000022", "90000000000122"])),
    ),
    min_size=1,
    max_size=40,
)


def make(station: Station, step: tuple[Any, ...], made: list[dict[str, Any]]) -> dict[str, Any]:
    """The event of a step; a number means one of those made so far (or, beyond them, one that never was)."""

    def target(number: int) -> str:
        return str(made[number]["id"]) if number < len(made) else str(uuid.uuid4())

    match step:
        case ("touch", key, worker, day):
            return station.touch(worker, card_key=key, work_day=day, direction="in" if len(made) % 2 else "out")
        case ("entry", worker, day):
            return station.entry(worker_id=worker, work_day=day)
        case ("approval", number, decision):
            return station.approval(target(number), decision=decision)
        case ("void", number):
            return station.correction(target(number))
        case ("set_worker", number, worker):
            return station.correction(target(number), "set", worker_id=worker)
        case ("set_day", number, day):
            return station.correction(target(number), "set", work_day=day)
        case ("set_from", number, day):
            return station.correction(target(number), "set", valid_from=day)
        case ("binding", key, worker, day):
            return station.binding(key, worker, day)
        case ("card", key, worker):
            return station.roster_change("card", key, worker_id=worker)
        case ("no_card", key):
            return station.roster_change("card", key, deleted=True)
        case ("assign", worker, company):
            return station.roster_change("assignment", f"x-{worker}", worker_id=worker, company_id=company)
    raise AssertionError(step)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=steps, second=steps, random=st.randoms(use_true_random=False))
def test_records_are_always_a_fresh_derivation(world: World, first: Any, second: Any, random: Any) -> None:
    site_id = f"s{uuid.uuid4().hex[:20]}"  # a site of its own for each example: databases are slow to make
    world.load({**SITE_FILE, "site": {"id": site_id, "name": "x"}})
    stations = [world.station(site_id, role="office"), world.station(site_id, role="office")]
    made: list[list[dict[str, Any]]] = [[], []]
    for number, station in enumerate(stations):
        station.site_id = site_id
        for step in (first, second)[number]:
            known = made[0] + made[1] if random.random() < 0.5 else made[number]
            made[number].append(make(station, step, known))
    queue = [(number, event) for number in (0, 1) for event in made[number]]
    random.shuffle(queue)
    while queue:
        size = random.randint(1, 8)
        batch, queue = queue[:size], queue[size:]
        for number, station in enumerate(stations):
            events = [event for n, event in batch if n == number]
            again = random.sample(made[number], min(2, len(made[number])))  # sent twice, in other company
            who = Principal(station.id, "station", "gate", frozenset({site_id}))
            request = BatchRequest(station.id, events + [e for e in again if e not in events])
            take_batch(world.db, world.clock, who, request)
            assert_fresh(world, site_id)


def test_a_record_is_withdrawn_and_comes_back_with_its_first_month(world: World) -> None:
    station = world.station(role="office")
    touch = station.touch()
    assert station.verdicts([touch]) == [("accepted", None)]
    path = f"/v1/sites/{SITE}/work-records"
    items, cursor = station.everything(path, month="2026-11")
    assert [(i["worker_id"], i["work_day"], i["received_month"]) for i in items] == [(WORKER, TODAY, "2026-11")]
    assert items[0]["events"] == [touch["id"]]
    assert items[0]["company_id"] == "90000000000122"
    world.clock.set(datetime(2026, 12, 2, tzinfo=UTC))
    station = world.station(role="office")
    station.verdicts([station.correction(touch["id"])])
    items, cursor = station.everything(path, cursor, month="2026-11")
    assert [(i["work_day"], i["events"], i["deleted"]) for i in items] == [(TODAY, [], True)]
    assert world.records() == {}
    station.verdicts([station.correction(touch["id"], "set")])
    items, cursor = station.everything(path, cursor, month="2026-11")
    assert [(i["events"], i["received_month"]) for i in items] == [([touch["id"]], "2026-11")]
    assert station.everything(path, month="2026-10")[0] == []


@pytest.mark.parametrize(
    ("at", "month"), [("2026-11-30T14:59:59+00:00", "2026-11"), ("2026-11-30T15:00:00+00:00", "2026-12")]
)
def test_the_month_of_receipt_is_the_centres_in_japan(world: World, at: str, month: str) -> None:
    world.clock.set(datetime.fromisoformat(at))
    station = world.station(role="office")
    station.verdicts([station.touch()])
    assert [r["received_month"] for r in world.records().values()] == [month]


def test_suppressed_refused_and_unapproved_do_not_count(world: World) -> None:
    station = world.station(role="office")
    first = station.touch()
    second = station.touch(suppressed_by=first["id"])
    entry = station.entry(worker_id=SECOND)
    refusal = {k: v for k, v in first["payload"].items() if k not in ("direction", "worker_id")}
    refused = station.event("refusal", {**refusal, "reason": "card_stopped"})
    head = station.event("headcount", {"company_id": "90000000000022", "day": TODAY, "count": 12, "by": "foreman"})
    assert {v for v, _ in station.verdicts([first, second, entry, refused, head])} == {"accepted"}
    assert {k: r["events"] for k, r in world.records().items()} == {(WORKER, TODAY): [first["id"]]}
    station.verdicts([station.approval(entry["id"])])
    assert world.records()[SECOND, TODAY]["assurance"] == "declared"


def test_an_unknown_card_waits_for_its_worker(world: World) -> None:
    station = world.station(role="office")
    key = "uid:04A1B2C3D4E5F6"
    touch = station.touch(None, card_key=key)
    assert station.verdicts([touch]) == [("accepted", None)]
    assert world.records() == {}
    world.load({**SITE_FILE, "cards": [*SITE_FILE["cards"], {"id": key, "worker_id": SECOND}]})
    assert list(world.records()) == [(SECOND, TODAY)]
    station.verdicts([station.binding(key, "L-1")])
    assert list(world.records()) == [("L-1", TODAY)]
    assert_fresh(world, SITE)


def test_a_late_assignment_fills_in_the_company(world: World) -> None:
    station = world.station(role="office")
    station.verdicts([station.touch(SECOND)])
    assert world.records()[SECOND, TODAY]["company_id"] is None
    later = {"id": "a-2", "worker_id": SECOND, "company_id": "90000000000022"}
    loaded = world.load({**SITE_FILE, "assignments": [*SITE_FILE["assignments"], later]})
    assert (loaded.added, loaded.changed, loaded.removed) == (1, 0, 0)
    assert world.records()[SECOND, TODAY]["company_id"] == "90000000000022"


def test_two_stations_of_a_site_make_one_record(world: World) -> None:
    one, two = world.station(role="office"), world.station(role="office")
    first, second = one.touch(), two.touch(direction="out", occurred_at=f"{TODAY}T17:00:00.000+09:00")
    two.verdicts([second])
    one.verdicts([first])
    record = world.records()[WORKER, TODAY]
    assert record["events"] == [first["id"], second["id"]]
    assert (record["first_in"], record["last_out"]) == (first["occurred_at"], second["occurred_at"])


def test_an_impossible_day_is_kept_and_counts_when_it_is_corrected(world: World) -> None:
    """A gate's clock jumped: nothing is refused, no month is spoilt, and a correction brings the day back."""
    gate, office = world.station(), world.station(role="office")
    days = ["0001-01-01", "1970-01-01", "2026-11-22", "2026-11-23", "2099-01-01", "9999-12-31"]
    touches = [gate.touch(work_day=day, occurred_at=f"{day}T07:30:00.000+14:00") for day in days]
    assert gate.verdicts(touches) == [("accepted", None)] * len(days)
    assert list(world.records()) == [(WORKER, "2026-11-22")]  # a clock a little fast around midnight
    for month in ("9999-12", "2099-01", "0001-01", "0000-01"):
        assert office.everything(f"/v1/sites/{SITE}/work-records", month=month)[0] == []
    fixes = [office.correction(e["id"], "set", work_day=TODAY) for e in (touches[0], touches[-1])]
    assert office.verdicts(fixes) == [("accepted", None)] * 2
    assert world.records()[WORKER, TODAY]["events"] == [touches[0]["id"], touches[-1]["id"]]
    world.clock.set(datetime(2027, 1, 1, tzinfo=UTC))  # time alone makes nothing possible that was not
    late = world.station().touch(work_day="2026-11-23")
    assert world.station(role="office").verdicts([late]) == [("accepted", None)]
    assert world.records()[WORKER, "2026-11-23"]["events"] == [late["id"]]
    assert_fresh(world, SITE)


def test_the_roster_describes_records_of_two_months(world: World) -> None:
    station = world.station()
    days = ["2026-08-31", "2026-09-01"]
    station.verdicts([station.touch(SECOND, work_day=day) for day in days])
    world.load({**SITE_FILE, "assignments": [*SITE_FILE["assignments"], {"id": "a-2", "worker_id": SECOND,
                                                                        "company_id": "90000000000022"}]})  # fmt: skip
    assert [world.records()[SECOND, day]["company_id"] for day in days] == [None, "90000000000022"]
    # what was right then is not taken away when the assignment goes
    station.verdicts([station.touch(work_day=day) for day in days])
    world.load({**SITE_FILE, "assignments": []}, replace=True)
    assert [world.records()[WORKER, day]["company_id"] for day in days] == ["90000000000122", None]
    # a record that only now comes to stand is described
    late = station.touch(None, card_key="uid:04A1B2C3D4E5F6", work_day=days[0])
    station.verdicts([late])
    world.load({**SITE_FILE, "cards": [*SITE_FILE["cards"], {"id": "uid:04A1B2C3D4E5F6", "worker_id": "L-1"}],
                "assignments": [{"id": "a-3", "worker_id": "L-1", "company_id": "90000000000022"}]})  # fmt: skip
    assert world.records()["L-1", days[0]]["company_id"] == "90000000000022"


def test_ten_stations_at_once_on_one_site(world: World) -> None:
    """Touches, entries, approvals, corrections and roster changes about the same people, all at the same moment."""
    offices = [world.station(role="office") for _ in range(10)]
    key = "uid:04A1B2C3D4E5F6"
    entries = [office.entry(worker_id=SECOND, work_day=DAYS[i % 3]) for i, office in enumerate(offices)]
    batches = []
    for i, office in enumerate(offices):
        touch = office.touch(None, card_key=key, work_day=DAYS[i % 3])
        batches.append([
            entries[i],
            touch,
            office.approval(entries[i - 1]["id"], decision="refused" if i % 4 == 0 else "approved"),
            office.correction(entries[i - 2]["id"], "set", occupation=str(i)),
            office.binding(key, WORKERS[i % 3], "2026-11-01"),
            office.roster_change("card", key, worker_id=WORKERS[i % 3]),
            office.roster_change("assignment", "x", worker_id=SECOND, company_id=["90000000000022", None][i % 2]),
        ])  # fmt: skip
    answers = in_threads(10, lambda i: offices[i].verdicts(batches[i]))
    assert {verdict for some in answers for verdict, _ in some} == {"accepted"}
    assert_fresh(world, SITE)
    with world.db.read() as tx:
        receipts = list(tx.execute(select(t.event.c.receipt).order_by(t.event.c.receipt)).scalars())
        changes = list(tx.execute(select(t.roster_item.c.change).where(t.roster_item.c.site_id == SITE)).scalars())
    assert len(set(receipts)) == 70
    assert len(set(changes)) == len(changes)
