"""A file from its bytes to the report: numbers, bad rows, clock, taking back, and whether the memory may be cleared."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.assurance import Assurance
from app.domain.outbox import Cursor, roster_scope
from app.domain.work_records import derive
from app.errors import InputRefused
from app.office import importing
from app.office.formats.device_names import device_of
from app.office.formats.reading import PhoneBook
from app.office.import_shapes import BindWanted, Correction, ImportWanted
from app.office.importing import Cancelled
from app.store.imports import ImportStore
from tests.helpers.tiny_site import SITE_ID
from tests.imports.world import CARDS, HEAD, PEOPLE, ROWS, World
from tests.store.fill import AT, items


def test_a_file_is_stored_once_and_read_back(world: World) -> None:
    file = world.file([HEAD, *ROWS])
    trial = world.run(file, dry_run=True)
    assert (trial.plan.read, trial.plan.new, trial.batch, trial.may_clear) == (4, 4, None, False)
    assert world.log.chain_head()[0] == 0
    report = world.run(file)
    assert report.plan == trial.plan
    assert [row.name for row in trial.plan.samples["recorded"]] == ["架空 1郎", "架空 2郎", "架空 1郎"]
    assert (report.plan.recorded, report.plan.unknown_card, report.batch) == (3, 1, 1)
    assert (report.may_clear, report.verdict.code) == (True, "import.may_clear")
    first = world.events()[0]
    assert first["occurred_at"] == "2026-11-19T07:40:00.000+09:00"
    assert first["payload"]["assurance"] == "logged"
    assert first["payload"]["reader"] == "generic:G1"
    assert first["payload"]["worker_id"] == PEOPLE[0]
    assert world.log.verify_chain() is None
    again = world.run(file)
    assert (again.plan.new, again.plan.known, again.batch, again.may_clear) == (0, 4, None, True)


def test_the_same_touches_in_another_form_add_nothing(world: World) -> None:
    world.run(world.file([HEAD, *ROWS]))
    turned = [HEAD, *reversed(ROWS)]
    assert world.run(world.file(turned, "turned.csv")).plan.new == 0
    assert world.run(world.file(turned, "sjis.csv", "cp932")).plan.new == 0
    assert world.run(world.file(turned, "wide.txt", "utf-16")).plan.new == 0
    other = [row.replace("T", " ").replace("2026-11-19", "2026/11/19") for row in ROWS]
    tabs = "\n".join([HEAD, *other]).replace(",", "\t")
    assert world.run(world.file(tabs, "tabs.tsv")).plan.new == 0
    # the clock corrected otherwise: known by the device's own time all the same
    corrected = world.run(world.file([HEAD, *ROWS], "again.csv"), correction=Correction(-300.0))
    assert (corrected.plan.new, corrected.plan.known) == (0, 4)
    more = world.run(world.file([HEAD, *ROWS, f"{CARDS[1]},2026-11-19T17:41:00,out,G1"], "more.csv"))
    assert (more.plan.new, more.plan.known) == (1, 4)


def test_the_clock_is_corrected_and_the_devices_time_kept(world: World) -> None:
    report = world.run(world.file([HEAD, ROWS[0]]), correction=Correction(-300.0))
    assert world.events()[0]["occurred_at"] == "2026-11-19T07:35:00.000+09:00"
    with world.db.looking() as connection:
        assert connection.execute("SELECT at FROM import_row").fetchall() == [("2026-11-19T07:40:00",)]
    assert report.may_clear


def test_bad_rows_are_listed_mended_and_imported(world: World, tmp_path: Path) -> None:
    bad = tmp_path / "dump.bad.csv"
    rows = [
        *ROWS[:2],
        f"{CARDS[2]},2066-01-01T07:00:00,in,G1",
        "felica:01,2026-11-19T07:44:00,in,G1",
        f"{CARDS[2]},19時半,in,=cmd()",
        f"{CARDS[2]},2026-11-19T07:45:00,半,G1",
        f"{CARDS[2]}",
    ]
    report = world.run(world.file([HEAD, *rows]), bad_file=str(bad))
    assert (report.plan.new, report.plan.bad, report.plan.future, report.plan.unreadable) == (2, 5, 1, 4)
    assert not report.may_clear
    assert report.verdict.code == "import.keep_bad"
    assert [row.line for row in report.plan.bad_rows] == [4, 5, 6, 7, 8]
    text = bad.read_text("utf-8-sig")
    assert text.splitlines()[0] == f"{HEAD},行(全00000005),理由,直し方"
    assert "'=cmd()" in text, "no formula for a spreadsheet program"
    assert len(text.splitlines()) == 6
    assert world.run(bad, dry_run=True).plan.bad == 5, "the same file, the same format"
    mended = text.replace("2066-01-01T07:00:00", "2026-11-18T07:00:00").replace("19時半", "2026-11-18T19:30:00")
    bad.write_text(mended, "utf-8-sig")
    second = world.run(bad)
    assert (second.plan.new, second.plan.bad) == (2, 3)
    assert world.events()[-1]["payload"]["reader"] == "generic:=cmd()", "as the device wrote it"


def test_a_mended_file_clears_the_reader_only_when_every_row_is_back(world: World, tmp_path: Path) -> None:
    bad = tmp_path / "rest.csv"
    rows = [ROWS[0], f"{CARDS[1]},7時,in,G1", f"{CARDS[2]},8時,in,G1"]
    assert not world.run(world.file([HEAD, *rows]), bad_file=str(bad)).may_clear
    head, *left = bad.read_text("utf-8-sig").replace("7時", ROWS[1].split(",")[1]).splitlines()
    left[1] = left[1].replace("8時", "2026-11-19T08:00:00")
    short = world.run(world.file([head, left[0], left[0]], "short.csv"))
    assert (short.may_clear, short.verdict.code) == (False, "import.keep_part_left")
    assert short.verdict.values["left"] == "1"
    whole = world.run(world.file([head, *left], "whole.csv"))
    assert (whole.may_clear, whole.verdict.code) == (True, "import.may_clear_mended")
    twice = world.run(world.file([f"{head},行(全00000001)", f"{left[0]},2", f"{left[1]},3"], "twice.csv"))
    assert (twice.may_clear, twice.verdict.code) == (False, "import.keep_part")


def test_no_bad_row_no_file_and_strict_takes_none(world: World, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    assert world.run(world.file([HEAD, *ROWS]), bad_file=str(bad)).bad_file == ""
    assert not bad.exists()
    error = world.refused(world.file([HEAD, "x,2026-11-19T08:00:00,in,G1"], "x.csv"), skip_bad=False)
    assert (error.code, error.where.rpartition(": ")[2]) == ("import.row_card", "line 2")


def test_a_batch_is_taken_back_and_comes_again(world: World) -> None:
    file = world.file([HEAD, *ROWS])
    world.run(file)
    assert world.after.take_back(1, "別の現場の分", "OP1") == 4
    voids = world.events()[4:]
    assert {event["payload"]["op"] for event in voids} == {"void"}
    assert [event["payload"]["target"] for event in voids] == [event["id"] for event in world.events()[:4]]
    (entry,) = world.after.batches()
    assert (entry.reason, entry.taken_back_by, entry.events) == ("別の現場の分", "OP1", 4)
    month = derive(world.log.site_facts("2026-11", SITE_ID), world.rosters.load(SITE_ID))
    assert month == []
    assert world.after.unknown_cards(world.site) == []
    for batch, code in ((1, "import.taken_already"), (7, "import.no_batch")):
        with pytest.raises(InputRefused) as caught:
            world.after.take_back(batch, "また", "OP1")
        assert caught.value.code == code
    # again, with the clock right this time: as if it had never been, and once
    report = world.run(file, correction=Correction(-60.0))
    assert (report.plan.new, report.plan.recorded, report.plan.suppressed) == (4, 3, 0)
    assert world.run(file).plan.new == 0
    records = derive(world.log.site_facts("2026-11", SITE_ID), world.rosters.load(SITE_ID))
    assert [(r.worker_id, r.first_in) for r in records] == [
        (PEOPLE[0], "2026-11-19T07:39:00.000+09:00"),
        (PEOPLE[1], "2026-11-19T07:40:00.000+09:00"),
    ]
    world.after.take_back(2, "もう一度", "OP1")
    assert world.run(file).plan.new == 4
    assert world.log.verify_chain() is None


def test_unknown_cards_are_bound_in_one_go(world: World) -> None:
    world.run(world.file([HEAD, *ROWS]))
    (card,) = world.after.unknown_cards(world.site)
    assert (card.card_key, card.touches, card.first_day, card.source) == (CARDS[7], 1, "2026-11-19", "generic")
    wrong = world.after.bind(world.site, [BindWanted(CARDS[7], PEOPLE[1]), BindWanted(CARDS[0], PEOPLE[1])], "OP1")
    assert [one.code for one in wrong.problems] == ["import.bind_taken"]
    assert world.after.bind(world.site, [BindWanted(CARDS[7], "nobody")], "OP1").problems
    assert len(world.events()) == 4, "all or none"
    assert world.after.bind(world.site, [BindWanted(CARDS[7], PEOPLE[2])], "OP1").stored == 1
    assert world.after.unknown_cards(world.site) == []
    records = derive(world.log.site_facts("2026-11", SITE_ID), world.rosters.load(SITE_ID))
    assert PEOPLE[2] in {record.worker_id for record in records}


def test_never_more_than_the_site_accepts(world: World) -> None:
    world.site = replace(world.site, accepted=(Assurance.OPEN,))
    report = world.run(world.file([HEAD, *ROWS]))
    assert (report.plan.refused, dict(report.plan.refusals)) == (4, {"assurance_too_low": 4})
    assert (report.may_clear, report.verdict.code) == (False, "import.keep_too_low")
    assert {event["payload"]["reason"] for event in world.events()} == {"assurance_too_low"}


def test_calls_name_workers_and_propose_assignments(world: World) -> None:
    people = [i for i in items(3) if not (i["kind"] == "assignment" and i["worker_id"] == PEOPLE[1])]
    gone = [{"kind": "assignment", "id": "A2", "deleted": True}]
    world.rosters.apply_page(roster_scope(SITE_ID), SITE_ID, [*people, *gone], Cursor("2"), AT)
    world.book = PhoneBook({"09000000001": (PEOPLE[0], ""), "09000000002": (PEOPLE[1], "92000000000002")})
    calls = [
        "日時,電話番号,区分",
        "2026/11/19 7:30:00,090-0000-0001,1",
        "2026/11/19 7:31:00,+81 90 0000 0002,入場",
        "2026/11/19 7:32:00,０９０－００００－０００３,1",
        "2026/11/19 7:33:00,非通知,1",
    ]
    report = world.run(world.file(calls), "phone-calls")
    assert (report.plan.new, report.plan.unknown_card, report.plan.bad) == (3, 1, 1)
    (proposal,) = report.plan.proposals
    assert (proposal.worker_id, proposal.company_id, proposal.day) == (PEOPLE[1], "92000000000002", "2026-11-19")
    assert {event["payload"]["assurance"] for event in world.events()} == {"declared"}
    assert not [event for event in world.events() if event["type"] == "roster_change"], "a proposal, no more"
    assert world.after.confirm(world.site, report.plan.proposals, "OP1").stored == 1
    held = world.rosters.load(SITE_ID).assignment(PEOPLE[1], "2026-11-19")
    assert held is not None
    assert held.company_id == "92000000000002"
    # the number that nobody knew is bound like a card
    (unknown,) = world.after.unknown_cards(world.site)
    assert unknown.card_key == "profile:call:09000000003"


def test_certified_systems_bring_occupation_and_role(world: World) -> None:
    bare = [i | ({"occupation": None} if i["kind"] == "assignment" else {}) for i in items(3)]
    world.rosters.apply_page(roster_scope(SITE_ID), SITE_ID, bare, Cursor("2"), AT)
    rows = ["日時,技能者ID,区分,端末,職種,立場", f"2026/11/19 07:30:00,{PEOPLE[0]},入場,顔認証1,鉄筋工,職長"]
    report = world.run(world.file(rows, encoding="cp932"), "certified-system")
    assert world.events()[0]["payload"]["assurance"] == "certified"
    (proposal,) = report.plan.proposals
    assert (proposal.occupation, proposal.role) == ("S01", "R1"), "as the roster calls them"
    world.after.confirm(world.site, report.plan.proposals, "OP1")
    held = world.rosters.load(SITE_ID).assignment(PEOPLE[0], "2026-11-19")
    assert held is not None
    assert held.occupation == "S01"


def test_cancelled_in_the_middle_nothing_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK", 1)
    file = world.file([HEAD, *ROWS])
    calls = iter([False, False, True])
    from app.office.import_shapes import ImportWanted

    report = world.desk.run(ImportWanted(str(file), "generic"), dry_run=False, cancelled=lambda: next(calls))
    assert report.cancelled
    assert world.log.chain_head()[0] == 0
    assert world.run(file).plan.new == 4

    def stop(_: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        world.after.take_back(1, "x", "OP1", stop)
    assert world.after.batches()[0].taken_back_at is None


def test_what_did_not_read_back_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImportStore, "read_back", lambda *_: False)
    report = world.run(world.file([HEAD, *ROWS]))
    assert (report.may_clear, report.verdict.code) == (False, "import.keep_not_read_back")


def test_too_much_beside_a_gate(world: World) -> None:
    world.desk = world.desk_of(most_new=3)
    assert world.refused(world.file([HEAD, *ROWS])).code == "import.too_large_beside_gate"
    assert world.run(world.file([HEAD, *ROWS[:3]])).plan.new == 3


def test_the_preview_names_the_device_of_the_rows(world: World) -> None:
    file = world.file([HEAD, *ROWS], "東門2号_20261119.csv")
    assert world.desk.preview(ImportWanted(str(file), "generic"), 20).device == "G1"
    both = world.file([HEAD, ROWS[0], ROWS[1].replace("G1", "G2")], "both.csv")
    assert world.desk.preview(ImportWanted(str(both), "generic"), 20).device == "both"


def test_a_half_bad_file_names_its_likely_format(world: World) -> None:
    file = world.file([HEAD, *ROWS[:2], "x,y,in,G1", "x,z,in,G1"])
    assert world.desk.recognise(file) == ()
    with pytest.raises(InputRefused) as caught:
        world.desk.recognise(file, name_likely=True)
    values = caught.value.values
    assert (caught.value.code, values["format"]) == ("import.half_read", "generic")
    assert (values["read"], values["bad"]) == (4, 2)


def test_files_are_recognised_or_not(world: World) -> None:
    assert world.desk.recognise(world.file([HEAD, *ROWS])) == ("generic",)
    assert world.desk.recognise(world.file(["a,b", "1,2"], "x.csv")) == ()
    bnr = [
        "#BNR01-SAMPLE 0042",
        f"P20261119060000{'':16}0000001",
        f"T20261119074000{bytes.fromhex(CARDS[0][7:])[::-1].hex()}1000002",
    ]
    file = world.file(bnr, "bnr.txt")
    assert world.desk.recognise(file) == ("bnr01-like",)
    report = world.run(file, "bnr01-like")
    assert (report.plan.recorded, report.plan.skipped, report.plan.device) == (1, 1, "0042")
    dragon = [
        "GENBA-SAMPLE-D",
        "端末番号,D-7",
        "連番,日付,時刻,カード番号,区分",
        f"1,2026/11/19,08:00:00,{CARDS[1][7:]},入",
    ]
    file = world.file(dragon, "d.csv", "cp932")
    assert world.desk.recognise(file) == ("dragon_ble-like",)
    assert world.run(file, "dragon_ble-like").plan.device == "D-7"


def test_the_pages_worked_example(world: World) -> None:
    page = (Path(__file__).parents[2] / "docs" / "import-formats.md").read_text("utf-8")
    (dump,) = re.findall(r"```text\n(.*?)```", page, re.S)
    (layout,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    folder = world.folder / "import_formats"
    folder.mkdir()
    (folder / "kintai-terminal.toml").write_text(layout, "utf-8")
    file = world.file(dump, "KINTAI_0007.txt", "cp932")
    assert world.desk.recognise(file) == ("kintai-terminal",)
    report = world.run(file, "kintai-terminal")
    assert (report.plan.new, report.plan.skipped, report.plan.device) == (2, 1, "0007")
    first = world.events()[0]
    assert first["payload"]["card_key"] == "felica:0048000000000001"
    assert first["occurred_at"] == "2026-11-19T07:41:00.000+09:00"


@pytest.mark.parametrize(
    ("stem", "device"),
    [
        ("dump_20261101", "dump"),
        ("dump_2026-11-08_07-30-00", "dump"),
        ("log20261119.bad", "log"),
        ("東門2号_２０２６１１１９", "東門2号"),
        ("R8.11.19東門", "東門"),
        ("東門 令和8年11月19日 - コピー (2)", "東門"),
        ("北_20261101-20261130_A", "北_A"),
        ("log_202611", "log"),
        ("20261101", ""),
        ("2026年11月分", ""),
        # numbers that may be the device's own
        ("KINTAI_0007", "KINTAI_0007"),
        ("DRAGON_12345678", "DRAGON_12345678"),
        ("20261399", "20261399"),
        ("東門(2)", "東門(2)"),
        ("BNR01", "BNR01"),
    ],
)
def test_a_files_name_names_the_device_without_its_date(stem: str, device: str) -> None:
    assert device_of(stem) == device


def test_two_dumps_of_one_reader_with_their_dates_in_the_name_add_each_touch_once(world: World) -> None:
    name = world.own_format(columns={"card": "card", "at": "at", "direction": "direction"})
    first = world.run(world.file([HEAD, *ROWS[:2]], "dump_20261101.csv"), name)
    second = world.run(world.file([HEAD, *ROWS], "dump_20261108.csv"), name)
    assert (first.plan.new, first.plan.device) == (2, "dump")
    assert (second.plan.new, second.plan.known) == (2, 2)


def test_a_name_that_is_a_date_alone_wants_the_device_said(world: World) -> None:
    name = world.own_format(columns={"card": "card", "at": "at", "direction": "direction"})
    file = world.file([HEAD, *ROWS], "20261101.csv")
    assert name in world.desk.recognise(file)
    assert world.refused(file, name).code == "import.no_device_name"
    assert world.run(file, name, device="東門").plan.new == 4
    later = world.file([HEAD, *ROWS], "20261108.csv")
    assert world.run(later, name, device="東門").plan.known == 4
    # where the rows say it themselves nobody has to
    assert world.run(later).plan.new == 4
