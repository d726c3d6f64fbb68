"""Likely missed days: found for a reason, never for an absence alone."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.events import JST
from app.office.shapes import Candidate, EntryWanted, Why
from tests.office.desk_bench import OfficeBench, worker

WEEK = ("2026-11-09", "2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13")
GAP = "2026-11-11"


def crew_week(office: OfficeBench, *, without: tuple[tuple[int, str], ...] = (), workers: int = 6) -> None:
    for day in WEEK:
        for n in range(1, workers + 1):
            if (n, day) not in without:
                office.touch(n, day, f"07:{40 + n}")


def found(office: OfficeBench) -> list[Candidate]:
    *_, last = office.desk.candidates("2026-11")
    assert isinstance(last, list)
    return last


def whys(candidate: Candidate) -> list[Why]:
    return [why for why, _ in candidate.why]


def test_his_crew_was_here_and_he_was_not(office: OfficeBench) -> None:
    crew_week(office, without=((2, GAP),))
    (one,) = found(office)
    assert (one.worker_id, one.day, one.in_at) == (worker(2), GAP, "07:40")
    assert one.why == ((Why.CREW_WAS_HERE, {"count": "5"}),)


def test_a_day_off_of_most_of_the_crew_is_no_candidate(office: OfficeBench) -> None:
    crew_week(office, without=tuple((n, GAP) for n in (1, 2, 3)))
    assert found(office) == []


def test_two_others_are_no_crew(office: OfficeBench) -> None:
    crew_week(office, without=((2, GAP),), workers=3)
    assert found(office) == []


def test_somebody_who_was_away_all_week_is_not_proposed(office: OfficeBench) -> None:
    crew_week(office, without=tuple((2, day) for day in WEEK[1:]))
    assert found(office) == []


def test_closed_days_today_and_the_future_are_not_proposed(office: OfficeBench) -> None:
    office.roster(calendar=[{"id": GAP, "kind": "closed"}])
    crew_week(office, without=((2, GAP),))
    assert found(office) == []
    office.roster()
    assert [one.day for one in found(office)] == [GAP]
    office.clock.time = office.clock.time.replace(day=10, hour=23)  # the morning of the 11th in Japan
    assert found(office) == []


def test_a_day_that_is_dealt_with_is_not_proposed(office: OfficeBench) -> None:
    crew_week(office, without=((2, GAP), (3, GAP)))
    office.person("foreman-1")
    assert office.desk.enter([EntryWanted(worker(2), GAP, "card_forgotten")]).stored == 1
    assert [one.worker_id for one in found(office)] == [worker(3)]
    office.desk.set_aside(worker(3), GAP, True)
    assert found(office) == []
    before = office.log.counts().events
    office.desk.set_aside(worker(3), GAP, False)
    assert [one.worker_id for one in found(office)] == [worker(3)]
    assert office.log.counts().events == before, "setting aside asserts nothing"


def test_out_without_in_and_a_habit_broken(office: OfficeBench) -> None:
    for day in WEEK:
        office.touch(1, day)
        office.touch(1, day, "17:05", "out")
        office.touch(2, day)  # never touches out: no slip
    office.touch(1, "2026-11-16", "17:05", "out")
    office.touch(1, "2026-11-17", "07:45")
    assert [(one.worker_id, one.day, whys(one)) for one in found(office)] == [
        (worker(1), "2026-11-16", [Why.OUT_WITHOUT_IN]),
        (worker(1), "2026-11-17", [Why.IN_WITHOUT_OUT]),
    ]
    assert [(one.in_at, one.out_at) for one in found(office)] == [("07:45", None), (None, "17:05")]


def test_the_reader_was_not_working_at_his_time(office: OfficeBench) -> None:
    def at(text: str):  # type: ignore[no-untyped-def]
        from datetime import datetime

        return datetime.fromisoformat(f"{GAP}T{text}:00+09:00").astimezone(JST)

    crew_week(office, without=((1, GAP), (2, GAP)), workers=2)
    office.book.log_readers({"a": True, "b": True}, at("06:30"))
    office.book.log_readers({"a": False}, at("07:00"))
    office.book.log_readers({"b": False}, at("07:10"))
    office.book.log_readers({"b": True}, at("09:40"))
    assert [(one.worker_id, one.why) for one in found(office)] == [
        (worker(n), ((Why.READER_DOWN, {"from": "07:10", "until": "09:40"}),)) for n in (1, 2)
    ]


def test_a_reader_down_at_night_says_nothing(office: OfficeBench) -> None:
    crew_week(office, without=((1, GAP),), workers=2)
    night = office.clock.time.replace(day=11, hour=10)  # 19:00 in Japan
    office.book.log_readers({"a": True}, night - timedelta(hours=12))
    office.book.log_readers({"a": False}, night)
    office.book.log_readers({"a": True}, night + timedelta(hours=2))
    assert found(office) == []


def test_a_stray_card_and_another_site_are_told_beside(office: OfficeBench) -> None:
    crew_week(office, without=((2, GAP),))
    office.touch(0, GAP, "07:44", worker_id=None, card_key="uid:04A1B2C3")
    (one,) = found(office)
    assert whys(one) == [Why.CREW_WAS_HERE, Why.UNKNOWN_CARD]
    assert date.fromisoformat(one.day).weekday() == 2
