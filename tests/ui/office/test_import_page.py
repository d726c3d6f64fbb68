"""The office's importing, from the drop to the word whether the reader may be cleared: real files, engine and store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from app.office.import_port import Part
from app.ui.office import import_flow
from app.ui.office.import_batches import BatchesPage
from app.ui.office.import_cards import UnknownCardsPage
from app.ui.office.import_flow import Step
from app.ui.office.import_page import ImportPage
from app.ui.office.import_words import adds_up
from app.ui.theme import Look
from tests.office.desk_bench import worker
from tests.ui.office.conftest import Desk

UNKNOWN = "felica:0114F00DCAFE0001"


def card(n: int) -> str:
    return f"felica:{0x0140_0000_0000_0000 + n:016X}"


def page_of(desk: Desk) -> ImportPage:
    page = desk.window.pages["import"]
    assert isinstance(page, ImportPage)
    return page


@pytest.fixture
def page(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImportPage:
    """Somebody of the office sits at 取込; files of bad rows go to `tmp_path`/mine."""
    monkeypatch.setattr(import_flow, "documents", lambda: tmp_path / "mine")
    desk.sit_down("office-1")
    desk.window.go("import")
    page = page_of(desk)
    desk.until(lambda: bool(page.flow.formats))
    return page


@pytest.fixture
def dump(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of this program's own format."""

    def write(*rows: str, name: str = "gate-2.csv") -> Path:
        file = tmp_path / name
        file.write_text("\r\n".join(("card,at,direction,device", *rows, "")), encoding="utf-8", newline="")
        return file

    return write


