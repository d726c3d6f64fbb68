"""Verdicts: what becomes of a card that was read, for every outcome and reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.assurance import Assurance
from app.domain.events import Direction
from app.domain.roster import Assignment, Card, Company, Contract, Roster, RosterItem, Worker
from app.domain.site import DirectionRule, Site
from app.domain.verdict import CardRead, ClockState, LastTouch, Outcome, Reason, Verdict, judge

KEY = "felica:0114B34D5E6F7081"
NOW = datetime.fromisoformat("2026-11-20T07:42:00+09:00")
SITE = Site("S1", "現場")
PEOPLE: tuple[RosterItem, ...] = (
    Worker("W1", "試験 太郎"),
    Company("C0", "元請"),
    Company("C1", "一次"),
    Contract("k0", "C0", 0),
    Contract("k1", "C1", 1, "k0"),
    Assignment("a1", "W1", "C1", "0101", "20"),
    Card(KEY, "W1", expires_on="2030-01-01"),
)


def verdict(
    *changed: RosterItem,
    last: LastTouch | None = None,
    chosen: Direction | None = None,
    suspect: bool = False,
    site: Site = SITE,
    without: str = "",
    **read: Any,
) -> Verdict:
    """The verdict on W1's card at 07:42, with some roster items replaced or (by id) left out."""
    items = [item for item in (*PEOPLE, *changed) if item.id != without]
    card = CardRead(
        read.get("key", KEY),
        read.get("assurance", Assurance.OPEN),
        datetime.fromisoformat(read["at"]) if "at" in read else NOW,
        read.get("refused"),
    )
    clock = ClockState(0, suspect)
    return judge(card, site=site, roster=Roster.of(items), last=last, chosen=chosen, clock=clock)


def touched(seconds_before: float, direction: Direction = Direction.IN, day: str = "2026-11-20") -> LastTouch:
    at = NOW - timedelta(seconds=seconds_before)
    return LastTouch("t0", at, direction, datetime.fromisoformat(day).date(), Outcome.RECORDED)


# -- outcomes and reasons --------------------------------------------------------------------------------------------


def test_all_well() -> None:
    assert verdict() == Verdict(
        Outcome.RECORDED, (), KEY, Assurance.OPEN, NOW, NOW.date(), Direction.IN, worker_id="W1"
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (Assignment("a1", "W1", None, "0101", "20"), Reason.COMPANY_MISSING),
        (Assignment("a1", "W1", "C9", "0101", "20"), Reason.COMPANY_MISSING),
        (Assignment("a1", "W1", "C1", None, "20"), Reason.OCCUPATION_MISSING),
        (Assignment("a1", "W1", "C1", "0101", ""), Reason.ROLE_MISSING),
        (Assignment("a1", "W1", "C1", "0101", "20", ends_on="2026-11-19"), Reason.NOT_IN_CONTRACT_TREE),
        (Assignment("a1", "W1", "C1", "0101", "20", starts_on="2026-11-21"), Reason.NOT_IN_CONTRACT_TREE),
        (Contract("k1", "C1", 2, "gone"), Reason.NOT_IN_CONTRACT_TREE),
        (Company("C1", "一次", registered=False), Reason.COMPANY_UNREGISTERED),
        (Card(KEY, "W1", expires_on="2026-11-19"), Reason.CARD_EXPIRED),
        (Card(KEY, "W1", expires_on="2026-11-20"), Reason.CARD_EXPIRING),
        (Card(KEY, "W1", expires_on="2026-12-20"), Reason.CARD_EXPIRING),
        (Worker("W1", "試験", insurance_confirmed=False), Reason.INSURANCE_UNCONFIRMED),
        (Worker("W1", "試験", residence_expires_on="2026-12-20"), Reason.RESIDENCE_EXPIRING),
        (Worker("W1", "試験", residence_expires_on="2026-01-01"), Reason.RESIDENCE_EXPIRING),
        (Worker("W1", "試験", visit_office=True), Reason.VISIT_OFFICE),
    ],
)
def test_recorded_but_needs_a_look(changed: RosterItem, reason: Reason) -> None:
    found = verdict(changed)
    assert (found.outcome, found.reasons) == (Outcome.RECORDED_CHECK, (reason,))
    assert found.worker_id == "W1"
    assert found.direction is Direction.IN


