"""A wrong approval, taken back in the window by who gave it."""

from __future__ import annotations

from app.office.shapes import EntryWanted
from app.ui.office.decision_page import DecisionPage
from tests.office.desk_bench import worker
from tests.ui.office.conftest import Desk


def page_of(desk: Desk) -> DecisionPage:
    page = desk.window.pages["decisions"]
    assert isinstance(page, DecisionPage)
    return page


def test_a_wrong_approval_goes_back_to_the_queue_with_a_reason(desk: Desk) -> None:
    desk.bench.person("foreman-1")
    desk.bench.desk.enter([EntryWanted(worker(n), "2026-11-18", "no_card") for n in (2, 3)])
    desk.bench.desk.person = None
    desk.sit_down("approver-1")
    desk.window.go("approval")
    queue = desk.approval
    desk.until(lambda: len(queue.table.list.rows) == 2)
    queue.choose_all()
    queue.yes.click()
    desk.until(lambda: not queue.table.list.rows)
    queue.decided.click()
    page = page_of(desk)
    desk.until(lambda: len(page.table.list.rows) == 2)
    assert desk.window.current == "decisions"
    names = [one.entry.name for one in page.table.list.rows]
    page.table.selectRow(names.index("架空 2郎"))
    assert not page.undo.isEnabled(), "a reason is wanted"
    page.reason.setText("別の人でした")
    page.undo.click()
    desk.until(lambda: [one.entry.name for one in page.table.list.rows] == ["架空 3郎"])
    page.back_button.click()
    desk.until(lambda: [one.name for one in queue.table.list.rows] == ["架空 2郎"])


def test_who_may_not_approve_has_nothing_to_take_back(desk: Desk) -> None:
    desk.sit_down("foreman-1")
    desk.window.go("approval")
    assert not desk.approval.decided.isVisible()
    desk.window.go("decisions")
    assert not page_of(desk).undo.isVisible()
    assert not page_of(desk).reason.isVisible()
