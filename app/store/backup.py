"""Copies of the database: encrypted as it is, checked before they count, put in place at once, the oldest removed.

SQLite's backup API takes a steady snapshot while the gate goes on. A copy counts only after SQLCipher's and SQLite's
own checks and after its chain's head was found in the original.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.domain.events import JST
from app.errors import StorageTrouble
from app.files import make_file, make_private, sync_folder
from app.store import driver
from app.store.database import Database
from app.store.troubles import trouble

FOLDER = "backups"
KEEP = 7
LOW_BYTES = 1 << 30
"""Free space from which a warning whispers: a year of a big site."""
CRITICAL_BYTES = 200 << 20
"""Free space from which it shouts."""


class SpaceLevel(StrEnum):
    """How much room a disk has."""

    OK = "ok"
    LOW = "low"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Room on the disk of a path, in bytes."""

    free: int
    total: int
    level: SpaceLevel


def disk_space(path: Path, *, low: int = LOW_BYTES, critical: int = CRITICAL_BYTES) -> DiskSpace:
    """Early warning of a full disk. `path`: the database or its folder. Raises StorageTrouble."""
    try:
        usage = shutil.disk_usage(path if path.exists() else path.parent)
    except OSError as exc:
        raise trouble(exc, path) or exc from exc
    level = SpaceLevel.OK
    if usage.free < low:
        level = SpaceLevel.CRITICAL if usage.free < critical else SpaceLevel.LOW
    return DiskSpace(usage.free, usage.total, level)


class Backups:
    """Daily copies in `backups/` beside the database. Any thread, one at a time; the gate is not held up."""

    def __init__(self, db: Database, *, keep: int = KEEP) -> None:
        self._db = db
        self._keep = keep
        self.folder = db.path.parent / FOLDER

    def daily(self) -> Path | None:
        """Today's copy (Japan's day), unless it is there already (None). Raises StorageTrouble; older copies stay."""
        day = self._db.clock.now().astimezone(JST).date()
        target = self.folder / f"{self._db.path.stem}-{day.isoformat()}.db"
        return None if target.exists() else self._make(target)

    def now(self) -> Path:
        """A copy of this moment in today's place."""
        day = self._db.clock.now().astimezone(JST).date()
        return self._make(self.folder / f"{self._db.path.stem}-{day.isoformat()}.db")

    def list(self) -> list[Path]:
        """Daily copies, newest first."""
        pattern = f"{self._db.path.stem}-????-??-??.db"
        return sorted(self.folder.glob(pattern), reverse=True) if self.folder.exists() else []

    def _make(self, target: Path) -> Path:
        verified_copy(self._db.path, self._db.connect_to, target)
        for old in self.list()[self._keep :]:
            old.unlink(missing_ok=True)
        return target


def before_upgrade(path: Path, key: bytes, revision: str, now: datetime) -> Path:
    """The copy that an upgrade of the schema may be undone with. Raises StorageTrouble."""
    stamp = now.astimezone(JST).strftime("%Y%m%dT%H%M%S")
    target = path.parent / FOLDER / f"{path.stem}-before-upgrade-{revision}-{stamp}.db"
    verified_copy(path, lambda file: driver.open_bare(file, key), target)
    return target


def verified_copy(path: Path, connect: Any, target: Path) -> None:
    """Copy a database, check the copy, put it in place. `connect(path)` opens a keyed connection.

    Raises StorageTrouble: `store.no_room_for_backup`, `backup_failed` (the copy is not sound), and those of the disk.
    """
    temporary = target.with_name(target.name + ".part")
    try:
        make_private(target.parent)
        if shutil.disk_usage(target.parent).free < path.stat().st_size + CRITICAL_BYTES // 4:
            raise StorageTrouble("store.no_room_for_backup", str(target.parent))
        _remove(temporary)
        make_file(temporary)
        with closing(connect(path)) as source:
            with closing(connect(temporary)) as copy:
                source.backup(copy)
                # one file that needs no companions
                copy.execute("PRAGMA journal_mode=DELETE").fetchall()
            with closing(connect(temporary)) as copy:
                if not is_sound(copy) or not same_chain(source, copy):
                    raise StorageTrouble("store.backup_failed", str(target))
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    except (driver.Error, OSError) as exc:
        raise trouble(exc, target) or exc from exc
    finally:
        _remove(temporary)


def is_sound(connection: Any) -> bool:
    """SQLCipher's check of every page's authenticity, then SQLite's of the structure. Raises the driver's errors."""
    if connection.execute("PRAGMA cipher_integrity_check").fetchall():
        return False
    return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])


def same_chain(source: Any, copy: Any) -> bool:
    """Whether the copy's head stands in the source (which may have gone on meanwhile), with nothing left out."""
    head = copy.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    if head is None:
        return True
    rows = copy.execute("SELECT count(*) FROM event").fetchone()[0]
    same = source.execute("SELECT hash FROM event WHERE seq = ?", (head[0],)).fetchone()
    return bool(rows == head[0] and same is not None and same[0] == head[1])


def _remove(temporary: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        temporary.with_name(temporary.name + suffix).unlink(missing_ok=True)
