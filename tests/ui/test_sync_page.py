"""送信の状況: one sentence says why, whatever the trouble; and what needs a look can be sent again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.messages import catalogue
from app.ui import gallery_data as data
from app.ui.gallery import settle
from app.ui.sync_words import next_attempt, why
from app.ui.words import Words
from tests.helpers.namespace import PATH, way_in
from tests.ui.conftest import Gate

Make = Callable[..., Gate]
ROOT = Path(__file__).resolve().parent.parent.parent
NOT_STATES = ("sync.address", "sync.ca_file", "sync.proxy_address", "sync.proxy_socks", "sync.enrol_", "sync.verdict_")
"""Said when a PC is set up, or of one record: never why all of it waits."""
TROUBLES = sorted(code for code in catalogue("ja") if code.startswith("sync.") and not code.startswith(NOT_STATES))


def words(language: str = "ja") -> Words:
    return Words(language, data.SITE.zone)


def open_page(gate: Gate) -> None:
    gate.window.status.sync.click()
    settle(gate.window)
    assert gate.window.pages.currentWidget() is gate.window.sync


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("code", TROUBLES)
def test_every_trouble_is_one_whole_sentence(code: str, language: str) -> None:
    status = data.GallerySync(pending=128, online=False, last_error=code)
    told = why(status, words(language))
    assert "128" in told.sentence
    assert catalogue(language)[code].title in told.sentence
    assert told.sentence.rstrip().endswith(("記録は保存済みです。", "All records are stored."))
    assert told.remedy
    assert not told.calm
    assert "{" not in told.sentence
    assert "sync." not in told.sentence + told.remedy


def test_there_are_many_troubles() -> None:
    assert len(TROUBLES) > 20
    assert {"sync.offline_tls_expired", "sync.upgrade_needed", "sync.chain_broken", "sync.in_between"} <= set(TROUBLES)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"pending": 0}, "すべて送信済みです。"),
        ({"pending": 3, "online": None}, "送信待ち 3 件。まもなく送ります。記録は保存済みです。"),
        ({"pending": 3}, "送信待ち 3 件。送っています。記録は保存済みです。"),
        (
            {"pending": 0, "rejected": 2},
            "送信待ちはありません。センターが受理しなかった記録が 2 件あります。記録は保存済みです。",
        ),
        (
            {"pending": 12, "handed": 12},
            "USB に書き出しました。センターの受領待ち 12 件。記録は保存済みです。",
        ),
        (
            {"pending": 15, "handed": 12, "online": False, "last_error": "sync.offline_drop_missing"},
            "USB に書き出しました。センターの受領待ち 12 件。送信待ち 3 件。"
            "受け渡しのフォルダー(USB メモリー)が見つかりません。直れば自動で書き出します。記録は保存済みです。",
        ),
        (
            {"pending": 128, "online": False, "last_error": "sync.offline_unreachable"},
            "送信待ち 128 件。センターまで届きません。つながれば自動で送ります。記録は保存済みです。",
        ),
        (
            {"pending": 9, "last_error": "sync.busy"},
            "送信待ち 9 件。センターが混み合っています。自動で送り直します。記録は保存済みです。",
        ),
        (
            {"pending": 9, "last_error": "sync.upgrade_needed", "paused": "sync.upgrade_needed"},
            "送信待ち 9 件。このプログラムは古くて、センターとやり取りできません。直るまで送信を止めています。"
            "記録は保存済みです。",
        ),
        (
            {"pending": 0, "chain_state": "broken"},
            "送信待ちはありません。この PC の記録がセンターの記録とつながりません。記録は保存済みです。",
        ),
    ],
)
def test_the_sentence(fields: dict[str, object], sentence: str) -> None:
    assert why(data.GallerySync(**fields), words()).sentence == sentence  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minutes", "held", "said"),
    [
        (None, False, "まもなく"),
        (0.5, False, "まもなく"),
        (2.2, False, "約 3 分後"),
        (75, False, "08:57 ごろ"),
        (40, True, "約 40 分後(センターの指定)"),
    ],
)
def test_the_next_attempt_in_words(minutes: float | None, held: bool, said: str) -> None:
    at = None if minutes is None else data.NOW + timedelta(minutes=minutes)
    assert next_attempt(data.GallerySync(next_attempt_at=at, held=held), words(), data.NOW) == said


def test_the_page_opens_from_the_bar_and_a_card_is_answered_meanwhile(gate: Gate) -> None:
    gate.sync(pending=128, rejected=4, online=False, last_error="sync.offline_dns")
    open_page(gate)
    page = gate.window.sync
    assert page.sentence.text().startswith("送信待ち 128 件。")
    assert page.look_word.text() == "要確認 4 件"
    gate.news(data.recorded())
    assert gate.window.pages.currentWidget() is page
    assert gate.window.strip.isVisible()
    assert gate.showing()[data.A] == "記録しました"
    gate.news(data.ALARM)
    assert gate.window.pages.currentWidget() is gate.window.alarm


def test_the_page_closes_itself(make_gate: Make, qtbot: QtBot) -> None:
    gate = make_gate(page_ms=150)
    open_page(gate)
    qtbot.waitUntil(lambda: gate.window.pages.currentWidget() is gate.window.main, timeout=3000)


def test_the_buttons_ask(gate: Gate) -> None:
    gate.sync(pending=5, online=False, last_error="sync.offline_dns")
    open_page(gate)
    page = gate.window.sync
    page.send.click()
    assert page.send.noted() == "始めました"
    page.roster.click()
    assert (page.send.noted(), page.roster.noted()) == ("", "始めました")
    assert gate.delivery.asked == [("send",), ("roster",)]
    gate.sync(pending=0)
    assert page.roster.noted() == ""
    assert page.sentence.text() == "すべて送信済みです。"


def test_a_record_is_sent_again_and_goes_from_the_list(gate: Gate) -> None:
    gate.sync(rejected=4)
    open_page(gate)
    page = gate.window.sync
    assert [line.what.text() for line in page.lines] == [
        "11/18 07:42 直接入力 佐藤 健一",
        "11/19 07:42 タッチ NGUYEN THI PHUONG THAO",
    ]
    assert "期限" in page.lines[0].reason.text()
    page.lines[0].again.click()
    assert gate.delivery.asked == [("again", "a1")]
    settle(gate.window)
    assert page.lines[1].what.text() == "06:42 タッチ uid:…08A4", "nobody's name: the masked card"
    page.all_again.click()
    settle(gate.window)
    assert gate.delivery.asked[-1] == ("again", "a2", "a3", "a4")
    assert page.look_word.text() == "要確認の記録はありません"
    assert not any(line.isVisible() for line in page.lines)


def test_a_word_of_a_newer_centre_is_no_bare_code(gate: Gate) -> None:
    gate.delivery.rows = [data.LookRow("x", 1, data.NOW, "drone", "no_drones_please")]
    open_page(gate)
    line = gate.window.sync.lines[0]
    assert line.what.text() == "07:42 記録 名前なし"
    assert "受理しませんでした" in line.reason.text()


def test_a_wrong_clock_is_said_from_two_minutes_on(gate: Gate) -> None:
    open_page(gate)
    gate.sync(skew_ms=119_000)
    assert not gate.window.sync.clock.isVisible()
    gate.sync(skew_ms=-120_000)
    assert gate.window.sync.clock.text() == "PC の時計が 2 分遅れています"


ROAD = """
import os, subprocess, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer
from app.ui.network import NetworkWatch
application = QCoreApplication([])
woken = []
watch = NetworkWatch(lambda: woken.append(len(said)))
said = []
def ip(*words):
    subprocess.run(["ip", *words], check=True)
