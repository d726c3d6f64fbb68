"""The roster of a site (作業員名簿 and 施工体制): who may be expected at the gate, and as what.

Items travel as `{kind, id, deleted, …fields}` and are kept as such by store and centre; `Roster` is the view that
rules work on. Dates are ISO strings (`2026-11-21`); string comparison is date comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Worker:
    """技能者. `id` is the 技能者ID, or a local id when not registered."""

    id: str
    name: str
    kana: str = ""
    name_latin: str = ""
    nationality: str = ""
    level: int | None = None
    """レベル 1–4; None when not evaluated."""
    kentaikyo_member: bool = False
    """Member of 建退共."""
    visit_office: bool = False
    """A personal matter waits at the office. All that a gate is told of the next two."""
    insurance_confirmed: bool | None = None
    """社会保険 確認済; None: not known here (a gate is never told)."""
    residence_expires_on: str | None = None
    """End of 在留期間; None: not applicable or not known here."""


@dataclass(frozen=True, slots=True)
class Company:
    """事業者."""

    id: str
    name: str
    short_name: str = ""
    registered: bool = True
    """False: not in CCUS, put in virtually (仮想登録)."""
    sole_proprietor: bool = False
    """一人親方."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A place in the 施工体制. `tier` 0 is the 元請, 1 the 一次 …"""

    id: str
    company_id: str
    tier: int
    parent_id: str | None = None
    """Contract above; None for the 元請 alone."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A worker on this site: for which company (contract), as what."""

    id: str
    worker_id: str
    company_id: str | None = None
    occupation: str | None = None
    role: str | None = None
    starts_on: str | None = None
    ends_on: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A card of a worker. `id` is the card key."""

    id: str
    worker_id: str
    expires_on: str | None = None
    stopped: str | None = None
    """Reason code when it must not be used any more: 'lost', 'returned', 'replaced'."""


@dataclass(frozen=True, slots=True)
class Occupation:
    """職種: code and name, importable master data."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Role:
    """立場: code and name, importable master data."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Operator:
    """A person who may do more than touch. `roles`: 'gate', 'foreman', 'approver', 'office', 'administrator'."""

    id: str
    name: str
    roles: tuple[str, ...] = ()
    pin_verifier: str = ""
    """scrypt, see `app.secrets`."""
    worker_id: str | None = None


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day that differs. `id` is the day.

    `day_kind`: 'closed' (休工日) or 'open' (works on a holiday). Items travel as `{kind, id, …}`: `kind` itself is
    taken there ('calendar'); a site file, whose lists need no such name, calls it `kind`.
    """

    id: str
    day_kind: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A target rate, notified per company and year: data, not rules."""

    id: str
    name: str
    value_permille: int
    company_id: str | None = None
    year: int | None = None


ROSTER_KINDS: Mapping[str, type] = {
    "worker": Worker,
    "company": Company,
    "contract": Contract,
    "assignment": Assignment,
    "card": Card,
    "occupation": Occupation,
    "role": Role,
    "operator": Operator,
    "calendar": CalendarDay,
    "target": Target,
}
"""Kinds of roster items; 'site' (`app.domain.site.Site`) travels beside them."""

RosterItem = Worker | Company | Contract | Assignment | Card | Occupation | Role | Operator | CalendarDay | Target


@dataclass(frozen=True)
class Roster:
    """Everything known of a site's people at one moment. Immutable; share it between threads freely."""

    workers: Mapping[str, Worker] = field(default_factory=dict)
    companies: Mapping[str, Company] = field(default_factory=dict)
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    assignments: Mapping[str, Assignment] = field(default_factory=dict)
    cards: Mapping[str, Card] = field(default_factory=dict)
    occupations: Mapping[str, Occupation] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    operators: Mapping[str, Operator] = field(default_factory=dict)
    calendar: Mapping[str, CalendarDay] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Iterable[RosterItem]) -> Roster:
        """Build from items; a later item of the same kind and id replaces an earlier one."""
        by_kind: dict[type, dict[str, RosterItem]] = {kind: {} for kind in ROSTER_KINDS.values()}
        for item in items:
            by_kind[type(item)][item.id] = item
        return cls(*(by_kind[kind] for kind in ROSTER_KINDS.values()))  # type: ignore[arg-type]

    @cached_property
    def _assignments_by_worker(self) -> Mapping[str, tuple[Assignment, ...]]:
        found: dict[str, list[Assignment]] = {}
        for assignment in self.assignments.values():
            found.setdefault(assignment.worker_id, []).append(assignment)
        return {worker: tuple(sorted(some, key=lambda a: a.id)) for worker, some in found.items()}

    def assignments_of(self, worker_id: str) -> tuple[Assignment, ...]:
        """All of a worker's, by id."""
        return self._assignments_by_worker.get(worker_id, ())

    def assignment(self, worker_id: str, on: str | date) -> Assignment | None:
        """The worker's assignment on a day: the one that started last of those that hold then."""
        day = on if isinstance(on, str) else on.isoformat()
        holding = [
            a
            for a in self._assignments_by_worker.get(worker_id, ())
            if (a.starts_on or "") <= day <= (a.ends_on or "9999")
        ]
        return max(holding, key=lambda a: (a.starts_on or "", a.id), default=None)

    def assignment_within(self, worker_id: str, first: str, last: str) -> Assignment | None:
        """The assignment that started last of those that hold on some day from `first` to `last` (ISO dates)."""
        holding = [
            a
            for a in self._assignments_by_worker.get(worker_id, ())
            if (a.starts_on or "") <= last and first <= (a.ends_on or "9999")
        ]
        return max(holding, key=lambda a: (a.starts_on or "", a.id), default=None)

    @cached_property
    def _tiers(self) -> Mapping[str, int]:
        """The tier nearest to the 元請 of each company that hangs on it without a gap."""
        tiers: dict[str, int] = {}
        for contract in self.contracts.values():
            if self._reaches_root(contract):
                tiers[contract.company_id] = min(tiers.get(contract.company_id, 99), contract.tier)
        return tiers

    def _reaches_root(self, contract: Contract) -> bool:
        """A company that is not known at all, not even virtually (仮想登録), breaks the tree for all below it."""
        seen: set[str] = set()
        current: Contract | None = contract
        while current is not None and current.id not in seen and current.company_id in self.companies:
            if current.parent_id is None:
                return current.tier == 0
            seen.add(current.id)
            current = self.contracts.get(current.parent_id)
        return False

    def tier(self, company_id: str) -> int | None:
        """0 元請, 1 一次 …; None when the company is outside the contract tree (or the tree is broken above it)."""
        return self._tiers.get(company_id)
