"""What the command line does about imports beside importing: lists, taking back, binding, the telephone book."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app import codec
from app.clock import Clock
from app.domain import ids
from app.domain.site import Site
from app.errors import InputRefused
from app.office.formats.clock import offer
from app.office.formats.reading import phone_number
from app.office.formats.rows import place_of
from app.office.formats.text import encoding_of, open_text
from app.office.import_notes import ImportNotes
from app.office.import_shapes import (
    BindWanted,
    ClockOffer,
    ClockPair,
    ImportWanted,
    Preview,
)
from app.office.rights import rights_of
from app.office.shapes import Outcome, Right
from app.settings import DataDir
from app.store.audit import AuditTrail
from app.store.meta import Meta
from app.wiring.import_formats import FormatFolder, load
from app.wiring.imports import BOOK, after_of, desk_of, only, writing
from app.wiring.operators import proven
from app.wiring.station import Station, open_station

_RIGHTS = {"import_bind": Right.CARDS, "import_take_back": Right.CARDS, "import_confirm": Right.CORRECT}
"""Of deeds that are told to the centre; the others need `Right.IMPORT`."""


@dataclass(frozen=True, slots=True)
class Who:
    """The operator of a deed, with his PIN. `site_id` '': the station's."""

    site_id: str
    operator_id: str
    pin: str


def batches(data: DataDir) -> list[dict[str, Any]]:
    """Everything imported, newest first; beside a running gate too."""
    with open_station(data, look=True) as station:
        rows = [asdict(one) for one in after_of(station).batches()]
    return [{k: v.isoformat(timespec="seconds") if isinstance(v, datetime) else v for k, v in r.items()} for r in rows]


def unknown_cards(data: DataDir, site_id: str) -> list[dict[str, Any]]:
    """Cards that belong to nobody; beside a running gate too."""
    with open_station(data, look=True) as station:
        return [asdict(one) for one in after_of(station).unknown_cards(station.site(site_id or None))]


def take_back(data: DataDir, batch: int, reason: str, who: Who, *, clock: Clock | None = None) -> dict[str, Any]:
    """Void a batch; `count` touches, and what it was: batch, file. Raises GenbaErrors."""
    with _acting(data, who, "import_take_back", clock) as (station, _):
        after = after_of(station)
        count = after.take_back(batch, reason, who.operator_id)
        (one,) = (entry for entry in after.batches() if entry.batch == batch)
        return {"batch": batch, "count": count, "file": one.file or one.device}


def bind(data: DataDir, card: str, worker: str, valid_from: str, who: Who) -> int:
    """Bind one card. Raises GenbaErrors."""
    with _acting(data, who, "import_bind") as (station, site):
        return _stored(after_of(station).bind(site, [BindWanted(card, worker, valid_from)], who.operator_id))


def bind_file(data: DataDir, file: Path, who: Who) -> int:
    """Bind the cards of a table with the columns card, worker and (may be empty) valid_from. Raises GenbaErrors."""
    rows = [BindWanted(row[0], row[1], row[2]) for _, row in _table(file, ("card", "worker"), ("valid_from",))]
    with _acting(data, who, "import_bind") as (station, site):
        return _stored(after_of(station).bind(site, rows, who.operator_id))


def confirm(data: DataDir, file: Path, format_: str, who: Who) -> int:
    """Store the assignments that a file proposes; how many. Raises GenbaErrors."""
    with _acting(data, who, "import_confirm") as (station, site):
        desk = desk_of(station, "ja")
        name = format_ or only(file, desk.recognise(file))
        proposals = desk.run(ImportWanted(str(file), name, who.site_id), dry_run=True).plan.proposals
        return _stored(after_of(station).confirm(site, proposals, who.operator_id))


def keep_phone_book(data: DataDir, file: Path, who: Who) -> int:
    """Keep a table of 電話番号, 技能者ID, 事業者ID (may be empty), instead of the one before; how many numbers.

    Raises InputRefused `import.book` with the line.
    """
    found: dict[str, tuple[str, str]] = {}
    for line, row in _table(file, ("電話番号", "技能者ID"), ("事業者ID",)):
        try:
            found[phone_number(row[0])] = ids.worker_id(row[1]), ids.company_id(row[2]) if row[2] else ""
        except ValueError as exc:
            raise InputRefused("import.book", f"{file}: line {line}") from exc
    with _acting(data, who, "import_phone_book") as (station, _):
        Meta(station.db).set(BOOK, codec.encode(found).decode())
    return len(found)


def clock_of(pairs: Sequence[tuple[datetime, datetime]]) -> ClockOffer:
    """The correction that pairs of (device, PC) propose; none for none."""
    return offer([ClockPair(device, pc) for device, pc in pairs]) if pairs else ClockOffer()


def try_format(data: DataDir, name: str, file: Path, rows: int, language: str) -> Preview:
    """First rows of a file by a format's name, or by a format file. Beside a running gate too. Raises GenbaErrors."""
    own = load(Path(name)) if name.endswith(".toml") else None
    with open_station(data, look=True) as station:
        folder = FormatFolder(data, own)
        return desk_of(station, language, formats=folder).preview(
            ImportWanted(str(file), own.name if own else name), rows
        )


@contextmanager
def _acting(data: DataDir, who: Who, action: str, clock: Clock | None = None) -> Iterator[tuple[Station, Site]]:
    """A station, its site, and an operator who may. Raises InputRefused `phones.operator`, `phones.pin_wait`."""
    with writing(data, clock) as station:
        site = station.site(who.site_id or None)
        found = station.rosters.load(site.id).operators.get(who.operator_id)
        right = _RIGHTS.get(action, Right.IMPORT)
        rights, withheld = rights_of(found.roles if found else (), at_gate=station.identity.role == "gate")
        proven(station, action, found, who.operator_id, who.pin, may=right in rights | withheld)
        notes = ImportNotes(AuditTrail(station.db))
        if right in withheld:
            notes.did(action, who.operator_id, ok=False, detail="import.gate_station")
            raise InputRefused("import.gate_station", station.identity.station_id)
        try:
            yield station, site
        except InputRefused as error:
            notes.did(action, who.operator_id, ok=False, detail=error.code)
            raise
        notes.did(action, who.operator_id, ok=True)


def _stored(outcome: Outcome) -> int:
    if outcome.error:
        raise InputRefused(outcome.error)
    if outcome.problems:
        raise InputRefused(outcome.problems[0].code, **outcome.problems[0].values)
    return outcome.stored


def _table(file: Path, needed: Sequence[str], more: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows of a small CSV, by the names of its columns. Raises InputRefused `import.no_column`."""
    text, _ = open_text(file, encoding_of(file))
    with text:
        reader = csv.reader(text)
        head = next(reader, [])
        places = [place_of(column, head) for column in (*needed, *more)]
        for column, place in zip(needed, places, strict=False):
            if place is None:
                raise InputRefused("import.no_column", str(file), column=column, columns=", ".join(head)[:200])
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, [row[p].strip() if p is not None and p < len(row) else "" for p in places]
