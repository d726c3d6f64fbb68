"""What the program imports only when it needs it: readers' drivers, TLS, calendars, tables, its own rooms."""

from __future__ import annotations

import importlib
import pkgutil
import ssl
import sys
from datetime import date

import app
from app.errors import EnvironmentTrouble
from app.office.calendar import holiday
from app.sync import tls
from app.wiring.self_test.check import Missing

NFC = ("acr122", "arygon", "device", "pn531", "pn532", "pn533", "pn53x", "rcs380", "rcs956", "transport", "udp")
"""nfcpy's drivers; it imports them by the name in its table of devices."""
TAGS = ("tt1", "tt2", "tt3", "tt4", "tt1_broadcom", "tt2_nxp", "tt3_sony")
LIBRARIES = (
    *("alembic.command", "cryptography.hazmat.bindings._rust", "cryptography.x509", "defusedxml.ElementTree"),
    *("httpx", "h11", "jsonschema", "msgspec", "openpyxl", "openpyxl.writer.excel", "platformdirs", "sqlalchemy"),
    *("sqlcipher3.dbapi2", "tomli_w", "truststore", "uuid_utils", "zstandard"),
    *("tuf.api.metadata", "tuf.ngclient", "securesystemslib.signer"),
)
"""Further libraries, some of which are loaded only when a file of a kind or an answer of the centre asks for them."""
APART = ("app.store.migrations", "app.__main__")
"""Run by Alembic, and by Python: not imported."""
TO_PC_ONLY = ("app.central", "app.demo", "app.cli.centre", "app.cli.demo", "app.wiring.centre")
"""Beginnings of the names that a gate PC's build does without."""


def readers() -> str:
    """Every reader library and driver. Raises EnvironmentTrouble where Linux has no libusb."""
    try:
        libusb = importlib.import_module("usb1").getVersion()  # importing alone does not load it
    except OSError as exc:  # libusb itself: on Windows it comes with the program, on Linux with the system
        if sys.platform == "win32":
            raise
        raise EnvironmentTrouble("self_test.no_libusb", str(exc)) from exc
    names = ["nfc", *(f"nfc.clf.{name}" for name in NFC), *(f"nfc.tag.{name}" for name in TAGS), "serial"]
    for name in names:
        importlib.import_module(name)
    return f"nfcpy ({len(NFC)}), libusb {libusb.major}.{libusb.minor}.{libusb.micro}"


def pcsc() -> str:
    """pyscard; whether a PC/SC service runs is told, and is no fault."""
    scard = importlib.import_module("smartcard.scard")
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if code == scard.SCARD_S_SUCCESS:
        scard.SCardReleaseContext(context)
        return "pyscard; PC/SC service: yes"
    return f"pyscard; PC/SC service: no (0x{code & 0xFFFFFFFF:08X})"


def certificates() -> str:
    """A TLS context over the system's store, and the certificates that come with certifi."""
    tls.trust()
    where = importlib.import_module("certifi").where()
    held = len(ssl.create_default_context(cafile=where).get_ca_certs())
    if held < 50:
        raise Missing(f"{where}: {held} certificates")
    return f"{ssl.OPENSSL_VERSION}; certifi {held}"


def calendar() -> str:
    """Japan's holidays."""
    name = holiday(date(2026, 1, 1))
    if name != "元日":
        raise Missing(f"holidays: 2026-01-01 is {name!r}")
    return name


def libraries() -> str:
    """What else is imported late."""
    for name in LIBRARIES:
        importlib.import_module(name)
    return str(len(LIBRARIES))


def modules() -> str:
    """Every module of the program itself that a gate PC needs, window and all, can be imported."""
    names = [found.name for found in pkgutil.walk_packages(app.__path__, "app.", onerror=_raise) if _wanted(found.name)]
    for name in names:
        importlib.import_module(name)
    return str(len(names))


def _wanted(name: str) -> bool:
    return not name.startswith((*APART, *TO_PC_ONLY))


def _raise(name: str) -> None:
    if _wanted(name):
        raise
