"""Times, cards and rows as devices write them; and everything a file can be that it should not."""

# ruff: noqa: DTZ001 - Excel and devices know no zones

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, date, datetime, time
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.domain.assurance import Assurance
from app.domain.events import rfc3339
from app.errors import InputRefused
from app.office.formats.cards import Cards, NoCard
from app.office.formats.clock import correct, offer
from app.office.formats.shapes import CardForm
from app.office.formats.spec import format_of
from app.office.formats.times import BadPattern, NoTime, Times
from app.office.import_layout import FormatDraft, Layout, Part
from app.office.import_mapping import TIMES, cells_of, values_of
from app.office.import_shapes import ClockPair, Correction, Plan
from app.office.touches import ms_of
from tests.imports.world import CARDS, HEAD, PEOPLE, ROWS, World

AT = datetime(2026, 11, 19, 7, 5, 9, tzinfo=UTC)
WRITTEN = {
    "YYYY/MM/DD hh:mm:ss": "2026/11/19 16:05:09",
    "YYYY/M/D h:mm:ss": "2026/11/19 16:05:09",
    "YYYYMMDDhhmmss": "20261119160509",
    "YYMMDD hhmmss": "261119 160509",
    "GGEE年M月D日 h時m分s秒": "令和8年11月19日 16時5分9秒",
    "GGEE.M.D h:mm:ss": "R8.11.19 16:05:09",
    "YYYY/M/D AAh:mm:ss": "2026/11/19 午後4:05:09",
    "M/D/YYYY h:mm:ss AA": "11/19/2026 4:05:09 PM",
    "YYYY-MM-DDThh:mm:ssZ": "2026-11-19T07:05:09Z",
    "YYYY-MM-DD hh:mm:ss Z": "2026-11-19 16:05:09 +0900",
    "DD.MM.YYYY hh:mm:ss.fff": "19.11.2026 16:05:09.000",
    "hh:mm:ss YYYY/MM/DD": "16:05:09 2026/11/19",
    "epoch": "1795071909",
    "epoch_ms": "1795071909000",
}


@pytest.mark.parametrize(("pattern", "text"), WRITTEN.items())
def test_times_as_they_are_written(pattern: str, text: str) -> None:
    times = Times((pattern,), 540)
    for _ in range(2):  # the second time from what is remembered
        local, at_ms = times.read(text)
        assert at_ms == ms_of(AT)
    if "Z" not in pattern:
        assert local == "2026-11-19T16:05:09"
    with pytest.raises(NoTime):
        times.read(text[:-3])


def test_times_that_are_odd() -> None:
    assert Times(("YYYY/MM/DD hh:mm",), 540).read(" 2026／11／19 07:40 ".replace("／", "/"))[0] == "2026-11-19T07:40:00"
    assert Times(("YYYY/MM/DD hh:mm",), 540).read("２０２６/11/19 07:40")[0] == "2026-11-19T07:40:00"
    assert Times(("GGEE年M月D日 h:mm",), 540).read("㋿8年11月19日 7:40")[0] == "2026-11-19T07:40:00"
    assert Times(("YYYY/M/D AAh:mm",), 540).read("2026/1/2 午前12:30")[0] == "2026-01-02T00:30:00"
    for text in ("2026/02/30 07:40", "2026/11/19 24:00", "1999/11/19 07:40", "2026/11/19 07:60", "", "9" * 5000):
        with pytest.raises(NoTime):
            Times(("YYYY/MM/DD hh:mm",), 540).read(text)
    for pattern in ("hh:mm", "YYYY/MM/DD", "YYYY/MM/DD hh:mm hh", "YYYY/MM hh:mm", "DD hh:mm"):
        with pytest.raises(BadPattern):
            Times((pattern,), 540)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)),
    st.sampled_from([t for t in TIMES if ("ss" in t and "YY/MM" not in t[:5] and "YYMM" not in t[:4]) or "YYYY" in t]),
)
@settings(deadline=None, max_examples=200)
def test_every_offered_pattern_reads_what_it_writes(at: datetime, pattern: str) -> None:
    if pattern.startswith("epoch") or "G" in pattern or "AA" in pattern:
        return
    at = at.replace(microsecond=0)
    written = pattern
    for token, text in (
        ("YYYY", f"{at:%Y}"), ("MM", f"{at:%m}"), ("DD", f"{at:%d}"), ("hh", f"{at:%H}"), ("mm", f"{at:%M}"),
        ("ss", f"{at:%S}"), ("fff", "000"), ("Z", "+00:00"), ("M", str(at.month)), ("D", str(at.day)),
        ("h", str(at.hour)),
    ):  # fmt: skip
        written = written.replace(token, text)
    written = written.replace("m分", f"{at.minute}分")
    whole = at if "ss" in pattern else at.replace(second=0)
    assert Times((pattern, "YYYY!MM!DD!hh!mm"), 0).read(written) == (whole.isoformat()[:19], ms_of(whole))


