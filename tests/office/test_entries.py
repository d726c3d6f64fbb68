"""Direct entry and approval: the rules, asked before the centre does."""

from __future__ import annotations

from dataclasses import replace

import pytest
import uuid_utils

from app.domain.events import Draft, EventType
from app.domain.outbox import Settled
from app.domain.work_records import derive
from app.office import backfill
from app.office.shapes import EntryWanted, MarkKind, Outcome
from tests.helpers.tiny_site import SITE_ID, tiny_site
from tests.office.desk_bench import OfficeBench, worker

GOOD = EntryWanted(worker(2), "2026-11-18", "card_forgotten", "08:00", "17:00")


def codes(outcome: Outcome) -> list[str]:
    assert outcome.problems, outcome
    assert outcome.stored == 0
    return [problem.code for problem in outcome.problems]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"worker_id": "99999999999999"}, "entry.unknown_worker"),
        ({"day": "2026-11-21"}, "entry.future"),
        ({"day": "2026-09-30"}, "entry.too_late"),
        ({"day": "0"}, "entry.bad_day"),
        ({"reason": "  "}, "entry.no_reason"),
        ({"reason": "あ" * 201}, "entry.no_reason"),
        ({"in_at": "25:00"}, "entry.bad_time"),
        ({"out_at": "8:00"}, "entry.bad_time"),
    ],
)
def test_what_must_not_be_entered(office: OfficeBench, change: dict[str, str], code: str) -> None:
    office.person("foreman-1")
    assert codes(office.desk.enter([replace(GOOD, worker_id=worker(3)), replace(GOOD, **change)])) == [code]
    assert office.log.counts().events == 0, "all or none"


def test_the_last_day_of_the_month_after_is_in_time(office: OfficeBench) -> None:
    office.person("foreman-1")
    assert office.desk.enter([replace(GOOD, day="2026-10-01")]).stored == 1


def test_the_centres_clock_decides_not_the_pcs(office: OfficeBench) -> None:
    """The PC is a month behind: by the centre's clock the day is too late."""
    office.clock.skew = -30 * 86_400_000
    office.person("foreman-1")
    assert codes(office.desk.enter([replace(GOOD, day="2026-10-01")])) == ["entry.too_late"]


def test_company_occupation_and_role_are_needed(office: OfficeBench) -> None:
    bare = tiny_site(8)["assignments"]
    bare[1] = {k: v for k, v in bare[1].items() if k != "role"}
    office.roster(assignments=bare)
    office.person("foreman-1")
    assert codes(office.desk.enter([GOOD])) == ["entry.no_role"]
    assert office.desk.enter([replace(GOOD, role="R1")]).stored == 1


def test_a_day_with_a_record_takes_only_the_time_it_lacks(office: OfficeBench) -> None:
    office.touch(2, "2026-11-18", "17:02", "out")
    office.person("foreman-1")
    assert codes(office.desk.enter([replace(GOOD, in_at=None, out_at=None)])) == ["entry.has_record"]
    assert codes(office.desk.enter([GOOD])) == ["entry.has_record"], "the 退場 is there already"
    assert office.desk.enter([replace(GOOD, out_at=None)]).stored == 1
    assert codes(office.desk.enter([GOOD, GOOD])) != []


def test_twice_in_one_go_and_twice_in_a_row(office: OfficeBench) -> None:
    office.person("foreman-1")
    assert codes(office.desk.enter([GOOD, GOOD])) == ["entry.twice"]
    assert office.desk.enter([GOOD]).stored == 1
    assert codes(office.desk.enter([GOOD])) == ["entry.waits_already"]


def test_times_belong_to_the_work_day_even_past_midnight(office: OfficeBench) -> None:
    office.roster(site={"day_change": "05:00"})
    office.person("foreman-1")
    office.desk.enter([replace(GOOD, in_at="21:00", out_at="04:30")])
    (fact,) = office.book.entry_facts(office.desk.site.id, "2026-11-18", "2026-11-18")
    assert fact.payload["in_at"] == "2026-11-18T21:00:00.000+09:00"
    assert fact.payload["out_at"] == "2026-11-19T04:30:00.000+09:00"


def test_rights(office: OfficeBench) -> None:
    assert office.desk.enter([GOOD]).error == "office.not_allowed", "nobody sits here"
    office.person("approver-1")
    assert office.desk.enter([GOOD]).error == "office.not_allowed"
    assert office.desk.set_headcount("92000000000002", "2026-11-18", 3).error == "office.not_allowed"
    office.person("foreman-1")
    assert office.desk.decide(["x"], True, "").error == "office.not_allowed"
    assert office.desk.apply_backfill("2026-11", ["x"]).error == "office.not_allowed"
    assert office.log.counts().events == 0


def entered(office: OfficeBench, who: str = "foreman-1", **change: str) -> str:
    office.person(who)
    assert office.desk.enter([replace(GOOD, **change)]).stored == 1
    return office.desk.marks("2026-11", [worker(2)])[worker(2)]["2026-11-18"].entry_id or ""


