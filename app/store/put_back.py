"""A copy in the place of the database, as it was before an update; the newer file is kept aside, whole."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from app.errors import StorageTrouble
from app.files import make_private, sync_folder
from app.store import driver
from app.store.backup import verified_copy
from app.store.folder import FolderLock
from app.store.troubles import trouble


def put_back(database: Path, copy: Path, key: bytes, head: tuple[int, bytes], aside: Path) -> None:
    """`copy`, checked anew, becomes `database`; what stood there goes to the folder `aside`, with its log.

    `key`: 32 bytes; `head`: seq and hash of the copy's last event. May be repeated after a break.
    Raises StorageTrouble: `store.in_use`, `backup_failed` (the copy is not sound, or another), those of the disk;
    then the database is as it was, or (broken off by the disk in the middle) in `aside`.
    """
    lock = FolderLock.beside(database)
    fresh = database.with_name(f"{database.name}.put-back")
    try:
        lock.take()
        verified_copy(copy, lambda file: driver.open_bare(file, key), fresh)
        with closing(driver.open_bare(fresh, key)) as opened:
            row = opened.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        if head[0] and (row is None or (row[0], row[1]) != head):
            raise StorageTrouble("store.backup_failed", str(copy))
        make_private(aside)
        for ending in ("", "-wal", "-shm"):
            file = database.with_name(database.name + ending)
            if file.exists():
                file.rename(aside / file.name)
        sync_folder(aside)
        fresh.replace(database)
        sync_folder(database.parent)
    except (driver.Error, OSError) as exc:
        raise trouble(exc, database) or StorageTrouble("store.backup_failed", str(copy)) from exc
    finally:
        lock.release()