@pytest.mark.parametrize(
    "changed",
    [
        Card(KEY, "W1", expires_on="2026-12-21"),
        Card(KEY, "W1"),
        Card(KEY, "W1", expires_on="someday"),
        Worker("W1", "試験", insurance_confirmed=True),
        Worker("W1", "試験", insurance_confirmed=None),
        Worker("W1", "試験", residence_expires_on="2026-12-21"),
        Assignment("a1", "W1", "C1", "0101", "20", starts_on="2026-11-20", ends_on="2026-11-20"),
    ],
)
def test_nothing_to_say(changed: RosterItem) -> None:
    assert verdict(changed).outcome is Outcome.RECORDED


def test_nobody_assigned() -> None:
    assert verdict(without="a1").reasons == (Reason.NOT_IN_CONTRACT_TREE,)


def test_a_wrong_clock_is_tagged_and_never_blocks() -> None:
    found = verdict(suspect=True)
    assert (found.outcome, found.reasons) == (Outcome.RECORDED_CHECK, (Reason.CLOCK_SUSPECT,))


def test_several_reasons_are_all_named() -> None:
    found = verdict(
        Assignment("a1", "W1", "C1"),
        Card(KEY, "W1", expires_on="2020-01-01"),
        Worker("W1", "試験", insurance_confirmed=False, residence_expires_on="2026-11-21", visit_office=True),
        suspect=True,
    )
    assert found.reasons == (
        Reason.OCCUPATION_MISSING,
        Reason.ROLE_MISSING,
        Reason.CARD_EXPIRED,
        Reason.INSURANCE_UNCONFIRMED,
        Reason.RESIDENCE_EXPIRING,
        Reason.CLOCK_SUSPECT,
    )


def test_personal_reasons_are_exactly_those_nobody_else_may_read() -> None:
    assert {r for r in Reason if r.personal} == {
        Reason.VISIT_OFFICE,
        Reason.INSURANCE_UNCONFIRMED,
        Reason.RESIDENCE_EXPIRING,
    }


def test_an_unknown_card_is_kept_with_its_direction() -> None:
    found = verdict(without=KEY)
    assert (found.outcome, found.worker_id, found.direction) == (Outcome.UNKNOWN_CARD, None, Direction.IN)


def test_a_card_of_somebody_unknown_is_an_unknown_card() -> None:
    found = verdict(without="W1")
    assert (found.outcome, found.worker_id) == (Outcome.UNKNOWN_CARD, None)


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("uid:08A1B2C3", Reason.RANDOM_ID),
        ("felica:01FE112233445566", Reason.RANDOM_ID),
        ("uid:00000000", Reason.BLANK_ID),
        ("felica:FFFFFFFFFFFFFFFF", Reason.BLANK_ID),
    ],
)
def test_chips_that_must_not_stand_for_a_person(key: str, reason: Reason) -> None:
    """Even when somebody bound one to a worker."""
    found = verdict(Card(key, "W1"), key=key)
    assert (found.outcome, found.reasons, found.direction) == (Outcome.REFUSED, (reason,), Direction.NONE)


@pytest.mark.parametrize("assurance", list(Assurance))
def test_the_site_says_which_proof_it_takes(assurance: Assurance) -> None:
    strict = replace(SITE, accepted=(Assurance.AUTHENTICATED, Assurance.CERTIFIED))
    found = verdict(site=strict, assurance=assurance)
    if assurance in strict.accepted:
        assert found.outcome is Outcome.RECORDED
    else:
        assert (found.outcome, found.reasons) == (Outcome.REFUSED, (Reason.ASSURANCE_TOO_LOW,))
    assert found.assurance is assurance