def test_cards_as_they_are_written() -> None:
    idm = "0140000000000001"
    felica, wanted = CardForm("felica"), f"felica:{idm}"
    for text in (
        idm,
        "01:40:00:00:00:00:00:01",
        "01 40 00 00 00 00 00 01",
        f"0x{idm}",
        "０１４０000000000001",
        f"'{idm}",
    ):
        assert Cards(felica).read(text) == wanted
    back = bytes.fromhex(idm)[::-1].hex()
    assert Cards(CardForm("felica", reversed=True)).read(back) == wanted
    assert Cards(CardForm("felica", "decimal")).read(str(int(idm, 16))) == wanted
    assert Cards(CardForm("uid", "decimal", length=4)).read("77824") == "uid:00013000"
    assert Cards(CardForm("uid", "decimal", reversed=True, length=4)).read("77824") == "uid:00300100"
    assert Cards(CardForm("profile:badge")).read(" 00-12 ") == "profile:badge:0012"
    for form, text in (
        (felica, "01400000"), (felica, ""), (felica, "xyz"), (CardForm("felica", "decimal"), "9" * 25),
        (CardForm(), "piv:" + "0" * 32), (CardForm("uid", "decimal", length=4), "1.5e3"),
        (CardForm("felica", reversed=True), "014"),
    ):  # fmt: skip
        with pytest.raises(NoCard):
            Cards(form).read(text)


def test_a_clock_is_corrected_by_its_pairs() -> None:
    day = 86_400_000
    start = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
    slow = [ClockPair(start, datetime(2026, 11, 1, 8, 1, tzinfo=UTC))]
    assert offer(slow).correction == Correction(60.0)
    assert offer(slow).note is not None
    later = ClockPair(datetime(2026, 11, 11, 8, 0, tzinfo=UTC), datetime(2026, 11, 11, 8, 0, 50, tzinfo=UTC))
    drift = offer([*slow, later])
    assert drift.note is None
    assert drift.correction.drift_ppm == pytest.approx(-10 / 864_000 * 1e6, abs=0.01)
    assert correct(ms_of(start), drift.correction) == ms_of(start) + 60_000
    assert correct(ms_of(start) + 10 * day, drift.correction) == pytest.approx(ms_of(start) + 10 * day + 50_000, abs=2)
    set_back = offer([*slow, ClockPair(later.device, datetime(2026, 11, 11, 9, tzinfo=UTC))])
    assert set_back.note is not None
    assert set_back.note.code == "import.clock_no_drift"
    assert offer([]).correction == Correction()


def sheet(rows: list[list[object]], merge: str = "") -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(row)
    if merge:
        page.merge_cells(merge)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_excel_with_times_texts_formulas_and_merged_cells(world: World, tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["card", "at", "direction", "device"],
        [CARDS[0], datetime(2026, 11, 19, 7, 40, 0, 400_000), "in", "G1"],
        [CARDS[1], "2026-11-19 07:41:00", "in", 1.0],
        ['=CONCAT("felica:","0140000000000003")', datetime(2026, 11, 19, 7, 42), "in", "G1"],
        [CARDS[2], datetime(2026, 11, 19, 7, 43), "in", "G1"],
        [CARDS[2], datetime(2026, 11, 19, 7, 44), "in", "G1"],
    ]
    bad = tmp_path / "bad.csv"
    report = world.run(world.file(sheet(rows, "B5:B6"), "dump.xlsx"), bad_file=str(bad))
    assert (report.plan.new, report.plan.bad) == (3, 2)
    codes = {row.line: row.problem.code for row in report.plan.bad_rows}
    assert codes == {4: "import.row_no_card", 6: "import.row_no_time"}, "a formula without a value; a merged cell"
    assert [event["occurred_at"][11:19] for event in world.events()] == ["07:40:00", "07:41:00", "07:43:00"]
    mended = bad.read_text("utf-8-sig").replace(f"{CARDS[2]},,", f"{CARDS[2]},2026-11-19 07:44:00,")
    bad.write_text(mended, "utf-8")
    assert world.run(bad).plan.recorded == 1
    same = "\n".join([HEAD, f"{CARDS[0]},2026-11-19T07:40:00,in,G1"])
    assert world.run(world.file(same)).plan.known == 1, "the same touch from CSV"


