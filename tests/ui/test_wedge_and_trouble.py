"""The keyboard-wedge filter over real widgets, and the window that waits until the gate can open."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.clock import SystemClock
from app.errors import EnvironmentTrouble
from app.readers.port import CardSeen, ReaderEvent
from app.ui.trouble_window import TroubleWindow, open_until_ready
from app.ui.wedge import WedgeFilter


@pytest.fixture
def form(qtbot: QtBot) -> tuple[QLineEdit, list[ReaderEvent]]:
    window, seen = QWidget(), []
    edit = QLineEdit(window)
    QVBoxLayout(window).addWidget(edit)
    qtbot.addWidget(window)
    window.show()
    edit.setFocus()
    WedgeFilter(window, SystemClock(), seen.append).start()
    return edit, seen


def test_a_burst_is_a_card_and_is_typed_nowhere(qtbot: QtBot, form: tuple[QLineEdit, list[ReaderEvent]]) -> None:
    edit, seen = form
    QTest.keyClicks(edit, "0123456789abcdef")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    cards = [event for event in seen if isinstance(event, CardSeen)]
    assert [(card.card_key, card.source, card.assurance.value) for card in cards] == [
        ("felica:0123456789ABCDEF", "wedge", "uid")
    ]
    qtbot.wait(120)
    assert edit.text() == ""


def test_a_persons_keys_arrive_where_they_were_meant(qtbot: QtBot, form: tuple[QLineEdit, list[ReaderEvent]]) -> None:
    edit, seen = form
    for char in "abe 12":
        QTest.keyClicks(edit, char)
        qtbot.wait(90)
    qtbot.waitUntil(lambda: edit.text() == "abe 12", timeout=5000)
    assert not [event for event in seen if isinstance(event, CardSeen)]


def test_what_keeps_the_gate_from_opening_is_shown_until_it_is_mended(qtbot: QtBot) -> None:
    tries: list[int] = []
    shown: list[str] = []

    def opening() -> str:
        tries.append(1)
        windows = [w for w in QApplication.topLevelWidgets() if isinstance(w, TroubleWindow) and w.isVisible()]
        shown.extend(w.accessibleName() for w in windows)
        if len(tries) < 3:
            raise EnvironmentTrouble("settings.not_enrolled", "here")
        return "open"

    assert open_until_ready(opening, language="ja", retry_ms=20) == "open"
    assert len(tries) == 3
    assert shown[0].startswith("この PC はまだセンターに登録されていません")


def test_closing_the_window_gives_up_with_the_error(qtbot: QtBot) -> None:
    def opening() -> str:
        raise EnvironmentTrouble("settings.not_enrolled", "here")

    def close() -> None:
        for window in QApplication.topLevelWidgets():
            if isinstance(window, TroubleWindow):
                window.close()

    QTimer.singleShot(50, close)
    with pytest.raises(EnvironmentTrouble):
        open_until_ready(opening, language="en", retry_ms=10_000)
