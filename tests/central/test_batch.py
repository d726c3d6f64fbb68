"""`POST /v1/events/batch`: verdicts, idempotency, the chain, and many at once."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select

from app import codec
from app.central import schema as t
from app.central.administration import close_site
from app.domain.events import GENESIS, next_hash
from tests.central.test_enrolment import problem
from tests.central.world import ACT, OTHER, SITE, TODAY, WORKER, Station, World, in_threads


def count(world: World, table: Any) -> int:
    with world.db.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


def incidents(world: World) -> list[tuple[str, int, int]]:
    with world.db.read() as tx:
        rows = tx.execute(select(t.chain_incident)).all()
    return sorted((row.kind, row.seq, row.times) for row in rows)


def test_accepted_then_duplicate_in_other_batches(world: World) -> None:
    station = world.station()
    events = [station.touch() for _ in range(9)]
    first = station.push(events[:5], {"seq": 5, "hash": _hash(events[:5])}).json()
    assert {r["verdict"] for r in first["results"]} == {"accepted"}
    assert first["server_time"] == "2026-11-21T10:00:00.000+09:00"
    mixed = [events[7], events[2], events[8], events[5], events[6], events[4]]
    assert [v for v, _ in station.verdicts(mixed)] == [
        "accepted", "duplicate", "accepted", "accepted", "accepted", "duplicate",
    ]  # fmt: skip
    answer = station.push(events, station.chain_end).json()
    assert {r["verdict"] for r in answer["results"]} == {"duplicate"}
    assert answer["chain_head"] == station.chain_end
    assert answer["chain_state"] == "ok"
    assert count(world, t.event) == 9


def test_receipts_are_told_and_are_those_of_the_feed(world: World) -> None:
    one, two = world.station(), world.station()
    events = [one.touch(), one.event("touch", {}), one.touch()]
    first = [r["receipt"] for r in one.push(events).json()["results"]]
    again = [r["receipt"] for r in one.push([*events, events[0]]).json()["results"]]
    assert first[1] is None
    assert again == [*first, first[0]]
    fed = {i["event"]["id"]: i["receipt"] for i in two.everything(f"/v1/sites/{SITE}/events")[0]}
    assert fed == {events[0]["id"]: first[0], events[2]["id"]: first[2]}


def _hash(events: list[dict[str, Any]]) -> str:
    value = GENESIS
    for event in events:
        value = next_hash(value, codec.canonical(event))
    return value.hex()


def test_any_composition_of_batches_takes_each_event_once(world: World) -> None:
    station, chance = world.station(), random.Random(7)
    events = [station.touch(occurred_at=f"{TODAY}T07:{i:02}:00.000+09:00") for i in range(40)]
    accepted: list[str] = []
    waiting = list(events)
    while waiting:
        batch = chance.sample(events, chance.randint(1, 12))
        for event, (verdict, _) in zip(batch, station.verdicts(batch), strict=True):
            assert verdict == ("accepted" if event in waiting else "duplicate")
            if verdict == "accepted":
                accepted.append(event["id"])
                waiting.remove(event)
    assert sorted(accepted) == sorted(e["id"] for e in events)
    assert station.push([], station.chain_end).json()["chain_state"] == "ok"
    assert len(world.records()[WORKER, TODAY]["events"]) == 40


def test_the_same_twice_in_one_batch(world: World) -> None:
    station = world.station()
    event, bad = station.touch(), station.event("touch", {})
    assert [v for v, _ in station.verdicts([event, event])] == ["accepted", "duplicate"]
    assert station.verdicts([bad, bad]) == [("rejected", "malformed")] * 2
    other = {**station.touch(), "unknown_field": 1}
    assert station.verdicts([other, {**other, "unknown_field": 2}]) == [
        ("accepted", None),
        ("conflict", "payload_differs"),
    ]


def test_another_payload_under_a_known_id_is_a_conflict(world: World) -> None:
    station = world.station()
    event = station.touch()
    station.verdicts([event])
    changed = {**event, "payload": {**event["payload"], "direction": "out"}}
    assert station.verdicts([changed, event]) == [("conflict", "payload_differs"), ("duplicate", None)]
    assert count(world, t.chain_incident) == 0


def test_an_event_of_another_station_is_a_duplicate(world: World) -> None:
    one, two = world.station(), world.station()
    event = one.touch()
    one.verdicts([event])
    assert two.verdicts([event]) == [("duplicate", None)]


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"seq": 0}, "malformed", "$.seq"),
    ({"seq": "1"}, "malformed", "$.seq"),
    ({"seq": True}, "malformed", "$.seq"),
    ({"seq": 2**53}, "malformed", "$"),
    ({"id": "not-a-uuid"}, "malformed", "$.id"),
    ({"id": "0190163D-8694-739B-AEA5-966C26F8AD91"}, "malformed", "$.id"),
    ({"type": "dance"}, "unknown_type", "$.type"),
    ({"type": 7}, "malformed", "$.type"),
    ({"type": None}, "malformed", "$.type"),
    ({"site_id": " 1"}, "malformed", "$.site_id"),
    ({"site_id": OTHER}, "site_not_allowed", "$.site_id"),
    ({"occurred_at": "2026-11-21T07:30:00.000"}, "malformed", "$.occurred_at"),
    ({"occurred_at": "2026-11-21T07:30:00+09:00"}, "malformed", "$.occurred_at"),
    ({"occurred_at": "2026-13-21T07:30:00.000+09:00"}, "malformed", "$.occurred_at"),
    ({"recorded_at": "yesterday"}, "malformed", "$.recorded_at"),
    ({"payload": []}, "malformed", "$.payload"),
    ({"payload": {"card_key": "felica:0123456789abcdef"}}, "malformed", "$.payload.card_key"),
    ({"payload": {"card_key": "nfc:00"}}, "malformed", "$.payload.card_key"),
    ({"payload": {"direction": "up"}}, "malformed", "$.payload.direction"),
    ({"payload": {"work_day": "2026-02-30"}}, "malformed", "$.payload.work_day"),
    ({"payload": {"work_day": "20260201"}}, "malformed", "$.payload.work_day"),
    ({"payload": {"assurance": "sure"}}, "malformed", "$.payload.assurance"),
    ({"payload": {"clock": {"skew_ms": None}}}, "malformed", "$.payload.clock"),
    ({"payload": {"worker_id": ""}}, "malformed", "$.payload.worker_id"),
    ({"payload": {"worker_id": "a\x00"}}, "malformed", "$.payload.worker_id"),
    ({"payload": {"reader": 5}}, "malformed", "$.payload.reader"),
    ({"payload": {"x": 1.5}}, "malformed", "$"),
]


def test_bad_events_are_named_and_the_others_are_taken(world: World) -> None:
    station = world.station()
    batch = [station.touch()]
    wanted: list[tuple[str, str | None, str]] = [("accepted", None, "")]
    for wrong, code, where in BAD:
        bad = station.touch()
        fields = dict(wrong)
        if isinstance(fields.get("payload"), dict):
            fields["payload"] = {**bad["payload"], **fields["payload"]}
        batch += [{**bad, **fields}, station.touch()]
        wanted += [("rejected", code, where), ("accepted", None, "")]
    results = station.push(batch).json()["results"]
    assert [(r["verdict"], r["code"], (r["detail"] or "").partition(":")[0]) for r in results] == wanted


ZERO = b'"' + b"0" * 64 + b'"}}'
BASES: dict[str, dict[str, Any]] = {
    "entry": {"worker_id": WORKER, "work_day": TODAY, "reason": "", "entered_by": "foreman"},
    "approval": {"entry": "x", "decision": "approved", "by": "approver"},
    "correction": {"target": "x", "op": "void", "reason": "", "by": "foreman"},
    "card_binding": {"card_key": "uid:04A1B2C3", "worker_id": WORKER, "valid_from": TODAY, "by": "foreman"},
    "headcount": {"company_id": "c", "day": TODAY, "count": 1, "by": "foreman"},
    "roster_change": {"kind": "worker", "key": WORKER, "fields": {}, "reason": "", "by": "foreman"},
}
BAD_PAYLOADS: list[tuple[str, dict[str, Any], str]] = [
    ("entry", {"in_at": "07:30"}, "$.payload.in_at"),
    ("entry", {"worker_id": None}, "$.payload.worker_id"),
    ("approval", {"decision": "maybe"}, "$.payload.decision"),
    ("correction", {"op": "set"}, "$.payload.fields"),
    ("correction", {"op": "set", "fields": {"work_day": None}}, "$.payload.fields.work_day"),
    ("correction", {"op": "set", "fields": {"worker_id": None}}, "$.payload.fields.worker_id"),
    ("correction", {"op": "set", "fields": {"direction": "up"}}, "$.payload.fields.direction"),
    ("correction", {"op": "set", "fields": {"valid_from": 3}}, "$.payload.fields.valid_from"),
    ("card_binding", {"card_key": "uid:08A1B2C3"}, "$.payload.card_key"),
    ("card_binding", {"valid_from": "soon"}, "$.payload.valid_from"),
    ("headcount", {"count": -1}, "$.payload.count"),
    ("headcount", {"count": True}, "$.payload.count"),
    ("roster_change", {"kind": "operator", "key": "x"}, "$.payload.kind"),
    ("roster_change", {"fields": {"insurance_confirmed": True}}, "$.payload.fields.insurance_confirmed"),
    ("roster_change", {"fields": {"name": 5}}, "$.payload.fields.name"),
    ("roster_change", {"fields": {"deleted": True}}, "$.payload.fields.deleted"),
    ("roster_change", {"kind": "card", "key": "uid:00000000"}, "$.payload.key"),
    ("roster_change", {"kind": "card", "key": "uid:04A1B2C3"}, "$.payload.fields"),
    ("roster_change", {"kind": "calendar", "key": "x", "fields": {"day_kind": "open"}}, "$.payload.key"),
    ("roster_change", {"kind": "assignment", "key": "a-1", "fields": {"ends_on": "x"}}, "$.payload.fields.ends_on"),
]


def test_bad_payloads_of_other_types(world: World) -> None:
    station = world.station(role="office")
    batch = [station.event(kind, {**BASES[kind], **payload}) for kind, payload, _ in BAD_PAYLOADS]
    results = station.push(batch).json()["results"]
    found = [(r["verdict"], r["code"], r["detail"].partition(":")[0]) for r in results]
    assert found == [("rejected", "malformed", where) for _, _, where in BAD_PAYLOADS]


def test_unknown_fields_and_workers_are_accepted(world: World) -> None:
    station = world.station()
    event = {**station.touch("12121212121212"), "colour": {"new": [1, None, "é\u2028"]}}
    event["payload"]["mood"] = "good"
    assert station.verdicts([event, station.touch(None, card_key="profile:x:日本")]) == [("accepted", None)] * 2


@pytest.mark.parametrize(
    ("body", "status", "code", "where"),
    [
        (b"{", 400, "not_json", None),
        (b"\xff\xfe", 400, "not_json", None),
        (b"[" * 5000, 400, "not_json", None),
        (b"[]", 422, "wrong_shape", "$"),
        (b"{}", 422, "wrong_shape", "$"),
        (b'{"station_id":"ID","events":{}}', 422, "wrong_shape", "$.events"),
        (b'{"station_id":"ID","events":[{"id":"a"},5]}', 422, "wrong_shape", "$.events[1]"),
        (b'{"station_id":"ID","events":[{"id":"a"},{}]}', 422, "wrong_shape", "$.events[1].id"),
        (b'{"station_id":"ID","events":[{"id":"\xc3\xa9"}]}', 422, "wrong_shape", "$.events[0].id"),
        (b'{"station_id":"ID","events":[],"chain_end":{"seq":1,"hash":"zz"}}', 422, "wrong_shape", "$.chain_end.hash"),
        (b'{"station_id":"ID","events":[],"chain_end":{"seq":-1,"hash":' + ZERO, 422, "wrong_shape", "$.chain_end.seq"),
        (b'{"station_id":"other","events":[]}', 403, "station_mismatch", None),
    ],
)  # fmt: skip
def test_a_bad_envelope_is_refused_whole(world: World, body: bytes, status: int, code: str, where: str | None) -> None:
    station = world.station()
    answer = world.call(
        "POST",
        "/v1/events/batch",
        token=station.access_token,
        content=body.replace(b"ID", station.id.encode()),
        headers={"Content-Type": "application/json"},
    )
    assert problem(answer) == (status, code)
    assert [e["where"] for e in answer.json()["errors"]] == ([where] if where else [])
    assert count(world, t.event) == 0


def test_more_than_a_thousand_events(world: World) -> None:
    station = world.station()
    event = station.touch()
    assert problem(station.push([event] * 1001)) == (413, "too_many_events")


def test_deeply_nested_events_do_not_harm(world: World) -> None:
    station = world.station()
    deep: Any = 1
    for _ in range(400):
        deep = {"d": deep}
    assert station.verdicts([{**station.touch(), "deep": deep}])[0][0] in ("accepted", "rejected")


def test_rejected_is_judged_anew_and_stays_in_the_chain(world: World) -> None:
    world.load({"site": {"id": OTHER, "name": "2"}})
    station = world.station()
    first, other, third = station.touch(), station.touch(site_id=OTHER), station.touch()
    answer = station.push([first, other, third], station.chain_end).json()
    assert [r["code"] for r in answer["results"]] == [None, "site_not_allowed", None]
    assert (answer["chain_head"], answer["chain_state"]) == (station.chain_end, "ok")
    assert station.verdicts([other]) == [("rejected", "site_not_allowed")]
    changed = {**other, "site_id": SITE}
    assert station.verdicts([changed]) == [("conflict", "payload_differs")]
    with world.db.read() as tx:
        assert tx.execute(select(t.rejected_event.c.times)).scalar_one() == 2
    world.db.write(
        lambda tx: tx.execute(
            t.station_site.insert().values(station_id=station.id, site_id=OTHER, withdrawn=False, change=99)
        )
    )
    answer = station.push([other], station.chain_end).json()
    assert [r["verdict"] for r in answer["results"]] == ["accepted"]
    assert (answer["chain_head"], answer["chain_state"]) == (station.chain_end, "ok")
    assert station.verdicts([other]) == [("duplicate", None)]
    assert count(world, t.rejected_event) == 0
    assert list(world.records(OTHER)) == [(WORKER, TODAY)]
    again = station.touch()
    answer = station.push([again], station.chain_end).json()
    assert (answer["chain_head"], answer["chain_state"]) == (station.chain_end, "ok")


def test_a_closed_sites_late_events_are_taken(world: World) -> None:
    station = world.station()
    close_site(world.db, world.clock, SITE, date.fromisoformat(TODAY), ACT, withdraw=True)
    assert station.verdicts([station.touch()]) == [("accepted", None)]
    assert problem(station.get(f"/v1/sites/{SITE}/roster")) == (403, "site_closed")
    (item,) = station.everything("/v1/sites")[0]
    assert item == {"kind": "site", "id": SITE, "deleted": True}
    world.load()
    assert station.get(f"/v1/sites/{SITE}/roster").status_code == 200


def chain(station: Station, events: list[Any], end: Any) -> tuple[int, str]:
    answer = station.push(events, end).json()
    return answer["chain_head"]["seq"], answer["chain_state"]


def test_a_hole_is_waiting_until_it_is_filled(world: World) -> None:
    station = world.station()
    events, ends = [], []
    for _ in range(6):
        events.append(station.touch())
        ends.append(station.chain_end)
    assert chain(station, events[:2], ends[1]) == (2, "ok")
    assert chain(station, events[3:4], ends[3]) == (2, "waiting")
    assert chain(station, events[5:], ends[5]) == (2, "waiting")
    assert chain(station, events[2:3], ends[2]) == (4, "waiting")
    assert chain(station, events[4:5], ends[4]) == (6, "ok")
    for i in (0, 2, 4):  # any seq can be compared later
        assert chain(station, [], ends[i]) == (6, "ok")
    assert incidents(world) == []


def test_a_wrong_hash_breaks_the_chain_and_the_events_are_taken(world: World) -> None:
    station = world.station()
    first = station.touch()
    wrong = {"seq": 1, "hash": "ab" * 32}
    answer = station.push([first], wrong).json()
    assert (answer["results"][0]["verdict"], answer["chain_state"]) == ("accepted", "broken")
    assert chain(station, [station.touch()], station.chain_end) == (2, "broken")
    assert chain(station, [], wrong) == (2, "broken")
    assert incidents(world) == [("hash_mismatch", 1, 2)]


def test_a_wrong_hash_beyond_a_hole_is_found_when_the_chain_gets_there(world: World) -> None:
    station = world.station()
    first, second = station.touch(), station.touch()
    assert chain(station, [second], {"seq": 2, "hash": "cd" * 32}) == (0, "waiting")
    assert chain(station, [first], None) == (2, "broken")
    assert incidents(world) == [("hash_mismatch", 2, 1)]


def test_a_used_seq_with_a_new_id(world: World) -> None:
    station = world.station()
    events = [station.touch(), station.touch()]
    station.verdicts(events)
    station.seq = 1  # the file was put back
    fork, after = station.touch(), station.touch()
    assert station.verdicts([fork, after]) == [("conflict", "seq_reused"), ("accepted", None)]
    assert station.verdicts([fork]) == [("conflict", "seq_reused")]
    assert chain(station, [], None) == (3, "broken")
    assert incidents(world) == [("seq_reused", 2, 2)]
    with world.db.read() as tx:
        kept = tx.execute(select(t.chain_incident.c.claimed)).scalar_one()
    assert bytes(kept) == codec.canonical(fork)  # nothing is lost


def test_a_seq_used_twice_in_one_batch_or_by_a_rejected_event(world: World) -> None:
    station = world.station()
    bad = station.event("touch", {})
    station.seq = 0
    good = station.touch()
    assert station.verdicts([bad]) == [("rejected", "malformed")]
    assert station.verdicts([good]) == [("conflict", "seq_reused")]
    two = world.station()
    first = two.touch()
    two.seq = 0
    assert two.verdicts([first, two.touch()]) == [("accepted", None), ("conflict", "seq_reused")]


def test_batches_of_one_station_at_once(world: World) -> None:
    station = world.station()
    events = [station.touch(occurred_at=f"{TODAY}T07:00:{i:02}.000+09:00") for i in range(60)]
    parts = [events[i : i + 30] for i in (0, 10, 20, 30)]
    answers = in_threads(4, lambda i: station.push(parts[i]))
    verdicts = [(r["id"], r["verdict"]) for a in answers for r in a.json()["results"]]
    assert sorted(i for i, v in verdicts if v == "accepted") == sorted(e["id"] for e in events)
    assert {v for _, v in verdicts} == {"accepted", "duplicate"}
    assert chain(station, [], station.chain_end) == (60, "ok")
    assert len(world.records()[WORKER, TODAY]["events"]) == 60


def test_batches_of_two_stations_at_once_meet_in_one_record(world: World) -> None:
    stations = [world.station(role="office") for _ in range(4)]
    touches = [[s.touch() for _ in range(5)] for s in stations]
    fixes = [stations[i].correction(touches[i - 1][0]["id"]) for i in range(4)]
    batches = [[*touches[i], fixes[i]] for i in range(4)]
    in_threads(4, lambda i: stations[i].verdicts(batches[i]))
    wanted = sorted(t["id"] for some in touches for t in some[1:])
    assert sorted(world.records()[WORKER, TODAY]["events"]) == wanted