def test_nobody_approves_his_own_under_any_of_his_names(office: OfficeBench) -> None:
    id_ = entered(office)
    office.person("approver-2")  # the same person as foreman-1
    assert codes(office.desk.decide([id_], True, "")) == ["approval.own"]
    assert [w.own for w in office.desk.waiting()] == [True]
    office.roster(site={"self_approval": True})
    assert office.desk.decide([id_], True, "").stored == 1


def test_a_refusal_needs_a_reason_and_a_decision_stands(office: OfficeBench) -> None:
    id_ = entered(office)
    office.person("approver-1")
    assert codes(office.desk.decide([id_], False, " ")) == ["approval.no_reason"]
    assert codes(office.desk.decide(["unknown", id_], True, "")) == ["approval.unknown"]
    assert office.desk.decide([id_], False, "いなかった").stored == 1
    assert codes(office.desk.decide([id_], True, "")) == ["approval.decided"]
    assert office.desk.waiting() == []


def test_the_foremans_entry_reaches_the_approvers_pc_by_the_feed(office: OfficeBench) -> None:
    id_ = office.feed(
        EventType.ENTRY, worker_id=worker(4), work_day="2026-10-30", reason="card_forgotten", entered_by="foreman-1",
        company_id="92000000000002", occupation="S01", role="R1", in_at="2026-10-30T08:00:00.000+09:00",
    )  # fmt: skip
    office.person("approver-1")
    (waiting,) = office.desk.waiting()
    assert (waiting.name, waiting.company, waiting.in_at) == ("架空 4郎", "髙﨑鉄筋", "08:00")
    assert (waiting.days_left, waiting.unsent, waiting.entered_by) == (10, False, "架空 職長")
    assert office.desk.decide([id_], True, "").stored == 1
    assert office.desk.waiting() == []


def test_deadlines_count_what_waits_and_what_has_not_been_sent(office: OfficeBench) -> None:
    entered(office)
    before, here = office.desk.deadlines()
    assert (before.month, before.until, before.days_left, before.level) == ("2026-10", "2026-11-30", 10, "calm")
    assert (here.waiting, here.unsent) == (1, 1)
    office.accept_all()
    assert office.desk.deadlines()[1].unsent == 0
    id_ = office.desk.waiting()[0].entry_id
    office.person("approver-1")
    office.desk.decide([id_], True, "")
    assert (office.desk.deadlines()[1].waiting, office.desk.deadlines()[1].unsent) == (0, 1)


@pytest.mark.parametrize(
    ("days", "level"), [(0, "calm"), (2, "calm"), (3, "remind"), (6, "remind"), (7, "amber"), (10, "amber")]
)
def test_reminded_from_seven_days_amber_from_three(office: OfficeBench, days: int, level: str) -> None:
    office.clock.forward(days * 86400)
    assert office.desk.deadlines()[0].level == level


def test_an_entry_made_by_mistake_is_taken_back(office: OfficeBench) -> None:
    id_ = entered(office)
    assert office.desk.take_back([id_], "").stored == 1
    assert office.desk.waiting() == []
    assert "2026-11-18" not in office.desk.marks("2026-11", [worker(2)])[worker(2)]
    assert office.log.counts().events == 2, "the entry itself stays"


def test_a_rejected_entry_no_longer_waits(office: OfficeBench) -> None:
    id_ = entered(office)
    office.outbox.settle([Settled(id_, "rejected", "too_late", "x")], office.clock.now())
    assert office.desk.waiting() == []


def test_headcounts_beside_what_the_gate_saw(office: OfficeBench) -> None:
    for n in (1, 2, 3):
        office.touch(n, "2026-11-19")
    office.person("foreman-1")
    assert office.desk.set_headcount("92000000000002", "2026-11-19", 5).stored == 1
    assert office.desk.set_headcount("92000000000002", "2026-11-21", 5).error == "office.bad_headcount", "tomorrow"
    assert office.desk.set_headcount("92000000000002", "2026-11-19", -1).error == "office.bad_headcount"
    found = {(h.company, h.day): (h.count, h.present) for h in office.desk.headcounts("2026-11")}
    assert found["髙﨑鉄筋", "2026-11-19"] == (5, 3)
    assert found["髙﨑鉄筋", "2026-11-18"] == (None, 0)


def test_backfill_fills_what_is_missing_from_the_contract_tree(office: OfficeBench) -> None:
    late = [one | {"starts_on": "2026-11-20"} for one in tiny_site(8)["assignments"]]
    office.roster(assignments=late)
    touched = office.touch(2, "2026-11-10")
    office.touch(9, "2026-11-10", worker_id="99000000000009", card_key="uid:04A1B2C3")
    old = office.touch(2, "2026-08-31")
    office.person("office-1")
    found = {one.worker_id: one for one in office.desk.backfill("2026-11")}
    assert (found[worker(2)].company_id, found[worker(2)].occupation, found[worker(2)].note) == (
        "92000000000002", "S01", "",
    )  # fmt: skip
    assert found["99000000000009"].note == "backfill.no_assignment"
    assert office.desk.backfill("2026-08")[0].note == "backfill.too_old"
    assert office.desk.apply_backfill("2026-08", [old]).stored == 0
    assert office.desk.apply_backfill("2026-11", [one.event_id for one in found.values()]).stored == 1
    assert office.desk.marks("2026-11", [worker(2)])[worker(2)]["2026-11-10"].missing == ()
    assert touched in {one.event_id for one in found.values()}


