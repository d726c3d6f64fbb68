"""What the import pages may ask. Every call returns at once; the answer comes by `reply`, on the importer's thread.

The month's pages have a thread of their own, so they stay usable while a file is read. Questions are answered in the
order they came. A plan or a preview keeps nobody waiting; while a file is stored, whoever else stores (the gate) waits
some 30 µs a row, so a file with very many new rows is refused while a gate is open (`import.too_large_beside_gate`).
Nothing here raises: what goes wrong is in the answer (`error`), or comes as `ImportTrouble` news when there is no
answer to put it in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.domain.assurance import Assurance
from app.office.shapes import Outcome


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
    """A file, and the formats that read its first lines without a fault, best first. Several: ask. None: map it."""

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
    """table (CSV, TSV or Excel: found out), fixed, jsonl."""
    encoding: str = "auto"
    """auto, utf-8, cp932, utf-16."""
    delimiter: str = "auto"
    """auto, ',', ';', '|', or a tab; for table."""
    header: int = 1
    """Line (from 1) that names the columns; 0: none does."""
    widths: tuple[int, ...] = ()
    """Of the columns, in half-width places (a full-width letter has two); for fixed."""
    sheet: str = ""
    """Of an Excel file; '': the first."""


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


# -- a file ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Correction:
    """What is added to the device's time: `offset_s` at `since`, and `drift_ppm` millionths of the time after it.

    A device whose clock is fast has a negative offset. Without `since` the offset is the same at all times.
    """

    offset_s: float = 0.0
    drift_ppm: float = 0.0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClockPair:
    """What the device's clock and this PC's clock showed at one moment."""

    device: datetime
    pc: datetime


@dataclass(frozen=True, slots=True)
class ClockOffer:
    """A proposal: nothing is corrected until `ImportWanted.correction` says so."""

    correction: Correction = Correction()
    worst_s: float = 0.0
    """How far the pairs are from it at most, in seconds."""
    note: Said | None = None
    """What to know of it: too few pairs for a drift, a drift no clock has, pairs that do not fit together."""


@dataclass(frozen=True, slots=True)
class ImportWanted:
    """What is to be imported, and how."""

    file: str
    format: str
    site_id: str = ""
    """'': the station's site."""
    correction: Correction = Correction()
    device: str = ""
    """'': as the format says."""
    skip_bad: bool = True
    """Bad rows are left out and listed; False: one of them refuses the file."""
    bad_file: str = ""
    """Where the bad rows are written, to be mended and imported again; '': nowhere."""


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as it would be stored."""

    line: int
    device_at: str
    """As the device wrote it."""
    at: datetime | None
    """Corrected; None: unreadable."""
    card: str = ""
    """The card key, masked; '' for a row without one."""
    worker_id: str = ""
    name: str = ""
    """Of whom the roster knows for the card."""
    direction: str = ""
    """in, out; '': the site's rule chooses."""
    problem: Said | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """First rows of a file."""

    rows: tuple[PreviewRow, ...] = ()
    device: str = ""
    encoding: str = ""
    error: Said | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A missing assignment (施工体制) that a phone call or another system's row suggests; stored only if confirmed."""

    worker_id: str
    name: str
    company_id: str
    """'': the file does not say it."""
    company: str
    occupation: str
    """Id of the roster, or the word of the file; '': not said."""
    role: str
    day: str
    """Of the first touch."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A file in numbers, nothing stored. `read` = `known` + `new` + `bad`; `new` is what the ones below add up to."""

    read: int = 0
    known: int = 0
    """Here already."""
    new: int = 0
    recorded: int = 0
    recorded_check: int = 0
    unknown_card: int = 0
    suppressed: int = 0
    """Second touches shortly after the first."""
    refused: int = 0
    """Stopped cards, impossible numbers, a level of proof that the site does not take."""
    bad: int = 0
    """Left out; the three below are why."""
    unreadable: int = 0
    future: int = 0
    outside_site: int = 0
    skipped: int = 0
    """Lines that the format says are no touches; not in `read`."""
    device: str = ""
    first_at: datetime | None = None
    last_at: datetime | None = None
    refusals: Mapping[str, int] = field(default_factory=dict)
    """Reason code → count of `refused`; messages `reason.<code>`."""
    bad_rows: tuple[BadRow, ...] = ()
    """The first of them, at most 200."""
    proposals: tuple[Proposal, ...] = ()
    error: Said | None = None
    """The file cannot be imported at all."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out."""

    line: int
    problem: Said
    """Title: the reason; remedy: what to do."""
    text: str = ""
    """The row as it stands in the file, card numbers included: for the screen and the file of bad rows alone."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file. With `error` nothing of it is stored."""

    plan: Plan
    batch: int | None = None
    """Number of the batch, for taking it back; None: nothing was new."""
    may_clear: bool = False
    """消去してよい: everything of the file is stored here and was read back. Otherwise まだ消去しないでください."""
    verdict: Said = Said("")
    """The sentence of that, with its reason."""
    bad_file: str = ""
    """Where the bad rows were written; '' where none were."""
    cancelled: bool = False
    error: Said | None = None


