"""What the gate tells its listeners: immutable values, ready for a screen, a sound or a JSON line.

Nothing personal is in them that the site does not allow on its screen: `personal` reasons arrive as
`Reason.VISIT_OFFICE`, level and 建退共 見込み are None unless the site shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.events import Direction
from app.domain.verdict import Outcome, Reason


class Delivery(StrEnum):
    """送信待ち / 送信済 / 要確認."""

    WAITING = "waiting"
    SENT = "sent"
    NEEDS_LOOK = "needs_look"


@dataclass(frozen=True, slots=True)
class Announcement:
    """One card (or one person without a card) has been dealt with; what is stored is on disk already."""

    lane: str
    """Name of the reader, as in its `ReaderState`; '' for the window itself."""
    outcome: Outcome
    reasons: tuple[Reason, ...]
    at: datetime
    """When the card was seen; aware."""
    id: str | None = None
    """Event id; None for unreadable (nothing is kept)."""
    seq: int | None = None
    card_masked: str = ""
    worker_id: str | None = None
    site_id: str = ""
    name: str = ""
    company: str = ""
    tier: int | None = None
    occupation: str = ""
    role: str = ""
    direction: Direction = Direction.NONE
    work_day: str = ""
    assurance: str = ""
    days_this_month: int | None = None
    """Work days of this month here, this one included; None when not known."""
    level: int | None = None
    retirement_yen: int | None = None
    first_at: datetime | None = None
    """For a double touch: when the first one was recorded."""
    entered: bool = False
    """True for a person without a card (an `entry` that waits for approval, not a touch)."""
    stored_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StorageAlarm:
    """A card was read and could NOT be stored (disk full, file gone): the loudest thing there is.

    `code`: message code ('store.disk_full', …)."""

    lane: str
    at: datetime
    code: str


@dataclass(frozen=True, slots=True)
class TouchLine:
    """A row of 本日のタッチ."""

    id: str
    at: datetime
    name: str
    """'' for an unknown card."""
    outcome: Outcome
    direction: Direction
    delivery: Delivery
    entered: bool = False


@dataclass(frozen=True, slots=True)
class CompanyCount:
    """Today's head-count of a company: people recorded in, people on the roster, number typed by hand."""

    company_id: str
    company: str
    present: int
    """Workers with a record today."""
    on_roster: int
    headcount: int | None = None
    """総出面 as typed today; None when nobody typed it."""


@dataclass(frozen=True, slots=True)
class Today:
    """The gate's right-hand side."""

    work_day: str
    lines: tuple[TouchLine, ...]
    """Latest first."""
    companies: tuple[CompanyCount, ...]
    present: int


@dataclass(frozen=True, slots=True)
class WorkerHit:
    """A name found for カードをお持ちでない方."""

    worker_id: str
    name: str
    kana: str
    company: str


@dataclass(frozen=True, slots=True)
class DirectionState:
    """入場 / 退場 / 自動. `chosen` None: 自動."""

    chosen: Direction | None
    returns_at: datetime | None = None


class WarningLevel(StrEnum):
    """How loud a standing warning is."""

    WHISPER = "whisper"
    SHOUT = "shout"


@dataclass(frozen=True, slots=True)
class StandingWarning:
    """Clock, disk, keyring, roster age: something to say for as long as it lasts. `code`: message code."""

    code: str
    level: WarningLevel
    values: tuple[tuple[str, str], ...] = ()


News = Announcement | StorageAlarm | Today | DirectionState | tuple[StandingWarning, ...]
