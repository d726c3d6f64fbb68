"""Batches of any shape: never a fault, every event that can be named is named, and nothing is half stored."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.central import schema as t
from tests.central.test_batch import BASES
from tests.central.test_records import assert_fresh
from tests.central.world import CARD, OTHER, SITE, TODAY, WORKER, Station, World

NAUGHTY = ["", "\x00", "a\x00b", "\u202e", "9" * 400, "0001-01-01", "9999-12-31", TODAY, CARD, WORKER, "c-1", "gate",
           "foreman", "boss", "worker", "contract", "deleted", "uid:04A1B2C3D4E5F6", "profile:x:\x7f",
           "9999-12-31T23:59:59.999-12:00", "0001-01-01T00:00:00.000+14:00", SITE, OTHER]  # fmt: skip
values: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.sampled_from(NAUGHTY) | st.text(max_size=20)
    | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAUGHTY) | st.text(max_size=8), inner,
                                                                max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = ["card_key", "direction", "work_day", "assurance", "worker_id", "suppressed_by", "clock", "entry", "decision",
          "target", "op", "fields", "reason", "by", "entered_by", "valid_from", "kind", "key", "company_id", "day",
          "count", "in_at", "occupation"]  # fmt: skip
PARTS = ["id", "seq", "type", "site_id", "occurred_at", "recorded_at", "payload", "extra"]
ROSTER = st.dictionaries(
    st.sampled_from(["worker_id", "company_id", "tier", "parent_id", "name", "starts_on", "day_kind", "deleted"]),
    values,
    max_size=4,
)
step = st.tuples(
    st.sampled_from(["touch", *BASES]),
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=3),
    st.dictionaries(st.sampled_from(PARTS), values, max_size=2),
    st.none() | ROSTER,
    st.integers(0, 7),
)


def make(station: Station, made: list[dict[str, Any]], one: Any) -> dict[str, Any]:
    """An event that is right but for what the step changes in it."""
    kind, payload, parts, roster, named = one
    base = dict(station.touch()["payload"]) if kind == "touch" else dict(BASES[kind])
    for name in ("target", "entry"):
        if name in base and made:
            base[name] = made[named % len(made)].get("id")
    if roster is not None and kind == "roster_change":
        base |= {"kind": ["worker", "contract", "assignment", "card"][named % 4], "fields": roster}
    event = {**_event(station, kind, base | payload), **parts}
    if named == 7 and made:  # a seq or an id that was used
        event |= {name: made[-1].get(name) for name in ("seq",)}
    return event


def _event(station: Station, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    event = station.touch()
    return {**event, "type": kind, "payload": payload}


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(batch=st.lists(step, min_size=1, max_size=8), role=st.sampled_from(["gate", "office"]))
def test_any_batch_is_judged_whole(world: World, batch: Any, role: str) -> None:
    station = world.station(role=role)
    made: list[dict[str, Any]] = []
    for one in batch:
        made.append(make(station, made, one))
    body = json.dumps({"station_id": station.id, "events": made}).encode()
    for again in (False, True):
        answer = world.call(
            "POST",
            "/v1/events/batch",
            token=station.access_token,
            content=body,
            headers={"Content-Type": "application/json"},
        )
        with world.db.read() as tx:
            kept = {row.id for row in tx.execute(select(t.event.c.id).where(t.event.c.station_id == station.id))}
        if answer.status_code != 200:
            assert answer.status_code in (400, 422), answer.text
            assert kept == set()
            return
        results = answer.json()["results"]
        assert [r["id"] for r in results] == [e["id"] for e in made]
        taken = {r["id"] for r in results if r["verdict"] in ("accepted", "duplicate")}
        assert kept <= taken
        assert not again or {r["verdict"] for r in results} <= {"duplicate", "conflict", "rejected"}
        assert all(r["code"] and r["detail"] for r in results if r["verdict"] in ("rejected", "conflict"))
    assert_fresh(world, SITE)
