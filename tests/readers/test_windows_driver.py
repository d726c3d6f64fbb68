"""What is said of Sony's software and the drivers on Windows, from a registry written down by hand.

The layout of the registry is Microsoft's published one; **none of it was taken from, or tried on, a real Windows**.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.messages import LANGUAGES, catalogue
from app.readers.windows_driver import SMART_CARD_READERS, Driver, Found, Kind, advise, look

RCS300 = (0x054C, 0x0DC9)
RCS380 = (0x054C, 0x06C3)
OTHER_MAKER = (0x076B, 0x3021)
SOFTWARE = "NFCポートソフトウェア 5.7"
SONY = Driver(*RCS300, "SonyFeliCa", "Sony Corporation", "5.1", SMART_CARD_READERS)
MICROSOFT = Driver(*RCS300, "WUDFRd", "Microsoft", "10.0.19041.1", SMART_CARD_READERS.upper())
WINUSB = Driver(*RCS300, "WinUSB", "libwdi", "6.1")
LIBUSBK = Driver(*RCS300, "libusbK", "libusbK", "3.1")
BARE = Driver(*RCS300)
ENUM = r"SYSTEM\CurrentControlSet\Enum\USB"
CLASS = r"SYSTEM\CurrentControlSet\Control\Class"
UNINSTALL = r"SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall"


@pytest.mark.parametrize(
    ("software", "drivers", "roads", "code", "wrong"),
    [
        (SOFTWARE, [SONY], "both", "pcsc", False),
        (SOFTWARE, [SONY], "pcsc", "pcsc", False),
        (SOFTWARE, [SONY], "usb", "pcsc_not_usb", True),
        (None, [MICROSOFT], "pcsc", "pcsc_plain", False),
        (None, [MICROSOFT], "usb", "pcsc_not_usb", True),
        (None, [WINUSB], "both", "winusb", False),
        (SOFTWARE, [WINUSB], "usb", "winusb", False),
        (SOFTWARE, [WINUSB], "pcsc", "winusb_not_pcsc", True),
        (SOFTWARE, [SONY, WINUSB], "pcsc", "pcsc", False),  # an interface each
        (SOFTWARE, [SONY, WINUSB], "usb", "winusb", False),
        (None, [LIBUSBK], "both", "other", True),
        (None, [BARE], "both", "no_software", True),
        (None, [], "pcsc", "no_software", True),
        (SOFTWARE, [BARE], "pcsc", "no_driver", True),
        (SOFTWARE, [], "usb", "no_winusb", True),
        (SOFTWARE, [Driver(*RCS380, "WinUSB")], "both", "no_driver", True),  # of a reader that is not plugged in
    ],
)
def test_advice(software: str | None, drivers: list[Driver], roads: str, code: str, wrong: bool) -> None:
    pcsc, usb = roads in ("both", "pcsc"), roads in ("both", "usb")
    advice = advise(Found(software, tuple(drivers)), {RCS300, OTHER_MAKER}, pcsc=pcsc, usb=usb)
    assert advice is not None
    assert (advice.code, advice.wrong) == (f"doctor.windows_{code}", wrong)
    for language in LANGUAGES:
        message = catalogue(language)[advice.code]
        assert message.remedy or not wrong


def test_nothing_is_said_of_other_makers_readers() -> None:
    assert advise(Found(None, ()), {OTHER_MAKER}, pcsc=True, usb=True) is None
    assert advise(Found(SOFTWARE, (SONY,)), set(), pcsc=True, usb=True) is None


class Written:
    """A registry as a dict of keys."""

    def __init__(self, keys: dict[str, dict[str, str]]) -> None:
        self._keys = keys

    def keys(self, path: str) -> Sequence[str]:
        below = [key[len(path) + 1 :] for key in self._keys if key.startswith(path + "\\")]
        return list(dict.fromkeys(name.partition("\\")[0] for name in below))

    def values(self, path: str) -> dict[str, str]:
        return self._keys.get(path, {})


def test_the_registry_of_a_pc_with_sonys_software() -> None:
    driver = rf"{SMART_CARD_READERS}\0001"
    found = look(
        Written(
            {
                rf"{UNINSTALL}\{{0815}}": {"DisplayName": "Something else"},
                rf"{UNINSTALL}\{{4711}}": {"DisplayName": "NFCポートソフトウェア", "DisplayVersion": "5.7"},
                rf"{ENUM}\VID_054C&PID_0DC9\1234567": {"Service": "usbccgp", "Driver": r"{36fc}\0003"},
                rf"{ENUM}\VID_054C&PID_0DC9&MI_00\6&1&0&0000": {
                    "Service": "SonyFeliCa",
                    "Driver": driver,
                    "ClassGUID": SMART_CARD_READERS,
                },
                rf"{ENUM}\VID_054C&PID_0DC9&MI_01\6&1&0&0001": {},
                rf"{ENUM}\VID_054C&PID_06C3\1": {"Service": "WinUSB"},
                rf"{ENUM}\VID_046D&PID_C31C\1": {"Service": "HidUsb"},
                rf"{ENUM}\ROOT_HUB30\1": {"Service": "USBHUB3"},
                rf"{CLASS}\{driver}": {"ProviderName": "Sony Corporation", "DriverVersion": "5.1"},
            }
        )
    )
    assert found.software == SOFTWARE
    assert [(d.vendor, d.product) for d in found.drivers] == [RCS300, RCS300, RCS380]
    assert [d.kind for d in found.drivers] == [Kind.SONY, Kind.NONE, Kind.WINUSB]
    assert str(found.drivers[0]) == "Sony Corporation SonyFeliCa 5.1"


def test_an_empty_registry() -> None:
    assert look(Written({})) == Found()
