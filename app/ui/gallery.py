"""Pictures of the gate window in each of its states, with gallery data: `python -m app.ui.gallery --out DIR`."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from app.domain.events import Direction
from app.domain.verdict import Reason
from app.gate.news import DirectionState
from app.readers.port import ReaderCondition
from app.ui import gallery_data as data
from app.ui import gallery_diagnosis
from app.ui.bridge import Bridge
from app.ui.card_tray import TrayCard, TraySpec
from app.ui.content import Sound
from app.ui.theme import make_font
from app.ui.timing import Timing
from app.ui.window import GateWindow

LONG = Timing(result_ms=3_600_000, alarm_ms=3_600_000, page_ms=3_600_000, tick_ms=3_600_000, diagnosis_ms=3_600_000)
"""Nothing goes away while its picture is taken."""


class Silence:
    """Plays nothing."""

    def play(self, sound: Sound) -> None:
        pass


def _readers(window: GateWindow, *names: str) -> None:
    for name in names:
        window.bridge.reader.emit(data.state(name))


def _idle(window: GateWindow) -> None:
    _readers(window, data.A)


def _by_hand(window: GateWindow) -> None:
    _readers(window, data.A, data.B)
    back = data.NOW + timedelta(minutes=9, seconds=42)
    window.bridge.news.emit(DirectionState(Direction.OUT, back))


def _one(news: object) -> Callable[[GateWindow], None]:
    def show(window: GateWindow) -> None:
        _readers(window, data.A)
        window.bridge.news.emit(news)

    return show


def _two(window: GateWindow) -> None:
    _readers(window, data.A, data.B)
    window.bridge.news.emit(data.recorded(data.A))
    window.bridge.news.emit(data.vietnamese(data.B))


def _two_check(window: GateWindow) -> None:
    _readers(window, data.A, data.B)
    window.bridge.news.emit(data.two_reasons(data.A))
    window.bridge.news.emit(data.unreadable(data.B))


def _three(window: GateWindow) -> None:
    _readers(window, data.A, data.B, data.C)
    window.bridge.news.emit(data.vietnamese(data.A))
    window.bridge.news.emit(data.check(data.B))


def _three_more(window: GateWindow) -> None:
    _readers(window, data.A, data.B, data.C)
    window.bridge.news.emit(data.with_level(data.A))
    window.bridge.news.emit(data.refused(data.B))
    window.bridge.news.emit(data.double(data.C))


def _entered(window: GateWindow) -> None:
    _readers(window, data.A)
    window.bridge.news.emit(data.entered())


def _alarm_lane(window: GateWindow) -> None:
    _readers(window, data.A, data.B)
    window.bridge.news.emit(data.ALARM)
    window.bridge.news.emit(data.recorded(data.B))


def _trouble(window: GateWindow) -> None:
    window.bridge.reader.emit(data.state(data.A, ReaderCondition.NO_READER))
    _readers(window, data.B)
    offline = data.GallerySync(pending=128, rejected=2, online=False, last_sync_at=data.NOW - timedelta(days=3))
    window.bridge.sync.emit(offline)
    window.bridge.news.emit(data.WARNINGS)


def _no_reader(window: GateWindow) -> None:
    window.bridge.reader.emit(data.state(data.A, ReaderCondition.NO_SERVICE))


def _no_card(window: GateWindow) -> None:
    _readers(window, data.A)
    window.open_page(window.no_card)
    window.no_card.type("さ")
    settle(window)


def _no_card_touch(window: GateWindow) -> None:
    _no_card(window)
    window.no_card.hit_pads[3].click()
    window.bridge.news.emit(data.recorded())


def _headcount(window: GateWindow) -> None:
    _readers(window, data.A)
    window.open_page(window.headcount)
    window.headcount.step("12", 1)
    window.headcount.step("12", 1)


def _pin(window: GateWindow) -> None:
    _readers(window, data.A)
    window.open_page(window.pin)
    for key in "1234":
        window.pin.press(key)


def _sync(**fields: object) -> Callable[[GateWindow], None]:
    def show(window: GateWindow) -> None:
        _readers(window, data.A)
        roster_at, oldest = data.NOW - timedelta(hours=2), data.NOW - timedelta(days=3)
        known: dict[str, object] = {"roster_at": roster_at, "oldest_pending_at": oldest}
        window.bridge.sync.emit(data.GallerySync(**(known | fields)))  # type: ignore[arg-type]
        window.open_page(window.sync)
        settle(window)

    return show


def _sync_trouble(window: GateWindow) -> None:
    _sync(
        pending=128,
        rejected=4,
        online=False,
        last_error="sync.offline_tls_host",
        last_sync_at=data.NOW - timedelta(days=3),
        next_attempt_at=data.NOW + timedelta(minutes=3),
        skew_ms=-840_000,
    )(window)
    window.bridge.reader.emit(data.state(data.A, ReaderCondition.NO_READER))
    _readers(window, data.B)
    window.bridge.news.emit(data.WARNINGS)
    window.bridge.news.emit(data.recorded(data.B))


SCENES: dict[str, Callable[[GateWindow], None]] = {
    **gallery_diagnosis.SCENES,
    "idle": _idle,
    "by-hand": _by_hand,
    "recorded": _one(data.recorded()),
    "level": _one(data.with_level()),
    "long-name": _one(data.vietnamese()),
    "check": _one(data.check()),
    "check-two": _one(data.two_reasons()),
    "personal": _one(data.personal()),
    "unknown": _one(data.unknown()),
    "double": _one(data.double()),
    "refused": _one(data.refused()),
    "stopped": _one(data.refused(reason=Reason.CARD_STOPPED)),
    "unreadable": _one(data.unreadable()),
    "two": _two,
    "two-check": _two_check,
    "three": _three,
    "three-more": _three_more,
    "entered": _entered,
    "alarm": _one(data.ALARM),
    "alarm-lane": _alarm_lane,
    "trouble": _trouble,
    "no-reader": _no_reader,
    "no-card": _no_card,
    "no-card-touch": _no_card_touch,
    "headcount": _headcount,
    "pin": _pin,
    "sync": _sync(pending=0, oldest_pending_at=None, rejected=4),
    "sync-offline": _sync(
        pending=128,
        rejected=4,
        online=False,
        last_error="sync.offline_dns",
        last_sync_at=data.NOW - timedelta(days=3),
        next_attempt_at=data.NOW + timedelta(minutes=3),
    ),
    "sync-carried": _sync(pending=46, handed=40, online=True, last_sync_at=data.NOW - timedelta(days=3)),
    "sync-trouble": _sync_trouble,
    "sync-paused": _sync(
        pending=41,
        online=True,
        last_error="sync.forbidden_station_revoked",
        paused="sync.forbidden_station_revoked",
        next_attempt_at=data.NOW + timedelta(minutes=28),
    ),
}


def stage(
    scene: str,
    width: int,
    height: int,
    language: str = "ja",
    *,
    kiosk: bool = False,
    tray: TraySpec | None = None,
) -> GateWindow:
    """A window showing a scene; the caller closes it with `leave_now`. Needs a QApplication."""
    gate = data.GalleryGate()
    window = GateWindow(
        gate,
        Bridge(),
        clock=data.GalleryClock(),
        player=Silence(),
        language=language,
        kiosk=kiosk,
        tray=tray,
        timing=LONG,
        diagnose=lambda take: None,
        support=gallery_diagnosis.GallerySupport(),
        delivery=data.GalleryDelivery(),
    )
    window.resize(width, height)
    window.show()
    window.bridge.sync.emit(data.GallerySync())
    window.bridge.news.emit(data.TODAY)
    SCENES[scene](window)
    settle(window)
    return window


def settle(window: QWidget) -> None:
    """Let layouts come to rest."""
    for _ in range(4):
        QApplication.sendPostedEvents()
        QApplication.processEvents()


def demo_tray() -> TraySpec:
    """A tray of gallery cards."""
    cards = [
        TrayCard("佐藤 健一", "記録", "作業員"),
        TrayCard("NGUYEN THI PHUONG THAO", "長い名前", "作業員"),
        TrayCard("髙﨑 翔太", "要確認(所属なし)", "作業員"),
        TrayCard("未登録のカード", "だれのものでもない", "そのほか"),
        TrayCard("スマートフォン", "番号が毎回変わる", "そのほか"),
    ]
    readers = ((data.A, data.LABELS[data.A]), (data.B, data.LABELS[data.B]))
    return TraySpec(
        cards,
        lambda card: None,
        readers,
        lambda name: None,
        on_centre_stopped=lambda on: None,
        on_line_cut=lambda on: None,
    )


def save(window: QWidget, path: Path) -> None:
    """A picture of a window, small enough for a repository: 256 colours of its own are plenty for a flat one."""
    picture = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = memoryview(picture.constBits()).cast("I")
    often = [colour for colour, _ in Counter(pixels).most_common(256)]
    small = picture.convertToFormat(QImage.Format.Format_Indexed8, often, Qt.ImageConversionFlag.ThresholdDither)
    small.save(str(path))


def main(arguments: list[str] | None = None) -> int:
    """Write gate-<scene>.png for each scene."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", default="1366x768")
    parser.add_argument("--language", default="ja", choices=("ja", "en"))
    parser.add_argument("--tray", action="store_true", help="with the demo's cards beside the gate")
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=", ".join(SCENES))
    options = parser.parse_args(arguments)
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    width, height = (int(part) for part in options.size.split("x"))
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)  # noqa: S101
    application.setFont(make_font(15))
    options.out.mkdir(parents=True, exist_ok=True)
    for scene in options.scenes or SCENES:
        tray = demo_tray() if options.tray else None
        window = stage(scene, width, height, options.language, kiosk=scene == "pin", tray=tray)
        save(window, options.out / f"gate-{scene}.png")
        window.leave_now()
        window.deleteLater()
        settle(window)
    return 0


if __name__ == "__main__":
    sys.exit(main())
