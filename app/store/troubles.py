"""SQLite's errors in the two kinds that matter: the environment's (plain words, a way out) and ours (crash report)."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import sqlalchemy.exc

from app.errors import StorageTrouble
from app.store import driver

_BY_CODE = {
    driver.SQLITE_PERM: "store.no_access",
    driver.SQLITE_BUSY: "store.busy",
    driver.SQLITE_LOCKED: "store.busy",
    driver.SQLITE_READONLY: "store.read_only",
    driver.SQLITE_IOERR: "store.disk_error",
    driver.SQLITE_CORRUPT: "store.damaged",
    driver.SQLITE_FULL: "store.disk_full",
    driver.SQLITE_CANTOPEN: "store.no_access",
    driver.SQLITE_NOTADB: "store.damaged",
}
_BY_ERRNO = {
    errno.ENOSPC: "store.disk_full",
    errno.EDQUOT: "store.disk_full",
    errno.EROFS: "store.read_only",
    errno.EACCES: "store.no_access",
    errno.EPERM: "store.no_access",
    errno.EIO: "store.disk_error",
}

CLOSED = ("station.withdrawn", "station.moved")
"""Message codes under which a data folder may be closed (app.store.closing): its trigger says them."""
_LEAST_FREE = 64 * 1024
"""Bytes. With less, SQLite cannot make the two files that it wants beside an open database."""


def code_of(error: BaseException) -> str | None:
    """The message code of the environment's trouble behind an error; None: it is ours."""
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return "store.busy"
    if isinstance(error, driver.Error):
        # the low byte is the primary code, the rest says more of the same
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == driver.SQLITE_CONSTRAINT and str(error) in CLOSED:
            return str(error)
        return _BY_CODE.get(code)
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, "store.disk_error")
    return None


def trouble(error: BaseException, path: Path) -> StorageTrouble | None:
    """The StorageTrouble that an error stands for; None: a fault of the program, let it crash."""
    code = code_of(error)
    # opening on a full disk fails at the files beside the database: SQLite calls that an I/O error
    if code in ("store.disk_error", "store.no_access") and _is_full(path):
        code = "store.disk_full"
    return None if code is None else StorageTrouble(code, str(path))


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LEAST_FREE
    except OSError:
        return False
