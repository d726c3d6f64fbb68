"""The data folder is held by one running program at a time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from app.errors import StorageTrouble
from app.files import make_file


class FolderLock:
    """The operating system's lock on a file beside the database: gone with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    @classmethod
    def beside(cls, database: Path) -> FolderLock:
        """The one of a database file."""
        return cls(database.with_name(database.name + ".lock"))

    def held(self) -> bool:
        """Whether a running program has it now, as far as this user may know. A program that starts at this very moment
        may find it taken."""
        try:
            if not self._path.exists():
                return False
            self.take()
        except (StorageTrouble, OSError) as trouble:
            return isinstance(trouble, StorageTrouble)
        self.release()
        return False

    def take(self) -> None:
        """Raises StorageTrouble `store.in_use` when another program (or another Database here) holds it; OSError."""
        make_file(self._path)
        file = self._path.open("r+b")
        try:
            _lock(file)
        except OSError as exc:
            file.close()
            raise StorageTrouble("store.in_use", str(self._path.parent)) from exc
        self._file = file

    def release(self) -> None:
        """Let go. The file stays: removing it would let two programs hold two of them."""
        if self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
