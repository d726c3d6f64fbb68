"""A gate window over a paper gate, drawn in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.domain.site import Site
from app.ui import gallery_data as data
from app.ui.bridge import Bridge
from app.ui.card_tray import TraySpec
from app.ui.content import Sound
from app.ui.diagnosis_page import Diagnose
from app.ui.gallery import settle
from app.ui.timing import Timing
from app.ui.window import GateWindow

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).parent
LONG = 600_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            # said by Qt's offscreen plug-in for every window
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints"))


class Ear:
    """Remembers what was played."""

    def __init__(self) -> None:
        self.heard: list[Sound] = []

    def play(self, sound: Sound) -> None:
        self.heard.append(sound)


@dataclass
class Gate:
    """A window and everything around it."""

    window: GateWindow
    paper: data.GalleryGate
    bridge: Bridge
    ear: Ear
    clock: data.GalleryClock
    delivery: data.GalleryDelivery

    def news(self, *news: object) -> None:
        """News arrives, as from the gate's thread."""
        for one in news:
            self.bridge.take_news(one)  # type: ignore[arg-type]
        settle(self.window)

    def readers(self, *names: str) -> None:
        """These readers are ready."""
        for name in names:
            self.bridge.take_reader(data.state(name))
        settle(self.window)

    def sync(self, **fields: object) -> None:
        """Sync says how it is."""
        self.bridge.take_sync(data.GallerySync(**fields))  # type: ignore[arg-type]
        settle(self.window)

    def showing(self) -> dict[str, str | None]:
        """Titles by lane."""
        return {lane.name: lane.showing and lane.showing.title for lane in self.window.board.lanes}


@dataclass
class Maker:
    """Makes gates and closes them afterwards."""

    qtbot: QtBot
    made: list[GateWindow] = field(default_factory=list)

    def __call__(
        self,
        *,
        size: tuple[int, int] = (1366, 768),
        language: str = "ja",
        kiosk: bool = False,
        site: Site = data.SITE,
        tray: TraySpec | None = None,
        result_ms: int = LONG,
        alarm_ms: int = LONG,
        page_ms: int = LONG,
        diagnose: Diagnose | None = None,
    ) -> Gate:
        paper, bridge, ear, clock = data.GalleryGate(site), Bridge(), Ear(), data.GalleryClock()
        timing = Timing(result_ms, alarm_ms, page_ms, tick_ms=LONG, diagnosis_ms=LONG)
        delivery = data.GalleryDelivery()
        window = GateWindow(
            paper,
            bridge,
            clock=clock,
            player=ear,
            language=language,
            kiosk=kiosk,
            tray=tray,
            timing=timing,
            delivery=delivery,
            diagnose=diagnose,
        )
        window.resize(*size)
        window.show()
        self.made.append(window)
        settle(window)
        return Gate(window, paper, bridge, ear, clock, delivery)


@pytest.fixture
def make_gate(qtbot: QtBot) -> Iterator[Callable[..., Gate]]:
    """A factory of gate windows."""
    maker = Maker(qtbot)
    yield maker
    for window in maker.made:
        window.leave_now()
        window.deleteLater()
        settle(window)


@pytest.fixture
def gate(make_gate: Callable[..., Gate]) -> Gate:
    """A gate with one reader."""
    made = make_gate()
    made.readers(data.A)
    return made
