"""Formats as the import pages show and ask for them: immutable values (`app.office.import_port` says when)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.assurance import Assurance


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of the messages: code and what stands in its {names}. `where`: file and line it is about."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)
    where: str = ""


# -- formats -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FormatEntry:
    """A format that files may have (docs/import-formats.md)."""

    name: str
    label: Mapping[str, str]
    """By language: 'ja', 'en'."""
    assurance: Assurance | None
    """None with `error`."""
    sample: bool = False
    """An invented example that is no maker's format: say so."""
    own: bool = False
    """From the office's data folder."""
    error: Said | None = None
    """Why the format's file cannot be used."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file, and the formats that read its first lines without a fault, best first; for want of one, most of its
    first lines. Several: ask. None: map it."""

    file: str
    formats: tuple[str, ...] = ()
    size: int = 0
    """Bytes."""
    error: Said | None = None
    """It cannot be read at all."""


class Part(StrEnum):
    """What a column may be. A row needs CARD, WORKER or PHONE, and AT or DATE and TIME; the rest is optional."""

    CARD = "card"
    WORKER = "worker"
    """技能者ID."""
    PHONE = "phone"
    """Telephone number of a caller."""
    AT = "at"
    """Date and time in one column."""
    DATE = "date"
    TIME = "time"
    DIRECTION = "direction"
    DEVICE = "device"
    NUMBER = "number"
    """The device's own running number."""
    OCCUPATION = "occupation"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is cut into cells."""

    type: str = "table"
    """table (CSV, TSV or Excel: found out), fixed, jsonl; `Cells` says jsonl where a table cut by auto was asked for
    and its lines are JSON objects."""
    encoding: str = "auto"
    """auto, utf-8, cp932, utf-16."""
    delimiter: str = "auto"
    """auto, ',', ';', '|', or a tab; for table."""
    header: int = 1
    """Line (from 1) that names the columns; 0: none does."""
    widths: tuple[int, ...] = ()
    """Of the columns, in half-width places (a full-width letter has two); for fixed."""
    sheet: str = ""
    """Of an Excel file; '': the first that has anything in it."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A file's first lines cut into cells, for who maps its columns. `layout`: with what was found out for auto."""

    layout: Layout
    columns: tuple[str, ...]
    """Names of the header, or 1, 2, 3 …; a format names a column by these."""
    rows: tuple[tuple[str, ...], ...]
    guessed: Mapping[Part, str] = field(default_factory=dict)
    """Part → column, by what stands there."""
    times: tuple[str, ...] = ()
    """Patterns that read all that is seen of the guessed time column(s), most likely first (`YYYY/MM/DD hh:mm:ss`)."""
    error: Said | None = None
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    """Of an Excel file: the one that is read, and all there are."""


@dataclass(frozen=True, slots=True)
class FormatDraft:
    """A mapping that somebody made, to become a file of the office's own. See docs/import-formats.md for each value."""

    name: str
    """a-z 0-9 _ -, at most 40; also the file's name."""
    label: str
    assurance: Assurance
    """logged, declared or certified."""
    layout: Layout
    columns: Mapping[Part, str]
    times: tuple[str, ...]
    """Patterns of AT, or of DATE and TIME joined by a blank."""
    card_kind: str = "felica"
    """felica, uid, key (`felica:…` as this program writes it), or profile:NAME (a number printed on a card)."""
    card_base: str = "hex"
    """hex or decimal (decimal: for felica and uid, of `card_bytes` bytes)."""
    card_reversed: bool = False
    card_bytes: int = 8
    direction_in: tuple[str, ...] = ()
    direction_out: tuple[str, ...] = ()
    device: str = ""
    """Name of the device where no column says it; '': the file's name says it."""


@dataclass(frozen=True, slots=True)
class FormatSaved:
    """Exactly one of the two is there."""

    name: str = ""
    error: Said | None = None
