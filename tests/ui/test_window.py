"""The window: lanes, time-outs, sounds, alarms, threads, the right-hand side and the bottom line."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from app.domain.events import Direction
from app.domain.site import Site
from app.gate.news import DirectionState, Today
from app.readers.port import ReaderCondition
from app.ui import gallery_data as data
from app.ui.bridge import Bridge
from app.ui.content import Sound
from app.ui.gallery import settle
from app.ui.theme import BRAND, BRAND_SOFT, SKINS, Look
from tests.ui.conftest import Gate

Make = Callable[..., Gate]


def text_of(gate: Gate) -> str:
    return "\n".join(item.text.text() for item in gate.window.status.items)


def test_idle_invites(gate: Gate) -> None:
    idle = gate.window.board.lanes[0].idle
    assert idle.prompt.text() == "カードをタッチしてください"
    assert idle.greeting.text() == "Please touch your card · Vui lòng chạm thẻ · Silakan tempel kartu · 请刷卡"
    assert gate.window.header.site.text() == data.SITE.name
    assert gate.window.header.date.text() == "11月20日(金)"
    assert gate.window.header.time.text() == "07:42:11"


def test_greetings_are_the_sites(make_gate: Make) -> None:
    gate = make_gate(site=Site("1", "x", greetings=("vi", "xx")))
    gate.readers(data.A)
    assert gate.window.board.lanes[0].idle.greeting.text() == "Vui lòng chạm thẻ"


@pytest.mark.parametrize(
    ("news", "look", "sound"),
    [
        (data.recorded(), Look.RECORDED, Sound.RECORDED),
        (data.check(), Look.CHECK, Sound.CHECK),
        (data.unknown(), Look.UNKNOWN, Sound.UNKNOWN),
        (data.double(), Look.ALREADY, Sound.ALREADY),
        (data.refused(), Look.BAD, Sound.BAD),
        (data.unreadable(), Look.BAD, Sound.BAD),
    ],
)
def test_each_outcome_has_its_colour_shape_and_sound(gate: Gate, news: object, look: Look, sound: Sound) -> None:
    gate.news(news)
    card = gate.window.board.lanes[0].card
    picture = card.grab().toImage()
    assert picture.pixelColor(picture.width() - 40, 40).name().upper() == SKINS[look].strong
    assert picture.pixelColor(picture.width() - 40, picture.height() - 40).name().upper() == SKINS[look].paper
    assert card.shape.look is look
    assert gate.ear.heard == [sound]
    assert card.accessibleName().startswith(card.content.title if card.content else "?")


def test_a_result_goes_away_by_itself(make_gate: Make, qtbot: QtBot) -> None:
    gate = make_gate(result_ms=500)
    gate.readers(data.A)
    gate.news(data.recorded())
    assert gate.showing() == {data.A: "記録しました"}
    qtbot.waitUntil(lambda: gate.showing() == {data.A: None}, timeout=5000)


def test_the_next_card_replaces_at_once(gate: Gate) -> None:
    gate.news(data.recorded(), data.vietnamese(data.A))
    assert gate.window.board.lanes[0].card.headline.text() == "NGUYEN THI PHUONG THAO"


def test_one_lane_per_usable_reader(gate: Gate) -> None:
    gate.readers(data.B)
    gate.news(data.recorded(data.A))
    assert gate.showing() == {data.A: "記録しました", data.B: None}
    gate.news(data.unreadable(data.B))
    assert gate.showing() == {data.A: "記録しました", data.B: "読めませんでした"}
    gate.readers(data.C)
    lanes = gate.window.board.lanes
    assert [lane.name for lane in lanes] == [data.A, data.B, data.C]
    assert len({lane.y() for lane in lanes}) == 1
    assert lanes[0].x() < lanes[1].x() < lanes[2].x()


def test_lanes_carry_the_readers_names_where_there_are_several(gate: Gate) -> None:
    assert not gate.window.board.lanes[0].idle.label.isVisible()
    gate.readers(data.B)
    assert [lane.idle.label.text() for lane in gate.window.board.lanes] == ["リーダー A", "PaSoRi RC-S300"]


def test_five_readers_stand_in_two_rows(make_gate: Make) -> None:
    gate = make_gate()
    for index in range(5):
        state = replace(data.state(data.A), reader=f"r{index}", label=f"リーダー {index}")
        gate.bridge.take_reader(state)
    settle(gate.window)
    assert len({lane.y() for lane in gate.window.board.lanes}) == 2


def test_a_reader_that_goes_keeps_its_result_until_it_was_read(make_gate: Make, qtbot: QtBot) -> None:
    gate = make_gate(result_ms=500)
    gate.readers(data.A, data.B)
    gate.news(data.recorded(data.B))
    gate.bridge.take_reader(data.state(data.B, ReaderCondition.NO_READER))
    settle(gate.window)
    assert gate.showing()[data.B] == "記録しました"
    qtbot.waitUntil(lambda: list(gate.showing()) == [data.A], timeout=5000)


def test_without_a_reader_nobody_is_invited(make_gate: Make) -> None:
    gate = make_gate()
    assert gate.window.board.lanes[0].idle.prompt.text() == "準備しています"
    gate.bridge.take_reader(data.state(data.A, ReaderCondition.NO_READER))
    settle(gate.window)
    idle = gate.window.board.lanes[0].idle
    assert idle.prompt.text() == "カードリーダーを使えません"
    assert "リーダー A" in idle.note.text()
    gate.readers(data.A)
    assert gate.window.board.lanes[0].idle.prompt.text() == "カードをタッチしてください"


def test_a_person_without_a_card_gets_a_place_beside_the_line(gate: Gate) -> None:
    gate.news(data.recorded(), data.entered())
    titles = {name: title and title.replace("\u200b", "") for name, title in gate.showing().items()}
    assert titles == {data.A: "記録しました", "": "承認待ちで受け付けました"}
    assert gate.ear.heard == [Sound.RECORDED, Sound.CHECK]


def test_a_stopped_lane_is_taken_off_the_screen(gate: Gate) -> None:
    gate.readers(data.B)
    gate.bridge.take_reader(data.state(data.A, ReaderCondition.STOPPED))
    settle(gate.window)
    assert list(gate.showing()) == [data.B]
    assert "リーダー A" not in text_of(gate)


def test_lanes_that_went_leave_nothing_behind(make_gate: Make) -> None:
    gate = make_gate()
    for _ in range(3):
        gate.readers(data.A, data.B)
        for name in (data.A, data.B):
            gate.bridge.take_reader(data.state(name, ReaderCondition.STOPPED))
        settle(gate.window)
    gate.window.resize(1920, 1080)
    settle(gate.window)
    assert [lane.name for lane in gate.window.board.lanes] == [""]


# ---- alarm -----------------------------------------------------------------------------------------------------------


def test_an_alarm_takes_the_whole_width_and_stays(gate: Gate) -> None:
    gate.news(data.ALARM)
    window = gate.window
    assert window.pages.currentWidget() is window.alarm
    assert window.alarm.title.text() == "記録できませんでした"
    picture = window.pages.grab().toImage()
    middle = picture.pixelColor(picture.width() - 60, picture.height() // 2)
    assert middle.name().upper() == SKINS[Look.BAD].strong
    assert gate.ear.heard == [Sound.ALARM]
    gate.news(data.unreadable())
    assert window.pages.currentWidget() is window.alarm


def test_an_alarm_ends_with_the_next_success(gate: Gate) -> None:
    gate.news(data.ALARM, data.recorded())
    assert gate.window.pages.currentWidget() is gate.window.main
    assert gate.showing() == {data.A: "記録しました"}


def test_an_alarm_stays_in_its_lane_when_another_succeeds(gate: Gate) -> None:
    gate.readers(data.B)
    gate.news(data.ALARM, data.recorded(data.B))
    assert gate.window.pages.currentWidget() is gate.window.main
    lane = gate.window.board.lanes[0]
    assert lane.showing is not None
    assert lane.showing.loud
    picture = lane.card.grab().toImage()
    assert picture.pixelColor(picture.width() - 20, picture.height() // 2).name().upper() == SKINS[Look.BAD].strong


def test_an_alarm_ends_by_time(make_gate: Make, qtbot: QtBot) -> None:
    gate = make_gate(alarm_ms=40)
    gate.readers(data.A)
    gate.news(data.ALARM)
    qtbot.waitUntil(lambda: gate.window.pages.currentWidget() is gate.window.main, timeout=5000)


def test_the_alarm_lasts_ten_seconds_at_least() -> None:
    from app.ui.timing import Timing

    assert Timing().alarm_ms >= 10_000


# ---- rush and threads ------------------------------------------------------------------------------------------------


def test_forty_people_in_a_row(gate: Gate) -> None:
    for number in range(40):
        gate.bridge.take_news(data.recorded(name=f"作業員 {number}", id=str(number)))
    settle(gate.window)
    assert gate.window.board.lanes[0].card.headline.text() == "作業員 39"
    assert gate.ear.heard == [Sound.RECORDED] * 40


def test_news_from_another_thread_arrives_on_ours(gate: Gate, qtbot: QtBot) -> None:
    threads = []
    gate.bridge.news.connect(lambda _news: threads.append(QThread.currentThread()))

    def gates_thread() -> None:
        for number in range(20):
            gate.bridge.take_news(data.recorded(name=f"{number}"))
            gate.bridge.take_reader(data.state(data.B))
            gate.bridge.take_sync(data.GallerySync(pending=number))

    other = threading.Thread(target=gates_thread, name="gate")
    other.start()
    other.join()
    qtbot.waitUntil(lambda: len(threads) == 20, timeout=5000)
    assert set(threads) == {gate.window.thread()}
    assert gate.window.board.lanes[0].card.headline.text() == "19"
    assert "送信待ち 19 件" in gate.window.status.sync.text()


def test_replies_come_back_on_our_thread(qtbot: QtBot) -> None:
    bridge = Bridge()
    answers: list[tuple[int, QThread]] = []
    reply = bridge.reply(lambda answer: answers.append((answer, QThread.currentThread())))
    other = threading.Thread(target=reply, args=(7,))
    other.start()
    other.join()
    assert not answers
    qtbot.waitUntil(lambda: bool(answers), timeout=5000)
    assert answers == [(7, bridge.thread())]


def test_a_closed_bridge_drops_what_still_arrives(qtbot: QtBot) -> None:
    bridge = Bridge()
    seen: list[object] = []
    bridge.news.connect(seen.append)
    bridge.take_news(data.recorded())
    bridge.close()
    bridge.take_news(data.recorded())
    qtbot.wait(10)
    assert not seen


# ---- direction -------------------------------------------------------------------------------------------------------


def test_direction_is_automatic_until_chosen(gate: Gate) -> None:
    bar = gate.window.action_bar
    assert [pad.isChecked() for pad in bar.pads.values()] == [False, False, True]
    bar.pads[Direction.OUT].click()
    assert gate.paper.asked[-1] == ("direction", Direction.OUT)
    assert bar.pads[None].isChecked(), "the gate has not answered yet"
    gate.news(DirectionState(Direction.OUT, data.NOW + timedelta(minutes=9, seconds=42)))
    assert [pad.isChecked() for pad in bar.pads.values()] == [False, True, False]
    assert bar.pads[None].noted() == "9:42 後に自動"
    assert gate.window.board.lanes[0].idle.note.text() == "いまは「退場」で記録します"
    bar.pads[None].click()
    assert gate.paper.asked[-1] == ("direction", None)
    gate.news(DirectionState(None))
    assert bar.pads[None].isChecked()
    assert bar.pads[None].noted() == ""
    assert not gate.window.board.lanes[0].idle.note.isVisible()


# ---- right-hand side -------------------------------------------------------------------------------------------------


def test_todays_touches(gate: Gate) -> None:
    gate.news(data.TODAY)
    rows = [row for row in gate.window.touches.rows if row.isVisible()]
    assert len(rows) >= 7
    assert rows[0].accessibleName() == "07:42 佐藤 健一 入場 送信待ち"
    assert rows[3].accessibleName() == "07:41 未登録のカード 入場 送信済"
    assert rows[6].delivery.text() == "要確認"
    assert rows[7].direction.text() == "承認待ち"
    assert [row.shape.look for row in rows[:4]] == [Look.RECORDED, Look.RECORDED, Look.CHECK, Look.UNKNOWN]
    assert gate.window.touches.present.text() == "入場 38 人"


def test_refused_lines_have_no_direction(gate: Gate) -> None:
    refused = replace(data.LINES[8], direction=Direction.IN)
    gate.news(Today("2026-11-20", (refused,), (), 0))
    assert gate.window.touches.rows[0].accessibleName() == "07:41 使えないカード 送信済"


def test_an_empty_day(gate: Gate) -> None:
    gate.news(Today("2026-11-20", (), (), 0))
    assert gate.window.touches.empty.isVisible()
    assert not gate.window.companies.isVisible()


def test_companies_never_invent_a_rate(gate: Gate) -> None:
    gate.news(data.TODAY)
    typed, roster, full = gate.window.companies.rows
    assert typed.numbers.text() == "12 / 総出面 13"
    assert roster.numbers.text() == "9 / 名簿 9"
    assert (typed.bar.typed, roster.bar.typed, full.bar.typed) == (True, False, True)
    left = [row.bar.grab().toImage().pixelColor(20, 4).name().upper() for row in (typed, roster)]
    assert left == [BRAND, BRAND_SOFT]
    assert gate.window.companies.more.text() == "ほか 3 社"
    gate.news(Today("2026-11-20", (), (data.COMPANIES[4],), 1))
    first = gate.window.companies.rows[0]
    assert first.numbers.text() == "1 人"
    assert not first.bar.isVisible()


# ---- bottom line -----------------------------------------------------------------------------------------------------


def test_sync_sentences(gate: Gate) -> None:
    line = gate.window.status.sync
    gate.sync()
    assert line.text() == "送信待ち 3 件 · 最終送信 07:41"
    gate.sync(pending=0, last_sync_at=None)
    assert line.text() == "送信待ち 0 件 · 最終送信 なし"
    gate.sync(pending=128, last_sync_at=data.NOW - timedelta(days=3), online=False, rejected=2)
    assert line.text() == ("送信待ち 128 件 · 要確認 2 件 · 最終送信 11/17 07:42 · 回線がありません(自動で再送します)")
    gate.sync(online=False, last_error="no.such.code")
    assert "no.such" not in line.text()


def test_readers_say_what_is_wrong_and_what_to_do(gate: Gate) -> None:
    gate.bridge.take_reader(data.state(data.B, ReaderCondition.NO_READER))
    settle(gate.window)
    good, bad = gate.window.status.items
    assert good.shape.look is Look.RECORDED
    assert good.text.text().startswith("リーダー A ")
    assert bad.shape.look is Look.BAD
    assert bad.text.text().startswith("PaSoRi RC-S300: ")
    assert " → " in bad.text.text()
    gate.readers(data.B)
    assert [item.shape.look for item in gate.window.status.items] == [Look.RECORDED] * 2


@pytest.mark.parametrize("condition", list(ReaderCondition))
def test_every_condition_has_a_sentence(gate: Gate, condition: ReaderCondition) -> None:
    gate.bridge.take_reader(data.state(data.B, condition))
    settle(gate.window)
    assert "reader." not in text_of(gate)


def test_warnings_stand_as_long_as_they_last(gate: Gate) -> None:
    gate.news(data.WARNINGS)
    status = gate.window.status
    assert [item.text.text() for item in status.shout_items] == [
        "PC の時計が 14 分遅れています → PC の日付と時刻を合わせてください。記録は続いています"
    ]
    assert status.items[-1].text.text() == "鍵をファイルで保管しています"
    gate.news(())
    assert not status.shouts.isVisible()
    assert len(status.items) == 1
