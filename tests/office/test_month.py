"""The month's sheet says what the centre will say."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.direct_entry import deadline
from app.domain.events import EventType
from app.domain.outbox import Cursor, Settled, records_scope
from app.office.calendar import holiday, months_later
from app.office.shapes import EntryWanted, MarkKind
from tests.helpers.tiny_site import SITE_ID
from tests.office.desk_bench import OfficeBench, worker


def mark(office: OfficeBench, n: int, day: str):  # type: ignore[no-untyped-def]
    return office.desk.marks(day[:7], [worker(n)])[worker(n)].get(day)


def test_columns_know_holidays_closed_and_future_days(office: OfficeBench) -> None:
    office.roster(calendar=[{"id": "2026-11-14", "kind": "closed"}, {"id": "2026-11-08", "kind": "open"}])
    days = {d.day: d for d in office.desk.month("2026-11").days}
    assert len(days) == 30
    assert (days["2026-11-03"].holiday, days["2026-11-03"].closed) == ("文化の日", True)
    assert days["2026-11-14"].closed, "the site's calendar closes it"
    assert not days["2026-11-08"].closed, "the site's calendar opens a Sunday"
    assert days["2026-11-15"].closed
    assert not days["2026-11-20"].future, "today"
    assert days["2026-11-21"].future


def test_lines_by_tier_company_and_kana_and_strangers_last(office: OfficeBench) -> None:
    office.touch(9, "2026-11-19", worker_id="99000000000009", card_key="uid:04A1B2C3")
    groups = office.desk.month("2026-11").groups
    assert [(g.company, g.tier) for g in groups] == [("髙﨑鉄筋", 1), ("", None)]
    assert [row.worker_id for row in groups[0].rows] == [worker(n) for n in range(1, 9)]
    assert (groups[0].rows[0].occupation, groups[0].rows[0].role) == ("鉄筋工", "職長")
    assert [row.worker_id for row in groups[1].rows] == ["99000000000009"]


def test_a_day_of_touches(office: OfficeBench) -> None:
    office.touch(1, "2026-11-19", "07:45")
    office.touch(1, "2026-11-19", "17:10", "out")
    found = mark(office, 1, "2026-11-19")
    assert (found.kind, found.first_in, found.last_out, found.touches) == (MarkKind.TOUCH, "07:45", "17:10", 2)
    assert found.unsent
    office.accept_all()
    assert not mark(office, 1, "2026-11-19").unsent
    assert mark(office, 1, "2026-11-18") is None


def test_kinds_of_proof(office: OfficeBench) -> None:
    office.touch(1, "2026-11-19", assurance="logged")
    office.touch(2, "2026-11-19", assurance="declared")
    office.touch(3, "2026-11-19", assurance="logged")
    office.touch(3, "2026-11-19", "07:50", assurance="certified")
    kinds = [mark(office, n, "2026-11-19").kind for n in (1, 2, 3)]
    assert kinds == [MarkKind.LOGGED, MarkKind.DECLARED, MarkKind.TOUCH]


def test_what_the_centre_refused_is_no_record_here_either(office: OfficeBench) -> None:
    id_ = office.touch(1, "2026-11-19")
    office.outbox.settle([Settled(id_, "rejected", "malformed", "x")], office.clock.now())
    assert mark(office, 1, "2026-11-19").kind is MarkKind.NOT_TAKEN
    assert not mark(office, 1, "2026-11-19").counts


def test_another_gate_of_the_site_counts_and_both_are_merged(office: OfficeBench) -> None:
    office.touch(1, "2026-11-19", "17:30", "out")
    record = {
        "worker_id": worker(1), "work_day": "2026-11-19", "assurance": "authenticated",
        "first_in": "2026-11-19T07:31:00.000+09:00", "last_out": None, "company_id": "92000000000002",
        "occupation": "S01", "role": None, "events": ["elsewhere"], "deleted": False,
    }  # fmt: skip
    scope = records_scope(SITE_ID, "2026-11")
    office.rosters.apply_page(scope, SITE_ID, [record], Cursor("9"), office.clock.now())
    found = mark(office, 1, "2026-11-19")
    assert (found.first_in, found.last_out, found.assurance) == ("07:31", "17:30", "authenticated")
    assert found.missing == ()
    assert found.unsent


def test_a_correction_here_beats_an_older_record_of_the_centre(office: OfficeBench) -> None:
    """All that the centre's record rests on is known here: what is known here decides."""
    id_ = office.touch(1, "2026-11-19")
    office.accept_all()
    record = {"worker_id": worker(1), "work_day": "2026-11-19", "assurance": "open", "events": [id_]}
    scope = records_scope(SITE_ID, "2026-11")
    office.rosters.apply_page(scope, SITE_ID, [record], Cursor("9"), office.clock.now())
    assert mark(office, 1, "2026-11-19").counts
    office.feed(EventType.CORRECTION, target=id_, op="void", reason="x", by="office-1")
    assert mark(office, 1, "2026-11-19") is None


