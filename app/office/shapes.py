"""What the office's pages show and ask: immutable values, no Qt, no SQL.

Days are ISO dates (`2026-11-21`), months `YYYY-MM`, times of day `HH:MM` in Japan, moments aware datetimes. Operators,
workers, companies, occupations and roles are ids of the site's roster; words beside them are for the screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.domain.assurance import Assurance
from app.office.choices import Choices


class Right(StrEnum):
    """What an operator may do here, from his roles."""

    VIEW = "view"
    ENTER = "enter"
    """Enter missed days, head-counts."""
    APPROVE = "approve"
    IMPORT = "import"
    """Import files."""
    CARDS = "cards"
    """Bind cards, take imported batches back."""
    CORRECT = "correct"
    """Back-fill, corrections, and assignments that a file proposes."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sits here, after his PIN."""

    operator_id: str
    name: str
    rights: frozenset[Right]
    withheld: frozenset[Right] = frozenset()
    """What his roles allow, but not at this PC: it was enrolled as a gate."""


class MarkKind(StrEnum):
    """What a day of a worker rests on; the strongest of what there is."""

    TOUCH = "touch"
    """タッチ: a card was here (authenticated, certified, open, uid)."""
    LOGGED = "logged"
    """ロギング取込."""
    DECLARED = "declared"
    """An uncertified system or a phone call says so."""
    ENTERED = "entered"
    """直接入力(承認済)."""
    WAITING = "waiting"
    """承認待ち: no record yet."""
    REFUSED = "refused"
    """The 元請 has refused the entry: no record."""
    NOT_TAKEN = "not_taken"
    """The centre has rejected it (要確認): no record there."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A cell of the month: one worker, one day."""

    kind: MarkKind
    assurance: Assurance | None = None
    """None without a record."""
    first_in: str | None = None
    last_out: str | None = None
    touches: int = 0
    """Touches and entries that the record rests on."""
    missing: tuple[str, ...] = ()
    """Of 'company', 'occupation', 'role': the record stands but is useless for the level until it is mended."""
    unsent: bool = False
    """Something of it has not reached the centre."""
    entry_id: str | None = None
    """The latest entry of that day, approved or not."""
    waits: bool = False
    """That entry is without the 元請's word; with a record it is about a time that the record lacks."""
    reason: str = ""
    """Why it was entered: a code of `REASONS`, or free text."""
    answer: str = ""
    """What the 元請 said when it refused that entry; of `NOT_TAKEN` the centre's code (`sync.verdict_…`)."""
    overdue: bool = False
    """It waits, and the deadline of entry and approval is past."""

    @property
    def counts(self) -> bool:
        """Whether it is a work record."""
        return self.assurance is not None


@dataclass(frozen=True, slots=True)
class Day:
    """A column."""

    day: str
    weekday: int
    """0 Monday … 6 Sunday."""
    holiday: str = ""
    """Name of a 祝日 in Japanese (in English: `app.office.calendar.holiday`), '' on other days."""
    closed: bool = False
    """休工日 of the site (Sundays and 祝日 too, unless the site's calendar opens them)."""
    future: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A worker's line."""

    worker_id: str
    name: str
    kana: str
    company_id: str
    """'' when he has no assignment here."""
    occupation: str
    """As a word; '' when missing."""
    role: str
    kentaikyo: bool
    """Member of 建退共."""
    since: str = ""
    """First and last day of the assignment that `company_id`, `occupation` and `role` are of; '' for an open end."""
    until: str = ""

    def described_on(self, day: str) -> bool:
        """Whether company, 職種 and 立場 of a day are known, so that an entry need not say them."""
        return bool(
            self.company_id and self.occupation and self.role and self.since <= day <= (self.until or "9999-12-31")
        )


@dataclass(frozen=True, slots=True)
class Group:
    """A company's block of lines; the company's own line above them."""

    company_id: str
    company: str
    tier: int | None
    """0 元請, 1 一次 …; None outside the contract tree."""
    registered: bool
    """False: CCUS未登録 (仮想登録)."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Month:
    """A month's sheet without its marks, which come by worker (`OfficePort.marks`)."""

    month: str
    site_id: str
    days: tuple[Day, ...]
    groups: tuple[Group, ...]
    choices: Choices = field(default_factory=Choices)


Marks = Mapping[str, Mapping[str, Mark]]
"""Worker id → day → mark."""