@pytest.mark.parametrize("why", ["lost", "returned", "replaced"])
def test_a_stopped_card(why: str) -> None:
    found = verdict(Card(KEY, "W1", stopped=why))
    assert (found.outcome, found.reasons, found.worker_id) == (Outcome.REFUSED, (Reason.CARD_STOPPED,), "W1")


def test_a_refused_card_is_never_suppressed() -> None:
    """It was stopped seconds after a good touch: the finder hears a refusal, not 'recorded already'."""
    found = verdict(Card(KEY, "W1", stopped="lost"), last=touched(5))
    assert (found.outcome, found.suppressed_by) == (Outcome.REFUSED, None)
    assert verdict(key="uid:08A1B2C3", last=touched(5)).outcome is Outcome.REFUSED
    assert verdict(site=replace(SITE, accepted=()), last=touched(5)).outcome is Outcome.REFUSED


# -- double touches --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gap", "outcome"),
    [
        (0, Outcome.SUPPRESSED),
        (59.999, Outcome.SUPPRESSED),
        (60, Outcome.RECORDED),
        (61, Outcome.RECORDED),
        (-0.001, Outcome.RECORDED),
        (-3600, Outcome.RECORDED),
    ],
)
def test_boundary_seconds_and_a_clock_that_went_back(gap: float, outcome: Outcome) -> None:
    assert verdict(last=touched(gap)).outcome is outcome


def test_a_double_touch_points_to_the_first_and_repeats_its_direction() -> None:
    """It comes before automatic direction: two quick touches are not in and out."""
    found = verdict(last=touched(10, Direction.IN))
    assert (found.outcome, found.suppressed_by, found.direction) == (Outcome.SUPPRESSED, "t0", Direction.IN)
    found = verdict(last=touched(10, Direction.OUT), chosen=Direction.IN)
    assert (found.direction, found.reasons, found.worker_id) == (Direction.OUT, (), "W1")


def test_an_unknown_card_touched_twice_is_suppressed_too() -> None:
    found = verdict(without=KEY, last=touched(10))
    assert (found.outcome, found.suppressed_by, found.worker_id) == (Outcome.SUPPRESSED, "t0", None)


def test_zero_seconds_switch_suppression_off() -> None:
    assert verdict(site=replace(SITE, suppress_seconds=0), last=touched(0)).outcome is Outcome.RECORDED


def test_over_the_change_of_day_a_double_touch_is_still_one() -> None:
    site = replace(SITE, day_change="07:42")
    found = verdict(site=site, last=touched(10, day="2026-11-19"))
    assert (found.outcome, found.work_day.isoformat()) == (Outcome.SUPPRESSED, "2026-11-20")


# -- directions and days ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "direction"),
    [
        (None, Direction.IN),
        (touched(3600, Direction.IN), Direction.OUT),
        (touched(3600, Direction.OUT), Direction.IN),
        (touched(3600, Direction.NONE), Direction.IN),
        (touched(36000, Direction.IN, "2026-11-19"), Direction.IN),
        (touched(-3600, Direction.IN), Direction.OUT),
    ],
)
def test_alternate(last: LastTouch | None, direction: Direction) -> None:
    """In, out, in … within a work day; an out-touch missed yesterday does not turn today's first into one."""
    assert verdict(last=last).direction is direction


@pytest.mark.parametrize(
    ("change", "out_from", "at", "direction"),
    [
        ("00:00", "12:00", "2026-11-20T11:59:59+09:00", Direction.IN),
        ("00:00", "12:00", "2026-11-20T12:00:00+09:00", Direction.OUT),
        ("00:00", "12:00", "2026-11-20T02:59:59Z", Direction.IN),
        ("05:00", "12:00", "2026-11-20T05:00:00+09:00", Direction.IN),
        ("05:00", "12:00", "2026-11-20T23:30:00+09:00", Direction.OUT),
        ("05:00", "12:00", "2026-11-21T00:30:00+09:00", Direction.OUT),
        ("12:00", "02:00", "2026-11-20T20:00:00+09:00", Direction.IN),
        ("12:00", "02:00", "2026-11-21T01:59:00+09:00", Direction.IN),
        ("12:00", "02:00", "2026-11-21T05:10:00+09:00", Direction.OUT),
    ],
)
def test_by_time_counts_within_the_work_day(change: str, out_from: str, at: str, direction: Direction) -> None:
    site = replace(SITE, direction_rule=DirectionRule.BY_TIME, out_from=out_from, day_change=change)
    assert verdict(site=site, at=at, last=touched(7200, Direction.IN)).direction is direction


