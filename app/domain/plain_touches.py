"""Work records of touches that nobody has said anything more about: what `derive` makes of them, several times quicker.

`derive` is the authority; `tests/domain/test_plain_touches.py` holds this against it over random facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from app.domain.assurance import Assurance
from app.domain.events import Direction, EventType
from app.domain.roster import Roster
from app.domain.work_records import Fact, WorkRecord, is_day

_STRENGTH: Mapping[str, tuple[int, Assurance]] = {a.value: (n, a) for n, a in enumerate(Assurance)}
_SILENT = frozenset({EventType.REFUSAL.value, EventType.HEADCOUNT.value, EventType.ROSTER_CHANGE.value})
"""Count nowhere, and act on nothing that does."""
_Touch = tuple[datetime, str, str, tuple[int, Assurance], object]
"""Its moment, how that was written, its id, its proof, its direction: so they sort as `derive` sorts them."""


def plain_records(facts: Collection[Fact], roster: Roster) -> list[WorkRecord] | None:
    """`derive(facts, roster)`; None where it takes `derive` itself to know.

    That is when a fact is neither a touch that names its worker nor of a type that never counts, or an id comes twice.
    """
    groups: defaultdict[tuple[str, str, str], list[_Touch]] = defaultdict(list)
    if len({fact.id for fact in facts}) < len(facts):
        return None
    for fact in facts:
        if fact.type in _SILENT:
            continue
        payload = fact.payload
        if fact.type != EventType.TOUCH or not isinstance(payload, Mapping):
            return None
        worker, key, proof = payload.get("worker_id"), payload.get("card_key"), payload.get("assurance")
        if not isinstance(worker, str) or not worker:
            return None
        try:
            at = datetime.fromisoformat(fact.occurred_at)
        except ValueError:
            return None
        strength = _STRENGTH.get(proof) if isinstance(proof, str) else None
        day = payload.get("work_day")
        if strength is None or not is_day(day) or at.tzinfo is None or not isinstance(key, str) or not key:
            continue  # not understood
        if not payload.get("suppressed_by"):
            groups[day, worker, fact.site_id].append(
                (at, fact.occurred_at, fact.id, strength, payload.get("direction"))
            )
    return [_record(key, groups[key], roster) for key in sorted(groups)]


def _record(key: tuple[str, str, str], touches: list[_Touch], roster: Roster) -> WorkRecord:
    day, worker, site = key
    touches.sort(key=_order)
    came = went = None
    for _, written, _, _, direction in touches:
        if direction == Direction.OUT:
            went = written
        elif direction == Direction.IN and came is None:
            came = written
    proof = min(touch[3] for touch in touches)[1]
    ids = tuple([touch[2] for touch in touches])
    assigned = roster.assignment(worker, day)
    if assigned is None:
        return WorkRecord(worker, day, site, proof, came, went, None, None, None, ids)
    described = assigned.company_id, assigned.occupation, assigned.role
    return WorkRecord(worker, day, site, proof, came, went, *described, ids)


def _order(touch: _Touch) -> tuple[datetime, str, str]:
    return touch[:3]
