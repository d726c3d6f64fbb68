"""The import pages' questions answered, and the command line's: one after the other, on whoever's thread asks.

What a file's touches become is `app.office.importing`'s; here stand the file, its numbers and the verdict whether the
reader's memory may be cleared. Every method may raise StorageTrouble and, where a file is asked for, InputRefused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Protocol

from app.clock import Clock
from app.domain.events import Direction
from app.domain.ids import mask_card_key
from app.domain.site import Site
from app.errors import GenbaError, InputRefused
from app.office import phone_file
from app.office.formats.reading import PhoneBook
from app.office.formats.shapes import Format
from app.office.import_bad import BadRows, Words
from app.office.import_file import Opened, PhoneKeys, is_phone_file, open_file, open_phone_file
from app.office.import_layout import Said
from app.office.import_mended import Part, part_of
from app.office.import_shapes import (
    BadRow,
    ImportWanted,
    Plan,
    Preview,
    PreviewRow,
    Progress,
    Report,
)
from app.office.import_tally import Rosters, Tally
from app.office.importing import Cancelled, Importer
from app.office.touches import BadTouch, DeviceTouch, moment_of
from app.store.imports import ImportStore
from app.store.roster import RosterStore

MOST_BAD_SHOWN = 200
_EVERY_S = 0.2


class Formats(Protocol):
    """Where formats come from (`app.wiring.import_formats`)."""

    def get(self, name: str) -> Format:
        """Raises InputRefused `formats.unknown`, and what is wrong with its file."""

    def usable(self) -> Sequence[Format]:
        """All whose files are right, the office's own first."""


