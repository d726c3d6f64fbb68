"""What became of a file's touches in numbers, what they propose, and the roster by day."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.domain.roster import Roster
from app.office.import_shapes import Proposal
from app.office.touches import DeviceTouch
from app.store.roster import RosterStore

_ROSTERS = 4
"""Rosters in memory at once; some thousand people each."""
_MOST_PROPOSALS = 1000
COUNTS = ("known", "recorded", "recorded_check", "unknown_card", "suppressed", "refused", "bad")
"""Of a tally, kept with a batch; together they are `Tally.read`."""


@dataclass(slots=True)
class Tally:
    """What became of a file's touches. `read` = `known` + `bad` + the other five; those are new."""

    read: int = 0
    known: int = 0
    """Here already."""
    bad: int = 0
    """Left out, each with its reason."""
    recorded: int = 0
    recorded_check: int = 0
    """Recorded; something of them needs a look."""
    unknown_card: int = 0
    """Kept, though nobody is known for the card."""
    suppressed: int = 0
    """Second touches of the same card shortly after."""
    refused: int = 0
    """Kept as refusals: cards stopped, numbers that are nobody's, a level of proof that the site does not take."""
    reasons: Counter[str] = field(default_factory=Counter, compare=False)
    """Message code of `bad`, and reason of `refused`, → how many."""
    first_ms: int | None = field(default=None, compare=False)
    last_ms: int | None = field(default=None, compare=False)
    """Of all that are not later than now; Unix milliseconds."""
    proposals: dict[str, Proposal] = field(default_factory=dict, compare=False)
    """By worker."""

    @property
    def new(self) -> int:
        """Touches that were (or would be) stored."""
        return self.read - self.known - self.bad

    def propose(self, touch: DeviceTouch, worker_id: str, roster: Roster, day: str) -> None:
        """What the row says and the roster lacks."""
        assigned = roster.assignment(worker_id, day)
        company = (assigned.company_id if assigned else None) or touch.company_id
        occupation = _coded(touch.occupation, roster.occupations)
        role = _coded(touch.role, roster.roles)
        lacks = assigned is None or (
            (not assigned.company_id and touch.company_id)
            or (not assigned.occupation and occupation)
            or (not assigned.role and role)
        )
        known = self.proposals
        if lacks and worker_id not in known and len(known) < _MOST_PROPOSALS:
            names = roster.workers[worker_id].name, company and roster.companies.get(company)
            known[worker_id] = Proposal(
                worker_id,
                names[0],
                company or "",
                names[1].name if names[1] else "",
                (assigned.occupation if assigned else None) or occupation,
                (assigned.role if assigned else None) or role,
                day,
            )


def _coded(text: str, known: Any) -> str:
    """The roster's id of a word; the word where it has none."""
    return next((id_ for id_, one in known.items() if text in (id_, one.name)), text)


class Rosters:
    """The roster as it held on a day: it differs only where a card's binding begins."""

    def __init__(self, store: RosterStore, site_id: str) -> None:
        self._store = store
        self._site_id = site_id
        self._turns = store.turning_days(site_id)
        self._kept: dict[int, Roster] = {}

    def on(self, day: str) -> tuple[Roster, str, str]:
        """The roster, and the days from which and before which it holds."""
        turn = bisect_right(self._turns, day)
        if turn not in self._kept:
            if len(self._kept) == _ROSTERS:
                self._kept.clear()
            self._kept[turn] = self._store.load(self._site_id, date.fromisoformat(day))
        first, end = self._turns[turn - 1] if turn else "", self._turns[turn] if turn < len(self._turns) else "~"
        return self._kept[turn], first, end
