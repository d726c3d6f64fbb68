"""The verdict on a card: what becomes of it, why, and for whom. Pure: everything it needs is handed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from app.domain.assurance import Assurance
from app.domain.events import Direction
from app.domain.ids import unusable_card
from app.domain.roster import Assignment, Card, Roster, Worker
from app.domain.site import DirectionRule, Site

_MILLISECOND = timedelta(milliseconds=1)


class Outcome(StrEnum):
    """What the person at the gate is told; messages `outcome.<value>`."""

    RECORDED = "recorded"
    RECORDED_CHECK = "recorded_check"
    UNKNOWN_CARD = "unknown_card"
    SUPPRESSED = "suppressed"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


class Reason(StrEnum):
    """Why something needs a look or was refused; messages `reason.<value>`."""

    NOT_IN_CONTRACT_TREE = "not_in_contract_tree"
    COMPANY_MISSING = "company_missing"
    COMPANY_UNREGISTERED = "company_unregistered"
    OCCUPATION_MISSING = "occupation_missing"
    ROLE_MISSING = "role_missing"
    CARD_EXPIRED = "card_expired"
    CARD_EXPIRING = "card_expiring"
    CLOCK_SUSPECT = "clock_suspect"
    VISIT_OFFICE = "visit_office"
    INSURANCE_UNCONFIRMED = "insurance_unconfirmed"
    RESIDENCE_EXPIRING = "residence_expiring"
    ASSURANCE_TOO_LOW = "assurance_too_low"
    CARD_STOPPED = "card_stopped"
    RANDOM_ID = "random_id"
    BLANK_ID = "blank_id"
    CARD_CONTENT = "card_content"
    # A card of a kind that proves itself, and did not (docs/secure-cards.md). Each is a refusal.
    SECURE_MALFORMED = "secure_malformed"
    SECURE_TOO_SLOW = "secure_too_slow"
    SECURE_NOT_ISSUED = "secure_not_issued"
    SECURE_FOREIGN_CA = "secure_foreign_ca"
    SECURE_CA_EXPIRED = "secure_ca_expired"
    SECURE_EXPIRED = "secure_expired"
    SECURE_NOT_YET_VALID = "secure_not_yet_valid"
    SECURE_WRONG_KEY = "secure_wrong_key"
    SECURE_WRONG_USAGE = "secure_wrong_usage"
    SECURE_GUID_MISMATCH = "secure_guid_mismatch"
    SECURE_REVOKED = "secure_revoked"
    SECURE_NO_CRL = "secure_no_crl"
    SECURE_CRL_TOO_OLD = "secure_crl_too_old"
    SECURE_NO_PROOF = "secure_no_proof"
    SECURE_BAD_SIGNATURE = "secure_bad_signature"

    @property
    def personal(self) -> bool:
        """Never named on the gate's screen: there it is 'visit the office'."""
        return self in (Reason.VISIT_OFFICE, Reason.INSURANCE_UNCONFIRMED, Reason.RESIDENCE_EXPIRING)


@dataclass(frozen=True, slots=True)
class CardRead:
    """A card that was read, as the verdict sees it."""

    card_key: str
    assurance: Assurance
    occurred_at: datetime
    refused: Reason | None = None
    """Why the reader refuses it: a proof that failed, a content that is not what the card profile says."""
    worker_id: str | None = None
    """技能者ID that the card's own content names; a roster card of this key says more."""
    expires_on: str | None = None
    """Its end by the card's own content."""
    chip_key: str | None = None
    """Chip number of a card whose key is from its content: a card stopped by either is stopped."""


@dataclass(frozen=True, slots=True)
class LastTouch:
    """The latest touch of this card here that was neither suppressed nor refused, and is not from the future."""

    id: str
    occurred_at: datetime
    direction: Direction
    work_day: date
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ClockState:
    """What is known of the PC's clock. `skew_ms`: PC minus centre; None: never measured."""

    skew_ms: int | None = None
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a card that was read."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    card_key: str
    assurance: Assurance
    occurred_at: datetime
    work_day: date
    direction: Direction
    worker_id: str | None = None
    suppressed_by: str | None = None
    """Id of the touch that a second one belongs to."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a card on a work day before one looks at the times of its touches."""

    refusal: Reason | None
    worker_id: str | None
    reasons: tuple[Reason, ...] = ()
    """Why a touch needs a look, where somebody is known for the card."""

    def outcome(self, *, double: bool) -> Outcome:
        """Of one touch; `double`: it came shortly after another (`is_double`)."""
        if self.refusal is not None:
            return Outcome.REFUSED
        if double:
            return Outcome.SUPPRESSED
        if self.worker_id is None:
            return Outcome.UNKNOWN_CARD
        return Outcome.RECORDED_CHECK if self.reasons else Outcome.RECORDED


def standing(read: CardRead, *, day: date, site: Site, roster: Roster, clock: ClockState) -> Standing:
    """The same for every touch of a card on a work day; `read.occurred_at` is not looked at."""
    # what a card claims that failed its proof is nobody's
    card = roster.cards.get(read.card_key) if read.refused is None else None
    claimed = read.worker_id if read.refused is None else None
    worker = roster.workers.get((card.worker_id if card else claimed) or "")
    chip = roster.cards.get(read.chip_key or "")
    refusal = _refusal(read, site, card, chip)
    if worker is None or refusal is not None:
        return Standing(refusal, worker.id if worker else None)
    reasons = [
        *_assignment_reasons(roster.assignment(worker.id, day), roster),
        *_card_reasons([card.expires_on if card else None, read.expires_on], day, site),
        *_personal_reasons(worker, day, site),
    ]
    if clock.suspect:
        reasons.append(Reason.CLOCK_SUSPECT)
    return Standing(None, worker.id, tuple(reasons))