def test_backfill_misses_nobody_whom_a_look_at_the_whole_site_would_find(office: OfficeBench) -> None:
    """It asks about those whose assignment lacks something, and strangers get records in more ways than by a touch."""
    stranger = "99000000000009"
    for n in range(1, 9):
        office.touch(n, "2026-11-10")
    office.touch(1, "2026-11-11", worker_id=stranger + "1")
    office.touch(1, "2026-11-12", worker_id=None, card_key="uid:04A1B2C3")
    feed, moved = office.feed, office.touch(1, "2026-11-13")
    office.touch(1, "2026-11-16", worker_id=None, card_key="uid:04A1B2C4")
    bound = {"card_key": "uid:04A1B2C3", "worker_id": stranger + "2", "valid_from": "2026-11-01", "by": "office-1"}
    feed(EventType.CARD_BINDING, **bound)
    own = Draft(str(uuid_utils.uuid7()), EventType.CARD_BINDING, SITE_ID, *["2026-11-17T00:00:00.000Z"] * 2, {
        **bound, "card_key": "uid:04A1B2C4", "worker_id": stranger + "3",
    })  # fmt: skip
    office.log.append(own)
    feed(EventType.CORRECTION, target=moved, op="set", fields={"worker_id": stranger + "4"}, reason="x", by="office-1")
    feed(EventType.TOUCH, card_key="uid:04A1B2C5", worker_id=stranger + "5", direction="in", work_day="2026-11-17",
         assurance="open", reader="r", source="gate")  # fmt: skip
    whole = derive(office.log.site_facts("2026-11", SITE_ID), office.desk.roster)
    wanted = backfill.preview(whole, office.desk.roster, office.desk.today)
    assert {one.worker_id.removeprefix(stranger) for one in wanted} == set("12345")
    assert office.desk.backfill("2026-11") == wanted


@pytest.mark.parametrize("day", ["9999-12-31", "2026-13-45"])
def test_an_entry_of_an_odd_day_from_elsewhere_hides_nobody_elses(office: OfficeBench, day: str) -> None:
    """Whatever another version has let through: the approver still sees the rest of his queue."""
    for work_day in (day, "2026-11-18"):
        office.feed(EventType.ENTRY, worker_id=worker(4), work_day=work_day, reason="x", entered_by="foreman-1")
    office.person("approver-1")
    assert "2026-11-18" in [waiting.day for waiting in office.desk.waiting()]
    assert [board.month for board in office.desk.deadlines()]


def approved_by(office: OfficeBench, operator: str, *entries: EntryWanted) -> None:
    office.person("foreman-1")
    office.desk.enter(list(entries))
    office.person(operator)
    assert office.desk.decide([one.entry_id for one in office.desk.waiting()], True, "").stored == len(entries)


def test_a_wrong_approval_is_taken_back_and_its_entry_waits_again(office: OfficeBench) -> None:
    approved_by(office, "approver-1", GOOD, replace(GOOD, worker_id=worker(3)))
    for sent in (False, True):
        if sent:
            office.accept_all()
        decided = office.desk.decisions()
        assert [(one.approved, one.unsent) for one in decided] == [(True, not sent)] * 2
        wrong = next(one for one in decided if one.entry.worker_id == worker(2))
        assert codes(office.desk.undo([wrong.approval_id], " ")) == ["decision.no_reason"]
        assert office.desk.undo([wrong.approval_id], "別の人でした").stored == 1
        assert codes(office.desk.undo([wrong.approval_id], "もう一度")) == ["decision.gone"]
        (back,) = office.desk.waiting()
        assert back.worker_id == worker(2)
        mark = office.desk.marks("2026-11", [worker(2)])[worker(2)][GOOD.day]
        assert (mark.kind, mark.counts) == (MarkKind.WAITING, False)
        assert office.desk.decide([back.entry_id], True, "").stored == 1, "and may be approved after all"
        mark = office.desk.marks("2026-11", [worker(2)])[worker(2)][GOOD.day]
        assert (mark.kind, mark.counts) == (MarkKind.ENTERED, True)


def test_everybody_takes_back_his_own_word_alone_and_only_until_the_deadline(office: OfficeBench) -> None:
    approved_by(office, "approver-1", replace(GOOD, day="2026-10-30"))
    (mine,) = office.desk.decisions()
    office.person("admin-1")
    assert office.desk.decisions() == []
    assert codes(office.desk.undo([mine.approval_id], "x")) == ["decision.not_own"]
    office.person("office-1")
    assert office.desk.undo([mine.approval_id], "x").error == "office.not_allowed"
    office.person("approver-1")
    office.clock.forward(11 * 86_400)
    assert office.desk.decisions() == []
    assert codes(office.desk.undo([mine.approval_id], "x")) == ["decision.too_late"]
