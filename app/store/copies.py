"""Copies of a database in its data folder: of which is it certain that nothing is in them alone?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.store import driver, rescue
from app.store.backup import FOLDER, same_chain
from app.store.database import Database


@dataclass(frozen=True, slots=True)
class Copy:
    """A file, or a folder with one. `spare`: each of its events is in the database, or acknowledged by the centre."""

    path: Path
    spare: bool


def copies(db: Database, asides: Iterable[Path]) -> Iterator[Copy]:
    """Daily ones, those before an upgrade or update, what was put aside with a damaged log, and `asides`: folders with
    a database of the same name. Changes nothing. Raises StorageTrouble, OSError."""
    home, name = db.path.parent, db.path.name
    for file in sorted((home / FOLDER).glob(f"{db.path.stem}-*.db")) + sorted(home.glob(f"{name}.put-back")):
        yield Copy(file, is_spare(db, file))
    for folder in asides:
        yield Copy(folder, is_spare(db, folder / name))
    noted = {one.folder: one for one in rescue.put_aside(db.path)}
    for folder in sorted((home / rescue.FOLDER).glob("*/")):  # without a note: the power failed while it was filled
        yield Copy(folder, folder in noted and not noted[folder].lost)


def is_spare(db: Database, copy: Path) -> bool:
    """See `Copy`. False for a file that is damaged, or of another key: who knows what is in it."""
    if not copy.exists():
        return False
    try:
        with closing(db.connect_to(copy)) as other, db.looking() as connection:
            if same_chain(connection, other):
                return True
            not_taken = other.execute(
                "SELECT count(*) FROM event e LEFT JOIN outbox o ON o.seq = e.seq WHERE o.state IS NOT 'accepted'"
            )
            return bool(not_taken.fetchone()[0] == 0)
    except driver.Error:
        return False
