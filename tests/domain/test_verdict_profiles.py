"""Verdicts on cards whose own content names a worker and an end (card profiles)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from app.domain.assurance import Assurance
from app.domain.events import Direction
from app.domain.roster import Assignment, Card, Company, Contract, Roster, RosterItem, Worker
from app.domain.site import Site
from app.domain.verdict import CardRead, ClockState, LastTouch, Outcome, Reason, Verdict, judge

KEY = "profile:ours:4539578763621486"
CHIP = "felica:0101000000001234"
NOW = datetime.fromisoformat("2026-11-20T07:42:00+09:00")
SITE = Site("S1", "現場")
PEOPLE: tuple[RosterItem, ...] = (
    Worker("W1", "試験 太郎"),
    Worker("W2", "試験 花子"),
    Company("C0", "元請"),
    Contract("k0", "C0", 0),
    Assignment("a1", "W1", "C0", "0101", "20"),
    Assignment("a2", "W2", "C0", "0101", "20"),
)
READ = CardRead(KEY, Assurance.OPEN, NOW, worker_id="W1", expires_on="2035-03-31", chip_key=CHIP)


def verdict(read: CardRead, *more: RosterItem, site: Site = SITE, last: LastTouch | None = None) -> Verdict:
    roster = Roster.of([*PEOPLE, *more])
    return judge(read, site=site, roster=roster, last=last, chosen=None, clock=ClockState(0))


def test_the_worker_that_the_card_names() -> None:
    """No roster card has this key, and none is needed; the key stays the card's."""
    assert verdict(READ) == Verdict(
        Outcome.RECORDED, (), KEY, Assurance.OPEN, NOW, NOW.date(), Direction.IN, worker_id="W1"
    )


def test_a_worker_who_is_not_in_the_roster_is_an_unknown_card() -> None:
    found = verdict(replace(READ, worker_id="W9"))
    assert (found.outcome, found.worker_id, found.direction) == (Outcome.UNKNOWN_CARD, None, Direction.IN)
    assert verdict(replace(READ, worker_id=None)).outcome is Outcome.UNKNOWN_CARD


def test_a_roster_card_of_this_key_says_more() -> None:
    assert verdict(READ, Card(KEY, "W2")).worker_id == "W2"
    # one of somebody who is not there is nobody's, and does not fall back to what the card says
    assert verdict(READ, Card(KEY, "W9")).outcome is Outcome.UNKNOWN_CARD
    # a binding of the chip number is not asked: the card was read by its content
    assert verdict(READ, Card(CHIP, "W2")).worker_id == "W1"


@pytest.mark.parametrize(
    ("own", "roster", "reasons"),
    [
        ("2026-11-19", None, (Reason.CARD_EXPIRED,)),
        ("2026-12-01", None, (Reason.CARD_EXPIRING,)),
        ("2035-03-31", None, ()),
        (None, None, ()),
        (None, "2026-11-19", (Reason.CARD_EXPIRED,)),
        ("2035-03-31", "2026-11-19", (Reason.CARD_EXPIRED,)),
        ("2026-11-19", "2035-03-31", (Reason.CARD_EXPIRED,)),
    ],
)
def test_the_earlier_end_counts(own: str | None, roster: str | None, reasons: tuple[Reason, ...]) -> None:
    found = verdict(replace(READ, expires_on=own), Card(KEY, "W1", expires_on=roster))
    assert (found.outcome, found.reasons) == (Outcome.RECORDED_CHECK if reasons else Outcome.RECORDED, reasons)
    alone = verdict(replace(READ, expires_on=own))
    assert (Reason.CARD_EXPIRED in alone.reasons) == (own == "2026-11-19")


@pytest.mark.parametrize("stopped", [KEY, CHIP])
def test_a_card_stopped_by_its_key_or_by_its_chip_is_stopped(stopped: str) -> None:
    found = verdict(READ, Card(stopped, "W1", stopped="lost"))
    assert (found.outcome, found.reasons) == (Outcome.REFUSED, (Reason.CARD_STOPPED,))


def test_a_content_that_failed_is_nobody_s() -> None:
    """Even where its chip number is bound, and even if somebody passed on what it claims."""
    read = CardRead(CHIP, Assurance.UID, NOW, Reason.CARD_CONTENT, worker_id="W1")
    found = verdict(read, Card(CHIP, "W1"))
    assert (found.outcome, found.reasons, found.worker_id) == (Outcome.REFUSED, (Reason.CARD_CONTENT,), None)
    assert not Reason.CARD_CONTENT.personal


def test_a_chip_number_that_must_not_count_does_not_matter_beside_a_content() -> None:
    """A phone's random number: who it is comes from the area."""
    assert verdict(replace(READ, chip_key="felica:01FE112233445566")).outcome is Outcome.RECORDED


def test_a_site_that_takes_no_open_area() -> None:
    strict = replace(SITE, accepted=(Assurance.AUTHENTICATED,))
    assert verdict(READ, site=strict).reasons == (Reason.ASSURANCE_TOO_LOW,)


def test_double_touches_are_told_by_the_card_s_key() -> None:
    last = LastTouch("t0", NOW, Direction.IN, NOW.date(), Outcome.RECORDED)
    found = verdict(READ, last=last)
    assert (found.outcome, found.worker_id, found.suppressed_by) == (Outcome.SUPPRESSED, "W1", "t0")