def drop(desk: Desk, page: ImportPage, *files: Path) -> None:
    """Drop files on the box, and wait until they were looked at."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    box = page.files.drop
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    # straight to the box: Qt gives drops to whatever a real drag has entered
    box.dropEvent(QDropEvent(QPointF(9, 9), copy, data, Qt.MouseButton.LeftButton, none, QEvent.Type.Drop))
    names = {str(file) for file in files}
    desk.until(lambda: names <= {row.file.file for row in page.files.rows})


def to_plan(desk: Desk, page: ImportPage) -> None:
    """From the list of files to the numbers, by the buttons."""
    page.files.rows[-1].go.click()
    desk.until(lambda: page.next.isVisible() and page.next.isEnabled())
    page.next.click()
    desk.until(lambda: page.flow.step is Step.PLAN)


def to_report(desk: Desk, page: ImportPage) -> None:
    to_plan(desk, page)
    page.next.click()
    desk.until(lambda: page.flow.step is Step.REPORT)


def shown(page: ImportPage) -> dict[str, int]:
    """The numbers on the page that stands before the import."""
    return {name: int(made.text().split()[-1].replace(",", "")) for name, made in page.plan.board.buttons.items()}


def test_a_known_file_goes_from_the_drop_to_the_verdict(
    desk: Desk, page: ImportPage, dump: Callable[..., Path], tmp_path: Path
) -> None:
    file = dump(
        f"{card(1)},2026-11-19 07:40:00,入,東門",
        f"{card(1)},2026-11-19 07:40:00,入,東門",
        f"{UNKNOWN},2026-11-19 07:41:00,入,東門",
        f"{card(2)},2027-01-05 07:41:00,入,東門",
        f"{card(3)},いつか,入,東門",
    )
    drop(desk, page, file)
    to_plan(desk, page)
    numbers = shown(page)
    wanted = {"new": 3, "bad": 2, "known": 0, "recorded": 1, "suppressed": 1, "unknown_card": 1, "unreadable": 1}
    assert wanted.items() <= numbers.items()
    assert numbers["future"] == 1
    assert adds_up(page.plan.board.plan)
    board = page.plan.board
    board.buttons["future"].click()
    assert [row.line for row in board.table.list.rows] == [5]
    board.buttons["unknown_card"].click()
    assert [(row.line, row.card) for row in board.table.list.rows] == [(4, "felica:…0001")]
    board.buttons["recorded"].click()
    assert [row.name for row in board.table.list.rows] == ["架空 1郎"]
    assert desk.bench.log.counts().pending == 0, "a plan stores nothing"
    assert not (tmp_path / "mine").exists()

    page.next.click()
    desk.until(lambda: page.flow.step is Step.REPORT)
    assert desk.bench.log.counts().pending == 3
    assert page.report.verdict.shape.look is Look.CHECK
    assert page.report.verdict.word.text() == "まだ消去しないでください"
    assert "2 件" in page.report.verdict.why.text()

    # the bad rows, mended, by the same road
    bad = tmp_path / "mine" / "gate-2.bad.csv"
    assert page.report.report is not None
    assert page.report.report.bad_file == str(bad)
    text = bad.read_text(encoding="utf-8-sig")
    bad.write_text(text.replace("いつか", "2026-11-19 07:45:00").replace("2027-01-05", "2026-11-19"), encoding="utf-8")
    page.report.again.click()
    desk.until(lambda: any(row.file.file == str(bad) for row in page.files.rows))
    to_report(desk, page)
    assert page.report.verdict.shape.look is Look.RECORDED
    assert page.report.verdict.word.text() == "消去してよい"
    assert desk.bench.log.counts().pending == 5


def test_the_same_file_twice_adds_nothing_and_may_still_be_cleared(
    desk: Desk, page: ImportPage, dump: Callable[..., Path]
) -> None:
    file = dump(f"{card(1)},2026-11-19 07:40:00,入,東門", f"{card(1)},2026-11-19 17:05:00,退,東門")
    for known in (0, 2):
        drop(desk, page, file)
        to_plan(desk, page)
        assert shown(page)["known"] == known
        page.next.click()
        desk.until(lambda: page.flow.step is Step.REPORT)
        assert page.report.verdict.word.text() == "消去してよい"
        page.back.click()
    assert desk.bench.log.counts().pending == 2


def test_what_is_kept_without_becoming_a_record_is_said_beside_the_verdict(
    desk: Desk, page: ImportPage, dump: Callable[..., Path]
) -> None:
    rows = [f"{UNKNOWN},2026-11-19 07:41:00,入,東門", *[f"{card(1)},2026-11-19 07:40:00,入,東門"] * 2]
    drop(desk, page, dump(*rows))
    to_report(desk, page)
    verdict = page.report.verdict
    assert verdict.word.text() == "消去してよい"
    assert "持ち主の分からないカードのタッチ 1 件も、ここに保存されています" in verdict.kept.text()
    assert "二重タッチ 1 件" in verdict.kept.text()
    assert desk.bench.log.counts().pending == 3, "and they are"
    page.back.click()
    drop(desk, page, dump(*rows))
    to_report(desk, page)
    assert not verdict.kept.isVisible(), "nothing new, nothing to say"


def test_a_file_named_by_its_date_alone_waits_for_the_devices_name(
    desk: Desk, page: ImportPage, tmp_path: Path
) -> None:
    for stem in ("20261118", "20261119"):
        file = tmp_path / f"{stem}.csv"
        file.write_text(f"カード,日時\r\n{card(1)[7:]},2026-11-18 07:40:00\r\n", encoding="utf-8", newline="")
        drop(desk, page, file)
        row = page.files.rows[-1]
        if stem == "20261118":
            row.map.click()
            desk.until(lambda: bool(page.mapping.columns.choices))
            page.mapping.name.setText("日付だけ")
            page.next.click()
        else:
            row.go.click()
        desk.until(lambda: "端末の名前" in page.clock.sum.text())
        assert not page.next.isEnabled()
        page.clock.device.setEditText("東門")
        desk.until(lambda: page.next.isEnabled())
        page.next.click()
        desk.until(lambda: page.flow.step is Step.PLAN)
        assert page.plan.board.plan.known == (stem == "20261119")
        page.next.click()
        desk.until(lambda: page.flow.step is Step.REPORT)
        page.back.click()
    assert desk.bench.log.counts().pending == 1


def test_the_sheet_of_an_excel_file_is_chosen_and_kept_in_the_format(
    desk: Desk, page: ImportPage, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["この表の説明"])
    sheet = book.create_sheet("打刻")
    for cells in (["カード", "日時"], [card(1)[7:], "2026-11-18 07:40:00"]):
        sheet.append(cells)
    file = tmp_path / "台帳.xlsx"
    book.save(file)
    drop(desk, page, file)
    page.files.rows[0].map.click()
    mapping = page.mapping
    desk.until(lambda: mapping.sheet.isVisible())
    mapping.sheet.choose("打刻")
    desk.until(lambda: mapping.cells.sheet == "打刻")
    assert mapping.columns.parts() == {Part.CARD: "カード", Part.AT: "日時"}
    mapping.name.setText("台帳")
    page.next.click()
    desk.until(lambda: page.flow.step is Step.CLOCK and bool(page.clock.table.list.rows))
    assert [one.name for one in page.clock.table.list.rows] == ["架空 1郎"]


def test_json_lines_are_mapped_by_hand(desk: Desk, page: ImportPage, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text(f'{{"idm":"{card(2)[7:]}","ts":"2026-11-18 07:40:00","dir":"IN"}}\n', encoding="utf-8")
    drop(desk, page, file)
    page.files.rows[0].map.click()
    mapping = page.mapping
    desk.until(lambda: bool(mapping.columns.choices))
    assert mapping.delimiter.currentText() == "自動: JSON(1 行に 1 件)"
    assert not mapping.header.isVisible()
    assert mapping.columns.parts() == {Part.CARD: "idm", Part.AT: "ts"}
    place = list(mapping.cells.columns).index("dir")
    mapping.columns.choices[place].setCurrentIndex(mapping.columns.choices[place].findData(Part.DIRECTION))
    mapping.name.setText("JSON")
    page.next.click()
    desk.until(lambda: page.flow.step is Step.CLOCK and bool(page.clock.table.list.rows))
    assert [(one.name, one.direction) for one in page.clock.table.list.rows] == [("架空 2郎", "in")]


def test_a_device_clock_that_is_fast_is_corrected_and_its_own_time_kept(
    desk: Desk, page: ImportPage, dump: Callable[..., Path]
) -> None:
    drop(desk, page, dump(f"{card(1)},2026-11-19 07:43:03,入,東門"))
    page.files.rows[0].go.click()
    clock = page.clock
    desk.until(lambda: bool(clock.table.list.rows))
    clock.wrong.click()
    clock.pairs[0][0].setDateTime(clock.pairs[0][1].dateTime().addSecs(183))
    desk.until(lambda: clock.shown.offset_s == -183)
    assert "3分3秒 進んでいます" in clock.said.text()
    device_at, moved, at = clock.table.list.texts()[0][1:4]
    assert (device_at, moved, at) == ("2026/11/19 07:43:03", "−3:03", "2026/11/19 07:40:00")
    page.next.click()
    desk.until(lambda: page.flow.step is Step.PLAN)
    page.next.click()
    desk.until(lambda: page.flow.step is Step.REPORT)
    marks = desk.bench.desk.marks("2026-11", [worker(1)])
    assert marks[worker(1)]["2026-11-19"].first_in == "07:40"


def test_an_unknown_layout_is_named_once_and_known_from_then_on(desk: Desk, page: ImportPage, tmp_path: Path) -> None:
    rows = [f"{n},2026/11/18,7:{20 + n}:11,{card(n)[7:]},入" for n in range(1, 5)]
    file = tmp_path / "kita.csv"
    file.write_text("\r\n".join(["No,打刻日,打刻時刻,ICカードNo,入出", *rows, ""]), encoding="cp932", newline="")
    drop(desk, page, file)
    row = page.files.rows[0]
    assert not row.go.isVisible()
    row.map.click()
    mapping = page.mapping
    desk.until(lambda: bool(mapping.columns.choices))
    assert mapping.columns.parts()[Part.CARD] == "ICカードNo"
    assert mapping.encoding.currentText() == "自動: Shift_JIS"
    assert not page.next.isEnabled()
    assert "名前を付けてください" in mapping.read.text()
    mapping.name.setText("北ゲート")
    assert page.next.isEnabled()
    place = list(mapping.cells.columns).index("ICカードNo")
    mapping.columns.choices[place].setCurrentIndex(0)
    assert "カード番号" in mapping.read.text()
    assert not page.next.isEnabled(), "no card, no worker"
    mapping.columns.choices[place].setCurrentIndex(1)
    page.next.click()
    desk.until(lambda: page.flow.step is Step.CLOCK and bool(page.clock.table.list.rows))
    assert [one.name for one in page.clock.table.list.rows] == [f"架空 {n}郎" for n in range(1, 5)]
    page.next.click()
    desk.until(lambda: page.flow.step is Step.PLAN)
    page.next.click()
    desk.until(lambda: page.flow.step is Step.REPORT)
    assert desk.bench.log.counts().pending == 4
    page.back.click()
    again = file.rename(tmp_path / "kita-2.csv")
    drop(desk, page, again)
    assert page.files.rows[0].formats.currentText() == "北ゲート"


def test_cancelled_in_the_middle_nothing_is_stored(desk: Desk, page: ImportPage, dump: Callable[..., Path]) -> None:
    rows = [
        f"{card(n % 8 + 1)},2026-11-{1 + n // 4000:02} {n // 400 % 10 + 7:02}:{n // 7 % 60:02}:{n % 60:02},,東門"
        for n in range(40_000)
    ]
    drop(desk, page, dump(*rows))
    to_plan(desk, page)
    page.next.click()
    desk.until(lambda: bool(page.progress.pace.text()))
    assert "毎秒" in page.progress.pace.text()
    page.progress.cancel.click()
    desk.until(lambda: page.flow.step is Step.REPORT)
    assert page.report.verdict.word.text() == "まだ消去しないでください"
    assert "何も取り込まれていません" in page.report.verdict.why.text()
    assert desk.bench.log.counts().pending == 0
    page.back.click()
    assert page.files.rows, "the file is still there to be tried again"


def test_unknown_cards_are_bound_in_one_go(desk: Desk, page: ImportPage, dump: Callable[..., Path]) -> None:
    drop(desk, page, dump(f"{UNKNOWN},2026-11-18 07:40:00,入,東門", f"{UNKNOWN[:-1]}2,2026-11-19 07:41:00,入,東門"))
    to_report(desk, page)
    page.report.cards.click()
    cards = desk.window.pages["cards"]
    assert isinstance(cards, UnknownCardsPage)
    desk.until(lambda: len(cards.table.list.rows) == 2)
    assert cards.table.list.texts()[0][0] == UNKNOWN, "the office tells cards apart"
    assert not cards.bind.isEnabled()
    desk.until(lambda: bool(cards.search.hits("カクウ", 1)))
    for typed in ("かくう5", "6郎"):
        cards.who.setText(typed)
        desk.bot.keyClick(cards.who, Qt.Key.Key_Return)
    assert {key: row.worker_id for key, row in cards.bound.items()} == {
        UNKNOWN: worker(5),
        f"{UNKNOWN[:-1]}2": worker(6),
    }
    cards.bind.click()
    desk.until(lambda: not cards.table.list.rows)
    desk.service.settle()
    marks = desk.bench.desk.marks("2026-11", [worker(5)])
    assert "2026-11-18" in marks[worker(5)], "past touches are his now"


def test_a_batch_is_taken_back_with_a_reason(desk: Desk, page: ImportPage, dump: Callable[..., Path]) -> None:
    drop(desk, page, dump(f"{card(1)},2026-11-19 07:40:00,入,東門"))
    to_report(desk, page)
    page.batches.click()
    batches = desk.window.pages["batches"]
    assert isinstance(batches, BatchesPage)
    desk.until(lambda: len(batches.table.list.rows) == 1)
    batches.table.selectRow(0)
    assert not batches.take_back.isEnabled(), "a reason is wanted"
    batches.reason.setText("別の現場のファイル")
    batches.take_back.click()
    desk.until(lambda: batches.table.list.rows[0].taken_back_at is not None)
    assert "別の現場のファイル" in batches.table.list.texts()[0][-1]
    marks = desk.bench.desk.marks("2026-11", [worker(1)])
    assert "2026-11-19" not in marks[worker(1)]


def test_broken_files_are_told_apart_and_nothing_happens(desk: Desk, page: ImportPage, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)))
    drop(desk, page, tmp_path / "empty.csv", tmp_path / "picture.csv")
    for row in page.files.rows:
        assert not row.go.isVisible()
        assert "→" in row.said.text(), "what happened and what to do"
        assert str(tmp_path) not in row.said.text()
    page.files.rows[0].drop.click()
    assert len(page.files.rows) == 1


def test_who_may_not_import_sees_why(desk: Desk) -> None:
    desk.sit_down("foreman-1")
    desk.window.go("import")
    page = page_of(desk)
    assert page.stack.currentWidget() is page.nobody
    assert "事務か管理者" in page.nobody.text()
    assert not page.next.isVisible()
