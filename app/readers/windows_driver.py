"""Windows: Sony's NFCポートソフトウェア and the driver on each PaSoRi, and what that means for the road in use.

Read from the registry, nothing is changed. The decision (`advise`) is pure. Public layout of the registry (Microsoft:
"USB device registry entries", "Registry trees and keys for devices and drivers"); **not checked on a real Windows**,
nor are the names that Sony's set-up writes: they are searched for by a part of them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.readers.usb import SONY

SMART_CARD_READERS = "{50dd5230-ba8a-11d1-bf5d-0000f805f530}"
"""Windows' device set-up class SmartCardReader."""
_ENUM = r"SYSTEM\CurrentControlSet\Enum\USB"
_CLASS = r"SYSTEM\CurrentControlSet\Control\Class"
_UNINSTALL = (
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall",
    r"SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall",
)
_SOFTWARE = re.compile(r"NFC\s*(?:ポートソフトウェア|Port Software)", re.IGNORECASE)
_DEVICE = re.compile(r"VID_([0-9A-F]{4})&PID_([0-9A-F]{4})(?:&MI_[0-9A-F]{2})?", re.IGNORECASE)
_PARENT = "usbccgp"
"""Windows' driver for a device of several interfaces; the interfaces have keys and drivers of their own."""


class Kind(StrEnum):
    """What a driver lets a program do with the reader."""

    SONY = "sony"
    SMART_CARD = "smart_card"
    """Somebody else's driver for PC/SC: as a rule Microsoft's own."""
    WINUSB = "winusb"
    OTHER = "other"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Driver:
    """The driver on a device or on one of its interfaces, as the registry has it."""

    vendor: int
    product: int
    service: str = ""
    provider: str = ""
    version: str = ""
    class_guid: str = ""

    @property
    def kind(self) -> Kind:
        if not self.service:
            return Kind.NONE
        if self.service.casefold() == "winusb":
            return Kind.WINUSB
        if self.provider.casefold().startswith("sony"):
            return Kind.SONY
        return Kind.SMART_CARD if self.class_guid.casefold() == SMART_CARD_READERS else Kind.OTHER

    def __str__(self) -> str:
        return " ".join(part for part in (self.provider, self.service, self.version) if part)


@dataclass(frozen=True, slots=True)
class Found:
    """`software`: Sony's NFCポートソフトウェア by name and version, None when it is not installed."""

    software: str | None = None
    drivers: tuple[Driver, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """A message code with its values. `wrong`: the road in use cannot work like that."""

    code: str
    wrong: bool = False
    found: str = ""
    software: str = "-"


def advise(found: Found, plugged: Collection[tuple[int, int]], *, pcsc: bool, usb: bool) -> Advice | None:
    """What to say of the drivers on the PaSoRi that are plugged in (vendor, product), for the roads that are in use.

    None when no PaSoRi is among them: nothing is known of other makers' software.
    """
    pasori = {numbers for numbers in plugged if numbers[0] == SONY}
    if not pasori:
        return None
    here = [driver for driver in found.drivers if (driver.vendor, driver.product) in pasori]
    by_kind = {driver.kind: driver for driver in here}

    def advice(name: str, kind: Kind, *, wrong: bool = True) -> Advice:
        named = str(by_kind[kind]) if kind in by_kind else "-"
        return Advice(f"doctor.windows_{name}", wrong, named, found.software or "-")

    for_pcsc = next((kind for kind in (Kind.SONY, Kind.SMART_CARD) if kind in by_kind), None)
    if pcsc and for_pcsc is not None:
        return advice("pcsc" if found.software else "pcsc_plain", for_pcsc, wrong=False)
    if Kind.WINUSB in by_kind:
        return advice("winusb", Kind.WINUSB, wrong=False) if usb else advice("winusb_not_pcsc", Kind.WINUSB)
    if for_pcsc is not None:
        return advice("pcsc_not_usb", for_pcsc)
    if Kind.OTHER in by_kind:
        return advice("other", Kind.OTHER)
    if not pcsc:
        return advice("no_winusb", Kind.NONE)
    return advice("no_driver" if found.software else "no_software", Kind.NONE)


class Registry(Protocol):
    """HKEY_LOCAL_MACHINE, reading only. What is not there, or not for this user, is empty."""

    def keys(self, path: str) -> Sequence[str]:
        """Names of the keys below a key."""

    def values(self, path: str) -> dict[str, str]:
        """The texts of a key by name."""


def look(registry: Registry) -> Found:
    """Sony's software and the driver on every Sony device that was ever plugged in."""
    return Found(_software(registry), tuple(_drivers(registry)))


def _software(registry: Registry) -> str | None:
    for place in _UNINSTALL:
        for key in registry.keys(place):
            values = registry.values(rf"{place}\{key}")
            name = values.get("DisplayName", "")
            if _SOFTWARE.search(name):
                return f"{name} {values.get('DisplayVersion', '')}".strip()
    return None


def _drivers(registry: Registry) -> list[Driver]:
    found = []
    for device in registry.keys(_ENUM):
        numbers = _DEVICE.fullmatch(device)
        if numbers is None or int(numbers[1], 16) != SONY:
            continue
        for instance in registry.keys(rf"{_ENUM}\{device}"):
            values = registry.values(rf"{_ENUM}\{device}\{instance}")
            service, driver = values.get("Service", ""), values.get("Driver", "")
            if service.casefold() == _PARENT:
                continue
            about = registry.values(rf"{_CLASS}\{driver}") if driver else {}
            found.append(
                Driver(
                    int(numbers[1], 16),
                    int(numbers[2], 16),
                    service,
                    about.get("ProviderName", ""),
                    about.get("DriverVersion", ""),
                    values.get("ClassGUID", ""),
                )
            )
    return found


if sys.platform == "win32":
    import winreg

    class LocalMachine:
        """Implements `Registry` on the registry of this PC."""

        def keys(self, path: str) -> list[str]:
            try:
                with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path, 0, _ACCESS) as key:
                    return [winreg.EnumKey(key, index) for index in range(winreg.QueryInfoKey(key)[0])]
            except OSError:
                return []

        def values(self, path: str) -> dict[str, str]:
            try:
                with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path, 0, _ACCESS) as key:
                    found = [winreg.EnumValue(key, index) for index in range(winreg.QueryInfoKey(key)[1])]
            except OSError:
                return {}
            return {name: value for name, value, _kind in found if isinstance(value, str)}

    _ACCESS = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
