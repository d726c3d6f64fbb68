"""A damaged write-ahead log: all is kept, what is provably right is taken, and it is said aloud if that is not all.

Each way of going on is tried on a copy first: every page's own code, the structure, the chain, and a row in the outbox
and in `touch` or `mention` for each event. docs/restore.md says what a person does then; docs/adr/0009 why it is so.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app import codec
from app.clock import Clock
from app.domain.events import JST
from app.errors import StorageTrouble
from app.files import make_file, make_private, sync_folder, write_private
from app.store import driver, wal
from app.store.keyid import has_key_id, is_key_of
from app.store.pagecode import page_code

FOLDER = "damaged-log"
NOTE = "note.json"
_UNRELATED = (
    "SELECT count(*) FROM event e WHERE NOT EXISTS (SELECT 1 FROM touch t WHERE t.seq = e.seq)"
    " AND NOT EXISTS (SELECT 1 FROM mention m WHERE m.seq = e.seq)"
)


@dataclass(frozen=True, slots=True)
class Rescue:
    """What became of a damaged log. `folder`: where it was put aside."""

    folder: Path
    lost: bool
    """Whether records may be missing: not everything in the log could be taken."""
    seq: int
    """The last event there is now."""


def standing(database: Path) -> Rescue | None:
    """The worst rescue whose folder is still in the data folder; moving it away ends the warning. Never fails."""
    found: Rescue | None = None
    for one in put_aside(database):
        if found is None or one.lost >= found.lost:
            found = one
    return found


def put_aside(database: Path) -> list[Rescue]:
    """Every rescue whose folder is still there, oldest first. Never fails."""
    found = []
    for note in sorted((database.parent / FOLDER).glob(f"*/{NOTE}")):
        try:
            read = codec.decode(note.read_bytes(), dict)
            found.append(Rescue(note.parent, read["lost"] is not False, int(read["seq"])))
        except (OSError, codec.DecodeError, KeyError, TypeError, ValueError):
            found.append(Rescue(note.parent, True, 0))
    return found


def refuse_damaged(database: Path) -> None:
    """For those who only look: SQLite would throw away what it does not take. StorageTrouble `store.log_damaged`."""
    if wal.walk(wal.beside(database)).damaged:
        raise StorageTrouble("store.log_damaged", str(database))


def rescue(database: Path, key: bytes, clock: Clock) -> Rescue | None:
    """Before anybody opens the database: None when its log is sound (or cut by a power failure, as it may be).

    The caller holds the folder's lock. Raises StorageTrouble `store.wrong_key`, `disk_full`, `damaged` (nothing could
    be taken; nothing is changed); OSError, the driver's errors.
    """
    log = wal.walk(wal.beside(database))
    if not log.damaged:
        return None
    if has_key_id(database) and not is_key_of(database, key):
        raise StorageTrouble("store.wrong_key", str(database))
    needed = 3 * database.stat().st_size + 4 * log.path.stat().st_size
    if shutil.disk_usage(database.parent).free < needed:
        raise StorageTrouble("store.disk_full", str(database.parent))
    folder = _put_aside(database, clock.now())
    wal.settle_guesses(log, page_code(database, key))
    try:
        chosen, seq = _best(database, key, clock, log, folder)
        found = Rescue(folder, chosen.lost, seq)
        write_private(folder / NOTE, codec.encode({"lost": found.lost, "seq": seq}))
        database.with_name(database.name + "-shm").unlink(missing_ok=True)
        if chosen.log is None:
            log.path.unlink()
        else:
            chosen.log.replace(log.path)
        sync_folder(database.parent)
    finally:
        shutil.rmtree(folder / "trial", ignore_errors=True)
    if not found.lost:
        (folder / database.name).unlink(missing_ok=True)
    return found


@dataclass(frozen=True, slots=True)
class _Way:
    """A log to go on with (None: without one), and whether something is missing then."""

    log: Path | None
    lost: bool


def _put_aside(database: Path, now: datetime) -> Path:
    """Copies of the database, its log and its index as they were found."""
    base = database.parent / FOLDER
    stamp = now.astimezone(JST).strftime("%Y%m%dT%H%M%S")
    number = 1
    while (folder := base / (stamp if number == 1 else f"{stamp}-{number}")).exists():
        number += 1
    make_private(base)
    make_private(folder)
    for suffix in ("", "-wal", "-shm"):
        source = database.with_name(database.name + suffix)
        if source.exists():
            _copy(source, folder / source.name)
    sync_folder(folder)
    sync_folder(base)
    return folder


def _best(database: Path, key: bytes, clock: Clock, log: wal.Log, folder: Path) -> tuple[_Way, int]:
    """The way that keeps most, and its last seq. StorageTrouble `store.damaged` when none is sound."""
    tried: list[tuple[int, _Way]] = []
    for name, mend in (("mended", True), ("newest", False)):
        last = log.complete_at(mend=mend)
        if last < 0:
            continue
        target = folder / "trial" / name
        make_private(target.parent)
        make_file(target)
        wal.rebuild(log, last, target, mend=mend)
        _sync(target)
        way = _Way(target, lost=last < log.last_commit)
        seq = _try(database, key, clock, way, folder / "trial")
        if seq is not None:
            tried.append((seq, way))
            if not way.lost:
                break
    else:
        prefix = folder / "trial" / "prefix"
        make_private(prefix.parent)
        _copy(log.path, prefix)
        for way in (_Way(prefix, lost=True), _Way(None, lost=True)):
            seq = _try(database, key, clock, way, folder / "trial")
            if seq is not None:
                tried.append((seq, way))
    if not tried:
        raise StorageTrouble("store.damaged", str(database))
    seq, way = max(tried, key=lambda one: one[0])  # the first of equals
    return way, seq


def _try(database: Path, key: bytes, clock: Clock, way: _Way, trial: Path) -> int | None:
    """The last seq of the database with this log, None when anything in it is not as it must be."""
    # here: these open databases themselves
    from app.store.backup import is_sound
    from app.store.database import Database
    from app.store.events import EventLog

    folder = trial / "try"
    shutil.rmtree(folder, ignore_errors=True)
    make_private(folder)
    copy = folder / database.name
    _copy(database, copy)
    if way.log is not None:
        _copy(way.log, wal.beside(copy))
    try:
        with closing(driver.open_bare(copy, key)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            if not is_sound(connection):
                return None
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            if "mention" in names and connection.execute(_UNRELATED).fetchone()[0]:
                return None
        with Database(copy, key, clock, lock=None) as db:
            events = EventLog(db)
            return events.chain_head()[0] if events.verify_chain() is None else None
    except (driver.Error, StorageTrouble):
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    make_file(target)
    shutil.copyfile(source, target)
    _sync(target)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
