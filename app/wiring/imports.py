"""Importing files of touches into a station."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.clock import Clock
from app.domain.site import Site
from app.errors import GenbaError, InputRefused, StorageTrouble
from app.office import phone_file
from app.office.importing import Importer
from app.secrets import IMPORT_KEY
from app.settings import DataDir
from app.store.audit import AuditTrail
from app.store.imports import ImportStore
from app.store.phones import PhoneStore
from app.wiring.gate import new_event_id
from app.wiring.station import Station, open_station

FORMATS = (phone_file.NAME,)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file. `error`: then nothing of it was stored."""

    file: str
    error: GenbaError | None = None
    values: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        if self.error is not None:
            return {"file": self.file, "ok": False, "error": self.error.code, "where": self.error.where}
        return {"file": self.file, "ok": True, **self.values}


def import_files(
    data: DataDir,
    files: Sequence[Path],
    *,
    site_id: str | None = None,
    dry_run: bool = False,
    clock: Clock | None = None,
) -> list[Imported]:
    """Import phones' files one after the other; each is stored whole or not at all, whatever becomes of the others.

    Raises GenbaErrors that concern all of them (`import.in_use`, `import.no_key`).
    """
    with writing(data, clock) as station:
        private = station.vault.get(IMPORT_KEY)
        if private is None:
            raise InputRefused("import.no_key", str(data.root))
        return [_import(station, private, file, site_id, dry_run) for file in files]


def _import(station: Station, private: bytes, file: Path, site_id: str | None, dry_run: bool) -> Imported:
    audit = AuditTrail(station.db)
    try:
        found = phone_file.read(_bytes(file), str(file), private, PhoneStore(station.db).get)
        site = _site(station, found.site_id, site_id, str(file))
        importer = Importer(ImportStore(station.db), station.rosters, station.clock, new_event_id)
        tally = importer.run(found.origin, site, found.touches, dry_run=dry_run)
    except InputRefused as error:
        if not dry_run:
            audit.record("import", ok=False, detail=f"{phone_file.NAME} {error.code}")
        return Imported(str(file), error)
    if not dry_run:
        detail = f"{found.origin.source} {found.phone.id} {found.first}-{found.last} new={tally.new}"
        audit.record("import", ok=True, detail=detail)
    values: dict[str, Any] = {
        "format": phone_file.NAME,
        "phone": found.phone.id,
        "label": found.phone.label,
        "site_id": site.id,
        "first": found.first,
        "last": found.last,
        "dry_run": dry_run,
        **asdict(tally),
        "new": tally.new,
        # on disk with FULL by now: the phone need not keep it any longer
        "phone_may_delete_to": None if dry_run else found.last,
    }
    return Imported(str(file), None, values)


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(phone_file.MAX_BYTES + 1)
    except OSError as exc:
        raise InputRefused("file.missing", str(file), why=exc.strerror or "") from exc


def _site(station: Station, said: str, asked: str | None, file: str) -> Site:
    known = {site.id: site for site in station.rosters.sites()}
    if said not in known or (asked is not None and asked != said):
        names = asked or ", ".join(sorted(known))
        raise InputRefused("phone_file.other_site", file, said=said[:40], sites=names)
    return known[said]


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