def test_an_entry_waits_then_counts_or_is_refused(office: OfficeBench) -> None:
    office.person("foreman-1")
    wanted = [EntryWanted(worker(n), "2026-11-18", "card_forgotten", "08:00", "17:00") for n in (2, 3)]
    assert office.desk.enter(wanted).stored == 2
    waiting = mark(office, 2, "2026-11-18")
    assert (waiting.kind, waiting.first_in, waiting.counts) == (MarkKind.WAITING, "08:00", False)
    office.person("approver-1")
    office.desk.decide([mark(office, 2, "2026-11-18").entry_id], True, "")
    office.desk.decide([mark(office, 3, "2026-11-18").entry_id], False, "現場にいなかった")
    assert mark(office, 2, "2026-11-18").kind is MarkKind.ENTERED
    assert mark(office, 2, "2026-11-18").counts
    assert mark(office, 3, "2026-11-18").kind is MarkKind.REFUSED


@pytest.mark.parametrize(
    ("day", "until"),
    [("2026-01-10", "2026-02-28"), ("2026-12-31", "2027-01-31"), ("2028-01-01", "2028-02-29")],
)
def test_deadline_is_the_end_of_the_month_after(day: str, until: str) -> None:
    from datetime import date

    assert deadline(date.fromisoformat(day)).isoformat() == until


def test_months_and_holidays() -> None:
    from datetime import date

    assert [months_later("2026-11", n) for n in (-11, -10, 1, 2, 14)] == [
        "2025-12", "2026-01", "2026-12", "2027-01", "2028-01",
    ]  # fmt: skip
    assert holiday(date(2026, 9, 22)) == "国民の休日", "between two 祝日"
    assert holiday(date(2026, 11, 20)) == ""


def test_a_head_count_sees_cards_and_nothing_that_was_only_declared(office: OfficeBench) -> None:
    """By hand, by telephone, from another system: he may have been here, but no card was touched."""
    day = "2026-11-18"
    office.touch(1, day)
    office.touch(2, day, assurance="declared")
    office.touch(3, day, assurance="logged")
    office.person("admin-1")
    office.desk.enter([EntryWanted(worker(4), day, "no_card")])
    records = [
        {"worker_id": worker(n), "work_day": day, "assurance": proof, "events": [f"e{n}"]}
        for n, proof in ((5, "declared"), (6, "authenticated"))
    ]
    office.rosters.apply_page(records_scope(SITE_ID, "2026-11"), SITE_ID, records, Cursor("9"), office.clock.now())
    assert sum(one.present for one in office.desk.headcounts("2026-11") if one.day == day) == 3
    assert office.book.present(day, day, SITE_ID)[day] == {worker(n) for n in (1, 2, 3, 5, 6)}


def test_a_holiday_has_a_name_in_both_languages_and_stands_in_the_head_count(office: OfficeBench) -> None:
    festive = date(2026, 11, 3)
    assert (holiday(festive), holiday(festive, "en")) == ("文化の日", "Culture Day")
    named = {one.day: one.holiday for one in office.desk.headcounts("2026-11")}
    assert [day for day, name in named.items() if name] == ["2026-11-03"]