def standing_turns(read: CardRead, *, site: Site, roster: Roster) -> tuple[str, ...] | None:
    """Days (ISO, in order) on which `standing` of this card may change, this roster given; None: on any day."""
    card = roster.cards.get(read.card_key)
    worker = roster.workers.get((card.worker_id if card else read.worker_id) or "")
    if worker is None:
        return ()
    ahead, after = -site.expiring_days, 1
    turns = [(assigned.starts_on, 0) for assigned in roster.assignments_of(worker.id)]
    turns += [(assigned.ends_on, after) for assigned in roster.assignments_of(worker.id)]
    for end in (card.expires_on if card else None, read.expires_on, worker.residence_expires_on):
        turns += [(end, ahead), (end, after)]
    try:
        return tuple(
            sorted({(date.fromisoformat(day) + timedelta(days=days)).isoformat() for day, days in turns if day})
        )
    except (ValueError, OverflowError):  # a malformed date in a roster
        return None


def judge(
    read: CardRead,
    *,
    site: Site,
    roster: Roster,
    last: LastTouch | None,
    chosen: Direction | None,
    clock: ClockState,
) -> Verdict:
    """The verdict. `last`: latest unsuppressed touch of this card; `chosen`: direction set by hand, None for 自動."""
    day = site.work_day(read.occurred_at)
    known = standing(read, day=day, site=site, roster=roster, clock=clock)
    double = last is not None and is_double((read.occurred_at - last.occurred_at) / _MILLISECOND, site)
    outcome = known.outcome(double=double)
    direction, by = Direction.NONE, None
    reasons: tuple[Reason, ...] = ()
    if outcome is Outcome.REFUSED and known.refusal is not None:
        reasons = (known.refusal,)
    elif outcome is Outcome.SUPPRESSED and last is not None:
        direction, by = last.direction, last.id
    else:
        direction, reasons = chosen or automatic_direction(read.occurred_at, day, site, last), known.reasons
    return Verdict(
        outcome, reasons, read.card_key, read.assurance, read.occurred_at, day, direction, known.worker_id, by
    )


def is_double(gap_ms: float, site: Site) -> bool:
    """Whether a touch belongs to the card's latest one, so many milliseconds before it."""
    # Counted from the first touch, not from the last attempt: somebody who taps for two minutes is not held out
    # for ever. A clock that went back gives a negative gap and is no double.
    return 0 <= gap_ms < site.suppress_seconds * 1000


def automatic_direction(at: datetime, day: date, site: Site, last: LastTouch | None) -> Direction:
    """自動, by the site's rule."""
    if site.direction_rule is DirectionRule.NONE:
        return Direction.NONE
    if site.direction_rule is DirectionRule.BY_TIME:
        # within the work day: at a site whose day changes at 05:00, half past midnight is late, not early
        start, _ = site.day_bounds(day)
        out_from = datetime.combine(day, time.fromisoformat(site.out_from), tzinfo=site.zone)
        return Direction.IN if at < (out_from if out_from >= start else out_from + timedelta(days=1)) else Direction.OUT
    if last is not None and last.work_day == day and last.direction is Direction.IN:
        return Direction.OUT
    return Direction.IN


def _refusal(read: CardRead, site: Site, *cards: Card | None) -> Reason | None:
    if read.refused is not None:
        return read.refused
    unusable = unusable_card(read.card_key)
    if unusable is not None:
        return Reason(unusable)
    if read.assurance not in site.accepted:
        return Reason.ASSURANCE_TOO_LOW
    if any(card.stopped for card in cards if card is not None):
        return Reason.CARD_STOPPED
    return None


def _assignment_reasons(assignment: Assignment | None, roster: Roster) -> list[Reason]:
    if assignment is None:
        return [Reason.NOT_IN_CONTRACT_TREE]
    reasons: list[Reason] = []
    company = roster.companies.get(assignment.company_id) if assignment.company_id else None
    if company is None:
        reasons.append(Reason.COMPANY_MISSING)
    elif roster.tier(company.id) is None:
        reasons.append(Reason.NOT_IN_CONTRACT_TREE)
    elif not company.registered:
        reasons.append(Reason.COMPANY_UNREGISTERED)
    if not assignment.occupation:
        reasons.append(Reason.OCCUPATION_MISSING)
    if not assignment.role:
        reasons.append(Reason.ROLE_MISSING)
    return reasons


def _card_reasons(ends: list[str | None], day: date, site: Site) -> list[Reason]:
    """Of the roster's end and the card's own the earlier one counts."""
    end = min((end for end in ends if end is not None), default=None)
    if end is None:
        return []
    if end < day.isoformat():
        return [Reason.CARD_EXPIRED]
    return [Reason.CARD_EXPIRING] if _soon(end, day, site) else []


def _personal_reasons(worker: Worker, day: date, site: Site) -> list[Reason]:
    reasons: list[Reason] = []
    if worker.insurance_confirmed is False:
        reasons.append(Reason.INSURANCE_UNCONFIRMED)
    if worker.residence_expires_on is not None and _soon(worker.residence_expires_on, day, site):
        reasons.append(Reason.RESIDENCE_EXPIRING)
    if worker.visit_office and not reasons:
        reasons.append(Reason.VISIT_OFFICE)
    return reasons


def _soon(expires_on: str, day: date, site: Site) -> bool:
    # compared as strings: a malformed date in a roster must not stop a gate
    return expires_on <= (day + timedelta(days=site.expiring_days)).isoformat()