def test_no_directions_at_all() -> None:
    site = replace(SITE, direction_rule=DirectionRule.NONE)
    assert verdict(site=site).direction is Direction.NONE
    assert verdict(site=site, chosen=Direction.OUT).direction is Direction.OUT


@pytest.mark.parametrize("chosen", [Direction.IN, Direction.OUT, Direction.NONE])
def test_a_direction_chosen_by_hand_wins(chosen: Direction) -> None:
    assert verdict(chosen=chosen, last=touched(3600, Direction.IN)).direction is chosen


def test_day_change_at_five() -> None:
    site = replace(SITE, day_change="05:00")
    assert verdict(site=site, at="2026-11-21T04:59:59.999+09:00").work_day.isoformat() == "2026-11-20"
    assert verdict(site=site, at="2026-11-21T05:00:00+09:00").work_day.isoformat() == "2026-11-21"


def test_expiry_looks_at_the_work_day_not_the_date() -> None:
    """A night worker's card that ends today is good for the shift that began today."""
    site, card = replace(SITE, day_change="05:00"), Card(KEY, "W1", expires_on="2026-11-20")
    assert verdict(card, site=site, at="2026-11-21T04:00:00+09:00").reasons == (Reason.CARD_EXPIRING,)
    assert verdict(card, site=site, at="2026-11-21T05:00:00+09:00").reasons == (Reason.CARD_EXPIRED,)


# -- in general ------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.sampled_from([KEY, "uid:04A1B2C3", "uid:08A1B2C3"]),
    st.sampled_from(list(Assurance)),
    st.one_of(st.none(), st.integers(-100000, 100000)),
    st.one_of(st.none(), st.sampled_from(list(Direction))),
    st.booleans(),
    st.sampled_from(["00:00", "05:00", "18:30"]),
    st.sampled_from(list(DirectionRule)),
)
def test_every_verdict_is_whole(
    key: str,
    assurance: Assurance,
    gap: int | None,
    chosen: Direction | None,
    suspect: bool,
    change: str,
    rule: DirectionRule,
) -> None:
    site = replace(SITE, day_change=change, direction_rule=rule)
    last = None if gap is None else touched(gap)
    found = verdict(key=key, assurance=assurance, last=last, chosen=chosen, suspect=suspect, site=site)
    assert found.outcome is not Outcome.UNREADABLE
    assert (found.suppressed_by is not None) == (found.outcome is Outcome.SUPPRESSED)
    assert bool(found.reasons) == (found.outcome in (Outcome.REFUSED, Outcome.RECORDED_CHECK))
    assert found.work_day == site.work_day(NOW)
    assert (found.worker_id == "W1") == (key == KEY)


# -- cards that failed their proof ----------------------------------------------------------------------------------


PROOF = [reason for reason in Reason if reason.value.startswith("secure_")]


@pytest.mark.parametrize("reason", PROOF)
@pytest.mark.parametrize("key", [KEY, "uid:08A1B2C3", "piv:" + "0" * 32])
def test_a_failed_proof_is_refused_before_anything_else_and_is_nobody_s(reason: Reason, key: str) -> None:
    """Whatever the site accepts, whatever the card's number is worth, double touch or not."""
    found = verdict(key=key, refused=reason, last=touched(5))
    assert (found.outcome, found.reasons, found.worker_id) == (Outcome.REFUSED, (reason,), None)
    assert found.suppressed_by is None
    assert not reason.personal
