"""One card: verdict, commit, announcement. Runs on the gate's thread alone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from app.clock import Clock
from app.domain import ids
from app.domain.events import Direction, Draft, EventType, rfc3339
from app.domain.retirement import yen_a_day
from app.domain.roster import Roster
from app.domain.site import Site
from app.domain.verdict import CardRead, ClockState, Outcome, Reason, Verdict, judge
from app.domain.work_records import derive
from app.gate.news import Announcement
from app.readers.port import CHIP, EXPIRES_ON, WORKER_ID, CardSeen
from app.store.events import EventLog
from app.store.rows import Stored, TouchRow

log = logging.getLogger(__name__)

LONGEST_NAME = 200
"""Of a reader, in characters."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the gate knows at the moment a card is seen."""

    site: Site
    roster: Roster
    chosen: Direction | None
    clock: ClockState


class Recorder:
    """Turns what a reader saw into a stored event and into what the person is told."""

    def __init__(self, log: EventLog, clock: Clock, new_id: Callable[[], str]) -> None:
        self._log = log
        self._clock = clock
        self._new_id = new_id

    def card(self, seen: CardSeen, now: Situation) -> Announcement:
        """Judge and store a card. Returns only after the commit. Raises StorageTrouble: then nothing is stored."""
        read = _read(seen)
        last = self._log.last_unsuppressed(seen.card_key, site_id=now.site.id, not_after=seen.seen_at)
        verdict = judge(read, site=now.site, roster=now.roster, last=last, chosen=now.chosen, clock=now.clock)
        recorded_at = self._clock.now()
        draft = _draft(self._new_id(), verdict, seen, now, recorded_at)
        stored = self._log.append(draft, TouchRow.of(verdict, reader=seen.reader, source=seen.source))
        told = self._announce(verdict, seen, now, stored, recorded_at)
        if last is not None and verdict.outcome is Outcome.SUPPRESSED:
            return replace(told, first_at=last.occurred_at)
        return told

    def entry(self, worker_id: str, reason: str, now: Situation) -> Announcement:
        """A person without a card: an `entry` that waits for approval. Raises StorageTrouble, KeyError."""
        worker = now.roster.workers[worker_id]
        at = self._clock.now()
        day = now.site.work_day(at)
        assigned = now.roster.assignment(worker_id, day)
        payload: dict[str, Any] = {
            "worker_id": worker_id,
            "work_day": day.isoformat(),
            "in_at": rfc3339(at),
            "reason": reason,
            "entered_by": "gate",
        }
        for name in ("company_id", "occupation", "role"):
            value = getattr(assigned, name, None)
            if value:
                payload[name] = value
        draft = Draft(self._new_id(), EventType.ENTRY, now.site.id, rfc3339(at), rfc3339(at), payload)
        stored = self._log.append(draft)
        return Announcement(
            lane="",
            outcome=Outcome.RECORDED,
            reasons=(),
            at=at,
            id=stored.id,
            seq=stored.seq,
            worker_id=worker_id,
            site_id=now.site.id,
            name=worker.name,
            direction=Direction.IN,
            work_day=day.isoformat(),
            assurance="declared",
            entered=True,
            stored_at=at,
            **_place(worker_id, day, now.roster),
        )

    def headcount(self, company_id: str, count: int, now: Situation) -> None:
        """総出面 of a company today. Raises StorageTrouble."""
        at = self._clock.now()
        payload = {
            "company_id": company_id,
            "day": now.site.work_day(at).isoformat(),
            "count": count,
            "by": "gate",
        }
        stamp = rfc3339(at)
        self._log.append(Draft(self._new_id(), EventType.HEADCOUNT, now.site.id, stamp, stamp, payload))

    def _announce(
        self, verdict: Verdict, seen: CardSeen, now: Situation, stored: Stored, recorded_at: datetime
    ) -> Announcement:
        worker = now.roster.workers.get(verdict.worker_id) if verdict.worker_id else None
        # Somebody who lends or finds a stopped card learns no name from the gate.
        if verdict.outcome is Outcome.REFUSED:
            worker = None
        told = Announcement(
            lane=seen.reader,
            outcome=verdict.outcome,
            reasons=_public(verdict.reasons),
            at=seen.seen_at,
            id=stored.id,
            seq=stored.seq,
            card_masked=ids.mask_card_key(verdict.card_key),
            worker_id=verdict.worker_id,
            site_id=now.site.id,
            direction=verdict.direction,
            work_day=verdict.work_day.isoformat(),
            assurance=verdict.assurance.value,
            stored_at=recorded_at,
        )
        if worker is None:
            return told
        days = None
        if verdict.outcome in (Outcome.RECORDED, Outcome.RECORDED_CHECK):
            days = self._days_this_month(worker.id, verdict.work_day, now)
        yen = None
        if now.site.show_retirement and worker.kentaikyo_member and days is not None:
            yen = days * yen_a_day(verdict.work_day.isoformat())
        return replace(
            told,
            name=worker.name,
            days_this_month=days,
            level=worker.level if now.site.show_level else None,
            retirement_yen=yen,
            **_place(worker.id, verdict.work_day, now.roster),
        )

    def _days_this_month(self, worker_id: str, day: date, now: Situation) -> int | None:
        """None when they cannot be counted: the touch is stored by now, and nothing may make it look otherwise."""
        month = f"{day:%Y-%m}"
        try:
            facts = self._log.month_facts(worker_id, month, now.site.id)
            records = derive(facts, now.roster)
            elsewhere = self._log.days_elsewhere(worker_id, month, now.site.id, {fact.id for fact in facts})
        except Exception:
            log.exception("the month could not be counted")
            return None
        return len(elsewhere | {r.work_day for r in records if r.worker_id == worker_id and r.site_id == now.site.id})


