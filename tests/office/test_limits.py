"""What an office must not offer, must not lose, and must not wait for."""

from __future__ import annotations

import queue
import threading
from typing import Any

import pytest

from app.office.desk import COUNT_EVERY_S, OfficeDesk
from app.office.missed import NEAR_DAYS
from app.office.port import Changed, Counted, OfficeNews, Seated
from app.office.service import OfficeService
from app.office.shapes import EntryWanted, MarkKind, Outcome, Right
from app.pins import PinGuard
from app.secrets import check_pin
from app.store.audit import AuditTrail
from tests.office.desk_bench import OfficeBench, worker
from tests.office.test_entries import codes, entered
from tests.office.test_missed import found


def at_gate(office: OfficeBench) -> OfficeDesk:
    old = office.desk
    return OfficeDesk(old._books, lambda: old.site, office.clock, old._new_id, at_gate=True)


def test_a_gates_pc_offers_only_what_the_centre_takes_from_it(office: OfficeBench) -> None:
    gate = at_gate(office)
    assert gate.sign_in("foreman-1").rights == {Right.VIEW, Right.ENTER}
    assert gate.sign_in("approver-1").withheld == {Right.APPROVE}
    admin = gate.sign_in("admin-1")
    assert admin.rights == {Right.VIEW, Right.IMPORT}
    assert admin.withheld == {Right.ENTER, Right.APPROVE, Right.CARDS, Right.CORRECT}
    assert gate.enter([EntryWanted(worker(1), "2026-11-19", "no_card")]).error == "office.not_allowed"
    assert office.person("admin-1").withheld == frozenset(), "at an office nothing is withheld"


def test_a_gates_pc_takes_back_only_its_own(office: OfficeBench) -> None:
    gate = at_gate(office)
    gate.sign_in("foreman-1")
    from app.domain.events import EventType

    theirs = office.feed(
        EventType.ENTRY, worker_id=worker(3), work_day="2026-11-18", reason="no_card", entered_by="foreman-1"
    )
    assert gate.take_back([theirs], "").error == "office.made_elsewhere"
    gate.enter([EntryWanted(worker(1), "2026-11-19", "no_card")])
    (mine,) = (w for w in gate.waiting() if w.worker_id == worker(1))
    assert gate.take_back([mine.entry_id], "").stored == 1


def test_nobody_approves_his_own_day_whoever_entered_it(office: OfficeBench) -> None:
    office.person("office-1")
    office.desk.enter([EntryWanted("91000000000001", "2026-11-19", "no_card")])
    office.person("approver-2")  # he is that worker
    (waiting,) = office.desk.waiting()
    assert waiting.own
    assert codes(office.desk.decide([waiting.entry_id], True, "")) == ["approval.own_day"]
    assert office.desk.decide([waiting.entry_id], False, "not there").stored == 1, "refusing it is allowed"


def test_a_missing_time_waits_once(office: OfficeBench) -> None:
    office.touch(2, "2026-11-18")
    office.person("foreman-1")
    out = EntryWanted(worker(2), "2026-11-18", "left_early", out_at="17:00")
    assert office.desk.enter([out]).stored == 1
    mark = office.desk.marks("2026-11", [worker(2)])[worker(2)]["2026-11-18"]
    assert (mark.kind, mark.waits) == (MarkKind.TOUCH, True)
    assert codes(office.desk.enter([out])) == ["entry.waits_already"]


def test_a_refusal_comes_with_the_answer_and_may_be_entered_again(office: OfficeBench) -> None:
    entry = entered(office)
    office.person("approver-1")
    office.desk.decide([entry], False, "休工でした")
    (day,) = {m for m in office.desk.marks("2026-11", [worker(2)])[worker(2)].values()}
    assert (day.kind, day.answer, day.waits) == (MarkKind.REFUSED, "休工でした", False)


def test_an_entry_past_its_deadline_says_so(office: OfficeBench) -> None:
    entered(office)
    office.clock.forward(60 * 86_400)
    mark = next(iter(office.desk.marks("2026-11", [worker(2)])[worker(2)].values()))
    assert (mark.kind, mark.overdue) == (MarkKind.WAITING, True)


def test_an_unsent_approval_is_unsent(office: OfficeBench) -> None:
    entry = entered(office)
    office.accept_all()
    office.person("approver-1")
    office.desk.decide([entry], True, "")
    mark = next(iter(office.desk.marks("2026-11", [worker(2)])[worker(2)].values()))
    assert (mark.kind, mark.unsent) == (MarkKind.ENTERED, True)
    office.accept_all()
    mark = next(iter(office.desk.marks("2026-11", [worker(2)])[worker(2)].values()))
    assert not mark.unsent


