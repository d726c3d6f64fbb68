"""Site files: the documented example, every kind of error with its place, loading again."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from app.central.database import CentralDatabase
from app.central.site_file import KINDS, read_site_file
from app.central.site_load import load_site
from app.domain.roster import ROSTER_KINDS
from app.domain.site import Site
from app.errors import InputRefused
from app.resources import resource
from tests.central.world import SITE, SITE_FILE, WORKER, World

DOC = Path(__file__).resolve().parents[2] / "docs" / "site-file.md"


def write(folder: Path, value: Any) -> Path:
    path = folder / "site.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_the_documented_example_loads(world: World, tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "example.toml"
    path.write_text(example, encoding="utf-8")
    loaded = load_site(world.db, world.clock, path)
    assert (loaded.site_id, loaded.changed, loaded.unchanged) == ("99990000000001", 5, 4)
    again = load_site(world.db, world.clock, path)
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    items = {(i["kind"], i["id"]): i for i in world.station(role="office").everything(f"/v1/sites/{SITE}/roster")[0]}
    assert items["worker", "L-0001"]["residence_expires_on"] == "2027-03-31"
    assert items["card", "felica:0123456789ABCDEF"]["worker_id"] == "90000000000121"
    assert items["calendar", "2026-12-31"]["day_kind"] == "closed"


def test_the_schema_names_the_domains_fields() -> None:
    properties = json.loads(resource("schemas", "site-file.schema.json").read_text(encoding="utf-8"))["properties"]
    shapes = {"site": Site, **{name: ROSTER_KINDS[kind] for name, kind in KINDS.items()}}
    assert set(properties) == set(shapes)
    for name, shape in shapes.items():
        schema = properties[name].get("items", properties[name])
        renamed = {"kind": "day_kind"} if name == "calendar" else {}
        assert {renamed.get(f, f) for f in schema["properties"]} == {f.name for f in fields(shape)}, name


FIRM = "90000000000022"
BAD_DAY = {"residence_expires_on": "2026-02-30"}


TREE = SITE_FILE["contracts"]


def tier(contract_id: str, number: int, parent: str | None) -> dict[str, Any]:
    return {"id": contract_id, "company_id": FIRM, "tier": number, "parent_id": parent}


def change(**lists: Any) -> dict[str, Any]:
    return {**SITE_FILE, **lists}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({}, "$"),
        (change(site={"id": "", "name": "x"}), "$.site.id"),
        (change(site={"id": "a b?", "name": "x"}), "$.site.id"),
        (change(site={"id": SITE, "name": "x", "day_change": "25:00"}), "$.site.day_change"),
        (change(site={"id": SITE, "name": "x", "opens_on": "2026-02-30"}), "$.site.opens_on"),
        (change(site={"id": SITE, "name": "x", "nmae": 1}), "$.site"),
        (change(extra=[]), "$"),
        (change(workers=[{"id": "9000000000012", "name": "n"}]), "$.workers[0].id"),
        (change(workers=[{"id": "名前", "name": "n"}]), "$.workers[0].id"),
        (change(workers=[{"id": WORKER, "name": "n"}, {"id": "9000-0000-0001-21", "name": "n"}]), "$.workers[1].id"),
        (change(workers=[{"id": "L-1", "name": "n", "level": 5}]), "$.workers[0].level"),
        (change(workers=[{"id": "L-1", "name": "n", **BAD_DAY}]), "$.workers[0].residence_expires_on"),
        (change(workers=[{"id": "L-1"}]), "$.workers[0]"),
        (change(cards=[{"id": "felica:12", "worker_id": WORKER}]), "$.cards[0].id"),
        (change(cards=[{"id": "uid:08A1B2C3", "worker_id": WORKER}]), "$.cards[0].id"),
        (change(cards=[{"id": "uid:04A1B2C3", "worker_id": "L-9"}]), "$.cards[0].worker_id"),
        (change(cards=[{"id": "uid:04A1B2C3", "worker_id": WORKER, "stopped": "eaten"}]), "$.cards[0].stopped"),
        (change(assignments=[{"id": "a", "worker_id": "L-9"}]), "$.assignments[0].worker_id"),
        (change(assignments=[{"id": "a", "worker_id": WORKER, "company_id": "V-9"}]), "$.assignments[0].company_id"),
        (change(assignments=[{"id": "a", "worker_id": WORKER, "occupation": "99"}]), "$.assignments[0].occupation"),
        (change(assignments=[{"id": "a", "worker_id": WORKER, "role": "99"}]), "$.assignments[0].role"),
        (change(contracts=[{"id": "c", "company_id": "V-9", "tier": 0}]), "$.contracts[0].company_id"),
        (change(contracts=[{"id": "c", "company_id": FIRM, "tier": 1, "parent_id": "x"}]), "$.contracts[0].parent_id"),
        (change(contracts=[*TREE, tier("c-2", 1, None)]), "$.contracts[2].parent_id"),
        (change(contracts=[tier("c-0", 1, None)]), "$.contracts[0].tier"),
        (change(contracts=[*TREE, tier("c-2", 3, "c-1")]), "$.contracts[2].tier"),
        (change(contracts=[*TREE, tier("c-2", 2, "c-3"), tier("c-3", 3, "c-2")]), "$.contracts[2].parent_id"),
        (change(contracts=[tier("c-0", 0, "c-0")]), "$.contracts[0].parent_id"),
        (change(contracts=[*TREE, tier("c-1", 1, "c-0")]), "$.contracts[2].id"),
        (change(workers=[{"id": "L-1", "name": "a\u200bb"}]), "$.workers[0].name"),
        (change(workers=[{"id": "L-1", "name": "\u3000"}]), "$.workers[0].name"),
        (change(workers=[{"id": "L-1", "name": "n", "kana": "ア\n"}]), "$.workers[0].kana"),
        (change(workers=[{"id": "L-1", "name": "n" * 201}]), "$.workers[0].name"),
        (change(workers=[{"id": "L-1", "name": "n", "residence_expires_on": "0001-01-01"}]),
         "$.workers[0].residence_expires_on"),
        (change(roles=[{"id": "r\u202e", "name": "n"}]), "$.roles[0].id"),
        (change(site={"id": SITE, "name": "x\x00"}), "$.site.name"),
        (change(operators=[{"id": "o", "name": "n", "pin": "1234"}]), "$.operators[0]"),
        (change(operators=[{"id": "o", "name": "n", "pin_verifier": "1234"}]), "$.operators[0].pin_verifier"),
        (change(operators=[{"id": "gate", "name": "n"}]), "$.operators[0].id"),
        (change(operators=[{"id": "o", "name": "n", "roles": ["king"]}]), "$.operators[0].roles[0]"),
        (change(calendar=[{"id": "2026-02-30", "kind": "closed"}]), "$.calendar[0].id"),
        (change(targets=[{"id": "t", "name": "n", "value_permille": 0.8}]), "$.targets[0].value_permille"),
    ],
)  # fmt: skip
def test_every_error_names_its_place(tmp_path: Path, value: Any, place: str) -> None:
    db = CentralDatabase.open(f"sqlite:///{tmp_path / 'c.db'}")
    try:
        world = World(db, tmp_path)
        path = write(tmp_path, value)
        with pytest.raises(InputRefused) as caught:
            load_site(db, world.clock, path)
        assert (caught.value.code, caught.value.where) == ("central.site_file_invalid", f"{path}: {place}")
        with db.read() as tx:
            assert tx.exec_driver_sql("SELECT count(*) FROM site").scalar() == 0
    finally:
        db.close()


def test_ids_are_read_generously(tmp_path: Path) -> None:
    value = change(
        site={"id": "9999-0000 0000-01", "name": "x"},
        workers=[{"id": "90000000000121", "name": "n"}],
        cards=[{"id": "felica:01 23 45 67 89 ab cd ef", "worker_id": "9000 0000-0001 21"}],
    )
    file = read_site_file(write(tmp_path, value))
    assert file.site_id == SITE
    assert file.items["card", "felica:0123456789ABCDEF"]["worker_id"] == WORKER


def test_what_is_no_site_file(tmp_path: Path) -> None:
    for name, content, code in (
        ("a.toml", b"[[", "file.syntax"),
        ("a.json", b"[]", "file.invalid"),
        ("b.json", b"\xff", "file.not_text"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputRefused, match=re.escape(code)):
            read_site_file(tmp_path / name)
    with pytest.raises(InputRefused, match=re.escape("file.missing")):
        read_site_file(tmp_path / "none.toml")


def test_references_may_lead_to_what_is_there_unless_it_goes(world: World) -> None:
    only = {"site": SITE_FILE["site"], "cards": [{"id": "uid:04A1B2C3", "worker_id": WORKER}]}
    assert world.load(only).added == 1
    with pytest.raises(InputRefused, match="there is no worker"):
        world.load(only, replace=True)
    # and what stays may not point at what the file took away
    assert world.load(SITE_FILE, replace=True).removed == 1


def test_taking_out_an_assignment_takes_the_company_out_of_its_records(world: World) -> None:
    station = world.station()
    station.verdicts([station.touch()])
    before = world.records()
    world.load({**SITE_FILE, "assignments": []}, replace=True)
    after = world.records()
    (key,) = before
    assert (before[key]["company_id"], after[key]["company_id"]) == ("90000000000122", None)
    assert before[key]["received_month"] == after[key]["received_month"]


def test_names_as_they_are_written_in_the_field(tmp_path: Path) -> None:
    names = ["見本\u3000太郎", "葛\U000e0100城", "Nguyễn Văn Mẫu", "髙﨑 ㈱"]
    file = read_site_file(
        write(tmp_path, change(workers=[{"id": f"L-{i}", "name": name} for i, name in enumerate(names)]))
    )
    assert [file.items["worker", f"L-{i}"]["name"] for i in range(len(names))] == names


def test_a_part_of_the_tree_fits_what_the_centre_has(world: World) -> None:
    part = {"site": SITE_FILE["site"], "contracts": [tier("c-2", 2, "c-1")]}
    assert world.load(part).added == 1
    for bad, why in (
        (tier("c-9", 0, None), "only one contract"),
        (tier("c-1", 2, "c-0"), "is tier 1, not 2"),
        (tier("c-0", 0, "c-2"), "a circle: c-0 → c-2 → c-1 → c-0"),
    ):
        with pytest.raises(InputRefused, match=why) as caught:
            world.load({**part, "contracts": [bad]})
        assert "$.contracts[0]." in caught.value.where


def test_what_the_file_makes_wrong_elsewhere_is_named(world: World) -> None:
    world.load({"site": SITE_FILE["site"], "contracts": [tier("c-2", 2, "c-1")]})
    moved = [tier("c-1", 3, "c-3"), tier("c-3", 2, "c-4"), tier("c-4", 1, "c-0")]
    with pytest.raises(InputRefused, match="below c-1") as caught:
        world.load({"site": SITE_FILE["site"], "contracts": moved})
    assert "contract c-2 (not in the file).tier" in caught.value.where
