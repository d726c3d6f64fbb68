"""Updates in a folder: a share, a stick, a folder of this PC."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from app.errors import EnvironmentTrouble, InputRefused
from app.update.port import NotThere

PIECE = 1 << 18


class FolderSource:
    """`app.update.port.Source` of a folder, UNC paths too. A share that hangs holds up its reader alone."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder

    def read(self, path: str, offset: int = 0) -> Iterator[tuple[int, bytes]]:
        """See the port."""
        file = self._folder.joinpath(*inside(path))
        try:
            with file.open("rb") as opened:
                opened.seek(offset)
                while piece := opened.read(PIECE):
                    yield offset, piece
                    offset += len(piece)
        except (FileNotFoundError, NotADirectoryError) as exc:
            if not self._folder.is_dir():
                raise EnvironmentTrouble("update.folder_missing", self.name) from exc
            raise NotThere(path) from exc
        except OSError as exc:
            raise EnvironmentTrouble("update.folder_trouble", self.name, why=exc.strerror or "") from exc

    def close(self) -> None:
        """Nothing is held."""


def inside(path: str) -> tuple[str, ...]:
    """A path's parts, none of which leads out. Raises InputRefused `update.not_signed`."""
    parts = PurePosixPath(path).parts
    if not parts or any(part in ("/", "..") or "\\" in part or ":" in part for part in parts):
        raise InputRefused("update.not_signed", path)
    return parts
