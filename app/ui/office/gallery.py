"""Pictures of the office's window, over a real office: `python -m app.demo.office_pictures --out DIR` makes one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QElapsedTimer, QEventLoop
from PySide6.QtWidgets import QApplication

from app.clock import Clock
from app.office.shapes import SignedIn
from app.ui.bridge import Bridge
from app.ui.gallery import save, settle
from app.ui.office.approval_page import ApprovalPage
from app.ui.office.backfill_page import BackfillPage
from app.ui.office.candidate_page import CandidatePage
from app.ui.office.decision_page import DecisionPage
from app.ui.office.headcount_page import HeadcountMonthPage
from app.ui.office.import_batches import BatchesPage
from app.ui.office.import_cards import UnknownCardsPage
from app.ui.office.import_flow import Step
from app.ui.office.import_page import ImportPage
from app.ui.office.month_page import MonthPage
from app.ui.office.run import OfficeParts, make_window
from app.ui.office.window import OfficeWindow
from app.ui.theme import make_font

T = TypeVar("T")
LONGEST_MS = 180_000


@dataclass(frozen=True, slots=True)
class Props:
    """What stands behind the window. Everything of it is made up."""

    person: SignedIn
    """Sits here already; with every right."""
    known: Path
    """A file whose format is known, with something of everything."""
    mixed: Path
    """A file that cannot be imported."""
    unknown: Path
    """A file whose columns have to be named."""
    large: Path
    """A file that takes some seconds."""
    month: str
    """A month with likely missed days."""
    family: str
    """Some letters of a worker's kana."""


class Stage:
    """The window under the camera."""

    def __init__(self, window: OfficeWindow, props: Props) -> None:
        self.window, self.props = window, props

    def until(self, true: Callable[[], bool]) -> None:
        """Let the window live until `true`. Raises TimeoutError."""
        timer = QElapsedTimer()
        timer.start()
        while not true():
            if timer.elapsed() > LONGEST_MS:
                raise TimeoutError(f"the window never came to {true}")
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        settle(self.window)

    def rest(self, milliseconds: int) -> None:
        """Let timers and other threads go on."""
        timer = QElapsedTimer()
        timer.start()
        self.until(lambda: timer.elapsed() > milliseconds)

    @property
    def imports(self) -> ImportPage:
        """取込."""
        return _page(self.window, "import", ImportPage)


def _page(window: OfficeWindow, code: str, kind: type[T]) -> T:
    page = window.pages[code]
    if not isinstance(page, kind):
        raise TypeError(code)
    return page


# ---- 出面 ------------------------------------------------------------------------------------------------------------


def _month(stage: Stage) -> None:
    page = _page(stage.window, "month", MonthPage)
    stage.window.go("month")
    page.show_month(stage.props.month)
    stage.until(lambda: page.model.month is not None and page.model.month.month == stage.props.month)
    stage.until(lambda: "…" not in page.bar.candidates.text())
    stage.rest(300)


def _candidate(stage: Stage) -> None:
    _month(stage)
    _page(stage.window, "month", MonthPage).next_candidate()
    stage.rest(200)


def _candidates(stage: Stage) -> None:
    stage.window.go("candidates")
    page = _page(stage.window, "candidates", CandidatePage)
    stage.until(lambda: bool(page.table.list.rows))
    page.table.selectRow(0)
    stage.rest(200)


def _decisions(stage: Stage) -> None:
    queue = _page(stage.window, "approval", ApprovalPage)
    before = len(queue.table.list.rows)
    queue.choose_all()
    queue.decide(True)
    stage.until(lambda: len(queue.table.list.rows) < before)
    stage.window.go("decisions")
    page = _page(stage.window, "decisions", DecisionPage)
    stage.until(lambda: bool(page.table.list.rows))
    page.table.selectRow(0)
    page.reason.setText("別の人でした" if stage.window.words.language == "ja" else "it was somebody else")


def _approval(stage: Stage) -> None:
    month = _page(stage.window, "month", MonthPage)
    for _ in range(3):
        month.typing.accept(month.table.chosen())
        month.next_candidate()
    month.save()
    stage.until(lambda: len(month.typing.drafts) == 0)
    stage.window.go("approval")
    page = _page(stage.window, "approval", ApprovalPage)
    stage.until(lambda: bool(page.table.list.rows))
    page.table.selectRow(0)


def _heads(stage: Stage) -> None:
    stage.window.go("heads")
    page = _page(stage.window, "heads", HeadcountMonthPage)
    page.show_month(stage.props.month)
    stage.until(lambda: page.model.columnCount() > 2)
    stage.rest(200)


def _backfill(stage: Stage) -> None:
    stage.window.go("backfill")
    page = _page(stage.window, "backfill", BackfillPage)
    page.show_month(stage.props.month)
    looking = stage.window.words.title("backfill.looking")
    stage.until(lambda: page.sum.text() != looking)
    page.choose_all()


