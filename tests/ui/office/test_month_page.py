"""A foreman and an approver at the office's window: from a likely missed day to a work record."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.ui.office import saving
from app.ui.office.cell_panel import clock_time
from tests.office.desk_bench import worker
from tests.office.test_missed import GAP, crew_week
from tests.ui.office.conftest import Desk


def test_nobody_gets_behind_the_rail_without_a_pin(desk: Desk) -> None:
    assert desk.window.stack.currentWidget() is desk.window.pin
    for digit in "9999":
        desk.window.pin.press(digit)
    desk.window.pin.press("ok")
    desk.until(lambda: "違います" in desk.window.pin.word.text())
    assert desk.window.person is None
    desk.window.go("sync")
    assert desk.window.stack.currentWidget() is desk.window.pin


def test_a_missed_day_is_found_entered_and_approved(desk: Desk) -> None:
    crew_week(desk.bench, without=((2, GAP),))
    desk.sit_down("foreman-1")
    desk.loaded()
    assert "1" in desk.month.bar.candidates.text()
    desk.bot.keyClick(desk.month.table, Qt.Key.Key_F3)
    assert desk.month.table.current() == (worker(2), GAP)
    assert "同じ班の 5 人が入場" in desk.month.panel.why.text()
    desk.bot.keyClick(desk.month.table, Qt.Key.Key_Return)
    assert [d.in_at for d in desk.month.typing.drafts.state().values()] == ["07:40"]
    assert desk.bench.book.entry_facts(desk.service.site.id, GAP, GAP) == [], "nothing is stored before 保存"
    desk.bot.keyClick(desk.month.table, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    desk.until(lambda: len(desk.month.typing.drafts) == 0)
    assert desk.stored, "sync was woken"
    desk.until(lambda: desk.month.model.text(desk.month.model.find((worker(2), GAP))) == "承認待ち")
    desk.until(lambda: "0" in desk.month.bar.candidates.text())

    desk.window.sign_out()
    assert desk.window.stack.currentWidget() is desk.window.pin
    desk.sit_down("approver-1")
    desk.loaded()
    assert not desk.month.panel.isVisible(), "an approver enters nothing"
    desk.month.bar.waiting.click()
    page = desk.approval
    desk.until(lambda: len(page.table.list.rows) == 1)
    assert not page.yes.isEnabled()
    page.all.click()
    assert not page.no.isEnabled(), "a refusal needs a reason"
    page.yes.click()
    desk.until(lambda: len(page.table.list.rows) == 0)
    assert "1 件を承認しました" in desk.window.line.left.text()
    page.back_button.click()
    desk.loaded()
    desk.until(lambda: desk.month.model.text(desk.month.model.find((worker(2), GAP))) == "直接入力(承認済)")


def test_several_days_and_workers_at_once_and_undo(desk: Desk) -> None:
    desk.sit_down("foreman-1")
    desk.loaded()
    model, table, page = desk.month.model, desk.month.table, desk.month
    first = model.find((worker(2), "2026-11-09"))
    table.setCurrentIndex(first)
    desk.bot.keyClicks(table, "0")
    assert page.panel.in_at.hasFocus() or page.panel.in_at.text() == "0"
    page.panel.in_at.setText("07:50")
    page.panel.out_at.setText("17:00")
    page.typing.accept_fields()
    block = [(worker(n), day) for n in (2, 3, 4) for day in ("2026-11-09", "2026-11-10")]
    selection = table.selectionModel()
    for place in block:
        selection.select(model.find(place), selection.SelectionFlag.Select)
    page.typing.copy_down()
    assert len(page.typing.drafts) == 3, "the day that has a draft, for three people"
    page.typing.fill_right()
    assert {p for p in page.typing.drafts.state()} == set(block)
    assert {(d.in_at, d.out_at) for d in page.typing.drafts.state().values()} == {("07:50", "17:00")}
    page.typing.undo()
    assert len(page.typing.drafts) == 3
    page.typing.undo()
    page.typing.undo()
    assert len(page.typing.drafts) == 0
    page.typing.undo()
    assert len(page.typing.drafts) == 0


def test_what_cannot_be_stored_says_whose_day_and_why_and_nothing_is_stored(desk: Desk) -> None:
    desk.sit_down("foreman-1")
    desk.loaded()
    desk.bench.touch(3, "2026-11-10")  # behind the page's back
    desk.month.typing.accept([(worker(2), "2026-11-10"), (worker(3), "2026-11-10")])
    desk.month.save()
    desk.until(lambda: "もう記録があります" in desk.window.line.left.text())
    assert "架空 3郎 11月10日(火)" in desk.window.line.left.text()
    assert len(desk.month.typing.drafts) == 2, "what was typed is still there"
    assert desk.bench.log.counts().events == 1


def test_setting_aside_asserts_nothing_and_the_next_in_line_sees_it(desk: Desk) -> None:
    crew_week(desk.bench, without=((2, GAP),))
    before = desk.bench.log.counts().events
    desk.sit_down("foreman-1")
    desk.loaded()
    desk.bot.keyClick(desk.month.table, Qt.Key.Key_F3)
    desk.bot.keyClick(desk.month.table, Qt.Key.Key_Delete)
    desk.until(lambda: not desk.month.model.candidates)
    assert desk.bench.log.counts().events == before


def test_a_printed_sheet_and_its_lines_typed_in(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "documents", lambda: tmp_path / "out")
    desk.sit_down("foreman-1")
    desk.loaded()
    page = desk.month
    page.bar.company.setCurrentIndex(1)
    page.print_sheet()
    assert "用紙を作っています" in desk.window.line.left.text(), "not on the window's thread"
    desk.until(lambda: "しました" in desk.window.line.left.text())
    (pdf,) = (tmp_path / "out").iterdir()
    assert pdf.read_bytes().startswith(b"%PDF")
    assert str(pdf) in desk.window.line.left.text()
    page.bar.sheet.setText("3 2-5,9")
    page.bar.sheet.returnPressed.emit()
    days = sorted(day for person, day in page.typing.drafts.state() if person == worker(3))
    assert days == [f"2026-11-0{n}" for n in (2, 3, 4, 5, 9)]
    page.bar.sheet.setText("99 1")
    page.bar.sheet.returnPressed.emit()
    assert "読めません" in desk.window.line.left.text()


def test_filters_and_copies(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "documents", lambda: tmp_path / "out")
    crew_week(desk.bench, without=((2, GAP),))
    desk.sit_down("foreman-1")
    desk.loaded()
    page = desk.month
    page.bar.search.setText("カクウ 5")
    assert [getattr(line, "name", None) for line in page.model.lines[1:]] == ["架空 5郎"]
    page.bar.search.clear()
    page.bar.candidates.setChecked(True)
    assert [line.worker_id for line in page.model.lines[1:]] == [worker(2)]  # type: ignore[union-attr]
    page.bar.candidates.setChecked(False)
    page.copy_all()
    lines = QApplication.clipboard().text().split("\n")
    assert lines[0].startswith("氏名\t2026-11-01")
    assert lines[2].split("\t")[9] == "タッチ"
    page.save_csv()
    (file,) = (tmp_path / "out").iterdir()
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")


def test_idle_for_a_quarter_of_an_hour_signs_out(desk: Desk) -> None:
    desk.sit_down("foreman-1")
    desk.loaded()
    assert desk.window._idle.isActive()
    desk.month.typing.accept([(worker(2), "2026-11-10")])
    desk.window._idle.timeout.emit()
    assert desk.window.person is None
    assert desk.window.stack.currentWidget() is desk.window.pin
    assert len(desk.month.typing.drafts) == 1, "what was typed waits behind the PIN"


@pytest.mark.parametrize(
    ("text", "time"),
    [("745", "07:45"), ("0745", "07:45"), ("7:45", "07:45"), ("17:5", None), ("2460", None), ("ab", None), ("", None)],
)
def test_times_as_people_type_them(text: str, time: str | None) -> None:
    assert clock_time(text) == time
