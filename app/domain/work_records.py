"""Work records (就業履歴) from events: one worker × one work day × one site. The one function both ends use.

Held by the golden cases in `tests/golden/work_records/`. The rules (docs/contract.md, "Work records"):

- `touch` counts unless `suppressed_by` is set; `refusal` and `headcount` never count; `entry` counts once an `approval`
  of it says "approved" (the approval with the highest receipt decides).
- The `work_day` that was sent is the authority.
- A touch without a worker belongs to nobody until a `card_binding` (or the roster's cards) names one for its card key
  on that day; the binding with the latest `valid_from` that is not after the work day wins, then the highest receipt.
  The worker that was sent with a touch is not changed by a later binding: that takes a correction.
- `correction`: of several with the same target the highest receipt wins, as a whole (fields of an earlier one are not
  kept); `void` takes the target out (a binding or an approval too), `set` replaces the fields it names. Null takes a
  company, 職種, 立場 or time away. A correction is not corrected itself: the next one of the same target replaces it
  (a `set` of no fields takes a `void` back).
- Approvals, corrections and bindings reach facts of their own site alone, so that a station, which is fed its own site,
  and the centre derive the same.
- Company, 職種, 立場: what an entry or a correction says, the highest receipt first; else the assignment of that day.
- The best assurance wins; all touches stay named in `events`. Times are compared as moments, whatever their offset.
- A fact that is not understood (unknown type, a needed field missing or malformed: a newer version's) is as if it were
  not there; nothing here raises. A malformed `in_at` or `out_at` is left out alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeGuard

from app.domain.assurance import Assurance, best
from app.domain.events import Direction, EventType
from app.domain.roster import Roster

SETTABLE = frozenset(
    {"worker_id", "work_day", "direction", "company_id", "occupation", "role", "in_at", "out_at", "valid_from"}
)
"""What a correction may set: `direction` of a touch, `in_at`, `out_at` of an entry, `valid_from` of a binding …"""

_DESCRIBING = ("company_id", "occupation", "role")
_CLEARABLE = frozenset({*_DESCRIBING, "in_at", "out_at"})
_ASSURANCES = {a.value: a for a in Assurance}
_ORDER = attrgetter("receipt", "id")
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Fact:
    """An event with the number of its receipt at the centre (or, not sent yet, its place after all receipts)."""

    receipt: int
    id: str
    type: str
    site_id: str
    occurred_at: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WorkRecord:
    """One 就業履歴. Times are RFC 3339 as they were sent, or None; `events`: ids it stands on, in order of time."""

    worker_id: str
    work_day: str
    site_id: str
    assurance: Assurance
    first_in: str | None
    last_out: str | None
    company_id: str | None
    occupation: str | None
    role: str | None
    events: tuple[str, ...]


_Time = tuple[datetime, str]
"""A moment and how it was written, which only makes the order of equal moments certain."""
_Place = tuple[str, str]
"""Site, and an id or card key in it."""
_Key = tuple[str, str, str]
"""Work day, worker, site."""


class _Said(NamedTuple):
    """A value somebody gave, with the receipt of the fact that says so."""

    receipt: int
    id: str
    value: str


class _Counted(NamedTuple):
    at: _Time
    id: str
    assurance: Assurance
    came: _Time | None
    went: _Time | None
    said: Mapping[str, _Said]


class _Fix(NamedTuple):
    """The correction in force for a target."""

    receipt: int
    id: str
    void: bool
    fields: Mapping[str, str | None]


class _Binding(NamedTuple):
    valid_from: str
    receipt: int
    id: str
    worker_id: str


def derive(facts: Iterable[Fact], roster: Roster) -> list[WorkRecord]:
    """The records that these facts make, ordered by (work_day, worker_id, site_id). Never raises.

    Give every fact that may concern the workers and days in question: their touches and entries, and the approvals,
    corrections and bindings that name them. The order of `facts` does not matter; the same fact twice counts once
    (with the lower receipt: a station's own event that came back with its real number).
    """
    by_type: dict[str, list[Fact]] = {kind.value: [] for kind in EventType}
    for fact in _once(facts):
        if fact.type in by_type and isinstance(fact.payload, Mapping):
            by_type[fact.type].append(fact)
    fixes = _fixes(by_type[EventType.CORRECTION])
    voided = {place for place, fix in fixes.items() if fix.void}

    def standing(kind: EventType) -> list[Fact]:
        return [fact for fact in by_type[kind] if (fact.site_id, fact.id) not in voided]

    decisions = _decisions(standing(EventType.APPROVAL))
    bindings = _bindings(standing(EventType.CARD_BINDING), fixes)
    groups: defaultdict[_Key, list[_Counted]] = defaultdict(list)
    for fact in standing(EventType.TOUCH):
        if not fact.payload.get("suppressed_by"):
            _count(fact, fixes.get((fact.site_id, fact.id)), bindings, roster, groups)
    for fact in standing(EventType.ENTRY):
        if decisions.get((fact.site_id, fact.id)):
            _count(fact, fixes.get((fact.site_id, fact.id)), bindings, roster, groups)
    return [_record(key, groups[key], roster) for key in sorted(groups)]


class StandingEntry(NamedTuple):
    """A direct entry that nobody has taken out, with the 元請's word on it: None while it waits."""

    fact: Fact
    payload: Mapping[str, Any]
    """As corrected."""
    approved: bool | None
    approval: Fact | None = None
    """The one that decides."""


def standing_entries(facts: Iterable[Fact]) -> list[StandingEntry]:
    """Direct entries among facts, by receipt; what `derive` does not understand is left out. Never raises."""
    known = [fact for fact in _once(facts) if isinstance(fact.payload, Mapping)]
    fixes = _fixes([fact for fact in known if fact.type == EventType.CORRECTION])
    voided = {place for place, fix in fixes.items() if fix.void}
    standing = [fact for fact in known if (fact.site_id, fact.id) not in voided]
    approvals = [fact for fact in sorted(standing, key=_ORDER) if fact.type == EventType.APPROVAL]
    decisions = {(one.site_id, str(one.payload.get("entry"))): one for one in approvals if _decisions([one])}
    found = []
    for fact in sorted(standing, key=_ORDER):
        if fact.type == EventType.ENTRY:
            fix = fixes.get((fact.site_id, fact.id))
            payload = {**fact.payload, **fix.fields} if fix else fact.payload
            if is_day(payload.get("work_day")) and _time(fact.occurred_at) is not None:
                said = decisions.get((fact.site_id, fact.id))
                approved = said.payload["decision"] == "approved" if said else None
                found.append(StandingEntry(fact, payload, approved, said))
    return found


def _once(facts: Iterable[Fact]) -> Iterable[Fact]:
    by_id: dict[str, Fact] = {}
    for fact in facts:
        known = by_id.setdefault(fact.id, fact)
        # the same id with another payload is a conflict, which the centre has not taken: the first one holds
        if known is not fact and known != fact and (fact.receipt, repr(fact)) < (known.receipt, repr(known)):
            by_id[fact.id] = fact
    return by_id.values()


def _fixes(corrections: list[Fact]) -> dict[_Place, _Fix]:
    """The correction in force for each target."""
    fixes: dict[_Place, _Fix] = {}
    for fact in sorted(corrections, key=_ORDER):
        target, op = _text(fact.payload.get("target")), fact.payload.get("op")
        fields = _settable(fact.payload.get("fields")) if op == "set" else {}
        if target is not None and op in ("void", "set") and fields is not None:
            fixes[fact.site_id, target] = _Fix(fact.receipt, fact.id, op == "void", fields)
    return fixes


def _settable(fields: object) -> dict[str, str | None] | None:
    """What may be set of a correction's fields; None when one of them is malformed."""
    if not isinstance(fields, Mapping):
        return None
    chosen = {str(name): value for name, value in fields.items() if name in SETTABLE}
    return chosen if all(_fits(name, value) for name, value in chosen.items()) else None


def _fits(name: str, value: object) -> bool:
    if value is None:
        return name in _CLEARABLE
    if name in ("work_day", "valid_from"):
        return is_day(value)
    if name == "direction":
        return value in tuple(Direction)
    return _text(value) is not None if name not in ("in_at", "out_at") else _time(value) is not None


def _decisions(approvals: list[Fact]) -> dict[_Place, bool]:
    """Entries that were decided on, and whether they were approved."""
    decisions: dict[_Place, bool] = {}
    for fact in sorted(approvals, key=_ORDER):
        entry, decision = _text(fact.payload.get("entry")), fact.payload.get("decision")
        if entry is not None and decision in ("approved", "refused"):
            decisions[fact.site_id, entry] = decision == "approved"
    return decisions


def _bindings(facts: list[Fact], fixes: Mapping[_Place, _Fix]) -> dict[_Place, list[_Binding]]:
    bindings: dict[_Place, list[_Binding]] = {}
    for fact in facts:
        fix = fixes.get((fact.site_id, fact.id))
        payload = {**fact.payload, **fix.fields} if fix else fact.payload
        key, worker = _text(payload.get("card_key")), _text(payload.get("worker_id"))
        start = payload.get("valid_from")
        if key is not None and worker is not None and is_day(start):
            bindings.setdefault((fact.site_id, key), []).append(_Binding(start, fact.receipt, fact.id, worker))
    return bindings


def _count(
    fact: Fact,
    fix: _Fix | None,
    bindings: Mapping[_Place, list[_Binding]],
    roster: Roster,
    groups: defaultdict[_Key, list[_Counted]],
) -> None:
    """Put a touch or an approved entry where it belongs, if it is understood and somebody's."""
    payload = {**fact.payload, **fix.fields} if fix else fact.payload
    day, at = payload.get("work_day"), _time(fact.occurred_at)
    if at is None or not is_day(day):
        return
    worker = _text(payload.get("worker_id"))
    if fact.type == EventType.TOUCH:
        key, named = _text(payload.get("card_key")), payload.get("assurance")
        assurance = _ASSURANCES.get(named) if isinstance(named, str) else None
        if key is None or assurance is None:
            return
        worker = worker or _holder((fact.site_id, key), day, bindings, roster)
        direction = payload.get("direction")
        came = at if direction == Direction.IN else None
        went = at if direction == Direction.OUT else None
        said: Mapping[str, _Said] = _said(fix.fields, fix) if fix else _NOTHING
    else:
        assurance = Assurance.DECLARED
        came, went = _time(payload.get("in_at")), _time(payload.get("out_at"))
        said = _said(fact.payload, fact)
        if fix is not None:
            kept = {name: one for name, one in said.items() if name not in fix.fields}
            said = kept | _said(fix.fields, fix)
    if worker is not None:
        groups[day, worker, fact.site_id].append(_Counted(at, fact.id, assurance, came, went, said))


def _said(fields: Mapping[str, Any], by: Fact | _Fix) -> dict[str, _Said]:
    values = {name: _text(fields.get(name)) for name in _DESCRIBING}
    return {name: _Said(by.receipt, by.id, value) for name, value in values.items() if value is not None}


def _holder(place: _Place, day: str, bindings: Mapping[_Place, list[_Binding]], roster: Roster) -> str | None:
    """Whose card it was on a day."""
    held = [binding for binding in bindings.get(place, ()) if binding.valid_from <= day]
    if held:
        return max(held).worker_id
    card = roster.cards.get(place[1])
    return card.worker_id if card else None


def _record(key: _Key, counted: list[_Counted], roster: Roster) -> WorkRecord:
    day, worker, site = key
    counted.sort()
    assigned = roster.assignment(worker, day)
    said = [c.said for c in counted if c.said]

    def described(name: str) -> str | None:
        values = [one[name] for one in said if name in one]
        return max(values).value if values else getattr(assigned, name, None)

    came = min((c.came for c in counted if c.came), default=(None, None))[1]
    went = max((c.went for c in counted if c.went), default=(None, None))[1]
    proof, ids = best(c.assurance for c in counted), tuple(c.id for c in counted)
    company, occupation, role = (described(name) for name in _DESCRIBING)
    return WorkRecord(worker, day, site, proof, came, went, company, occupation, role, ids)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(value: object) -> _Time | None:
    """An RFC 3339 time with offset; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (at, value) if at.tzinfo is not None else None


def is_day(value: object) -> TypeGuard[str]:
    """A day as YYYY-MM-DD."""
    return isinstance(value, str) and _parses_as_day(value)


@lru_cache(maxsize=4096)
def _parses_as_day(text: str) -> bool:
    # fromisoformat alone also takes '20261121' and '2026-W47-6', which would break comparison as strings
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
