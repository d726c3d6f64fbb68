"""Gallery data: the diagnosis page in its states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


UNTOLD = frozenset({"driver", "service", "permission", "holder", "readers"})
"""What rests on the plug."""


def tell(window: GateWindow, wrong: dict[str, tuple[str, str]], *, untold: frozenset[str] = frozenset()) -> None:
    """Open the page and tell it every check: `wrong` by check as (result, message code)."""
    page, words = window.diagnosis, window.words
    window.open_page(page)
    for check in (check for checks in ROWS.values() for check in checks):
        result, code = wrong.get(check, ("not_checked" if check in untold else "ok", ""))
        driver = {"found": "libwdi WinUSB 6.1.7600.16385"}
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


SCENES: dict[str, Callable[[GateWindow], None]] = {
    "diagnosis-looking": _looking,
    "diagnosis": _well,
    "diagnosis-card": _card,
    "diagnosis-unknown": _unknown,
    "diagnosis-unplugged": _unplugged,
    "diagnosis-driver": _winusb,
}
