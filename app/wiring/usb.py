"""Which card readers are plugged in, for people who look for the reason why none works."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from app.errors import UsageError
from app.readers.specs import PasoriSpec, PcscSpec, parse_spec
from app.readers.usb import plugged_in

log = logging.getLogger(__name__)


def on_usb(reader_specs: Sequence[str] = ()) -> list[str] | None:
    """The card readers on USB, each as 'PaSoRi RC-S300 (054c:0dc9)', whether they work or not.

    None when nobody can tell (no libusb here), or when none of the readers that are asked for is on USB.
    """
    try:
        wanted = [parse_spec(text) for text in reader_specs]
    except UsageError:
        return None
    if wanted and not any(isinstance(spec, PcscSpec) or spec == PasoriSpec("usb") for spec in wanted):
        return None
    try:
        return [str(reader) for reader in plugged_in()]
    except OSError as exc:
        log.debug("USB cannot be looked at: %s", exc)
        return None
