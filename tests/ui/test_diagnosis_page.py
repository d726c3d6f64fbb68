"""リーダーの診断: the first failure large, a card tried live, and the line goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from pytestqt.qtbot import QtBot

from app.domain.verdict import Outcome, Reason
from app.messages import say
from app.readers.port import ReaderCondition
from app.ui import gallery_data as data
from app.ui.bridge import Bridge
from app.ui.diagnosis_page import ROWS, DiagnosisPage, Finding
from app.ui.gallery import settle
from app.ui.gallery_diagnosis import PARTS, GalleryFinding, tell
from app.ui.text import Text
from app.ui.theme import TARGET, Look, Theme
from app.ui.words import Words
from app.wiring.doctor import STEPS
from tests.ui.conftest import Gate

Take = Callable[[Finding | None], None]
LIVE = {"card", "card_read", "card_profile", "card_proof", "card_worker"}
"""Checks that the page makes by a card touched now."""


@pytest.fixture
def gate(gate: Gate) -> Gate:
    """The page is open, nothing told yet."""
    gate.window.open_page(gate.window.diagnosis)
    settle(gate.window)
    return gate


def advice(gate: Gate) -> tuple[Look, str, str]:
    shown = gate.window.diagnosis.advice
    return shown.shape.look, shown.title.text(), shown.remedy.text()


def steps(gate: Gate) -> list[Look]:
    return [step.shape.look for step in gate.window.diagnosis.steps]


def words(code: str) -> tuple[str, str]:
    message = say(code)
    return message.title, message.remedy


def test_every_check_is_told_somewhere() -> None:
    told = {check for checks in ROWS.values() for check in checks}
    assert told | LIVE | {"ccus_area"} == {step.name for step in STEPS}


def test_a_gloved_hand_finds_the_page(make_gate: Callable[..., Gate]) -> None:
    made = make_gate(diagnose=lambda take: None)
    made.readers(data.A)
    pad = made.window.status.reader
    assert pad.isVisible()
    assert min(pad.width(), pad.height()) >= TARGET
    pad.click()
    assert made.window.pages.currentWidget() is made.window.diagnosis
    made.window.diagnosis.close_pad.click()
    assert made.window.pages.currentWidget() is made.window.main


def test_the_first_failure_is_large_whatever_was_warned_of_before(gate: Gate) -> None:
    tell(
        gate.window,
        {
            "disk": ("failed", "health.disk_nearly_full"),
            "driver": ("failed", "reader.driver_missing"),
            "trust": ("warning", "health.secure_crl_old"),
        },
    )
    assert advice(gate)[0] is Look.BAD
    assert advice(gate)[1].startswith("ディスクの空きがほとんどありません")
    assert gate.window.diagnosis.rows["check.driver"].text.text() == words("reader.driver_missing")[0]
    tell(gate.window, {"trust": ("warning", "health.secure_crl_old"), "driver": ("failed", "reader.driver_missing")})
    assert advice(gate) == (Look.BAD, *words("reader.driver_missing"))
    tell(gate.window, {"keys": ("warning", "doctor.key_file"), "clock": ("warning", "health.clock_went_back")})
    assert advice(gate) == (Look.CHECK, *words("health.clock_went_back"))
    tell(gate.window, {"keys": ("warning", "doctor.key_file")})
    assert advice(gate) == (Look.RECORDED, *words("diagnosis.well"))
    assert gate.window.diagnosis.rows["diagnosis.this_pc"].shape.look is Look.CHECK


def test_it_claims_nothing_before_all_is_told(gate: Gate) -> None:
    gate.window.diagnosis.told(GalleryFinding("usb"))
    assert advice(gate) == (Look.PENDING, *words("diagnosis.looking"))
    gate.window.diagnosis.told(None)
    assert advice(gate)[1] == words("diagnosis.well")[0]


def test_a_card_is_tried_live_and_answered_as_always(gate: Gate) -> None:
    tell(gate.window, {})
    assert steps(gate) == [Look.PENDING] * 3
    gate.news(data.recorded(data.A, assurance="authenticated"))
    assert steps(gate) == [Look.RECORDED] * 3
    assert gate.window.diagnosis.steps[1].text.text() == words("diagnosis.card_read_proven")[0]
    assert gate.window.strip.cells[data.A].headline.text() == "佐藤 健一"
    assert gate.ear.heard
    gate.news(data.unreadable(data.A))
    assert steps(gate) == [Look.RECORDED, Look.BAD, Look.PENDING]
    assert advice(gate) == (Look.BAD, *words("outcome.unreadable"))
    gate.news(data.unknown(data.A))
    assert steps(gate) == [Look.RECORDED, Look.RECORDED, Look.UNKNOWN]
    gate.news(data.refused(data.A, Reason.SECURE_REVOKED))
    assert steps(gate) == [Look.RECORDED, Look.RECORDED, Look.BAD]
    assert advice(gate) == (Look.BAD, *words("reason.secure_revoked"))
    gate.news(data.refused(data.A, Reason.SECURE_MALFORMED))
    assert steps(gate) == [Look.RECORDED, Look.BAD, Look.PENDING]
    gate.news(data.recorded(data.A, outcome=Outcome.SUPPRESSED, name=""))
    assert steps(gate)[2] is Look.UNKNOWN, "the second touch of a card that nobody is known for"


def test_no_name_and_no_personal_reason_is_on_it(gate: Gate) -> None:
    tell(gate.window, {})
    gate.news(data.personal(data.A))
    said = " ".join(text.text() for text in gate.window.diagnosis.findChildren(Text))
    assert "田中" not in said
    assert words("reason.visit_office")[0] not in said
    assert steps(gate) == [Look.RECORDED] * 3


def test_a_person_without_a_card_is_no_card(gate: Gate) -> None:
    gate.news(data.entered())
    assert steps(gate) == [Look.PENDING] * 3


def test_an_alarm_lies_over_it(gate: Gate) -> None:
    gate.news(data.ALARM)
    assert gate.window.pages.currentWidget() is gate.window.alarm


def test_that_the_encrypted_area_is_not_supported_is_said_calmly(gate: Gate) -> None:
    assert gate.window.diagnosis.ccus.text() == words("doctor.ccus_area")[0]
    assert "未対応" in gate.window.diagnosis.ccus.text()
    tell(gate.window, {})
    assert advice(gate)[0] is Look.RECORDED


def page_of(qtbot: QtBot, diagnose: Callable[[Take], None], idle_ms: int = 600_000) -> DiagnosisPage:
    page = DiagnosisPage(Theme(), Words("ja", data.SITE.zone), diagnose, Bridge().reply, idle_ms)
    qtbot.addWidget(page)
    page.show()
    page.enter()
    return page


def test_it_closes_itself_and_a_card_keeps_it_open(qtbot: QtBot) -> None:
    page = page_of(qtbot, lambda take: None, idle_ms=60_000)
    begun: list[bool] = []
    page._timer.start = lambda: begun.append(True)  # type: ignore[method-assign]
    page.card_told(data.recorded())
    assert begun == [True]
    del page._timer.start
    with qtbot.waitSignal(page.closed, timeout=5000):
        page._timer.start(1)


def test_a_reader_that_comes_or_goes_is_looked_at_again(qtbot: QtBot) -> None:
    begun: list[Take] = []
    page = page_of(qtbot, begun.append)
    assert len(begun) == 1
    for condition in (ReaderCondition.NO_READER, ReaderCondition.READY):
        page.reader_changed(data.state(data.A, condition))
    qtbot.waitUntil(lambda: len(begun) == 2, timeout=5000)
    page.reader_changed(data.state(data.A, ReaderCondition.CARD_PRESENT))
    qtbot.wait(1200)
    assert len(begun) == 2, "a card on a reader changes nothing"
    page.leave()
    page.reader_changed(data.state(data.A, ReaderCondition.NO_READER))
    qtbot.wait(1200)
    assert len(begun) == 2, "nobody looks any more"


def test_what_an_earlier_examination_still_tells_is_dropped(qtbot: QtBot) -> None:
    begun: list[Take] = []
    bridge = Bridge()
    page = DiagnosisPage(Theme(), Words("ja", data.SITE.zone), begun.append, bridge.reply, 600_000)
    qtbot.addWidget(page)
    page.enter()
    page.begin()
    begun[0](GalleryFinding("usb", "failed", "alt"))
    begun[1](GalleryFinding("driver", "failed", "neu"))
    qtbot.wait(20)
    assert page.advice.title.text() == "neu"
    page.leave()


def test_the_file_for_support_is_read_before_it_is_saved(gate: Gate, qtbot: QtBot) -> None:
    page, sheet = gate.window.diagnosis, gate.window.diagnosis.support
    port = Support()
    sheet._port = port
    page.show_support(True)
    assert sheet.isVisible()
    assert not page.checks.isVisible()
    assert not sheet.save_pad.isEnabled(), "nothing to save yet"
    port.take(PARTS)
    settle(gate.window)
    assert sheet.preview.toPlainText() == PARTS[0].text
    sheet.next.click()
    assert sheet.preview.toPlainText() == PARTS[4].text
    assert port.saved == []
    sheet.save_pad.click()
    assert port.saved == list(PARTS), "these very parts, and no newly gathered ones"
    settle(gate.window)
    assert "C:\\x.zip" in sheet.said.text()
    gate.news(data.recorded(data.A))
    assert gate.window.strip.cells[data.A].headline.text() == "佐藤 健一", "the line goes on"
    page.close_pad.click()
    page.enter()
    assert not page.checks.isHidden()
    assert sheet._parts == ()


def test_no_file_for_support_is_said(gate: Gate) -> None:
    page, sheet = gate.window.diagnosis, gate.window.diagnosis.support
    port = sheet._port = Support()
    page.show_support(True)
    port.take(None)
    settle(gate.window)
    assert words("support.failed")[0] in sheet.said.text()
    assert not sheet.save_pad.isEnabled()


class Support:
    """A port that answers when told to."""

    def __init__(self) -> None:
        self.take: Callable[[object], None] = lambda parts: None
        self.saved: list[object] = []

    def collect(self, take: Callable[[object], None]) -> None:
        self.take = take

    def save(self, parts: Sequence[object], take: Callable[[str], None]) -> None:
        self.saved = list(parts)
        take("C:\\x.zip")
