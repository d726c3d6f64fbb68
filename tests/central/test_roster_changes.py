"""`roster_change`: what it refers to must be there, and the contracts stay one tree."""

from __future__ import annotations

from typing import Any

import pytest

from tests.central.world import SECOND, SITE, SITE_FILE, WORKER, Station, World

FIRM = "90000000000022"
OK = ("accepted", None)
BAD = ("rejected", "bad_reference")
CARD = "uid:04A1B2C3D4E5F6"


@pytest.fixture
def office(world: World) -> Station:
    """An office station."""
    return world.station(role="office")


@pytest.mark.parametrize(
    ("kind", "key", "fields", "place", "why"),
    [
        ("card", CARD, {"worker_id": "L-9"}, "worker_id", "there is no worker L-9"),
        ("assignment", "a-9", {"worker_id": "L-9"}, "worker_id", "there is no worker L-9"),
        ("assignment", "a-1", {"company_id": "V-9"}, "company_id", "there is no company V-9"),
        ("assignment", "a-1", {"occupation": "99"}, "occupation", "there is no occupation 99"),
        ("assignment", "a-1", {"role": "99"}, "role", "there is no role 99"),
        ("contract", "c-2", {"company_id": "V-9", "tier": 2, "parent_id": "c-1"}, "company_id", "there is no company"),
        ("contract", "c-2", {"company_id": FIRM, "tier": 2, "parent_id": "c-9"}, "parent_id", "there is no contract"),
        ("contract", "c-2", {"company_id": FIRM, "tier": 3, "parent_id": "c-1"}, "tier", "is tier 2, not 3"),
        ("contract", "c-2", {"company_id": FIRM, "tier": 0}, "parent_id", "only one contract"),
        ("contract", "c-2", {"company_id": FIRM, "tier": 0, "parent_id": "c-2"}, "parent_id", "a circle"),
        ("contract", "c-0", {"parent_id": "c-1"}, "parent_id", "a circle: c-0 → c-1 → c-0"),
        ("contract", "c-0", {"tier": 1}, "tier", "is tier 0, not 1"),
        ("contract", "c-0", {"deleted": True}, "deleted", "contract c-1 is below it"),
    ],
)
def test_what_leads_nowhere_is_refused_with_its_place(
    office: Station, kind: str, key: str, fields: dict[str, Any], place: str, why: str
) -> None:
    (result,) = office.push([office.roster_change(kind, key, **fields)]).json()["results"]
    assert (result["verdict"], result["code"]) == BAD
    assert result["detail"].startswith(f"$.payload.fields.{place}: ")
    assert why in result["detail"]


@pytest.mark.parametrize(
    ("kind", "key", "fields", "place"),
    [
        ("worker", "9000-0000-0001-21", {"name": "n"}, "$.payload.key"),
        ("worker", "名前", {"name": "n"}, "$.payload.key"),
        ("worker", "L-9", {"name": "a\u202eb"}, "$.payload.fields.name"),
        ("worker", "L-9", {"name": "n" * 201}, "$.payload.fields.name"),
        ("company", "V-9", {"name": "  "}, "$.payload.fields.name"),
        ("assignment", "a" * 65, {"worker_id": WORKER}, "$.payload.key"),
        ("assignment", "a-9", {"worker_id": WORKER, "starts_on": "0001-01-01"}, "$.payload.fields.starts_on"),
        ("contract", "c-2", {"company_id": FIRM, "tier": -1, "parent_id": "c-1"}, "$.payload.fields.tier"),
    ],
)
def test_ids_and_texts_have_the_forms_of_a_site_file(
    office: Station, kind: str, key: str, fields: dict[str, Any], place: str
) -> None:
    (result,) = office.push([office.roster_change(kind, key, **fields)]).json()["results"]
    assert (result["verdict"], result["code"], result["detail"].partition(":")[0]) == ("rejected", "malformed", place)


def test_one_batch_may_build_on_itself(world: World, office: Station) -> None:
    made = [
        office.roster_change("worker", "L-9", name="新人"),
        office.roster_change("company", "V-9", name="仮想", registered=False),
        office.roster_change("contract", "c-2", company_id="V-9", tier=2, parent_id="c-1"),
        office.roster_change("contract", "c-3", company_id="V-9", tier=3, parent_id="c-2"),
        office.roster_change("assignment", "a-9", worker_id="L-9", company_id="V-9", occupation="04"),
        office.roster_change("card", CARD, worker_id="L-9"),
    ]
    gone = [office.roster_change("contract", key, deleted=True) for key in ("c-2", "c-3", "c-2")]
    # in the order of seq, whatever the order in the request
    assert office.verdicts([*reversed(made)]) == [OK] * 6
    assert office.verdicts(gone) == [BAD, OK, OK]
    items = {(i["kind"], i["id"]): i for i in world.station().everything(f"/v1/sites/{SITE}/roster")[0]}
    assert items["card", CARD]["worker_id"] == "L-9"
    assert items["contract", "c-2"]["deleted"]


def test_sent_again_after_what_it_needs_came_it_is_taken(world: World, office: Station) -> None:
    worker = office.roster_change("worker", "L-9", name="新人")
    card = office.roster_change("card", CARD, worker_id="L-9")
    assert office.verdicts([card]) == [BAD]
    answer = office.push([worker, card], office.chain_end).json()
    assert [r["verdict"] for r in answer["results"]] == ["accepted", "accepted"]
    assert answer["chain_state"] == "ok"


def test_a_worker_taken_out_by_the_office_file_is_no_place_for_a_card(world: World, office: Station) -> None:
    late = office.roster_change("card", CARD, worker_id=SECOND)
    world.load({**SITE_FILE, "workers": [w for w in SITE_FILE["workers"] if w["id"] != SECOND]}, replace=True)
    assert office.verdicts([late]) == [BAD]
    # a change of other fields does not ask for references again
    assert office.verdicts([office.roster_change("assignment", "a-1", ends_on="2026-12-31")]) == [OK]
