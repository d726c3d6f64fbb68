"""What the office's pages may ask. Every call returns at once; the answer comes by `reply`, on the office's thread.

The pages' bridge moves replies to their own thread. A newer question of the same kind does not cancel an older one:
pages compare what they asked for. Troubles of the store come as `Trouble` news, never as silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.site import Site
from app.office.decisions import Decision
from app.office.shapes import (
    Backfill,
    Candidate,
    Deadline,
    EntryWanted,
    HeadcountDay,
    Marks,
    Month,
    Outcome,
    SignedIn,
    Waiting,
)


@dataclass(frozen=True, slots=True)
class Changed:
    """News: something was stored or came from the centre; what is on the screen may be old. `month` '': any."""

    month: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """News: a question could not be answered. `code`: message code with `values`."""

    code: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seated:
    """News: the roster has changed what may who sits here; None: he is no operator of this site any more."""

    person: SignedIn | None


@dataclass(frozen=True, slots=True)
class Counted:
    """News: likely missed days of a month on the board were counted (`OfficePort.deadlines`)."""


OfficeNews = Changed | Trouble | Seated | Counted


@dataclass(frozen=True, slots=True)
class PinRefused:
    """A PIN that fits nobody with a right to the office. `wait_s`: seconds until the next try is allowed."""

    wait_s: int = 0


@dataclass(frozen=True, slots=True)
class PinShared:
    """More than one operator has this PIN: which of them is it? (id, name, roles) each; `sign_in_as` says it."""

    people: tuple[tuple[str, str, tuple[str, ...]], ...]


class OfficePort(Protocol):
    """The office as its pages see it. Thread-safe."""

    @property
    def site(self) -> Site:
        """The site as last known."""

    @property
    def has_operators(self) -> bool:
        """Whether anybody at all could sign in: an operator of the roster with a PIN and a role for it."""

    def listen(self, listener: Callable[[OfficeNews], None]) -> None:
        """Call `listener` with each piece of news, on the office's thread."""

    def sign_in(self, pin: str, reply: Callable[[SignedIn | PinRefused | PinShared], None]) -> None:
        """Who is it? Every try goes to the audit trail; wrong ones are answered ever later."""

    def sign_in_as(self, operator_id: str, reply: Callable[[SignedIn | PinRefused], None]) -> None:
        """One of those that the last answer to `sign_in` named, within a minute; anybody else is refused."""

    def sign_out(self) -> None:
        """Nobody sits here any more."""

    def month(self, month: str, reply: Callable[[Month], None]) -> None:
        """The month's columns and lines, by tier, company and kana; workers who only have records come last."""

    def marks(self, month: str, worker_ids: Sequence[str], reply: Callable[[Marks], None]) -> None:
        """Marks of some workers; ask for those on the screen first, for the others in handfuls. At most 200 at once."""

    def candidates(
        self,
        month: str,
        reply: Callable[[Sequence[Candidate]], None],
        progress: Callable[[float], None] = lambda share: None,
    ) -> None:
        """Likely missed days of the month, by company, worker and day. May take seconds on a large site: everything
        else goes before it, piece by piece. `progress`: 0 to 1. A newer such question ends an older one, unanswered.
        """

    def set_aside(self, worker_id: str, day: str, aside: bool, reply: Callable[[Outcome], None]) -> None:
        """Take a candidate off the list, or put it back. Asserts nothing about the day."""

    def enter(self, entries: Sequence[EntryWanted], reply: Callable[[Outcome], None]) -> None:
        """Store direct entries, all or none, in the name of who is signed in."""

    def waiting(self, reply: Callable[[Sequence[Waiting]], None]) -> None:
        """Entries that wait for the 元請's word, the nearest deadline first."""

    def decide(self, entry_ids: Sequence[str], approved: bool, reason: str, reply: Callable[[Outcome], None]) -> None:
        """Approve or refuse entries, all or none. A refusal needs a reason; nobody approves his own."""

    def decisions(self, reply: Callable[[Sequence[Decision]], None]) -> None:
        """What who is signed in has decided and may still take back, the latest first."""

    def undo(self, approval_ids: Sequence[str], reason: str, reply: Callable[[Outcome], None]) -> None:
        """Take own decisions back, all or none: their entries wait again. Until the deadline, with a reason."""

    def take_back(self, entry_ids: Sequence[str], reason: str, reply: Callable[[Outcome], None]) -> None:
        """Void entries made here by mistake (a correction for each; the entry stays)."""

    def deadlines(self, reply: Callable[[Sequence[Deadline]], None]) -> None:
        """This month and the one before: what must be done by when; before them a month that is past, while anything
        of it is without an answer. Likely missed days that nobody has counted yet are counted afterwards, when nobody
        waits for anything: then `Counted` comes."""

    def headcounts(self, month: str, reply: Callable[[Sequence[HeadcountDay]], None]) -> None:
        """総出面 of every company that is on the roster or was here, day by day up to today."""

    def set_headcount(self, company_id: str, day: str, count: int, reply: Callable[[Outcome], None]) -> None:
        """総出面 of a company on a day; a later one replaces it."""

    def backfill(self, month: str, reply: Callable[[Sequence[Backfill]], None]) -> None:
        """Preview of 遡及修正 for up to two months back."""

    def apply_backfill(self, month: str, event_ids: Sequence[str], reply: Callable[[Outcome], None]) -> None:
        """Store the corrections that `backfill` showed for these events, all or none."""
