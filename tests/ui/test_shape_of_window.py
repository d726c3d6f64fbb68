"""Nothing is clipped at any size, every control has a name, everything to press is large, no dialog exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.ui.gallery import SCENES, demo_tray, main, settle, stage
from app.ui.text import Text
from app.ui.theme import TARGET
from app.ui.window import GateWindow
from tests.ui.conftest import Gate
from tests.ui.walk import clipped, nameless, overlapping, small_targets

ROOT = Path(__file__).resolve().parent.parent.parent
SIZES = [(1366, 768), (1920, 1080), (1024, 768)]


CHOOSES_FILES = {"import_page.py"}
"""The office's files are chosen in the system's own window."""
WITH_LOOP = {"host.py", "trouble_window.py"}
"""The doors of a process: each runs Qt's loop once, and no other module does."""


def finish(window: GateWindow) -> None:
    window.leave_now()
    window.deleteLater()
    settle(window)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_nothing_is_clipped(qtbot: QtBot, scene: str, language: str, size: tuple[int, int]) -> None:
    window = stage(scene, *size, language)
    try:
        assert clipped(window) == []
        assert overlapping(window) == []
        assert (window.width(), window.height()) == size, "the window must not outgrow the screen"
    finally:
        finish(window)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("factor", ["1.25", "1.5", "2"])
def test_nothing_is_clipped_under_scaling(factor: str, language: str) -> None:
    env = {**os.environ, "QT_SCALE_FACTOR": factor, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "tests.ui.walk", "1366x768", language]
    walked = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert walked.returncode == 0, walked.stdout + walked.stderr


def test_the_walk_finds_what_is_clipped(qtbot: QtBot) -> None:
    window = stage("recorded", 1366, 768)
    try:
        name = window.board.lanes[0].card.headline
        name.setMaximumSize(40, 14)
        settle(window)
        assert any("佐藤" in fault for fault in clipped(window))
    finally:
        finish(window)


@pytest.mark.parametrize("scene", ["idle", "two", "no-card", "no-card-touch", "headcount", "pin", "by-hand"])
def test_everything_to_press_is_for_gloves(qtbot: QtBot, scene: str) -> None:
    window = stage(scene, 1366, 768, kiosk=scene == "pin", tray=None)
    try:
        assert small_targets(window, TARGET) == []
        assert nameless(window) == []
    finally:
        finish(window)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_control_has_a_name(make_gate: Callable[..., Gate], language: str) -> None:
    gate = make_gate(kiosk=True, language=language, tray=demo_tray())
    assert nameless(gate.window) == []
    for text in gate.window.findChildren(Text):
        assert "\u200b" not in text.text()
        assert not re.search(r"\b(gate|kiosk|outcome|reason)\.[a-z_]+", text.text()), text.text()


def test_the_name_is_the_biggest_thing(qtbot: QtBot) -> None:
    for scene in ("recorded", "two", "level", "check"):
        window = stage(scene, 1366, 768)
        card = window.board.lanes[0].card
        sizes = {t: t.fitted().pixels for t in card.findChildren(Text) if t.isVisible()}
        assert max(sizes, key=lambda t: sizes[t]) is card.headline
        assert sizes[card.headline] >= 70
        finish(window)


def test_names_stay_legible_in_three_lanes(qtbot: QtBot) -> None:
    window = stage("three", 1366, 768)
    assert all(lane.card.headline.fitted().pixels >= 34 for lane in window.board.lanes if lane.showing)
    finish(window)


def test_no_dialog_can_open_on_this_window() -> None:
    forbidden = re.compile(r"\bQDialog|QMessageBox|QInputDialog|QFileDialog|QProgressDialog|QErrorMessage|WindowModal")
    for path in (ROOT / "app" / "ui").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name in CHOOSES_FILES:
            assert "dialog.open(" not in text, "a chooser stands beside the window, never before it"
            text = text.replace("QFileDialog", "")
        assert not forbidden.search(text), path
        loops = re.findall(r"\.exec\(", text)
        assert len(loops) == (1 if path.name in WITH_LOOP else 0), f"{path} runs a loop of its own"


def test_modules_stay_small() -> None:
    lines = {str(p): len(p.read_text("utf-8").splitlines()) for p in (ROOT / "app" / "ui").rglob("*.py")}
    assert not {name: count for name, count in lines.items() if count > 320}


def test_the_demo_tray_covers_nothing(make_gate: Callable[..., Gate]) -> None:
    touched: list[str] = []
    told: list[object] = []
    spec = demo_tray()
    spec = type(spec)(
        spec.cards,
        lambda card: touched.append(card.name),
        spec.readers,
        told.append,
        on_centre_stopped=told.append,
        on_line_cut=told.append,
    )
    gate = make_gate(tray=spec)
    tray, stage_ = gate.window.tray, gate.window.stage
    assert tray is not None
    assert not tray.geometry().intersects(stage_.geometry())
    assert tray.accessibleName() == "デモ用カード"
    tray.pads[0].click()
    list(tray.reader_pads.values())[1].click()
    for switch in tray.switches:
        switch.click()
    tray.switches[0].click()
    assert touched == ["佐藤 健一"]
    assert told == ["pcsc:reader-a", "pasori:usb", True, True, False]
    assert clipped(gate.window) == []


def test_the_gallery_writes_its_pictures(qtbot: QtBot, tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--size", "1366x768", "idle", "pin"]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["gate-idle.png", "gate-pin.png"]


def test_focus_does_not_sit_on_a_direction(gate: Gate) -> None:
    focused = gate.window.focusWidget()
    assert not isinstance(focused, type(gate.window.action_bar.no_card_pad))
    assert isinstance(focused, QWidget)
    assert gate.window.focusPolicy() == Qt.FocusPolicy.StrongFocus
