"""The first start's window: one page, no dialog, nothing clipped, and the code can be typed in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.ui.first_start import FirstStartWindow
from app.ui.gallery import settle
from app.ui.text import Text
from app.wiring.diagnosis.check import Finding, Result
from app.wiring.first_start import Outcome

WHO = {"company": "架空建設株式会社", "station_name": "第1ゲート", "contact": "情報システム部 03-0000-0000"}


def reason(code: str, language: str, check: str = "setup", **values: object) -> Finding:
    from app.messages import say

    message = say(code, language, **values)
    return Finding(check, Result.FAILED, message.title, message.remedy, code=code)


def pages(language: str) -> dict[str, Outcome]:
    """Every kind of page."""
    return {
        "usable": Outcome(usable=True, site_name="架空ビル新築工事", workers=42, **WHO),  # type: ignore[arg-type]
        "code": Outcome(needs_code=True, reasons=(reason("sync.enrol_check", language),), **WHO),  # type: ignore[arg-type]
        "not-yet": Outcome(
            site_name="架空ビル新築工事",
            workers=42,
            reasons=tuple(
                reason(code, language, check)
                for code, check in (
                    ("reader.no_service", "service"), ("sync.offline_refused", "centre"), ("keyring.locked", "keys"),
                    ("settings.no_site_yet", "roster"),
                )
            ),
            **WHO,  # type: ignore[arg-type]
        ),
    }  # fmt: skip


@dataclass
class Paper:
    """Attempts that answer when they are told to."""

    codes: list[str | None] = field(default_factory=list)
    tell: Callable[[str], None] = print
    done: Callable[[Outcome], None] = print

    def attempt(self, code: str | None, tell: Callable[[str], None], done: Callable[[Outcome], None]) -> None:
        self.codes.append(code)
        self.tell, self.done = tell, done


@pytest.fixture
def paper() -> Paper:
    return Paper()


def opened(qtbot: QtBot, paper: Paper, language: str = "ja", size: tuple[int, int] = (1366, 768)) -> FirstStartWindow:
    window = FirstStartWindow(paper.attempt, language)
    qtbot.addWidget(window)
    window.resize(*size)
    window.show()
    window.begin()
    settle(window)
    return window


def test_step_by_step_to_the_gate(qtbot: QtBot, paper: Paper) -> None:
    window = opened(qtbot, paper)
    paper.tell("enrol")
    settle(window)
    assert window.title.text() == "センターに登録しています"
    window.begin()
    assert paper.codes == [None], "one attempt at a time"
    paper.done(pages("ja")["code"])
    settle(window)
    assert window.field.hasFocus()
    assert (window.enrol.isVisible(), window.start.isVisible()) == (True, False)
    QTest.keyClicks(window.field, "abcd efgh jklm")
    QTest.keyClick(window.field, Qt.Key.Key_Return)
    assert paper.codes == [None, "abcd efgh jklm"]
    settle(window)
    assert not window.field.isVisible()
    paper.done(pages("ja")["usable"])
    settle(window)
    assert window.accessibleName() == "使用できます"
    with qtbot.waitSignal(window.closed):
        window.start.click()
    assert window.ready


def test_closed_before_the_end_it_is_not_ready(qtbot: QtBot, paper: Paper) -> None:
    window = opened(qtbot, paper)
    window.close()
    paper.done(pages("ja")["usable"])  # from a thread that lives on
    settle(window)
    assert not window.ready


def test_the_network_returns(qtbot: QtBot, paper: Paper) -> None:
    window = opened(qtbot, paper)
    paper.done(pages("ja")["not-yet"])
    settle(window)
    window.connected()
    assert len(paper.codes) == 2
    paper.done(pages("ja")["code"])
    settle(window)
    window.field.setText("ab")
    window.connected()
    assert len(paper.codes) == 2, "somebody is typing"


@pytest.mark.parametrize("size", [(1366, 768), (1024, 768), (1920, 1080)])
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("page", ["usable", "code", "not-yet"])
def test_nothing_is_clipped(qtbot: QtBot, paper: Paper, page: str, language: str, size: tuple[int, int]) -> None:
    window = opened(qtbot, paper, language, size)
    paper.done(pages(language)[page])
    settle(window)
    texts = [text for text in window.findChildren(Text) if text.isVisible() and text.text()]
    assert [text.text() for text in texts if not text.fitted().fits] == []
    assert len(texts) >= 4