def test_separate_columns_of_dates_and_times_in_excel(world: World) -> None:
    own = world.own_format(
        columns={"card": "カード", "date": "日付", "time": "時刻"},
        time={"formats": ["YYYY/M/D h:mm"]},
        direction=None,
    )
    rows: list[list[object]] = [["カード", "日付", "時刻"], [CARDS[0], date(2026, 11, 19), time(7, 40)]]
    rows.append([CARDS[1], "2026/11/19", "7:41"])
    assert world.run(world.file(sheet(rows), "d.xlsx"), own).plan.new == 2
    assert world.events()[1]["occurred_at"] == "2026-11-19T07:41:00.000+09:00"


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (64 << 20))
    return out.getvalue()


NAMED = {
    "empty": (b"", "import.empty"),
    "binary": (bytes(range(256)) * 40, "import.binary"),
    "header alone, other names": (b"a,b,c\r\n", "import.no_column"),
    "header above an empty file": (b"\r\n", "import.no_column"),
    "10,000 columns": (b",".join(b"c%d" % n for n in range(10_000)), "import.too_many_columns"),
    "one endless line": (HEAD.encode() + b"\n" + b"x" * 300_000, "import.line"),
    "open quote": (HEAD.encode() + b'\n"' + b"x,y\n" * 60_000, "import.line"),
    "no zip": (b"PK\x03\x04" + b"x" * 500, "import.bad_excel"),
    "half a sheet": (sheet([["card", "at"]])[:900], "import.bad_excel"),
    "zip bomb": (bomb(), "import.zip_bomb"),
    "zip that is no workbook": (None, "import.bad_excel"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "import.old_excel"),
    "wrong encoding": ("カード,日時\n1,2\n".encode("cp932"), "import.no_column"),
}


@pytest.mark.parametrize(("content", "code"), NAMED.values(), ids=NAMED.keys())
def test_what_is_no_file_of_touches(world: World, content: bytes | None, code: str) -> None:
    if content is None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("x.txt", "x")
        content = out.getvalue()
    error = world.refused(world.file(content, "dump.csv"))
    assert error.code == code
    assert not list(world.folder.glob(".*")), "nothing half done"


