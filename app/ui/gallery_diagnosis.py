"""Gallery data: the diagnosis page in its states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QApplication

from app.readers.port import ReaderCondition
from app.ui import gallery_data as data
from app.ui.diagnosis_page import ROWS
from app.ui.window import GateWindow


@dataclass(frozen=True, slots=True)
class GalleryFinding:
    """The answer of a check."""

    check: str
    result: str = "ok"
    title: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class GalleryPart:
    """A text of the file for support."""

    name: str
    text: str

    @property
    def size(self) -> int:
        return len(self.text.encode())


_DAY = "2026-11-21 07:0{n}:12,345 INFO gate app.sync.push: sent {n}: {{'accepted': {n}}}, chain ok\n"
_HELD = (
    GalleryPart("versions.json", '{\n "program": "0.1.0",\n "python": "3.11.7",\n "os": "Windows 10"\n}\n'),
    GalleryPart("doctor.json", '[\n {\n  "check": "folder",\n  "result": "ok"\n }\n]\n'),
    GalleryPart("settings.json", '{\n "centre_url": "https://centre.example.co.jp",\n "support_contact": "(set)"\n}\n'),
    GalleryPart("status.json", '{\n "pending": 128,\n "rejected": 0\n}\n'),
    GalleryPart("crashes/crash-20261120T221501000000.json", '{\n "kind": "native",\n "ended": true\n}\n'),
    GalleryPart("logs/gate-2026-11-21.log", "".join(_DAY.format(n=n % 10) for n in range(400))),
)
_LISTED = "".join(f"{part.size:8,}  {part.name}\n" for part in _HELD)
PARTS = (GalleryPart("index.txt", f"genba-touch 0.1.0: file for support\n\n{_LISTED}"), *_HELD)


class GallerySupport:
    """Has everything at once."""

    def collect(self, take: Callable[[Sequence[GalleryPart]], None]) -> None:
        take(PARTS)

    def save(self, parts: object, take: Callable[[str], None]) -> None:
        take("C:\\Users\\gate\\Desktop\\genba-touch-support-20261121-070512.zip")


UNTOLD = frozenset({"driver", "service", "permission", "holder", "readers"})
"""What rests on the plug."""


def tell(window: GateWindow, wrong: dict[str, tuple[str, str]], *, untold: frozenset[str] = frozenset()) -> None:
    """Open the page and tell it every check: `wrong` by check as (result, message code)."""
    page, words = window.diagnosis, window.words
    window.open_page(page)
    for check in (check for checks in ROWS.values() for check in checks):
        result, code = wrong.get(check, ("not_checked" if check in untold else "ok", ""))
        driver = {"found": "libwdi WinUSB 6.1.7600.16385", "at": "11/19 22:15"}
        title = words.title(code, **driver) if code else words.title(f"check.{check}")
        remedy = words.remedy(code) if code else ""
        page.told(GalleryFinding(check, result, title, remedy))
    page.told(None)


def _looking(window: GateWindow) -> None:
    window.bridge.reader.emit(data.state(data.A))
    window.open_page(window.diagnosis)
    for check in ("folder", "disk", "settings", "keys", "database", "usb", "driver"):
        window.diagnosis.told(GalleryFinding(check))


def _well(window: GateWindow) -> None:
    window.bridge.reader.emit(data.state(data.A))
    tell(window, {"recovery": ("warning", "doctor.recovery_missing")}, untold=frozenset({"trust"}))


def _card(window: GateWindow) -> None:
    _well(window)
    window.bridge.news.emit(data.recorded(data.A))


def _unknown(window: GateWindow) -> None:
    _well(window)
    window.bridge.news.emit(data.unknown(data.A))


def _unplugged(window: GateWindow) -> None:
    window.bridge.reader.emit(data.state(data.A, ReaderCondition.NO_READER))
    tell(window, {"usb": ("failed", "doctor.usb_none")}, untold=UNTOLD | {"trust"})


def _winusb(window: GateWindow) -> None:
    window.bridge.reader.emit(data.state(data.A, ReaderCondition.NO_READER))
    wrong = {
        "driver": ("failed", "doctor.windows_winusb_not_pcsc"),
        "trust": ("warning", "health.secure_crl_old"),
        "centre": ("failed", "sync.offline_dns"),
    }
    tell(window, wrong, untold=UNTOLD - {"driver"})


def _crashed(window: GateWindow) -> None:
    window.bridge.reader.emit(data.state(data.A))
    tell(window, {"crashes": ("warning", "doctor.crashed")}, untold=frozenset({"trust"}))


def _support(window: GateWindow) -> None:
    _well(window)
    window.diagnosis.show_support(True)


def _support_log(window: GateWindow) -> None:
    _support(window)
    sheet = window.diagnosis.support
    for press in (sheet.next, sheet.pads[2], sheet.save_pad):
        QApplication.processEvents()
        press.click()


SCENES: dict[str, Callable[[GateWindow], None]] = {
    "diagnosis-looking": _looking,
    "diagnosis": _well,
    "diagnosis-card": _card,
    "diagnosis-unknown": _unknown,
    "diagnosis-unplugged": _unplugged,
    "diagnosis-driver": _winusb,
    "diagnosis-crashed": _crashed,
    "support": _support,
    "support-log": _support_log,
}