def _read(seen: CardSeen) -> CardRead:
    said = seen.attributes
    return CardRead(
        seen.card_key,
        seen.assurance,
        seen.seen_at,
        seen.refused,
        worker_id=said.get(WORKER_ID),
        expires_on=said.get(EXPIRES_ON),
        chip_key=said.get(CHIP),
    )


def _place(worker_id: str, day: date, roster: Roster) -> dict[str, Any]:
    """Company, tier, occupation and role as words for the screen."""
    assigned = roster.assignment(worker_id, day)
    if assigned is None:
        return {}
    company = roster.companies.get(assigned.company_id or "")
    occupation = roster.occupations.get(assigned.occupation or "")
    role = roster.roles.get(assigned.role or "")
    return {
        "company": (company.short_name or company.name) if company else "",
        "tier": roster.tier(company.id) if company else None,
        "occupation": occupation.name if occupation else (assigned.occupation or ""),
        "role": role.name if role else (assigned.role or ""),
    }


def _public(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Reasons as the line may read them: personal ones become 'visit the office', once."""
    shown = [Reason.VISIT_OFFICE if r.personal else r for r in reasons]
    return tuple(dict.fromkeys(shown))


def _plain(name: str) -> str:
    """A reader's name as the contract takes it: the system may have put anything in it; no touch may hang on that."""
    return "".join(c if c.isprintable() else " " for c in name)[:LONGEST_NAME] or "?"


def _draft(id_: str, verdict: Verdict, seen: CardSeen, now: Situation, recorded_at: datetime) -> Draft:
    payload: dict[str, Any] = {
        "card_key": verdict.card_key,
        "work_day": verdict.work_day.isoformat(),
        "assurance": verdict.assurance.value,
        "reader": _plain(seen.reader),
        "source": seen.source,
        "clock": {"skew_ms": now.clock.skew_ms, "suspect": now.clock.suspect},
    }
    kind = EventType.TOUCH
    if verdict.outcome is Outcome.REFUSED:
        kind = EventType.REFUSAL
        payload["reason"] = verdict.reasons[0].value
    else:
        payload["direction"] = verdict.direction.value
        if verdict.worker_id is not None:
            payload["worker_id"] = verdict.worker_id
        if verdict.suppressed_by is not None:
            payload["suppressed_by"] = verdict.suppressed_by
    return Draft(id_, kind, now.site.id, rfc3339(seen.seen_at), rfc3339(recorded_at), payload)
