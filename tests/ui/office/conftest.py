"""The office's window over a real office: real store, real thread, real PINs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uuid_utils
from pytestqt.qtbot import QtBot

from app.gate.look import LookRow
from app.messages import say
from app.office.formats.reading import PhoneBook
from app.office.import_after import ImportAfter
from app.office.import_desk import ImportDesk
from app.office.import_file import PhoneKeys
from app.office.import_notes import ImportNotes
from app.office.import_service import ImportService
from app.office.service import OfficeService
from app.pins import PinGuard
from app.secrets import check_pin, make_pin_verifier
from app.settings import DataDir
from app.store.audit import AuditTrail
from app.store.database import Database
from app.store.import_lists import ImportLists
from app.store.imports import ImportStore
from app.sync.status import SyncStatus
from app.ui.bridge import Bridge
from app.ui.office.approval_page import ApprovalPage
from app.ui.office.month_page import MonthPage
from app.ui.office.run import OfficeParts, make_window
from app.ui.office.window import OfficeWindow
from app.wiring.import_formats import FormatFolder
from tests.helpers.fake_clock import FakeClock
from tests.office.desk_bench import OPERATORS, OfficeBench, make_bench

PINS = {"foreman-1": "1111", "approver-1": "2222", "office-1": "3333"}


@dataclass
class NoDelivery:
    """What the delivery page asks; nothing needs a look."""

    asked: list[str] = field(default_factory=list)

    def send_now(self) -> None:
        self.asked.append("send")

    def roster_now(self) -> None:
        self.asked.append("roster")

    def look(self, reply: Callable[[tuple[LookRow, ...]], None]) -> None:
        reply(())

    def send_again(self, ids: list[str], reply: Callable[[tuple[LookRow, ...]], None]) -> None:
        reply(())


@dataclass
class Desk:
    """The window, and what is behind it."""

    window: OfficeWindow
    bench: OfficeBench
    service: OfficeService
    bot: QtBot
    stored: list[int]
    imports: ImportService

    @property
    def month(self) -> MonthPage:
        page = self.window.pages["month"]
        assert isinstance(page, MonthPage)
        return page

    @property
    def approval(self) -> ApprovalPage:
        page = self.window.pages["approval"]
        assert isinstance(page, ApprovalPage)
        return page

    def until(self, true: Callable[[], bool]) -> None:
        self.bot.waitUntil(true, timeout=20_000)

    def sit_down(self, operator_id: str) -> None:
        """Type a PIN and wait for the page."""
        for digit in PINS[operator_id]:
            self.window.pin.press(digit)
        self.window.pin.press("ok")
        self.until(lambda: self.window.person is not None)
        assert self.window.person is not None
        assert self.window.person.operator_id == operator_id

    def loaded(self) -> None:
        """Wait for all marks and the candidates."""
        self.service.settle()
        self.until(lambda: self.month.model.month is not None and not self.month.model.unloaded(0, 1))
        self.until(lambda: "…" not in self.month.bar.candidates.text())


@pytest.fixture(scope="session")
def verifiers() -> dict[str, str]:
    return {operator: make_pin_verifier(pin) for operator, pin in PINS.items()}


@pytest.fixture(scope="session")
def office_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("office-ui") / "data"
    Database.open(folder / "genba-touch.db", bytes(32), FakeClock()).close()
    return folder


def make_imports(bench: OfficeBench, folder: Path, on_stored: Callable[[], None]) -> ImportService:
    """The importer over the bench's store."""

    def words(code: str, values: Mapping[str, str]) -> tuple[str, str]:
        message = say(code, "ja", **values)
        return message.title, message.remedy

    formats, db, clock = FormatFolder(DataDir.at(folder)), bench.db, bench.clock
    desk = ImportDesk(
        ImportStore(db), bench.rosters, clock, lambda: str(uuid_utils.uuid7()), formats,
        PhoneKeys(lambda: None, lambda _: None), PhoneBook, lambda _: bench.rosters.sites()[0], words,
    )  # fmt: skip
    after = ImportAfter(ImportLists(db), bench.log, bench.rosters, clock, lambda: str(uuid_utils.uuid7()))
    return ImportService(
        desk, after, formats, lambda: bench.rosters.sites()[0], lambda: bench.desk.person, on_stored,
        ImportNotes(AuditTrail(db)),
    )  # fmt: skip


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path, office_template: Path, verifiers: dict[str, str]) -> Iterator[Desk]:
    clock = FakeClock()
    shutil.copytree(office_template, tmp_path / "data")
    with Database.open(tmp_path / "data" / "genba-touch.db", bytes(32), clock) as db:
        bench = make_bench(db, clock)
        bench.roster(operators=[one | {"pin_verifier": verifiers.get(one["id"], "")} for one in OPERATORS])
        stored: list[int] = []
        pins = PinGuard(AuditTrail(db), clock, check_pin)
        service = OfficeService(bench.desk, pins, lambda: stored.append(1))
        imports = make_imports(bench, tmp_path / "data", lambda: stored.append(1))
        bridge = Bridge()
        parts = OfficeParts(service, NoDelivery(), lambda take: take(SyncStatus()), imports)
        window = make_window(parts, bridge, clock, "ja")
        qtbot.addWidget(window)
        window.resize(1366, 768)
        window.show()
        service.start()
        imports.start()
        yield Desk(window, bench, service, qtbot, stored, imports)
        imports.stop()
        service.stop()
        bridge.close()
