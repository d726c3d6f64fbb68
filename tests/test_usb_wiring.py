"""What `doctor` and `readers` say of what is plugged in, and the udev rule that lets the user reach it."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from app.cli import station as cli
from app.readers.port import ReaderCondition, ReaderState
from app.readers.usb import PASORI, UsbReader, kernel_drivers
from app.settings import DataDir
from app.wiring import doctor, usb
from app.wiring.diagnosis.check import Roads

RULES = Path(__file__).resolve().parent.parent / "resources" / "udev" / "70-genba-touch-pasori.rules"
RCS300 = UsbReader(0x054C, 0x0DC9, "PaSoRi RC-S300")
NONE = (ReaderState("pcsc", "PC/SC", ReaderCondition.NO_SERVICE),)


@pytest.fixture(autouse=True)
def _no_reader_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.wiring.gate.look_at_readers", lambda specs, seconds=2.0: list(NONE))
    monkeypatch.setattr("app.wiring.diagnosis.readers._roads", lambda patient: Roads(NONE, gate=False))


def plug(monkeypatch: pytest.MonkeyPatch, *found: UsbReader) -> None:
    monkeypatch.setattr(usb, "plugged_in", lambda: list(found))


def usb_check(folder: Path) -> dict[str, str]:
    checks = doctor.examine(DataDir.at(folder), "en")
    names = [check["check"] for check in checks]
    assert names.index("usb") < names.index("driver") < names.index("service") < names.index("readers")
    return checks[names.index("usb")]


def test_doctor_names_what_is_plugged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plug(monkeypatch, RCS300, UsbReader(0x076B, 0x3021))
    check = usb_check(tmp_path)
    assert check["result"] == doctor.OK
    assert check["title"] == "There is a card reader on USB: PaSoRi RC-S300 (054c:0dc9), 076b:3021"


def test_doctor_says_that_nothing_is_plugged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plug(monkeypatch)
    check = usb_check(tmp_path)
    assert (check["result"], check["code"]) == (doctor.FAILED, "doctor.usb_none")
    assert check["remedy"]


def test_doctor_where_usb_cannot_be_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def no_libusb() -> list[UsbReader]:
        raise OSError("libusb-1.0.so.0: cannot open shared object file")

    monkeypatch.setattr(usb, "plugged_in", no_libusb)
    assert usb_check(tmp_path)["result"] == doctor.NOT_CHECKED


def test_the_kernels_drivers_are_named_by_the_readers_interfaces(tmp_path: Path) -> None:
    drivers = tmp_path / "drivers"
    for device, numbers, names in (
        ("1-1", ("054c", "06c3"), ("port100",)),
        ("1-2", ("054c", "0dc9"), ("usbfs", None)),
        ("1-3", ("046d", "c31c"), ("usbhid",)),
    ):
        (tmp_path / device).mkdir()
        for name, number in zip(("idVendor", "idProduct"), numbers, strict=True):
            (tmp_path / device / name).write_text(number + "\n")
        for index, driver in enumerate(names):
            interface = tmp_path / f"{device}:1.{index}"
            interface.mkdir()
            if driver:
                (drivers / driver).mkdir(parents=True)
                (interface / "driver").symlink_to(drivers / driver)
    assert kernel_drivers({(0x054C, 0x06C3)}, tmp_path) == {"port100"}
    assert kernel_drivers({(0x054C, 0x06C3), (0x054C, 0x0DC9)}, tmp_path) == {"port100", "usbfs"}
    assert kernel_drivers({(0x04E6, 0x5591)}, tmp_path) == set()
    assert kernel_drivers({(0x054C, 0x06C3)}, tmp_path / "nowhere") == set()


@pytest.mark.parametrize(
    ("specs", "looks"),
    [
        ((), True),
        (("pcsc:PaSoRi",), True),
        (("wedge", "pasori:usb"), True),
        (("wedge",), False),
        (("pasori:udp:127.0.0.1:7000",), False),
        (("scripted:morning.jsonl",), False),
        (("nonsense",), False),
    ],
)
def test_readers_that_are_not_on_usb_are_not_looked_for(
    monkeypatch: pytest.MonkeyPatch, specs: tuple[str, ...], looks: bool
) -> None:
    plug(monkeypatch, RCS300)
    assert usb.on_usb(specs) == (["PaSoRi RC-S300 (054c:0dc9)"] if looks else None)


def test_readers_says_what_is_plugged_in_when_none_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = argparse.Namespace(reader=[], json=False, language="en")
    plug(monkeypatch, RCS300)
    assert cli._readers(asked) == 4
    assert "PaSoRi RC-S300 (054c:0dc9)" in capsys.readouterr().out
    plug(monkeypatch)
    cli._readers(asked)
    assert "No card reader is seen on USB" in capsys.readouterr().out


def test_udev_rule_names_every_pasori() -> None:
    text = RULES.read_text(encoding="utf-8")
    assert int(RULES.name[:2]) < 73, "after that, nobody hands the device out any more"
    products = {int(number, 16) for number in re.findall(r'ATTR\{idProduct\}=="(\w{4})", TAG\+="uaccess"', text)}
    assert products == {product for _, product in PASORI}
    assert {vendor for vendor, _ in PASORI} == {0x054C}
    label = re.findall(r'LABEL="(\w+)"', text)
    assert set(re.findall(r'GOTO="(\w+)"', text)) == set(label)
