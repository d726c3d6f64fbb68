"""Importing files of touches into a station, and what comes after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from app import codec
from app.clock import Clock
from app.errors import GenbaError, InputRefused, StorageTrouble
from app.messages import say
from app.office import phone_file
from app.office.formats.reading import PhoneBook
from app.office.import_after import ImportAfter
from app.office.import_desk import ImportDesk
from app.office.import_file import NOTHING, PhoneKeys
from app.office.import_mended import is_bad_file
from app.office.import_notes import ImportNotes
from app.office.import_shapes import (
    Correction,
    ImportWanted,
    Progress,
    Report,
)
from app.secrets import IMPORT_KEY
from app.settings import DataDir
from app.store.audit import AuditTrail
from app.store.import_lists import ImportLists
from app.store.imports import ImportStore
from app.store.meta import Meta
from app.store.phones import PhoneStore
from app.wiring.gate import new_event_id
from app.wiring.import_formats import FormatFolder
from app.wiring.station import Station, open_station

BOOK = "phone_book"
"""Name under which the telephone book is kept: number → [技能者ID, 事業者ID]."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for. `format` '': found out."""

    format: str = ""
    site_id: str = ""
    device: str = ""
    correction: Correction = NOTHING
    bad_file: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file. `error`: then nothing of it was stored."""

    file: str
    error: GenbaError | None = None
    report: Report | None = None
    values: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """See docs/cli.md."""
        if self.error is not None:
            return {"file": self.file, "ok": False, "error": self.error.code, "where": self.error.where}
        return {"file": self.file, "ok": True, **self.values}


def import_files(
    data: DataDir,
    files: Sequence[Path],
    wanted: Wanted,
    *,
    language: str = "ja",
    tell: Callable[[Progress], None] = lambda news: None,
    clock: Clock | None = None,
) -> list[Imported]:
    """Import files one after the other; each is stored whole or not at all, whatever becomes of the others.

    Raises GenbaErrors that concern all of them (`import.in_use`, `import.bad_is_input`, `import.bad_exists`,
    `import.bad_several`).
    """
    if wanted.bad_file:
        _may_write(Path(wanted.bad_file), files)
    with writing(data, clock) as station:
        desk = desk_of(station, language)
        return [_import(station, desk, file, wanted, tell) for file in files]


def _may_write(bad: Path, files: Sequence[Path]) -> None:
    """A file of left-out rows replaces nothing but an earlier one of its kind. Raises InputRefused."""
    if len(files) > 1:
        raise InputRefused("import.bad_several", str(bad))
    if not bad.exists():
        return
    if any(file.exists() and bad.samefile(file) for file in files):
        raise InputRefused("import.bad_is_input", str(bad))
    try:
        ours = bad.is_file() and is_bad_file(bad)
    except (OSError, InputRefused):
        ours = False
    if not ours:
        raise InputRefused("import.bad_exists", str(bad))


def desk_of(
    station: Station, language: str, *, most_new: int | None = None, formats: FormatFolder | None = None
) -> ImportDesk:
    """Who answers questions about files of an open station."""

    def words(code: str, values: Any) -> tuple[str, str]:
        message = say(code, language, **values)
        return message.title, message.remedy

    return ImportDesk(
        ImportStore(station.db),
        station.rosters,
        station.clock,
        new_event_id,
        formats or FormatFolder(station.data),
        PhoneKeys(lambda: station.vault.get(IMPORT_KEY), PhoneStore(station.db).get),
        lambda: phone_book(station),
        lambda site_id: station.site(site_id or None),
        words,
        most_new=most_new,
    )


def after_of(station: Station) -> ImportAfter:
    """Who answers questions about what was imported."""
    return ImportAfter(
        ImportLists(station.db),
        station.events,
        station.rosters,
        station.clock,
        new_event_id,
        at_gate=station.identity.role == "gate",
    )


def _import(
    station: Station, desk: ImportDesk, file: Path, wanted: Wanted, tell: Callable[[Progress], None]
) -> Imported:
    notes = ImportNotes(AuditTrail(station.db))
    bad = wanted.bad_file
    asked = ImportWanted(str(file), wanted.format, wanted.site_id, wanted.correction, wanted.device, bad_file=bad)
    try:
        if not asked.format:
            asked = replace(asked, format=only(file, _recognised(station, desk, file)))
        name = asked.format
        report = desk.run(asked, dry_run=wanted.dry_run, tell=tell)
        phone = desk.phone_of(asked) if name == phone_file.NAME else None
    except InputRefused as error:
        if not wanted.dry_run:
            notes.refused(asked, error.code)
        return Imported(str(file), error)
    plan = report.plan
    if not wanted.dry_run:
        notes.imported(asked, report)
    lists = ("error", "bad_rows", "proposals", "refusals", "samples")
    numbers = {name: value for name, value in asdict(plan).items() if name not in lists}
    values: dict[str, Any] = {
        "format": name,
        "site_id": phone.site_id if phone else station.site(wanted.site_id or None).id,
        "dry_run": wanted.dry_run,
        **{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in numbers.items()},
        "refusals": dict(plan.refusals),
        "bad_rows": [{"line": one.line, "code": one.problem.code} for one in plan.bad_rows],
        "proposals": [asdict(one) for one in plan.proposals],
        "batch": report.batch,
        "may_clear": report.may_clear,
        "verdict": report.verdict.code,
        "bad_file": report.bad_file or None,
    }
    if phone is not None:
        values |= {"phone": phone.phone.id, "label": phone.phone.label, "first": phone.first, "last": phone.last}
        # on disk with FULL by now: the phone need not keep it any longer
        values["phone_may_delete_to"] = None if wanted.dry_run else phone.last
    return Imported(str(file), None, report, values)


def _recognised(station: Station, desk: ImportDesk, file: Path) -> Sequence[str]:
    """As `ImportDesk.recognise`. Raises InputRefused `import.no_format_broken` where a broken format may be the one."""
    found = desk.recognise(file, name_likely=True)
    broken = [str(one.file) for one in FormatFolder(station.data).found() if one.own and one.trouble is not None]
    if not found and broken:
        raise InputRefused("import.no_format_broken", str(file), formats=", ".join(broken))
    return found


def only(file: Path, formats: Sequence[str]) -> str:
    """The one format a file may have. Raises InputRefused `import.no_format`, `import.several_formats`."""
    if not formats:
        raise InputRefused("import.no_format", str(file))
    if len(formats) > 1:
        raise InputRefused("import.several_formats", str(file), formats=", ".join(formats))
    return formats[0]


def phone_book(station: Station) -> PhoneBook:
    """Whose telephone it is, as last imported."""
    kept = codec.decode(Meta(station.db).get(BOOK) or "{}", dict)
    return PhoneBook({number: (one[0], one[1]) for number, one in kept.items()})


@contextmanager
def writing(data: DataDir, clock: Clock | None) -> Iterator[Station]:
    """The station, for this program alone. A running gate holds it: then the remedy is another than usual."""
    try:
        station = open_station(data, clock=clock)
    except StorageTrouble as trouble:
        if trouble.code != "store.in_use":
            raise
        raise StorageTrouble("import.in_use", trouble.where) from trouble
    with station:
        yield station
