"""Colours can be read, fonts have every letter, sizes grow with the window."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtGui import QTextLayout
from pytestqt.qtbot import QtBot

from app.ui.text import Text, fit, plain
from app.ui.theme import BOLD, TEXT_PAIRS, TYPE, Theme, contrast, make_font


@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_every_text_can_be_read_on_its_ground(ink: str, ground: str) -> None:
    assert contrast(ink, ground) >= 4.5


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("size", TYPE)
@pytest.mark.parametrize(
    "text", ["髙﨑㈱", "佐藤 健一", "Vui lòng chạm thẻ", "请刷卡", "07:42:11", "−+●␣←→·–≥", "NGUYỄN THỊ PHƯƠNG"]
)
def test_no_letter_is_a_box(qtbot: QtBot, text: str, size: int) -> None:
    layout = QTextLayout(text, make_font(size, BOLD, tabular=True))
    layout.beginLayout()
    layout.createLine().setLineWidth(10_000)
    layout.endLayout()
    assert not [run.rawFont().familyName() for run in layout.glyphRuns() if 0 in run.glyphIndexes()]


def test_figures_of_the_clock_have_one_width(qtbot: QtBot) -> None:
    theme = Theme()
    widths = {Text(theme, 56, digit * 6, tabular=True).natural_width() for digit in "0123456789"}
    assert len(widths) == 1


@pytest.mark.parametrize(
    ("size", "scale"), [((1366, 768), 1), ((1920, 1080), 1.4055), ((683, 384), 0.5), ((1366, 1080), 1)]
)
def test_the_scale_follows_the_tighter_side(size: tuple[int, int], scale: float) -> None:
    theme = Theme()
    theme.fit(*size)
    assert theme.scale == pytest.approx(scale, abs=0.001)


def test_a_long_name_shrinks_or_breaks_but_never_loses_a_letter(qtbot: QtBot) -> None:
    name = "NGUYEN THI PHUONG THAO"
    for width in (880, 400, 260, 140):
        setting = fit(name, width, 160, largest=80, smallest=13, weight=BOLD, max_lines=2)
        assert setting.fits
        assert " ".join(setting.lines) == name


def test_a_short_name_keeps_its_size(qtbot: QtBot) -> None:
    assert fit("佐藤 健一", 840, 120, largest=80, smallest=13, weight=BOLD, max_lines=2).pixels == 80


def test_phrases_stay_whole(qtbot: QtBot) -> None:
    setting = fit("使えないカードです", 280, 120, largest=44, smallest=13, weight=BOLD, max_lines=2)
    assert setting.lines == ("使えない", "カードです")


def test_hints_are_not_shown(qtbot: QtBot) -> None:
    label = Text(Theme(), 22, "カードを\u200bタッチ")
    assert label.text() == plain("カードを\u200bタッチ") == "カードをタッチ"


def test_what_does_not_fit_says_so(qtbot: QtBot) -> None:
    assert not fit("NGUYEN THI PHUONG THAO", 40, 20, largest=80, smallest=13).fits


def test_qt_calls_do_not_use_up_none(qtbot: QtBot) -> None:
    """PySide6 6.12.0 under CPython 3.11 gives away a reference of None with each call and dies after some thousand."""
    font = make_font(12)
    before = sys.getrefcount(None)
    for _ in range(5_000):
        font.setPixelSize(12)
    assert sys.getrefcount(None) > before - 1_000