class Why(StrEnum):
    """Why a day looks missed."""

    CREW_WAS_HERE = "crew_was_here"
    """`values`: count of his company's people with his occupation that were here."""
    OUT_WITHOUT_IN = "out_without_in"
    IN_WITHOUT_OUT = "in_without_out"
    READER_DOWN = "reader_down"
    """`values`: from, until (HH:MM)."""
    OTHER_SITE = "other_site"
    """Touched at another site of this station that day. `values`: site."""
    UNKNOWN_CARD = "unknown_card"
    """A card that belongs to nobody was touched that day, at his usual time. `values`: time."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A day that was probably missed. An assumption: nothing is stored until somebody accepts it."""

    worker_id: str
    name: str
    company: str
    day: str
    why: tuple[tuple[Why, Mapping[str, str]], ...]
    """Strongest first."""
    in_at: str | None = None
    """Time proposed, HH:MM; None: none."""
    out_at: str | None = None


@dataclass(frozen=True, slots=True)
class EntryWanted:
    """Direct entry (直接入力) of one worker's day, as typed."""

    worker_id: str
    day: str
    reason: str
    """A code of `REASONS`, or free text."""
    in_at: str | None = None
    out_at: str | None = None
    company_id: str | None = None
    """None: the assignment of that day."""
    occupation: str | None = None
    role: str | None = None


REASONS = ("card_forgotten", "no_card", "reader_down", "card_broken", "worked_elsewhere_first", "left_early")
"""Reasons to choose from; the message of each is `entry_reason.<code>`."""


@dataclass(frozen=True, slots=True)
class EntryProblem:
    """Why one of several entries cannot be made; then none of them is stored."""

    worker_id: str
    day: str
    code: str
    """Message code: `entry.too_late`, `entry.future`, `entry.has_record`, `entry.waits_already`, `entry.bad_time`,
    `entry.unknown_worker`, `entry.no_company`, `entry.no_occupation`, `entry.no_role`, `entry.no_reason`,
    `entry.outside_site`; of a decision `approval.own`, `approval.own_day`, `approval.decided`, `approval.too_early`,
    `approval.too_late` or `approval.no_reason`."""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that waits for the 元請's word, for the approver's queue."""

    entry_id: str
    worker_id: str
    name: str
    company: str
    day: str
    in_at: str | None
    out_at: str | None
    occupation: str
    role: str
    reason: str
    entered_by: str
    """Name of the operator."""
    entered_at: datetime
    days_left: int
    """Until the deadline, today included as 0; below 0 it is past."""
    own: bool
    """Entered by who is signed in, or his own day: he must not approve it."""
    unsent: bool
    """Made here and not at the centre yet: 未送信."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """What must be done by when, for one month of work days."""

    month: str
    until: str
    """Last day for entry and approval: the end of the month after."""
    days_left: int
    candidates: int | None
    """Likely missed days that nobody has accepted or set aside; None: not counted yet."""
    waiting: int
    """Entries without the 元請's word."""
    unsent: int
    """Entries and approvals that have not reached the centre: 未送信：期限内に届いていません."""
    level: str
    """'calm', 'remind' (7 days), 'amber' (3 days), 'past'."""


@dataclass(frozen=True, slots=True)
class HeadcountDay:
    """総出面 of a company on a day beside what the gate saw. Company '': people without one; nobody types for them."""

    company_id: str
    company: str
    day: str
    count: int | None
    """As typed; None: nobody typed it."""
    present: int
    """Workers whose card was touched that day, here or at another PC of the site (a logging reader's count). Direct
    entries, phone calls and what other systems only declare are no touch."""
    closed: bool = False
    """休工日, as in `Day`."""
    holiday: str = ""


@dataclass(frozen=True, slots=True)
class Backfill:
    """A record whose company, 職種 or 立場 is missing and could be filled in from the contract tree (遡及修正)."""

    worker_id: str
    name: str
    day: str
    event_id: str
    """The touch or entry that the correction aims at."""
    company_id: str | None
    """Filled in with this; None: this one is not missing, or cannot be told."""
    occupation: str | None
    role: str | None
    note: str = ""
    """Message code of what keeps it from being filled in: `backfill.no_assignment`, `backfill.no_detail`,
    `backfill.too_old`; '' when it can be."""
    names: tuple[str, str, str] = ("", "", "")
    """Company, occupation and role as words."""
    missing: tuple[str, ...] = ()
    """What the record lacks: 'company', 'occupation', 'role'."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Answer to something that stores. `stored`: how many events; `problems`: then nothing was stored."""

    stored: int = 0
    problems: tuple[EntryProblem, ...] = ()
    error: str = ""
    """Message code when it failed as a whole ('' when it went well): the store's troubles, `office.not_allowed` …"""
