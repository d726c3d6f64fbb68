"""What a format file says, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.assurance import Assurance

TABLE, FIXED, JSONL = "table", "fixed", "jsonl"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a fixed-width file. `start` from 1; both in half-width places (a full-width letter has two)."""

    name: str
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class CardForm:
    """How a card is written. `kind`: felica, uid, key, profile:NAME, or worker (the row names a person, no card)."""

    kind: str = "key"
    base: str = "hex"
    reversed: bool = False
    length: int = 8
    """Bytes, of a decimal number."""


@dataclass(frozen=True, slots=True)
class DeviceRule:
    """Where the device's name stands: `column` alone is set for a column; otherwise one of the others, or the file's
    name."""

    fixed: str = ""
    line_prefix: str = ""
    """A line before the header that starts with this; what follows is the name."""
    name_prefix: str = ""
    """Left out of the file's name."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Rows that are no touches: the column is (or starts with) one of these. `keep`: all rows but these."""

    column: str
    values: frozenset[str]
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """A format. Columns are named as in the header, or by number from 1."""

    name: str
    version: str
    label: Mapping[str, str]
    assurance: Assurance
    type: str
    columns: Mapping[str, str]
    """Part (`app.office.import_shapes.Part`) → column."""
    times: tuple[str, ...]
    sample: bool = False
    offset_minutes: int = 540
    encoding: str = "auto"
    delimiter: str = "auto"
    header: int = 1
    """Line that names the columns; 0: none does."""
    sheet: str = ""
    comment: str = ""
    layout: tuple[Column, ...] = ()
    card: CardForm = CardForm()
    direction_in: frozenset[str] = frozenset()
    direction_out: frozenset[str] = frozenset()
    device: DeviceRule = DeviceRule()
    skip: tuple[Skip, ...] = ()
    needs: tuple[str, ...] = ()
    """Text that one of the first lines holds, else it is another format's file."""
    suffixes: tuple[str, ...] = field(default=())
    """Of the file's name, small letters; (): any."""
