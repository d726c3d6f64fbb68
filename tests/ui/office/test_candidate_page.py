"""The list of likely missed days, one key each; what an entry asks for where the contract tree is silent."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from app.office.port import Seated
from app.office.rights import rights_of
from app.office.shapes import Right, SignedIn
from app.ui.office.candidate_page import CandidatePage
from app.ui.office.headcount_page import HeadcountMonthPage
from tests.helpers.tiny_site import tiny_site
from tests.office.desk_bench import worker
from tests.office.test_missed import GAP, crew_week
from tests.ui.office.conftest import Desk

TWO = ((2, GAP), (4, "2026-11-11"))


def listed(desk: Desk) -> CandidatePage:
    crew_week(desk.bench, without=TWO)
    desk.sit_down("foreman-1")
    desk.loaded()
    desk.month.bar.list_button.click()
    page = desk.window.pages["candidates"]
    assert isinstance(page, CandidatePage)
    assert len(page.table.list.rows) == 2
    return page


def test_one_key_accepts_one_sets_aside_and_each_can_be_undone(desk: Desk) -> None:
    page = listed(desk)
    keys = desk.bot.keyClick
    drafts = desk.month.typing.drafts
    keys(page.table, Qt.Key.Key_Return)
    assert set(drafts.state()) == {(worker(2), GAP)}
    assert page.table.chosen()[0].worker_id == worker(4), "on to the next one"
    keys(page.table, Qt.Key.Key_Delete)
    assert [one.worker_id for one in page.table.list.rows] == [worker(2)]
    desk.service.settle()
    assert desk.bench.book.put_aside("2026-11", desk.service.site.id) == {(worker(4), "2026-11-11")}
    keys(page.table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    desk.until(lambda: len(page.table.list.rows) == 2)
    keys(page.table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(drafts) == 0
    keys(page.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    keys(page.table, Qt.Key.Key_Return)
    assert len(drafts) == 2
    before = desk.bench.log.counts().events
    keys(page.table, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    desk.until(lambda: len(drafts) == 0)
    assert desk.bench.log.counts().events == before + 2
    desk.until(lambda: page.table.list.rows == [])


def test_an_approver_sees_the_list_and_changes_nothing(desk: Desk) -> None:
    crew_week(desk.bench, without=TWO)
    desk.sit_down("approver-1")
    desk.loaded()
    desk.window.go("candidates")
    page = desk.window.pages["candidates"]
    assert isinstance(page, CandidatePage)
    assert not page.yes.isVisible()
    desk.bot.keyClick(page.table, Qt.Key.Key_Return)
    desk.bot.keyClick(page.table, Qt.Key.Key_Delete)
    desk.service.settle()
    assert len(page.table.list.rows) == 2
    assert len(desk.month.typing.drafts) == 0


def test_company_occupation_and_role_are_asked_for_where_they_lack(desk: Desk) -> None:
    assignments = tiny_site(8)["assignments"]
    del assignments[1]["occupation"]
    assignments[2]["starts_on"] = "2026-11-10"
    desk.bench.roster(
        assignments=assignments, operators=list(vars_of(desk)), occupations=[{"id": "S01", "name": "鉄筋工"}]
    )
    desk.sit_down("foreman-1")
    desk.loaded()
    fields = desk.month.panel.work

    def asked(n: int, day: str) -> bool:
        desk.month.table.go_to((worker(n), day))
        return fields.isVisible()

    assert not asked(1, "2026-11-09")
    assert asked(3, "2026-11-09"), "before his assignment begins"
    assert not asked(3, "2026-11-10")
    assert asked(2, "2026-11-09")
    fields.boxes[1].setCurrentIndex(fields.boxes[1].findData("S01"))
    desk.month.typing.accept([(worker(n), "2026-11-09") for n in (1, 2)])
    drafts = desk.month.typing.drafts.state()
    assert drafts[worker(2), "2026-11-09"].occupation == "S01"
    assert drafts[worker(1), "2026-11-09"].occupation is None, "the contract tree knows it"
    desk.month.save()
    desk.until(lambda: len(desk.month.typing.drafts) == 0)


def vars_of(desk: Desk) -> list[dict[str, object]]:
    """The operators with their PINs, as they are on the roster."""
    return [
        {"id": o.id, "name": o.name, "roles": list(o.roles), "pin_verifier": o.pin_verifier, "worker_id": o.worker_id}
        for o in desk.bench.desk.roster.operators.values()
    ]


def test_a_wrong_time_loses_nothing(desk: Desk) -> None:
    desk.sit_down("foreman-1")
    desk.loaded()
    place = (worker(2), "2026-11-10")
    desk.month.table.go_to(place)
    desk.month.typing.accept([place])
    desk.month.panel.in_at.setText("99:99")
    desk.month.typing.accept_fields()
    assert list(desk.month.typing.drafts.state()) == [place]


def test_sums_under_the_month_add_up(desk: Desk) -> None:
    crew_week(desk.bench, without=TWO)
    desk.sit_down("foreman-1")
    desk.loaded()
    model, texts = desk.month.model, desk.month.sums.texts
    by_day = [int(text or 0) for text in texts[1:-2]]
    totals = [int(model.text(model.index(n, len(model.days) + 1)) or 0) for n in range(1, len(model.lines))]
    assert sum(by_day) == sum(totals) == int(texts[-2]) > 0
    desk.month.bar.search.setText("カクウ 5")
    assert int(desk.month.sums.texts[-2]) < sum(totals), "of the lines that are shown"


def test_a_gates_pc_says_in_place_what_is_not_done_here(desk: Desk) -> None:
    here = SignedIn("approver-1", "架空 所長", frozenset({Right.VIEW}), frozenset({Right.APPROVE, Right.ENTER}))
    desk.window.sit_down(here)
    assert desk.month.note.isVisible()
    desk.window.go("approval")
    assert desk.approval.note.isVisible()
    assert not desk.approval.yes.isVisible()


DEEDS = {
    "candidates": ("yes", "no", "save"),
    "approval": ("yes", "no", "all", "decided", "take_back"),
    "decisions": ("undo", "reason"),
    "backfill": ("all", "store"),
    "cards": ("who", "bind", "undo"),
    "batches": ("take_back", "reason"),
}
"""Page → what is there to press or type where somebody may do it."""


@pytest.mark.parametrize("at_gate", [True, False], ids=["gate", "office"])
def test_at_a_gates_pc_no_page_has_a_button_for_what_the_centre_would_not_take(desk: Desk, at_gate: bool) -> None:
    """Of an administrator, who has every right at an office's PC."""
    desk.window.sit_down(SignedIn("admin-1", "架空 管理", *rights_of(["administrator"], at_gate=at_gate)))
    for code, names in DEEDS.items():
        desk.window.go(code)
        page = desk.window.pages[code]
        assert page.isVisible()
        assert {name: getattr(page, name).isVisible() for name in names} == dict.fromkeys(names, not at_gate), code


