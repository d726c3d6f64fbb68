"""Loading a site file into the centre: only what differs gets a new change number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from app import codec
from app.central import derivation, roster_items
from app.central import schema as t
from app.central.database import CentralDatabase
from app.central.site_file import SiteFile, misfits, read_site_file
from app.central.sites import SiteNumbers, lock_sites, next_site_change
from app.clock import Clock
from app.errors import InputRefused


@dataclass(frozen=True, slots=True)
class SiteLoaded:
    """What loading a file did: numbers of roster items; the site itself is not among them."""

    site_id: str
    added: int
    changed: int
    removed: int
    unchanged: int


def load_site(db: CentralDatabase, clock: Clock, path: Path, *, replace: bool = False) -> SiteLoaded:
    """Load a site file; all of it or, on any error, nothing. Work records that it touches are derived again.

    `replace`: items of the site that the file does not name are taken out. Raises InputRefused
    (`central.site_file_invalid` with place, or datafile's).
    """
    file = read_site_file(path)
    now = clock.now()
    return db.write(lambda tx: _load(tx, file, str(path), replace, now))


def _load(tx: Connection, file: SiteFile, where: str, replace: bool, now: datetime) -> SiteLoaded:
    numbers = _site(tx, file)
    held = roster_items.load_all(tx, file.site_id)
    removed = sorted(held.keys() - file.items.keys()) if replace else []
    kept = {} if replace else held
    for place, why in misfits(file, kept):
        raise InputRefused("central.site_file_invalid", f"{where}: {place}", why=why)
    changed = {key: values for key, values in file.items.items() if held.get(key) != values}
    affected = roster_items.write(tx, numbers, changed, removed)
    derivation.after_roster(tx, numbers, affected, now)
    numbers.save(tx)
    added = len(changed.keys() - held.keys())
    return SiteLoaded(file.site_id, added, len(changed) - added, len(removed), len(file.items) - len(changed))


def _site(tx: Connection, file: SiteFile) -> SiteNumbers:
    """The site's row, made or brought up to date, and locked."""
    fields = codec.encode(file.site).decode()
    row = lock_sites(tx, [file.site_id]).get(file.site_id)
    if row is None:
        change = next_site_change(tx)
        tx.execute(
            t.site.insert().values(
                id=file.site_id, fields=fields, deleted=False, change=change, roster_change=0, record_change=0
            )
        )
        return SiteNumbers(file.site_id, file.site, 0, 0)
    if row.deleted or row.closed_on or row.fields != file.site:
        tx.execute(
            t.site.update()
            .where(t.site.c.id == file.site_id)
            .values(fields=fields, deleted=False, closed_on=None, change=next_site_change(tx))
        )
    return row
