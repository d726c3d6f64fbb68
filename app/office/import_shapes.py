"""What the import pages show and ask: immutable values (`app.office.import_port` says when)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.office.import_layout import Said

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
    samples: Mapping[str, tuple[PreviewRow, ...]] = field(default_factory=dict)
    """Name of a count (known, recorded, recorded_check, unknown_card, suppressed, refused) → its first rows, at most
    200 each: what the number opens."""
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
    verdict: Said = field(default_factory=lambda: Said(""))
    """The sentence of that, with its reason."""
    bad_file: str = ""
    """Where the bad rows were written; '' where none were."""
    cancelled: bool = False
    error: Said | None = None

    @property
    def kept(self) -> tuple[tuple[str, int], ...]:
        """Message code and count of what is stored here although it makes no record, so that nobody keeps the reader's
        memory for it."""
        plan = self.plan
        counts = {"unknown_card": plan.unknown_card, "refused": plan.refused, "suppressed": plan.suppressed}
        return tuple((f"import.kept_{name}", count) for name, count in counts.items() if count)


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
    file: str = ""
    """Its name without the folder; this and the three below are not known of files imported before they were kept."""
    first_at: datetime | None = None
    last_at: datetime | None = None
    """Of its touches, corrected."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """known, recorded, recorded_check, unknown_card, suppressed, refused, bad → rows."""
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
