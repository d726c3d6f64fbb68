"""Touches that some device kept: what every format of file is turned into before it is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.domain.assurance import Assurance
from app.domain.events import Direction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class DeviceTouch(NamedTuple):
    """One touch as a device noted it down. (A tuple: a file has a million of them.)"""

    at: str
    """The device's own time, as text that every file of it gives alike: with device and card it is what the touch is
    known by."""
    at_ms: int
    """The moment, corrected where the device's clock was wrong; Unix milliseconds."""
    card_key: str
    number: int
    """The device's own; where it has none, the line's."""
    line: int
    direction: Direction | None = None
    """None: the device does not know; the site's rule chooses."""
    worker_id: str | None = None
    """技能者ID that the card's own content, or the row, names."""
    device: str = ""
    """'': the file's (`Origin.device`)."""
    company_id: str = ""
    occupation: str = ""
    """As the row says it, for the roster to compare."""
    role: str = ""
    cells: Sequence[str] = ()
    """The row as it stands in the file, to be mended if it is left out."""

    @property
    def place(self) -> str:
        """For errors."""
        return f"line {self.line}"

    @property
    def moment(self) -> datetime:
        """`at_ms`, aware."""
        return moment_of(self.at_ms)


class BadTouch(NamedTuple):
    """A row that is no touch. `code`: message of the reason and the remedy, with `values`."""

    line: int
    code: str
    values: Mapping[str, str]
    cells: Sequence[str] = ()
    """As they stand in the file, to be mended."""
    at: str = ""


def moment_of(at_ms: int) -> datetime:
    """Unix milliseconds as an aware datetime."""
    return _EPOCH + timedelta(milliseconds=at_ms)


def ms_of(moment: datetime) -> int:
    """An aware datetime as Unix milliseconds, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file is, once it is known to be good."""

    file: str
    """As the person named it, for errors; of it the name without the folder is stored."""
    format: str
    device: str
    """Id of the device, part of what its touches are known by."""
    digest: str
    """SHA-256 of the file, hex."""
    assurance: Assurance
    reader: str
    """`reader` of the events; of a touch with a device of its own, `format:device` instead."""
    strict: bool = field(default=True)
    """A time that cannot be refuses the file; otherwise that row alone."""

    @property
    def source(self) -> str:
        """`source` of the events: the format and which file."""
        return f"{self.format}:{self.digest[:16]}"