def step(name, *commands):
    def act():
        said.append(name)
        for command in commands:
            ip(*command.split())
    return act
steps = [
    step("up", "tuntap add dev t0 mode tap", "addr add 192.0.2.2/24 dev t0", "link set t0 up",
         "route add default via 192.0.2.1"),
    step("down", "link set t0 down"),
    step("again", "link set t0 up", "route add default via 192.0.2.1"),
]
def wait(ms, until=lambda: False):
    loop, left = QEventLoop(), [ms // 50]
    def look():
        left[0] -= 1
        if left[0] <= 0 or until():
            loop.quit()
    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(50)
    loop.exec()
wait(200)
for number, one in enumerate(steps, 1):
    one()
    wait(20000, lambda: watch._last <= 1 if number == 2 else number in woken)
print(watch.watching, sorted(set(woken)))
"""


@pytest.mark.skipif(way_in() is None, reason="no namespace of its own to be had")
def test_the_systems_word_of_the_network_wakes() -> None:
    """A real network that comes (1), goes (2: nobody is woken) and comes again (3), in a namespace of its own."""
    command = [*(way_in() or ()), sys.executable, "-c", ROAD]
    env = {**os.environ, "PATH": PATH}
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert ran.stdout.strip() == "True [1, 3]", ran.stdout + ran.stderr
