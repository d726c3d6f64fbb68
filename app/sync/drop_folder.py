"""The folder in which letters are carried: on a stick or a share that may come, go, be full, read-only, or hang."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from app.drop_seal import MARKER, MAX_FILE, name, named
from app.errors import InputRefused
from app.files import write_carried
from app.sync.line import Line, LineBusy, LineTimeout
from app.sync.trouble import Offline

T = TypeVar("T")

SCHEME = "file"
PATIENCE_S = 180.0
"""A folder that does not answer for so long is not there."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class DropFolder:
    """One thread's; `abort` and `close` may be called from any. Every method raises Offline (`drop_…`) and Hung.

    `url`: file:///…; `station`: the fingerprint of the station's keys. The constructor raises InputRefused.
    """

    def __init__(self, url: str, station: str) -> None:
        self.path = folder_of(url)
        self._station = station
        self._line = Line(lambda: None, lambda: None)

    def answers(self) -> list[int]:
        """Numbers of the centre's letters to this station, lowest first."""

        def look() -> list[int]:
            (self.path / MARKER).stat()  # else it is another stick, or the bare place of none: do not write there
            found = [named(path.name) for path in self.path.iterdir()]
            return sorted(n for to_centre, to, n in filter(None, found) if not to_centre and to == self._station)

        return self._do(look)

    def read(self, number: int) -> bytes:
        """The centre's letter with this number; one byte more than MAX_FILE of one that is too large."""

        def load() -> bytes:
            with (self.path / name(False, self._station, number)).open("rb") as file:
                return file.read(MAX_FILE + 1)

        return self._do(load)

    def put(self, number: int, letter: bytes) -> None:
        """Lay a letter to the centre into the folder: whole, durable, or not at all."""
        self._do(lambda: write_carried(self.path / name(True, self._station, number), letter))

    def lie(self, numbers: Collection[int]) -> bool:
        """Whether these letters to the centre lie there."""
        return self._do(lambda: all((self.path / name(True, self._station, n)).exists() for n in numbers))

    def drop_answers(self, numbers: Collection[int]) -> None:
        """Remove letters of the centre's that were read."""
        self._do(lambda: self._remove(name(False, self._station, n) for n in numbers))

    def keep(self, numbers: Collection[int]) -> None:
        """Remove all letters to the centre but these, and half ones."""
        kept = {name(True, self._station, n) for n in numbers}

        def sweep() -> None:
            mine = [path.name for path in self.path.iterdir() if path.name.startswith(f"s-{self._station}-")]
            letters = [one for one in mine if named(one.removesuffix(".new")) is not None]
            self._remove(one for one in letters if one not in kept)

        self._do(sweep)

    def abort(self) -> None:
        """Give up the running call and all later ones."""
        self._line.hang_up()

    def close(self) -> None:
        """`abort`, then wait up to half a second."""
        self._line.hang_up()
        self._line.join(0.5)

    def _remove(self, names: Iterable[str]) -> None:
        for one in names:
            with suppress(OSError):  # it does no harm there
                (self.path / one).unlink()

    def _do(self, work: Callable[[], T]) -> T:
        try:
            return self._line.run(work, PATIENCE_S)
        except OSError as exc:
            kind = "full" if exc.errno in _FULL else "readonly" if exc.errno in _READ_ONLY else "missing"
            raise Offline(f"drop_{kind}", str(self.path), exc.strerror or "") from exc
        except (LineTimeout, LineBusy) as exc:
            raise Offline("drop_missing", str(self.path)) from exc


def folder_of(url: str) -> Path:
    """The folder of a file:///… address. Raises InputRefused."""
    parts = urlsplit(url)
    if parts.scheme != SCHEME or parts.netloc not in ("", "localhost") or not parts.path.strip("/"):
        raise InputRefused("sync.address")
    return Path(url2pathname(parts.path))