def test_who_is_taken_off_the_roster_is_signed_out(desk: Desk) -> None:
    desk.sit_down("foreman-1")
    desk.loaded()
    desk.month.typing.accept([(worker(2), "2026-11-10")])
    desk.window.take(Seated(None))
    assert desk.window.stack.currentWidget() is desk.window.pin
    assert "担当者ではなくなった" in desk.window.line.left.text()
    assert len(desk.month.typing.drafts) == 1


def test_a_draft_nobody_can_reach_any_more_keeps_no_other_from_being_stored(desk: Desk) -> None:
    desk.sit_down("foreman-1")
    desk.loaded()
    desk.month.typing.accept([(worker(8), "2026-11-10"), (worker(2), "2026-11-10")])
    site = tiny_site(7)
    desk.bench.roster(workers=site["workers"], assignments=site["assignments"], operators=vars_of(desk))
    desk.service.roster_changed()
    desk.month.show_month(desk.month.month)
    desk.loaded()
    desk.month.save()
    desk.until(lambda: list(desk.month.typing.drafts.state()) == [(worker(2), "2026-11-10")])
    assert "名簿にいない" in desk.window.line.left.text()
    desk.month.save()
    desk.until(lambda: len(desk.month.typing.drafts) == 0)


def test_news_from_the_centre_disturb_no_selection_and_no_typing(desk: Desk) -> None:
    desk.sit_down("foreman-1")
    desk.loaded()
    table, model = desk.month.table, desk.month.model
    chosen = table.selectionModel()
    for n in (2, 3):
        chosen.select(model.find((worker(n), "2026-11-10")), chosen.SelectionFlag.Select)
    desk.bench.touch(5, "2026-11-10")
    desk.month._ask_month(keep=True)
    desk.until(lambda: model.marks[worker(5)] != {})
    assert [place[0] for place in table.chosen()] == [worker(2), worker(3)]

    desk.window.go("heads")
    heads = desk.window.pages["heads"]
    assert isinstance(heads, HeadcountMonthPage)
    desk.until(lambda: heads.model.rowCount() > 0)
    heads.table.setCurrentIndex(heads.model.index(0, 2))
    desk.bot.keyClicks(heads.table, "1")
    heads._typed(heads.model.companies[0][0], "2026-11-01", 5)  # what was typed before is stored now
    desk.until(lambda: "5/" in heads.model.text(heads.model.index(0, 1)))
    assert heads.table.state() == heads.table.State.EditingState
    assert heads.model.setData(heads.model.index(0, 2), "12")
    desk.until(lambda: "12/" in heads.model.text(heads.model.index(0, 2)))
    # the sums stand below the table and follow what is typed; the line itself is not far below all companies as well
    desk.until(lambda: heads.sums.texts[1].lstrip("(").startswith("5"))
    assert heads.sums.texts[2].lstrip("(").startswith("12")
    assert heads.table.isRowHidden(heads.model.rowCount() - 1)
    assert not heads.table.isRowHidden(0)
