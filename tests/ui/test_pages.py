"""Pages inside the window: no card, head-count, PIN. The line goes on while they are open."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.gate.news import StandingWarning, WarningLevel, WorkerHit
from app.ui import gallery_data as data
from app.ui.gallery import settle
from app.ui.kana_board import KANA, next_mark
from tests.ui.conftest import Gate

Make = Callable[..., Gate]


def open_no_card(gate: Gate) -> None:
    gate.window.action_bar.no_card_pad.click()
    settle(gate.window)
    assert gate.window.pages.currentWidget() is gate.window.no_card


def hits(gate: Gate) -> list[str]:
    return [pad.text() for pad in gate.window.no_card.hit_pads if pad.isVisible()]


# ---- カードをお持ちでない方 --------------------------------------------------------------------------------------


def test_find_a_name_by_kana_and_enter_it(gate: Gate) -> None:
    open_no_card(gate)
    page = gate.window.no_card
    keys = {pad.text(): pad for pad in page.board.kana}
    keys["さ"].click()
    keys["と"].click()
    settle(gate.window)
    assert hits(gate) == ["佐藤 健一", "佐藤 翔"]
    page.hit_pads[0].click()
    settle(gate.window)
    assert page.confirm_name.text() == "佐藤 健一"
    assert page.confirm_company.text() == "関東鉄筋"
    assert not [asked for asked in gate.paper.asked if asked[0] == "enter"], "asked once more first"
    page.forgotten.click()
    settle(gate.window)
    assert gate.paper.asked[-1] == ("enter", "1", "card_forgotten")
    assert gate.window.pages.currentWidget() is gate.window.main
    assert not gate.window.strip.isVisible()


def test_somebody_without_any_card(gate: Gate) -> None:
    open_no_card(gate)
    gate.window.no_card.type("さ")
    settle(gate.window)
    gate.window.no_card.hit_pads[1].click()
    gate.window.no_card.without.click()
    assert gate.paper.asked[-1] == ("enter", "2", "no_card")


def test_the_keyboard_works_too(gate: Gate, qtbot: QtBot) -> None:
    open_no_card(gate)
    qtbot.keyClicks(gate.window.no_card.field, "nguyen")
    settle(gate.window)
    assert hits(gate) == ["NGUYEN THI PHUONG THAO"]
    qtbot.keyClick(gate.window.no_card.field, Qt.Key.Key_Return)
    assert gate.window.no_card.right.currentWidget() is gate.window.no_card.confirm_side
    qtbot.keyClick(gate.window.no_card, Qt.Key.Key_Escape)
    assert gate.window.pages.currentWidget() is gate.window.main


def test_many_hits_are_turned_page_by_page(gate: Gate) -> None:
    open_no_card(gate)
    page = gate.window.no_card
    page.type("さ")
    settle(gate.window)
    assert len(hits(gate)) == 5
    assert page.page_word.text() == "1 / 2 ページ"
    page.next.click()
    settle(gate.window)
    assert hits(gate) == ["坂本 大輔", "桜井 陽子"]
    page.type("")
    settle(gate.window)
    assert hits(gate) == []
    assert page.field.text() == ""


def test_nobody_found(gate: Gate) -> None:
    open_no_card(gate)
    gate.window.no_card.type("ん")
    settle(gate.window)
    assert "見つかりません" in gate.window.no_card.hint.text()


def test_a_late_answer_to_an_older_text_is_dropped(gate: Gate) -> None:
    waiting: list[Callable[[list[WorkerHit]], None]] = []
    gate.paper.search = lambda text, reply: waiting.append(reply)  # type: ignore[method-assign]
    open_no_card(gate)
    gate.window.no_card.type("さ")
    gate.window.no_card.type("く")
    waiting[1]([data.HITS[6]])
    waiting[0]([data.HITS[0]])
    settle(gate.window)
    assert hits(gate) == ["桜井 陽子"]


def test_marks_go_round() -> None:
    assert next_mark("は") == "ば"
    assert next_mark("ぱ") == "は"
    assert next_mark("きよ") == "きょ"
    assert next_mark("づ") == "っ"
    assert next_mark("ん") == "ん"
    assert next_mark("") == ""


def test_all_kana_are_there() -> None:
    assert len("".join(KANA).replace("　", "")) == 46


def test_a_card_touched_meanwhile_still_gets_its_answer(gate: Gate) -> None:
    gate.readers(data.B)
    open_no_card(gate)
    assert gate.window.strip.rest.isVisible()
    gate.news(data.recorded(data.A), data.unreadable(data.B))
    cells = gate.window.strip.cells
    assert [cell.title.text() for cell in cells.values()] == ["記録しました", "読めませんでした"]
    assert all(cell.isVisible() for cell in cells.values())
    assert gate.window.pages.currentWidget() is gate.window.no_card
    assert len(gate.ear.heard) == 2


def test_the_strip_empties_itself(make_gate: Make, qtbot: QtBot) -> None:
    gate = make_gate(result_ms=400)
    gate.readers(data.A)
    open_no_card(gate)
    gate.news(data.recorded())
    qtbot.waitUntil(lambda: not gate.window.strip.cells, timeout=5000)
    assert gate.window.strip.rest.isVisible()


def test_a_page_gives_way_to_an_alarm(gate: Gate) -> None:
    open_no_card(gate)
    gate.news(data.ALARM)
    assert gate.window.pages.currentWidget() is gate.window.alarm
    gate.window.action_bar.no_card.emit()
    assert gate.window.pages.currentWidget() is gate.window.alarm


def test_a_page_closes_itself(make_gate: Make, qtbot: QtBot) -> None:
    gate = make_gate(page_ms=500)
    open_no_card(gate)
    qtbot.waitUntil(lambda: gate.window.pages.currentWidget() is gate.window.main, timeout=5000)


def test_input_keeps_a_page_open(make_gate: Make, qtbot: QtBot) -> None:
    gate = make_gate(page_ms=1000)
    open_no_card(gate)
    for _ in range(4):
        qtbot.wait(300)
        qtbot.keyClick(gate.window.no_card.field, Qt.Key.Key_A)
    assert gate.window.pages.currentWidget() is gate.window.no_card


# ---- 総出面 -----------------------------------------------------------------------------------------------------


def open_headcount(gate: Gate) -> None:
    gate.news(data.TODAY)
    gate.window.action_bar.headcount_pad.click()
    settle(gate.window)


def test_headcounts_count_only_when_saved(gate: Gate) -> None:
    open_headcount(gate)
    page = gate.window.headcount
    assert not page.save.isEnabled()
    page.rows[0].plus.click()
    page.rows[1].plus.click()
    page.rows[1].plus.click()
    settle(gate.window)
    assert [row.number.text() for row in page.rows] == ["14", "10", "8", "–", "–"]
    assert page.changed_word.text() == "未保存の入力 2 社"
    assert not [asked for asked in gate.paper.asked if asked[0] == "headcount"]
    page.save.click()
    saved = [asked for asked in gate.paper.asked if asked[0] == "headcount"]
    assert saved == [("headcount", "11", 14), ("headcount", "12", 10)]
    assert gate.window.pages.currentWidget() is gate.window.main


def test_big_digits_start_a_new_number(gate: Gate) -> None:
    open_headcount(gate)
    page = gate.window.headcount
    page.pick("13")
    page.keys["1"].click()
    page.keys["2"].click()
    assert page.rows[2].number.text() == "12"
    page.keys["<"].click()
    assert page.rows[2].number.text() == "1"
    page.keys["<"].click()
    assert page.rows[2].number.text() == "0"
    page.rows[2].minus.click()
    assert page.rows[2].number.text() == "0"


def test_leaving_drops_what_was_not_saved(gate: Gate) -> None:
    open_headcount(gate)
    gate.window.headcount.rows[0].plus.click()
    gate.window.headcount.close_pad.click()
    assert not [asked for asked in gate.paper.asked if asked[0] == "headcount"]
    open_headcount(gate)
    assert gate.window.headcount.rows[0].number.text() == "13"


def test_counts_that_arrive_meanwhile_do_not_undo_typing(gate: Gate) -> None:
    open_headcount(gate)
    gate.window.headcount.rows[0].plus.click()
    gate.news(data.TODAY)
    assert gate.window.headcount.rows[0].number.text() == "14"


def test_digits_of_the_keyboard(gate: Gate, qtbot: QtBot) -> None:
    open_headcount(gate)
    qtbot.keyClicks(gate.window.headcount, "25")
    assert gate.window.headcount.rows[0].number.text() == "25"


# ---- kiosk -----------------------------------------------------------------------------------------------------


def test_a_window_closes_normally(make_gate: Make) -> None:
    gate = make_gate()
    assert gate.window.close()
    assert not gate.window.header.exit.isVisible()


def test_a_kiosk_does_not_close(make_gate: Make, qtbot: QtBot) -> None:
    gate = make_gate(kiosk=True)
    window = gate.window
    assert window.windowFlags() & Qt.WindowType.FramelessWindowHint
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.keyClick(window, Qt.Key.Key_F4, Qt.KeyboardModifier.AltModifier)
    assert window.isVisible()
    assert not window.close()
    assert window.isVisible()
    assert window.pages.currentWidget() is window.pin


def test_the_right_pin_opens_the_door(make_gate: Make, qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    gate = make_gate(kiosk=True)
    gate.window.header.exit.click()
    for key in "1234":
        gate.window.pin.keys[key].click()
    assert gate.window.pin.dots.text() == "●●●●"
    with qtbot.waitSignal(gate.window.closed):
        gate.window.pin.keys["ok"].click()
    assert gate.paper.asked[-1] == ("pin", 4, "leave_kiosk")
    assert "1234" not in caplog.text


def test_a_wrong_pin_waits(make_gate: Make, qtbot: QtBot) -> None:
    gate = make_gate(kiosk=True)
    gate.paper.answer = data.GalleryAnswer(False, wait_s=1)
    gate.window.header.exit.click()
    qtbot.keyClicks(gate.window.pin, "9999")
    qtbot.keyClick(gate.window.pin, Qt.Key.Key_Return)
    settle(gate.window)
    pin = gate.window.pin
    assert pin.word.text() == "PIN が違います。あと 1 秒お待ちください"
    assert pin.dots.text() == ""
    assert not pin.keys["1"].isEnabled()
    qtbot.keyClicks(pin, "1")
    assert pin.dots.text() == ""
    qtbot.waitUntil(lambda: pin.keys["1"].isEnabled(), timeout=5000)
    assert gate.window.isVisible()


def test_reopening_the_pad_does_not_shorten_the_wait(make_gate: Make) -> None:
    gate = make_gate(kiosk=True)
    gate.paper.answer = data.GalleryAnswer(False, wait_s=30)
    gate.window.header.exit.click()
    gate.window.pin.press("1")
    gate.window.pin.press("ok")
    settle(gate.window)
    gate.window.pin.close_pad.click()
    gate.window.header.exit.click()
    assert not gate.window.pin.keys["1"].isEnabled()


def test_digits_are_forgotten_when_the_pad_closes(make_gate: Make, qtbot: QtBot) -> None:
    gate = make_gate(kiosk=True, page_ms=500)
    gate.window.header.exit.click()
    gate.window.pin.press("1")
    qtbot.waitUntil(lambda: gate.window.pages.currentWidget() is gate.window.main, timeout=5000)
    gate.window.header.exit.click()
    assert gate.window.pin.dots.text() == ""


def test_the_system_may_shut_a_kiosk_down(make_gate: Make) -> None:
    gate = make_gate(kiosk=True)
    gate.window.leave_now()
    assert not gate.window.isVisible()


def test_no_row_moves_while_somebody_types(gate: Gate) -> None:
    open_headcount(gate)
    page = gate.window.headcount
    before = [count.company_id for count in page._companies]
    changed = [replace(count, present=50 + number) for number, count in enumerate(page._companies)]
    page.show_companies(list(reversed(changed)))
    assert [count.company_id for count in page._companies] == before
    assert page._companies[0].present == 50, "the numbers are the new ones"


def test_a_withdrawn_pc_says_so_for_good_and_lets_go(make_gate: Make, qtbot: QtBot) -> None:
    gate = make_gate(kiosk=True)
    window = gate.window
    warning = StandingWarning("station.withdrawn", WarningLevel.SHOUT)
    for _ in range(2):
        window.bridge.news.emit((warning,))
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.alarm)
    assert "使用を止められています" in window.alarm.cause.text()
    window._end_alarm()
    assert window.pages.currentWidget() is window.alarm, "it is no alarm that passes"
    with qtbot.waitSignal(window.closed):
        window.header.exit.click()
