"""Files and folders that are their user's alone, and written so that a power cut leaves the old or the new one."""

from __future__ import annotations

import os
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path

DATABASE_NAME = "genba-touch.db"
"""The encrypted database of a data folder."""
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
CARRIED_FILE = 0o644


def make_private(folder: Path) -> None:
    """Create the folder, or close it to others if it is ours. On Windows the profile's own rights do this. OSError."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    if sys.platform == "win32":
        return
    state = folder.stat()
    shared = bool(state.st_mode & stat.S_ISVTX)
    if state.st_uid == os.getuid() and not shared and stat.S_IMODE(state.st_mode) != PRIVATE_FOLDER:
        folder.chmod(PRIVATE_FOLDER)


def make_file(path: Path) -> None:
    """An empty file with mode 0600, or the mode put right. SQLite gives -wal and -shm the database's mode. OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        if sys.platform != "win32" and stat.S_IMODE(os.fstat(descriptor).st_mode) != PRIVATE_FILE:
            os.fchmod(descriptor, PRIVATE_FILE)
    finally:
        os.close(descriptor)


def write_private(path: Path, data: bytes) -> None:
    """Put a small file in place at once and durably, mode 0600: a reader sees the old or the new one. OSError."""
    _put(path, data, PRIVATE_FILE)


def write_carried(path: Path, data: bytes) -> None:
    """Likewise, readable to whoever has the folder on another PC. What did not fit is taken away again. OSError."""
    try:
        _put(path, data, CARRIED_FILE)
    except OSError:
        with suppress(OSError):
            _temporary(path).unlink()
        raise


def _temporary(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _put(path: Path, data: bytes, mode: int) -> None:
    temporary = _temporary(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        if sys.platform != "win32":
            with suppress(OSError):  # a stick's file system may know no such thing
                os.fchmod(descriptor, mode)  # whatever the umask, or the mode of one that was left over
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _into_place(temporary, path)
    sync_folder(path.parent)


def _into_place(temporary: Path, path: Path) -> None:
    """Windows refuses while anybody (a virus scanner, `status`) reads the old file; a moment later it does not."""
    for pause_s in (0.01, 0.05, 0.2, 0.5) if sys.platform == "win32" else ():
        try:
            temporary.replace(path)
            return
        except PermissionError:
            time.sleep(pause_s)
    temporary.replace(path)


def sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows needs and knows nothing of the kind. OSError."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
