"""A reader as it is written on the command line or in the settings: `pcsc:PaSoRi`, `pasori:usb`, `wedge`, …

Pure: nothing is opened here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError

SYNTAX = "pcsc[:NAME-PART] | pasori[:usb|:udp:HOST:PORT] | wedge | scripted:FILE"


@dataclass(frozen=True, slots=True)
class PcscSpec:
    """PC/SC readers whose name contains `name_part`; every one when it is None."""

    name_part: str | None = None


@dataclass(frozen=True, slots=True)
class PasoriSpec:
    """A reader that nfcpy drives. `path`: 'usb' or 'udp:HOST:PORT'."""

    path: str = "usb"


@dataclass(frozen=True, slots=True)
class WedgeSpec:
    """A reader that types the card's number like a keyboard."""


@dataclass(frozen=True, slots=True)
class ScriptedSpec:
    """A reader that plays a JSON Lines file."""

    file: Path


ReaderSpec = PcscSpec | PasoriSpec | WedgeSpec | ScriptedSpec


def parse_spec(text: str) -> ReaderSpec:
    """One reader SPEC (`SYNTAX`). Raises UsageError `reader.spec_invalid`."""
    road, colon, rest = text.strip().partition(":")
    rest = rest.strip()
    match road.strip().lower():
        case "pcsc" if rest or not colon:
            return PcscSpec(rest or None)
        case "pasori" if not colon or rest == "usb":
            return PasoriSpec()
        case "pasori" if rest.startswith("udp:"):
            return PasoriSpec(_udp_path(rest, text))
        case "wedge" if not colon:
            return WedgeSpec()
        case "scripted" if rest:
            return ScriptedSpec(Path(rest))
    raise _invalid(text)


def udp_address(path: str) -> tuple[str, int]:
    """Host and port of a 'udp:HOST:PORT' path. Raises ValueError."""
    _, _, address = path.partition(":")
    host, colon, port = address.rpartition(":")
    if not colon or not host or ":" in host or not (port.isascii() and port.isdigit()):
        raise ValueError(f"udp:HOST:PORT, not {path!r}")
    if not 1 <= int(port) <= 65535:
        raise ValueError(f"a port is 1–65535, not {port}")
    return host, int(port)


def _udp_path(path: str, text: str) -> str:
    try:
        host, port = udp_address(path)
    except ValueError:
        raise _invalid(text) from None
    return f"udp:{host}:{port}"


def _invalid(text: str) -> UsageError:
    return UsageError("reader.spec_invalid", where=text, syntax=SYNTAX)
