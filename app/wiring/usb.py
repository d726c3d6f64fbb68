"""Which card readers are plugged in and what drives them, for people who look for the reason why none works."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from app.errors import UsageError
from app.readers import windows_driver
from app.readers.specs import PasoriSpec, PcscSpec, ReaderSpec, parse_spec
from app.readers.usb import UsbReader, kernel_drivers, plugged_in

log = logging.getLogger(__name__)


def on_usb(reader_specs: Sequence[str] = ()) -> list[str] | None:
    """The card readers on USB, each as 'PaSoRi RC-S300 (054c:0dc9)', whether they work or not.

    None when nobody can tell (no libusb here), or when none of the readers that are asked for is on USB.
    """
    wanted = _wanted(reader_specs)
    if wanted is None or (wanted and not any(_by_pcsc(spec) or _by_usb(spec) for spec in wanted)):
        return None
    found = _plugged()
    return None if found is None else [str(reader) for reader in found]


def drivers_on_usb() -> str | None:
    """Linux: the kernel's drivers on the card readers on USB, '' for none. None when that cannot be told."""
    if sys.platform == "linux":
        found = _plugged()
        if found:
            return ", ".join(sorted(kernel_drivers({(reader.vendor, reader.product) for reader in found})))
    return None


def windows_advice(reader_specs: Sequence[str] = ()) -> windows_driver.Advice | None:
    """Windows: what to say of Sony's software and the drivers, for the roads that are asked for (none: both)."""
    if sys.platform == "win32":
        found, wanted = _plugged(), _wanted(reader_specs)
        if found and wanted is not None:
            return windows_driver.advise(
                windows_driver.look(windows_driver.LocalMachine()),
                {(reader.vendor, reader.product) for reader in found},
                pcsc=not wanted or any(map(_by_pcsc, wanted)),
                usb=not wanted or any(map(_by_usb, wanted)),
            )
    return None


def _wanted(reader_specs: Sequence[str]) -> list[ReaderSpec] | None:
    try:
        return [parse_spec(text) for text in reader_specs]
    except UsageError:
        return None


def _by_pcsc(spec: ReaderSpec) -> bool:
    return isinstance(spec, PcscSpec)


def _by_usb(spec: ReaderSpec) -> bool:
    return spec == PasoriSpec("usb")


def _plugged() -> list[UsbReader] | None:
    try:
        return plugged_in()
    except OSError as exc:
        log.debug("USB cannot be looked at: %s", exc)
        return None