# -- afterwards --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """A file that added something."""

    batch: int
    at: datetime
    format: str
    device: str
    site_id: str
    rows: int
    """Rows of the file."""
    events: int
    """That it added."""
    unsent: int
    """Of those, not at the centre yet."""
    taken_back_at: datetime | None = None
    taken_back_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UnknownCard:
    """A card that was touched here and belongs to nobody."""

    card_key: str
    """Whole: the office must be able to tell cards apart. Never put it in a log."""
    touches: int
    first_day: str
    last_day: str
    source: str
    """Format of the last touch; '' for the gate."""


@dataclass(frozen=True, slots=True)
class BindWanted:
    """This card belongs to this worker. `valid_from` '': from its first touch here."""

    card_key: str
    worker_id: str
    valid_from: str = ""


# -- news --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """News, some times a second while a file is planned or stored."""

    doing: str
    """'plan', 'store', 'verify', 'take_back'."""
    done: int
    total: int
    """Rows; estimated from the file's size until the end is seen."""
    rows_per_s: float
    seconds_left: float | None
    """None: not known yet."""


@dataclass(frozen=True, slots=True)
class Imported:
    """News: something was stored or taken back; lists may be old."""


@dataclass(frozen=True, slots=True)
class ImportTrouble:
    """News: a question could not be answered."""

    said: Said


ImportNews = Progress | Imported | ImportTrouble


class ImportPort(Protocol):
    """Importing as its pages see it. Thread-safe. Storing needs the right `Right.IMPORT` of who is signed in."""

    def listen(self, listener: Callable[[ImportNews], None]) -> None:
        """Call `listener` with each piece of news, on the importer's thread."""

    def formats(self, reply: Callable[[Sequence[FormatEntry]], None]) -> None:
        """All formats, the office's own first."""

    def recognise(self, files: Sequence[str], reply: Callable[[Sequence[Recognised]], None]) -> None:
        """Which formats each file may have, by its first lines."""

    def cells(self, file: str, layout: Layout, rows: int, reply: Callable[[Cells], None]) -> None:
        """The first `rows` lines (at most 200) cut as `layout` says, and what its columns seem to be."""

    def save_format(self, draft: FormatDraft, replace: bool, reply: Callable[[FormatSaved], None]) -> None:
        """Make a format of the office's own. `replace`: one of its own of the same name may be written over."""

    def offer_clock(self, pairs: Sequence[ClockPair], reply: Callable[[ClockOffer], None]) -> None:
        """Offset (one pair) or offset and linear drift (two or more) of a device's clock."""

    def preview(self, wanted: ImportWanted, rows: int, reply: Callable[[Preview], None]) -> None:
        """The first `rows` rows (at most 200) as they would be stored."""

    def plan(self, wanted: ImportWanted, reply: Callable[[Plan], None]) -> None:
        """What importing would do, in numbers; stores nothing. `Progress` meanwhile; `cancel` ends it."""

    def run(self, wanted: ImportWanted, reply: Callable[[Report], None]) -> None:
        """Import, all or nothing. `Progress` meanwhile; `cancel` ends it and nothing is stored."""

    def cancel(self) -> None:
        """End the plan, import or taking back that is under way, and all that wait. Their answers still come."""

    def batches(self, reply: Callable[[Sequence[BatchEntry]], None]) -> None:
        """Everything imported here, newest first."""

    def take_back(self, batch: int, reason: str, reply: Callable[[Outcome], None]) -> None:
        """Void everything a batch has added, sent or not (a correction for each). It may be imported again."""

    def unknown_cards(self, reply: Callable[[Sequence[UnknownCard]], None]) -> None:
        """Cards that belong to nobody, the one with most touches first."""

    def bind(self, wanted: Sequence[BindWanted], reply: Callable[[Outcome], None]) -> None:
        """Bind many cards at once, all or none. Past touches become their workers' from `valid_from` on."""

    def confirm(self, proposals: Sequence[Proposal], reply: Callable[[Outcome], None]) -> None:
        """Store proposed assignments, all or none."""