# ---- 取込 ------------------------------------------------------------------------------------------------------------


def _import_start(stage: Stage) -> None:
    stage.window.go("import")
    stage.rest(200)


def _import_files(stage: Stage) -> None:
    page = stage.imports
    stage.window.go("import")
    files = (stage.props.known, stage.props.mixed, stage.props.unknown)
    page.flow.take_files([str(file) for file in files])
    stage.until(lambda: len(page.files.rows) == len(files))


def _import_map(stage: Stage) -> None:
    page = stage.imports
    page.flow.map(str(stage.props.unknown))
    stage.until(lambda: bool(page.mapping.cells.columns))
    page.mapping.name.setText("北ゲート" if stage.window.words.language == "ja" else "North gate")
    stage.rest(300)


def _import_clock(stage: Stage) -> None:
    page = stage.imports
    page.flow.begin(str(stage.props.known), page.files.files[0].formats[0])
    page.clock.wrong.setChecked(True)
    device, computer = page.clock.pairs[0]
    computer.setDateTime(device.dateTime().addSecs(-183))
    stage.until(lambda: bool(page.clock.correction.offset_s))
    stage.until(lambda: page.clock.shown.offset_s == page.clock.correction.offset_s)


def _import_plan(stage: Stage) -> None:
    page = stage.imports
    page.flow.plan()
    stage.until(lambda: page.flow.step is Step.PLAN)


def _import_report(stage: Stage) -> None:
    page = stage.imports
    page.flow.store()
    stage.until(lambda: page.flow.step is Step.REPORT)


def _import_progress(stage: Stage) -> None:
    page = stage.imports
    page.flow.back()
    page.flow.take_files([str(stage.props.large)])
    stage.until(lambda: str(stage.props.large) in [one.file for one in page.files.files])
    page.flow.begin(str(stage.props.large), page.files.files[-1].formats[0])
    stage.until(lambda: bool(page.clock.table.list.rows))
    page.flow.plan()
    stage.until(lambda: page.flow.step is Step.PLAN)
    page.flow.store()
    stage.until(lambda: bool(page.progress.pace.text()) or page.flow.step is Step.REPORT)


def _import_clear(stage: Stage) -> None:
    stage.until(lambda: stage.imports.flow.step is Step.REPORT)


def _import_cards(stage: Stage) -> None:
    stage.window.go("cards")
    page = _page(stage.window, "cards", UnknownCardsPage)
    stage.until(lambda: bool(page.table.list.rows))
    for typed in (stage.props.family, ""):
        page.who.setText(stage.props.family)
        stage.until(lambda: page.hits.count() > 0)
        if typed:
            page.give()


def _import_batches(stage: Stage) -> None:
    stage.window.go("batches")
    page = _page(stage.window, "batches", BatchesPage)
    stage.until(lambda: bool(page.table.list.rows))
    page.table.selectRow(0)
    page.reason.setText("別の現場のファイルでした" if stage.window.words.language == "ja" else "another site's file")


SCENES: Mapping[str, Callable[[Stage], None]] = {
    "month": _month,
    "candidate": _candidate,
    "approval": _approval,
    "decisions": _decisions,
    "heads": _heads,
    "backfill": _backfill,
    "candidates": _candidates,
    "import-start": _import_start,
    "import-files": _import_files,
    "import-map": _import_map,
    "import-clock": _import_clock,
    "import-plan": _import_plan,
    "import-report": _import_report,
    "import-progress": _import_progress,
    "import-clear": _import_clear,
    "import-cards": _import_cards,
    "import-batches": _import_batches,
}
"""In an order in which each can stand on what came before."""


def make_pictures(
    parts: OfficeParts,
    props: Props,
    clock: Clock,
    folder: Path,
    language: str = "ja",
    ending: str = "",
    size: tuple[int, int] = (1366, 768),
    only: Collection[str] = (),
) -> list[Path]:
    """Write office-<scene><ending>.png for each scene (or for those of `only`). Needs `parts` running. Main thread."""
    application = QApplication.instance() or QApplication(sys.argv[:1])
    if isinstance(application, QApplication):
        application.setFont(make_font(15))
    bridge = Bridge()
    window = make_window(parts, bridge, clock, language)
    made: list[Path] = []
    try:
        window.resize(*size)
        window.show()
        window.sit_down(props.person)
        parts.sync(bridge.take_sync)
        stage = Stage(window, props)
        for scene, play in SCENES.items():
            play(stage)
            if only and scene not in only:
                continue
            made.append(folder / f"office-{scene}{ending}.png")
            save(window, made[-1])
    finally:
        window.leave_now()
        bridge.close()
        window.deleteLater()
        settle(window)
    return made