def test_a_missing_file_a_folder_and_one_too_large(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.refused(world.folder / "none.csv").code == "file.missing"
    assert world.refused(world.folder).code == "file.missing"
    monkeypatch.setattr("app.office.formats.text.MAX_BYTES", 10)
    assert world.refused(world.file([HEAD, *ROWS])).code == "import.too_large"


ROWWISE = {
    "half-written": (f"{ROWS[0]}\n{CARDS[1]},2026-11-1", "import.row_time"),
    "half-written elsewhere": (f"{ROWS[0]}\n{CARDS[1]},2026-11-19T07:41:00", "import.row_short"),
    "mixed line ends": (f"{ROWS[0]}\r\n{ROWS[1]}\n{ROWS[2]}\r{ROWS[3]}", None),
    "dates of 2066": (ROWS[0].replace("2026", "2066"), "import.row_future"),
    "dates of 1926": (ROWS[0].replace("2026", "1926"), "import.row_time"),
    "broken letters": (f"{CARDS[0]},2026-11-19T07:40:00,\ufffd,G1", "import.row_encoding"),
    "a direction nobody knows": (ROWS[0].replace("in", "sideways"), "import.row_direction"),
    "NUL": (f"{CARDS[0]}\0,2026-11-19T07:40:00,in,G1", "import.binary"),
}


@pytest.mark.parametrize(("rows", "code"), ROWWISE.values(), ids=ROWWISE.keys())
def test_a_row_that_is_no_touch_is_named(world: World, rows: str, code: str | None) -> None:
    file = world.file(f"{HEAD}\n{rows}")
    if code == "import.binary":
        assert world.refused(file).code == code
        return
    report = world.run(file)
    if code is None:
        assert (report.plan.new, report.plan.bad) == (4, 0)
        return
    (bad,) = report.plan.bad_rows
    assert bad.problem.code == code
    assert bad.line == len(rows.splitlines()) + 1
    assert not report.may_clear


@given(st.binary(max_size=400), st.sampled_from(["generic", "bnr01-like", "dragon_ble-like", "phone-calls", "own"]))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(world: World, data: bytes, format_: str) -> None:
    if format_ == "own":
        world.own_format(file={"type": "jsonl"})
    file = world.file(HEAD.encode() + b"\n" + data if data[:1] > b"\x80" else data, "any.csv")
    where, plan = str(file), Plan()
    try:
        plan = world.run(file, format_, dry_run=True).plan
    except InputRefused as error:
        where = error.where
    assert str(file) in where
    assert plan.read == plan.known + plan.new + plan.bad


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=5), st.integers(0, 3))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(["\n"], 3)
def test_a_bad_row_goes_round(world: World, cells: list[str], place: int) -> None:
    """Whatever stands in a row: it is taken, or named, or stands in the file of bad rows and is bad there too."""
    good = ROWS[0].split(",")
    good[place : place + len(cells)] = cells
    out = io.StringIO(newline="")
    import csv

    csv.writer(out).writerow(good)
    text = out.getvalue()
    bad = world.folder / "bad.csv"
    bad.unlink(missing_ok=True)
    file = world.file(f"{HEAD}\r\n{text}")
    if any(c < " " and c not in "\t\n\x0b\x0c\r\x1a\x1b" for c in text):
        world.refused(file)
        return
    first = world.run(file, bad_file=str(bad))
    if first.plan.bad:
        again = world.run(bad, dry_run=True)
        assert (again.plan.bad, again.plan.new) == (first.plan.bad, 0)


def test_json_lines_and_fixed_width(world: World) -> None:
    own = world.own_format(file={"type": "jsonl"}, columns={"card": "c", "at": "t"}, direction=None)
    lines = [f'{{"c": "{CARDS[0]}", "t": "2026-11-19T07:40:00", "x": [1]}}', "{", '{"c": 5}', ""]
    bad = world.folder / "bad.jsonl"
    report = world.run(world.file(lines, "d.jsonl"), own, bad_file=str(bad))
    assert (report.plan.new, [row.line for row in report.plan.bad_rows]) == (1, [3])
    assert report.plan.skipped == 1 or report.plan.bad == 1
    fixed = world.own_format(
        file={
            "type": "fixed",
            "columns": [
                {"name": "名", "start": 1, "width": 10},
                {"name": "t", "start": 11, "width": 12},
                {"name": "c", "start": 23, "width": 23},
            ],
        },
        columns={"card": "c", "at": "t"},
        time={"formats": ["YYYYMMDDhhmm"]},
        direction=None,
    )
    rows = [f"架空 一郎 202611190740{CARDS[1]}", f"架空 一郎 20261119074x{CARDS[1]}"]
    bad = world.folder / "bad.txt"
    report = world.run(world.file(rows, "f.txt", "cp932"), fixed, bad_file=str(bad))
    assert (report.plan.new, report.plan.bad) == (1, 1)
    bad.write_text(bad.read_text("utf-8-sig").replace("074x", "0841"), "utf-8-sig")
    assert world.run(bad, fixed).plan.new == 1


CONTRADICTIONS = {
    "no card": ({"columns": {"at": "a", "direction": "b"}, "card": None}, "$.columns"),
    "no time": ({"columns": {"card": "a", "date": "b"}}, "$.columns"),
    "pattern": ({"time": {"formats": ["YYYY hh:mm"]}}, "$.time.formats"),
    "words": ({"direction": {"in": ["x"], "out": ["x"]}}, "$.direction"),
    "device twice": ({"device": {"fixed": "x"}}, "$.device"),
    "fixed": ({"file": {"type": "fixed"}}, "$.file.columns"),
    "numbers": ({"file": {"header": 0}}, "$.columns.card"),
    "schema": ({"assurance": "authenticated"}, "$.assurance"),
    "strange": ({"colour": "blue"}, "$"),
}


