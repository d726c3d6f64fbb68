"""The road of one file through an import: which step comes after which, and what is asked of the importer for it.

No widgets here but the steps it is given; an answer that belongs to a file somebody has left meanwhile is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.events import JST
from app.office.import_port import (
    BatchEntry,
    ClockPair,
    FormatEntry,
    FormatSaved,
    ImportPort,
    ImportWanted,
    Layout,
    Plan,
    Preview,
    Progress,
    Recognised,
    Report,
)
from app.ui.bridge import Bridge
from app.ui.office.import_clock import ClockStep
from app.ui.office.import_files import FilesStep
from app.ui.office.import_mapping import MappingStep
from app.ui.office.import_numbers import PlanStep
from app.ui.office.import_progress import ProgressStep
from app.ui.office.import_report import ReportStep
from app.ui.office.saving import documents
from app.ui.words import Words

T = TypeVar("T")
_PREVIEW_ROWS = 100
_CELL_ROWS = 100
_PREVIEW_MS = 150
BAD = ".bad"
"""Before the suffix of a file of bad rows (`app.office.formats.device_names`)."""


class Step(StrEnum):
    """Steps in their order; `message wizard.step_<value>`."""

    FILES = "files"
    MAPPING = "mapping"
    CLOCK = "clock"
    PLANNING = "planning"
    PLAN = "plan"
    STORING = "storing"
    REPORT = "report"


class ImportFlow(QObject):
    """GUI thread. `moved`: another step is up, or what can be pressed in it has changed."""

    moved = Signal()
    told = Signal(str, str)

    def __init__(
        self, port: ImportPort, bridge: Bridge, words: Words, now: Callable[[], datetime], site_id: str
    ) -> None:
        super().__init__()
        self._port, self._bridge, self._words, self._now, self._site_id = port, bridge, words, now, site_id
        self.step = Step.FILES
        self.wanted: ImportWanted | None = None
        self.formats: tuple[FormatEntry, ...] = ()
        self._road = 0
        """Another number for each file and each way back: answers of an older one are dropped."""

    def stand_on(
        self,
        files: FilesStep,
        mapping: MappingStep,
        clock: ClockStep,
        plan: PlanStep,
        progress: ProgressStep,
        report: ReportStep,
    ) -> None:
        """The steps; once."""
        self._files, self._mapping, self._clock = files, mapping, clock
        self._plan, self._progress, self._report = plan, progress, report
        files.files_wanted.connect(self.take_files)
        files.wanted.connect(self.begin)
        files.map_wanted.connect(self.map)
        mapping.cells_wanted.connect(self._ask_cells)
        mapping.changed.connect(self.moved)
        clock.offer_wanted.connect(self._ask_offer)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_PREVIEW_MS)
        self._later.timeout.connect(self._ask_preview)
        clock.changed.connect(self._later.start)
        progress.cancel_wanted.connect(self._port.cancel)

    def _reply(self, function: Callable[[T], None]) -> Callable[[T], None]:
        road = self._road

        def take(answer: T) -> None:
            if road == self._road:
                function(answer)

        return self._bridge.reply(take)

    def _go(self, step: Step) -> None:
        self.step = step
        self.moved.emit()

    # ---- files and formats ----------------------------------------------------------------------------------------

    def ask_formats(self) -> None:
        """Which formats are there?"""
        self._port.formats(self._bridge.reply(self._took_formats))

    def _took_formats(self, formats: Sequence[FormatEntry]) -> None:
        self.formats = tuple(formats)
        self._files.show_formats(formats)

    def take_files(self, files: Sequence[str]) -> None:
        """Files were dropped or chosen; on another step than the first they wait there."""
        if files:
            self._port.recognise(list(files), self._bridge.reply(self._recognised))

    def _recognised(self, found: Sequence[Recognised]) -> None:
        self._files.add(found)
        self.moved.emit()

    def map(self, file: str) -> None:
        """No format fits, or none is right: its columns are named by hand."""
        self._road += 1
        self.wanted = ImportWanted(file, "")
        self._go(Step.MAPPING)
        self._mapping.begin()

    def _ask_cells(self, layout: Layout) -> None:
        if self.wanted is not None and self.step is Step.MAPPING:
            self._port.cells(self.wanted.file, layout, _CELL_ROWS, self._reply(self._mapping.show_cells))

    def save_format(self) -> None:
        """The mapping becomes a format of the office's own, and the import goes on with it."""
        draft = self._mapping.draft([entry.name for entry in self.formats])
        self._port.save_format(draft, False, self._reply(self._saved_format))

    def _saved_format(self, saved: FormatSaved) -> None:
        if saved.error is not None or self.wanted is None:
            self._mapping.show_saved(saved)
            return
        self.ask_formats()
        self.take_files([self.wanted.file])
        self.begin(self.wanted.file, saved.name)
        self.told.emit("recorded", self._words.title("wizard.format_saved"))

    # ---- clock, plan, storing -------------------------------------------------------------------------------------

    def begin(self, file: str, format_: str) -> None:
        """This file, in this format."""
        self._road += 1
        self.wanted = ImportWanted(file, format_, self._site_id, bad_file=str(self._bad_file(Path(file))))
        self._clock.begin()
        self._port.batches(self._reply(self._took_batches))
        self._go(Step.CLOCK)
        self._ask_preview()

    def _took_batches(self, batches: Sequence[BatchEntry]) -> None:
        self._clock.show_devices(list(dict.fromkeys(one.device for one in batches)))

    def _wanted_now(self, wanted: ImportWanted) -> ImportWanted:
        return replace(wanted, correction=self._clock.correction, device=self._clock.device_wanted())

    def _ask_offer(self, pairs: Sequence[ClockPair]) -> None:
        self._port.offer_clock(pairs, self._reply(self._clock.show_offer))

    def _ask_preview(self) -> None:
        if self.wanted is None or self.step is not Step.CLOCK:
            return
        wanted = self.wanted = self._wanted_now(self.wanted)

        def took(preview: Preview) -> None:
            if wanted == self.wanted:
                self._clock.show_preview(preview, wanted.correction)
                self.moved.emit()

        self._port.preview(wanted, _PREVIEW_ROWS, self._reply(took))

    def plan(self) -> None:
        """What would happen?"""
        if self.wanted is not None:
            self.wanted = self._wanted_now(self.wanted)
            self._go(Step.PLANNING)
            self._progress.begin("plan")
            # a trial writes nothing at all
            self._port.plan(replace(self.wanted, bad_file=""), self._reply(self._planned))

    def _planned(self, plan: Plan) -> None:
        if self._progress.cancelled:
            self._go(Step.CLOCK)
            return
        self._plan.show_plan(plan)
        self._go(Step.PLAN)

    def store(self) -> None:
        """Import it."""
        if self.wanted is not None:
            self._go(Step.STORING)
            self._progress.begin("store")
            self._make_folder(Path(self.wanted.bad_file))
            self._port.run(self.wanted, self._reply(self._stored))

    def _bad_file(self, file: Path) -> Path:
        """Where rows to be mended go: by its name the importer knows the device again. Nothing is overwritten."""
        name = f"{file.stem.removesuffix(BAD)}{BAD}.csv"
        stamp = f"{self._now().astimezone(JST):%Y%m%d-%H%M%S}"
        here = documents() / name
        return documents() / stamp / name if here.exists() else here

    def _make_folder(self, file: Path) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:  # the importer will say what becomes of its file
            self.told.emit("check", self._words.title("office.not_saved_file", where=str(file), why=exc.strerror))

    def _stored(self, report: Report) -> None:
        self._report.show_report(report)
        if report.error is None and not report.cancelled and self.wanted is not None:
            self._files.remove(self.wanted.file)
        self._go(Step.REPORT)

    def take_progress(self, news: Progress) -> None:
        """How far the plan or the import is."""
        if self.step in (Step.PLANNING, Step.STORING):
            self._progress.show_progress(news)

    # ---- back -----------------------------------------------------------------------------------------------------

    def back(self) -> None:
        """One step back; from the report to another file."""
        if self.step in (Step.PLANNING, Step.STORING):
            self._progress.stop()
            return
        if self.step is Step.PLAN:
            self._go(Step.CLOCK)
            return
        self._road += 1
        self._go(Step.FILES)