class ImportDesk:
    """See the module. One question at a time."""

    def __init__(
        self,
        imports: ImportStore,
        rosters: RosterStore,
        clock: Clock,
        new_id: Callable[[], str],
        formats: Formats,
        phones: PhoneKeys,
        book: Callable[[], PhoneBook],
        site: Callable[[str], Site],
        words: Words,
        *,
        most_new: int | None = None,
    ) -> None:
        """`site`: by id, '' for the station's own (raises InputRefused); `words`: of a bad row's reason; `most_new`:
        new rows of a file at most, because a gate waits while they are stored."""
        self._imports, self._rosters, self._clock, self._formats = imports, rosters, clock, formats
        self._importer = Importer(imports, rosters, clock, new_id)
        self._phones, self._book, self._site, self._words, self._most_new = phones, book, site, words, most_new

    def recognise(self, file: Path, *, name_likely: bool = False) -> tuple[str, ...]:
        """Formats that read the file's first lines without a fault, or, where there is none, most of them; those that
        say more of the file first. `name_likely`: raises InputRefused `import.half_read` where the likeliest reads no
        more than half of them.
        """
        if is_phone_file(file):
            return (phone_file.NAME,)
        found: list[tuple[tuple[bool, bool, int, int], str]] = []
        half: list[tuple[float, str, int, int]] = []
        for place, format_ in enumerate(self._formats.usable()):
            if format_.suffixes and file.suffix.lower() not in format_.suffixes:
                continue
            try:
                # whatever the device: it may have to be said yet
                with open_file(file, format_, PhoneBook(), device="-") as opened:
                    first = list(islice(opened.touches, 20))
            except InputRefused as error:
                if error.code in _NO_FILE:
                    raise
                continue
            bad = sum(isinstance(one, BadTouch) for one in first)
            if bad * 2 < len(first):
                says = len(format_.needs) + len(format_.suffixes) + len(format_.columns)
                found.append(((bad > 0, format_.sample, -says, place), format_.name))
            elif bad < len(first):
                half.append((bad / len(first), format_.name, len(first), bad))
        if name_likely and half and not found:
            _, name, read, bad = min(half)
            raise InputRefused("import.half_read", str(file), format=name, read=read, bad=bad)
        found.sort()
        faultless = [name for (faulty, *_), name in found if not faulty]
        return tuple(faultless or (name for _, name in found))

    def preview(self, wanted: ImportWanted, rows: int) -> Preview:
        """See `ImportPort.preview`."""
        with self._open(wanted) as opened:
            site = self._site_of(wanted, opened)
            rosters = Rosters(self._rosters, site.id)
            first = list(islice(opened.touches, min(rows, MOST_BAD_SHOWN)))
            shown = [_row(site, rosters, one) for one in first]
            devices = {one.device for one in first if isinstance(one, DeviceTouch)}
            # where the rows name one device, that is what they are stored under, not the file's name
            device = "" if wanted.device or len(devices) != 1 else devices.pop()
            return Preview(tuple(shown), device or opened.origin.device, opened.rows.encoding if opened.rows else "")

    def run(
        self,
        wanted: ImportWanted,
        *,
        dry_run: bool,
        tell: Callable[[Progress], None] = lambda news: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Report:
        """Import, or (`dry_run`) only count. With a cancel, or an error that is raised, nothing is stored."""
        shown: list[BadRow] = []
        bad_rows: BadRows | None = None
        kept = False
        part: Part | None = None
        too_low = 0
        with self._open(wanted) as opened:
            site = self._site_of(wanted, opened)
            if wanted.bad_file and opened.rows is not None:
                bad_rows = BadRows(Path(wanted.bad_file), self._formats.get(wanted.format), opened.rows, self._words)
            if opened.rows is not None and not dry_run:
                part = part_of(Path(wanted.file), self._formats.get(wanted.format), opened.rows)
            reasons: Counter[str] = Counter()

            def on_bad(bad: BadTouch) -> None:
                reasons[bad.code] += 1
                if not wanted.skip_bad:
                    raise InputRefused(bad.code, f"{wanted.file}: line {bad.line}", **bad.values)
                if len(shown) < MOST_BAD_SHOWN:
                    shown.append(_bad_row(bad, wanted.file))
                if bad_rows is not None:
                    bad_rows.add(bad)

            pace = _Pace("plan" if dry_run else "store", opened.done, tell, cancelled)
            try:
                done = self._importer.run(
                    opened.origin,
                    site,
                    opened.touches,
                    dry_run=dry_run,
                    on_bad=on_bad,
                    step=pace.step,
                    most_new=None if dry_run else self._most_new,
                )
                kept, too_low = not dry_run, done.tally.reasons["assurance_too_low"]
            except Cancelled:
                return Report(Plan(), cancelled=True, verdict=Said("import.keep_cancelled"))
            finally:
                if bad_rows is not None:
                    bad_rows.close(keep=kept, elsewhere=too_low)
        skipped = opened.reader.skipped if opened.reader else 0
        plan = _plan(done.tally, opened.origin.device, skipped, shown, reasons)
        rosters = Rosters(self._rosters, site.id)
        samples = {name: tuple(_row(site, rosters, *one) for one in some) for name, some in done.samples.items()}
        plan = replace(plan, samples=samples)
        bad_file = wanted.bad_file if kept and bad_rows is not None and bad_rows.count else ""
        may_clear, verdict = False, Said("import.keep_trial")
        if kept:
            may_clear, verdict = self._verdict(
                done.batch, done.tally, part, _Pace("verify", lambda: 1.0, tell, lambda: False)
            )
        return Report(plan, done.batch, may_clear, verdict, bad_file)

    def phone_of(self, wanted: ImportWanted) -> phone_file.PhoneFile | None:
        """What a phone's file says of itself; None for other formats."""
        with self._open(wanted) as opened:
            return opened.phone

    def _verdict(self, batch: int | None, tally: Tally, part: Part | None, pace: _Pace) -> tuple[bool, Said]:
        """Whether the reader's memory may be cleared, and why."""
        count = {"new": str(tally.new), "known": str(tally.known), "bad": str(tally.bad), "read": str(tally.read)}
        if batch is not None and not self._imports.read_back(batch, pace.step):
            return False, Said("import.keep_not_read_back", count)
        if tally.read == 0:
            return False, Said("import.keep_empty", count)
        if tally.bad:
            return False, Said("import.keep_bad", count)
        too_low = tally.reasons["assurance_too_low"]
        if too_low:
            return False, Said("import.keep_too_low", {**count, "too_low": str(too_low)})
        if part is None:
            return True, Said("import.may_clear", count)
        count |= {"total": str(part.total), "left": str(max(part.total - min(part.back, tally.read), 0))}
        if not part.total:
            return False, Said("import.keep_part", count)
        back = count["left"] == "0"
        return back, Said("import.may_clear_mended" if back else "import.keep_part_left", count)

    @contextmanager
    def _open(self, wanted: ImportWanted) -> Iterator[Opened]:
        path = Path(wanted.file)
        if wanted.format == phone_file.NAME:
            yield open_phone_file(path, self._phones)
            return
        with open_file(
            path,
            self._formats.get(wanted.format),
            self._book(),
            correction=wanted.correction,
            device=wanted.device,
        ) as opened:
            yield opened

    def _site_of(self, wanted: ImportWanted, opened: Opened) -> Site:
        if not opened.site_id:
            return self._site(wanted.site_id)
        known = {site.id: site for site in self._rosters.sites()}
        if opened.site_id not in known or wanted.site_id not in ("", opened.site_id):
            names = wanted.site_id or ", ".join(sorted(known))
            raise InputRefused("phone_file.other_site", wanted.file, said=opened.site_id[:40], sites=names)
        return known[opened.site_id]


_NO_FILE = frozenset(
    ("file.missing", "import.empty", "import.too_large", "import.binary", "import.old_excel", "import.bad_excel")
) | {"import.zip_bomb", "import.too_many_columns"}


class _Pace:
    """Progress some times a second, and the ear for a cancel."""

    def __init__(
        self,
        doing: str,
        done: Callable[[], float],
        tell: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._doing, self._done, self._tell, self._cancelled = doing, done, tell, cancelled
        self._start = self._told = monotonic()

    def step(self, rows: int) -> None:
        """Raises Cancelled."""
        if self._cancelled():
            raise Cancelled
        now = monotonic()
        if now - self._told < _EVERY_S:
            return
        self._told = now
        share, speed = min(max(self._done(), 1e-6), 1.0), rows / max(now - self._start, 1e-6)
        total = max(rows, round(rows / share))
        self._tell(Progress(self._doing, rows, total, speed, (total - rows) / speed if speed else None))


def _row(site: Site, rosters: Rosters, one: DeviceTouch | BadTouch, reasons: str = "") -> PreviewRow:
    if isinstance(one, BadTouch):
        return PreviewRow(one.line, one.at, None, problem=Said(one.code, dict(one.values), f"line {one.line}"))
    roster, _, _ = rosters.on(site.work_day(one.moment).isoformat())
    card = roster.cards.get(one.card_key)
    worker = roster.workers.get((card.worker_id if card else one.worker_id) or "")
    return PreviewRow(
        one.line,
        one.at,
        one.moment.astimezone(site.zone),
        mask_card_key(one.card_key),
        worker.id if worker else one.worker_id or "",
        worker.name if worker else "",
        "" if one.direction in (None, Direction.NONE) else str(one.direction),
        Said(f"reason.{reasons.split()[0]}") if reasons else None,
    )


def _bad_row(bad: BadTouch, file: str) -> BadRow:
    return BadRow(bad.line, Said(bad.code, dict(bad.values), f"{file}: line {bad.line}"), ",".join(bad.cells)[:500])


def _plan(tally: Tally, device: str, skipped: int, shown: Sequence[BadRow], reasons: Counter[str]) -> Plan:
    future, outside = reasons["import.row_future"], reasons["import.row_outside_site"]
    refusals = {code: number for code, number in tally.reasons.items() if code not in reasons}
    return Plan(
        tally.read,
        tally.known,
        tally.new,
        tally.recorded,
        tally.recorded_check,
        tally.unknown_card,
        tally.suppressed,
        tally.refused,
        tally.bad,
        tally.bad - future - outside,
        future,
        outside,
        skipped,
        device,
        None if tally.first_ms is None else moment_of(tally.first_ms),
        None if tally.last_ms is None else moment_of(tally.last_ms),
        refusals,
        tuple(sorted(shown, key=lambda row: row.line)),
        tuple(tally.proposals.values()),
    )


def said(error: GenbaError) -> Said:
    """An error as the pages show it."""
    return Said(error.code, {name: str(value) for name, value in error.values.items()}, error.where)