def test_the_first_day_of_a_month_has_neighbours_in_the_month_before(office: OfficeBench) -> None:
    for n in range(1, 7):
        office.touch(n, "2026-10-30")  # Friday
        office.touch(n, "2026-11-04", "07:40")
        if n != 2:
            office.touch(n, "2026-11-02", "07:40")  # Monday
    assert NEAR_DAYS >= 3
    assert [(one.worker_id, one.day) for one in found(office)] == [(worker(2), "2026-11-02")]


def test_a_month_without_anybody(office: OfficeBench) -> None:
    office.roster(workers=[], assignments=[], cards=[])
    assert office.desk.month("2026-11").groups == ()
    assert found(office) == []
    assert len(office.desk.month("2028-02").days) == 29
    assert office.desk.headcounts("2027-01") == [], "a month to come has no days yet"


@pytest.fixture
def service(office: OfficeBench) -> Any:
    made = OfficeService(office.desk, PinGuard(AuditTrail(office.db), office.clock, check_pin), lambda: None)
    made.start()
    yield made
    made.stop()


def test_a_search_gives_way_and_a_newer_one_ends_it(office: OfficeBench, service: OfficeService) -> None:
    held, order = threading.Event(), queue.Queue[str]()
    service.post(held.wait)
    service.candidates("2026-10", lambda _: order.put("old"))
    service.candidates("2026-11", lambda _: order.put("new"), lambda share: order.put("step"))
    service.month("2026-11", lambda _: order.put("month"))
    held.set()
    service.settle()
    said = list(order.queue)
    assert said[0] == "month", "a page that waits goes first"
    assert said[1:] == ["step"] * (len(said) - 2) + ["new"]


def test_who_loses_his_role_while_he_sits_here_is_told(office: OfficeBench, service: OfficeService) -> None:
    news: list[OfficeNews] = []
    service.listen(news.append)
    service.post(lambda: office.person("foreman-1") and None)
    service.settle()
    with office.db.write() as connection:
        connection.exec_driver_sql("DELETE FROM roster_item WHERE kind = 'operator'")
    service.roster_changed()
    service.settle()
    assert news == [Seated(None), Changed()]
    answers: queue.Queue[Outcome] = queue.Queue()
    service.enter([EntryWanted(worker(1), "2026-11-19", "no_card")], answers.put)
    assert answers.get(timeout=10).error == "office.not_allowed"


def test_a_fault_is_answered_too(office: OfficeBench, service: OfficeService, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: queue.Queue[Outcome] = queue.Queue()
    monkeypatch.setattr(office.desk, "enter", lambda wanted: 1 / 0)
    service.enter([], answers.put)
    assert answers.get(timeout=10).error == "office.bug"


@pytest.fixture
def expected_logs(request: pytest.FixtureRequest) -> list[str]:
    return ["the office: a fault"] if "fault" in request.node.name else []


def test_counts_on_the_board_are_never_older_than_what_was_stored(office: OfficeBench) -> None:
    here = lambda: office.desk.deadlines()[-1].candidates  # noqa: E731
    assert here() is None
    assert isinstance(found(office), list)
    assert here() == 0
    office.person("foreman-1")
    office.desk.enter([EntryWanted(worker(1), "2026-11-19", "no_card")])
    assert here() is None


def test_the_boards_candidates_are_counted_when_nobody_waits_and_then_said(office: OfficeBench) -> None:
    for n in range(1, 7):
        for day in ("2026-11-17", "2026-11-18", "2026-11-19"):
            if (n, day) != (2, "2026-11-18"):
                office.touch(n, day)
    service = OfficeService(office.desk, PinGuard(AuditTrail(office.db), office.clock, check_pin), lambda: None)
    news: queue.Queue[OfficeNews] = queue.Queue()
    boards: queue.Queue[Any] = queue.Queue()
    service.listen(news.put)
    service.start()

    def counts() -> dict[str, int | None]:
        service.deadlines(boards.put)
        return {one.month: one.candidates for one in boards.get(timeout=20)}

    assert counts() == {"2026-10": None, "2026-11": None}, "answered at once"
    assert [news.get(timeout=20), news.get(timeout=20)] == [Counted(), Counted()]
    assert counts() == {"2026-10": 0, "2026-11": 1}
    # every touch of the rush changes something: the count stays, and is renewed some minutes later
    office.desk.reload()
    assert counts() == {"2026-10": 0, "2026-11": 1}
    service.settle()
    assert news.empty()
    office.touch(2, "2026-11-18")
    office.desk.reload()
    office.clock.forward(COUNT_EVERY_S + 1)
    counts()
    assert news.get(timeout=20) == news.get(timeout=20) == Counted()
    assert counts() == {"2026-10": 0, "2026-11": 0}
    service.stop()
