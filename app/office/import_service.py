"""The importer's own thread: questions wait in one queue and are answered in turn, so the month's pages never wait.

A question that fails is answered with its error, and the thread goes on.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from app.domain.site import Site
from app.errors import GenbaError, InputRefused
from app.office.formats.clock import offer
from app.office.import_after import ImportAfter
from app.office.import_desk import ImportDesk, said
from app.office.import_layout import (
    Cells,
    FormatDraft,
    FormatEntry,
    FormatSaved,
    Layout,
    Recognised,
    Said,
)
from app.office.import_mapping import cells_of, values_of
from app.office.import_notes import ImportNotes
from app.office.import_shapes import (
    BatchEntry,
    BindWanted,
    ClockOffer,
    ClockPair,
    Imported,
    ImportNews,
    ImportTrouble,
    ImportWanted,
    Plan,
    Preview,
    Progress,
    Proposal,
    Report,
    UnknownCard,
)
from app.office.importing import Cancelled
from app.office.shapes import Outcome, Right, SignedIn

T = TypeVar("T")
log = logging.getLogger(__name__)


class FormatFiles(Protocol):
    """The formats as files (`app.wiring.import_formats`)."""

    def entries(self) -> Sequence[FormatEntry]:
        """All of them."""

    def save(self, values: dict[str, object], *, replace: bool) -> None:
        """Raises InputRefused."""


class ImportService:
    """Implements `app.office.import_port.ImportPort`. Public methods: any thread, at once."""

    def __init__(
        self,
        desk: ImportDesk,
        after: ImportAfter,
        formats: FormatFiles,
        site: Callable[[], Site],
        person: Callable[[], SignedIn | None],
        on_stored: Callable[[], None],
        notes: ImportNotes,
    ) -> None:
        """`person`: who is signed in; `on_stored`: something was put in the outbox (on the importer's thread)."""
        self._desk, self._after, self._formats, self._notes = desk, after, formats, notes
        self._site, self._person, self._on_stored = site, person, on_stored
        self._jobs: queue.SimpleQueue[tuple[int, Callable[[], None]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._asked = self._cancelled = self._now = 0
        self._listeners: tuple[Callable[[ImportNews], None], ...] = ()
        self._thread = threading.Thread(target=self._run, name="import", daemon=True)

    def start(self) -> None:
        """Start the importer's thread."""
        self._thread.start()

    def stop(self) -> None:
        """End what is under way (nothing of it is stored) and the thread. Safe to call twice."""
        self.cancel()
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def settle(self) -> None:
        """Wait until everything asked so far is answered."""
        done = threading.Event()
        self._put(done.set)
        done.wait()

    # -- ImportPort ------------------------------------------------------------------------------------------------

    def listen(self, listener: Callable[[ImportNews], None]) -> None:
        """See `ImportPort`."""
        self._listeners = (*self._listeners, listener)

    def formats(self, reply: Callable[[Sequence[FormatEntry]], None]) -> None:
        """See `ImportPort`."""
        self._ask(self._formats.entries, reply)

    def recognise(self, files: Sequence[str], reply: Callable[[Sequence[Recognised]], None]) -> None:
        """See `ImportPort`."""

        def one(file: str) -> Recognised:
            try:
                return Recognised(file, self._desk.recognise(Path(file)), Path(file).stat().st_size)
            except (GenbaError, OSError) as exc:
                error = exc if isinstance(exc, GenbaError) else InputRefused("file.missing", file, why=exc.strerror)
                return Recognised(file, error=said(error))

        self._ask(lambda: [one(file) for file in files], reply)

    def cells(self, file: str, layout: Layout, rows: int, reply: Callable[[Cells], None]) -> None:
        """See `ImportPort`."""
        self._ask(lambda: cells_of(Path(file), layout, rows), reply, lambda e: Cells(layout, (), (), error=e))

    def save_format(self, draft: FormatDraft, replace: bool, reply: Callable[[FormatSaved], None]) -> None:
        """See `ImportPort`."""

        def save() -> FormatSaved:
            if self._refusal(Right.IMPORT):
                return FormatSaved(error=Said(self._refusal(Right.IMPORT)))
            self._formats.save(values_of(draft), replace=replace)
            return FormatSaved(draft.name)

        self._ask(save, reply, lambda error: FormatSaved(error=error))

    def offer_clock(self, pairs: Sequence[ClockPair], reply: Callable[[ClockOffer], None]) -> None:
        """See `ImportPort`."""
        self._ask(lambda: offer(pairs), reply)

    def preview(self, wanted: ImportWanted, rows: int, reply: Callable[[Preview], None]) -> None:
        """See `ImportPort`."""
        self._ask(lambda: self._desk.preview(wanted, rows), reply, lambda error: Preview(error=error))

    def plan(self, wanted: ImportWanted, reply: Callable[[Plan], None]) -> None:
        """See `ImportPort`."""
        self._ask(
            lambda: self._desk.run(wanted, dry_run=True, tell=self._tell, cancelled=self._is_cancelled),
            lambda report: reply(report.plan if not report.cancelled else Plan(error=Said("import.cancelled"))),
            lambda error: Report(Plan(error=error)),
        )

    def run(self, wanted: ImportWanted, reply: Callable[[Report], None]) -> None:
        """See `ImportPort`."""

        def work() -> Report:
            by, refusal = self._by(), self._refusal(Right.IMPORT)
            try:
                if refusal:
                    raise InputRefused(refusal)
                report = self._desk.run(wanted, dry_run=False, tell=self._tell, cancelled=self._is_cancelled)
            except InputRefused as error:
                self._notes.refused(wanted, error.code, by or None)
                raise
            self._notes.imported(wanted, report, by)
            return report

        def answer(report: Report) -> None:
            reply(report)
            if report.batch is not None:
                self._stored()

        self._ask(work, answer, lambda e: Report(Plan(error=e), verdict=Said("import.keep_refused"), error=e))

    def cancel(self) -> None:
        """See `ImportPort`."""
        with self._lock:
            self._cancelled = self._asked

    def batches(self, reply: Callable[[Sequence[BatchEntry]], None]) -> None:
        """See `ImportPort`."""
        self._ask(self._after.batches, reply)

    def take_back(self, batch: int, reason: str, reply: Callable[[Outcome], None]) -> None:
        """See `ImportPort`."""

        def step(done: int) -> None:
            if self._is_cancelled():
                raise Cancelled
            self._tell(Progress("take_back", done, done, 0.0, None))

        def work(by: str) -> Outcome:
            try:
                return Outcome(stored=self._after.take_back(batch, reason, by, step))
            except Cancelled:
                return Outcome(error="import.cancelled")

        self._deed("import_take_back", Right.CARDS, work, reply, f"batch={batch}")

    def unknown_cards(self, reply: Callable[[Sequence[UnknownCard]], None]) -> None:
        """See `ImportPort`."""
        self._ask(lambda: self._after.unknown_cards(self._site()), reply)

    def bind(self, wanted: Sequence[BindWanted], reply: Callable[[Outcome], None]) -> None:
        """See `ImportPort`."""
        self._deed("import_bind", Right.CARDS, lambda by: self._after.bind(self._site(), wanted, by), reply)

    def confirm(self, proposals: Sequence[Proposal], reply: Callable[[Outcome], None]) -> None:
        """See `ImportPort`."""
        self._deed("import_confirm", Right.CORRECT, lambda by: self._after.confirm(self._site(), proposals, by), reply)

    # -- the thread ------------------------------------------------------------------------------------------------

    def _by(self) -> str:
        """Id of who is signed in; '' for nobody."""
        person = self._person()
        return person.operator_id if person is not None else ""

    def _refusal(self, right: Right) -> str:
        """Message code of why who is signed in may not do it; '' if he may."""
        person = self._person()
        if person is not None and right in person.rights:
            return ""
        return "import.gate_station" if person is not None and right in person.withheld else "office.not_allowed"

    def _put(self, job: Callable[[], None]) -> None:
        with self._lock:
            self._asked += 1
            self._jobs.put((self._asked, job))

    def _ask(
        self, question: Callable[[], T], reply: Callable[[T], None], failed: Callable[[Said], T] | None = None
    ) -> None:
        def job() -> None:
            try:
                answer = question()
            except GenbaError as exc:
                log.info("import: %s", exc.code)
                if failed is None:
                    self._tell(ImportTrouble(said(exc)))
                    return
                answer = failed(said(exc))
            except Exception:
                log.exception("import: a fault")
                if failed is None:
                    self._tell(ImportTrouble(Said("office.bug")))
                    return
                answer = failed(Said("office.bug"))
            reply(answer)

        self._put(job)

    def _deed(
        self,
        action: str,
        right: Right,
        deed: Callable[[str], Outcome],
        reply: Callable[[Outcome], None],
        detail: str = "",
    ) -> None:
        def work() -> Outcome:
            by, refusal = self._by(), self._refusal(right)
            outcome = Outcome(error=refusal)
            if not refusal:
                try:
                    outcome = deed(by)
                except InputRefused as error:
                    outcome = Outcome(error=error.code)
            code = outcome.error or (outcome.problems[0].code if outcome.problems else "")
            said = " ".join(part for part in (detail, code or f"events={outcome.stored}") if part)
            self._notes.did(action, by, ok=not code, detail=said)
            return outcome

        def answer(outcome: Outcome) -> None:
            reply(outcome)
            if outcome.stored:
                self._stored()

        self._ask(work, answer, lambda error: Outcome(error=error.code))

    def _stored(self) -> None:
        self._on_stored()
        self._tell(Imported())

    def _is_cancelled(self) -> bool:
        return self._now <= self._cancelled

    def _tell(self, news: ImportNews) -> None:
        for listener in self._listeners:
            listener(news)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._now, work = job
            try:
                work()
            except Exception:  # a listener's or a reply's: the next question is answered all the same
                log.exception("import: an answer could not be given")