@pytest.mark.parametrize(("changes", "place"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_a_format_that_contradicts_itself(world: World, changes: dict[str, object], place: str) -> None:
    with pytest.raises(InputRefused) as caught:
        world.own_format(**changes)
    assert caught.value.where.endswith(f": {place}")
    assert not (world.folder / "import_formats" / "own.toml").exists()


def test_an_unknown_layout_is_fitted(world: World) -> None:
    """What the wizard does: cells, guesses, a format, an import."""
    lines = [
        "2026年11月度",
        "打刻日時;社員番号;種別",
        f"2026/11/19 07:40;{PEOPLE[0]};出勤",
        f"2026/11/19 17:40;{PEOPLE[0]};退勤",
    ]
    file = world.file(lines, "kintai.csv", "cp932")
    cells = cells_of(file, Layout(header=2), 50)
    assert (cells.layout.encoding, cells.layout.delimiter) == ("cp932", ";")
    assert cells.guessed[Part.AT] == "打刻日時"
    assert cells.times[0] == "YYYY/MM/DD hh:mm"
    draft = FormatDraft(
        "kintai",
        "勤怠",
        Assurance.DECLARED,
        cells.layout,
        {Part.AT: "打刻日時", Part.WORKER: "社員番号", Part.DIRECTION: "種別"},
        cells.times[:1],
        direction_in=("出勤",),
        direction_out=("退勤",),
    )
    assert format_of(values_of(draft), "x").name == "kintai"
    world.formats.save(values_of(draft), replace=False)
    with pytest.raises(InputRefused):
        world.formats.save(values_of(draft), replace=False)
    assert world.desk.recognise(file) == ("kintai",)
    assert world.run(file, "kintai").plan.recorded == 2


def test_stamps_are_rfc3339() -> None:
    from app.office.import_bytes import Stamps
    from app.office.touches import moment_of

    stamps = Stamps()
    for at_ms in (0, 1_763_505_609_123, 1_763_505_609_999, -1, 4_102_444_799_999, 1_763_478_000_000 - 1):
        assert stamps.text(at_ms) == rfc3339(moment_of(at_ms))


def test_of_an_excel_file_the_first_sheet_with_anything_in_it_is_read_or_the_one_that_is_named(world: World) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].title = "表紙"
    for name, rows in (("十月", ROWS[:1]), ("十一月", ROWS[:3])):
        sheet = book.create_sheet(name)
        for row in (HEAD, *rows):
            sheet.append(row.split(","))
    file = world.folder / "book.xlsx"
    book.save(file)
    cells = cells_of(file, Layout(), 10)
    assert (cells.sheet, cells.sheets, len(cells.rows)) == ("十月", ("表紙", "十月", "十一月"), 1)
    assert len(cells_of(file, Layout(sheet="十一月"), 10).rows) == 3
    assert world.run(file, dry_run=True).plan.read == 1
    named = world.own_format(file={"sheet": "十一月"})
    assert world.run(file, named, dry_run=True).plan.read == 3
    assert world.refused(file, world.own_format(file={"sheet": "十二月"})).code == "import.no_sheet"


def test_json_lines_are_known_by_themselves_and_mapped_by_hand(world: World) -> None:
    lines = [
        json.dumps({"idm": card[7:], "ts": f"2026-11-19T07:4{n}:00+09:00", "門": {"no": 1}}, ensure_ascii=False)
        for n, card in enumerate(CARDS[:2])
    ]
    file = world.file(["", *lines], "log.jsonl")
    cells = cells_of(file, Layout(), 10)
    assert (cells.layout.type, cells.columns) == ("jsonl", ("idm", "ts", "門"))
    assert cells.guessed == {Part.CARD: "idm", Part.AT: "ts"}
    draft = FormatDraft("own-json", "私の", Assurance.LOGGED, cells.layout, cells.guessed, cells.times[:1])
    world.formats.save(values_of(draft), replace=False)
    assert world.run(file, "own-json").plan.recorded == 2
    with pytest.raises(InputRefused, match=r"import\.no_objects"):
        cells_of(world.file([HEAD, *ROWS]), Layout("jsonl"), 10)
