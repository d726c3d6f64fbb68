"""The line at the bottom says what is true now: what waits, and what happened on this page."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QStyleOptionViewItem

from app.demo.office_pictures import NOW, make_station
from app.demo.site import SITE_ID, worker_id
from app.domain.events import JST
from app.office.shapes import EntryWanted, Waiting
from app.settings import DataDir
from app.sync.status import SyncStatus
from app.ui.gallery_data import GalleryClock
from app.ui.theme import SKINS, Look, colour
from app.wiring.office import build_office
from app.wiring.station import open_station
from tests.ui.office.conftest import Desk


def test_what_waits_is_counted_again_as_soon_as_something_is_stored(tmp_path: Path) -> None:
    clock, data = GalleryClock(NOW), DataDir.at(tmp_path / "data")
    make_station(data, clock)
    run = build_office(open_station(data, clock=clock), SITE_ID)
    try:
        seen: list[int] = []
        run.listen_sync(lambda status: seen.append(status.pending))
        before = run.station.outbox.counts().pending
        run.on_sync(SyncStatus(pending=before))
        run.desk.sign_in("op-admin")
        run.service.start()
        entry = EntryWanted(worker_id(4), "2026-11-11", "card_forgotten", "07:40", "17:00")
        run.service.enter([entry], lambda outcome: seen.append(-outcome.stored))
        run.service.settle()
        assert sorted(seen) == [-1, before, before + 1]
    finally:
        run.service.stop()
        run.station.close()


def test_what_was_said_does_not_stand_on_another_page(desk: Desk) -> None:
    desk.sit_down("foreman-1")
    for look in ("recorded", "bad"):
        desk.window.go("month")
        desk.window.line.tell(look, "3 件を保存しました")
        desk.window.go("approval")
        assert "承認しない" in desk.window.line.left.text()


def test_nobody_is_offered_to_approve_his_own_and_a_chosen_line_keeps_its_colours(desk: Desk) -> None:
    desk.sit_down("approver-1")
    desk.window.go("approval")
    desk.service.settle()
    page = desk.approval
    mine = Waiting(
        "e1", "w1", "仁科 瑞希", "さくら電設", "2026-11-04", None, None, "電工", "一般", "no_card", "私",
        datetime(2026, 11, 20, tzinfo=JST), days_left=2, own=True, unsent=False,
    )  # fmt: skip
    page.table.show_rows([mine, replace(mine, entry_id="e2", own=False)], lambda one: one.entry_id)
    page.table.selectRow(0)
    assert not page.yes.isEnabled()
    assert "承認できません" in page.sum.text()
    option = QStyleOptionViewItem()
    page.table.itemDelegate().initStyleOption(option, page.table.list.index(0, 0))
    assert option.palette.color(QPalette.ColorRole.HighlightedText) == colour(SKINS[Look.CHECK].strong)
    page.all.click()
    assert [one.entry_id for one in page.table.chosen()] == ["e2"]
    assert page.yes.isEnabled()
