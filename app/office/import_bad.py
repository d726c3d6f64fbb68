"""Rows that were left out, as a file that the same format reads: mended there, it is imported like any other.

Written beside and put in place whole. In it a cell that a spreadsheet program would take for a formula has an
apostrophe before it, which formats leave out again.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from app import codec
from app.errors import EnvironmentTrouble
from app.office.formats.rows import Rows, widened
from app.office.formats.shapes import FIXED, JSONL, Format
from app.office.tables import safe_cell
from app.office.touches import BadTouch

Words = Callable[[str, Mapping[str, str]], tuple[str, str]]
"""Code and values of a message → title and remedy."""
HEAD = ("行", "理由", "直し方")
_UNTOLD = "00000000"
"""Stands for the number of rows left out until it is known: `app.office.import_mended` reads it."""
_BOM = b"\xef\xbb\xbf"


class BadRows:
    """Collects rows; `close` puts the file in place, if there were any. Raises EnvironmentTrouble `import.bad_file`."""

    def __init__(self, path: Path, format_: Format, rows: Rows, words: Words) -> None:
        self._path, self._format, self._rows, self._words = path, format_, rows, words
        self._beside = path.with_name(f".{path.name}.{os.getpid()}")
        self._file: IO[bytes] | None = None
        self.count = 0
        self._total_at: int | None = None

    def add(self, bad: BadTouch) -> None:
        """Write a row with its line, reason and remedy."""
        title, remedy = self._words(bad.code, bad.values)
        try:
            if self._file is None:
                self._file = self._beside.open("wb")
                head = _BOM + self._head()
                self._total_at = head.rindex(_UNTOLD.encode()) if self._has_head else None
                self._file.write(head)
            self._file.write(self._line(bad.cells, (str(bad.line), title, remedy)))
        except OSError as exc:
            raise EnvironmentTrouble("import.bad_file", str(self._path), why=exc.strerror or "") from exc
        self.count += 1

    def close(self, *, keep: bool, elsewhere: int = 0) -> None:
        """`keep` False: nothing is put in place; `elsewhere`: rows that keep the reader from being cleared as well."""
        if self._file is None:
            return
        try:
            if self._total_at is not None:
                self._file.seek(self._total_at)
                self._file.write(f"{self.count + elsewhere:08d}".encode())
            self._file.close()
            if keep:
                self._beside.replace(self._path)
            else:
                self._beside.unlink(missing_ok=True)
        except OSError as exc:
            raise EnvironmentTrouble("import.bad_file", str(self._path), why=exc.strerror or "") from exc

    @property
    def _has_head(self) -> bool:
        return self._format.type not in (JSONL, FIXED) and self._format.header > 0

    def _head(self) -> bytes:
        if self._format.type == JSONL:
            return b""
        # whole lines: the device's name may stand in one, and the header's line must stay where it was
        before = "".join(f"{line}\r\n" for line in self._rows.before)
        columns = self._csv([*self._rows.columns, f"行(全{_UNTOLD})", *HEAD[1:]]) if self._has_head else ""
        return (before + columns).encode()

    def _line(self, cells: Sequence[str], said: Sequence[str]) -> bytes:
        if self._format.type == JSONL:
            row = dict(zip(self._rows.columns, cells, strict=False)) | dict(zip(HEAD, said, strict=True))
            return codec.encode(row) + b"\n"
        if self._format.type == FIXED:
            return f"{self._fixed(cells)}  行{' / '.join(said)}\r\n".encode()
        wide = [*cells, *[""] * (len(self._rows.columns) - len(cells))]
        line = said[0] if self._has_head else f"行{said[0]}"
        return self._csv([*wide, line, *said[1:]]).encode()

    def _csv(self, cells: Sequence[str]) -> str:
        out = io.StringIO()
        delimiter = self._rows.delimiter or (self._format.delimiter if self._format.delimiter != "auto" else ",")
        csv.writer(out, delimiter=delimiter).writerow([safe_cell(cell) for cell in cells])
        return out.getvalue()

    def _fixed(self, cells: Sequence[str]) -> str:
        """The columns at their places, each letter as wide as the reader counts it."""
        line = ""
        for column, cell in sorted(zip(self._format.layout, cells, strict=False), key=lambda pair: pair[0].start):
            line = line.ljust(column.start - 1)[: column.start - 1] + widened(cell)
        end = max(column.start + column.width - 1 for column in self._format.layout)
        return line.ljust(end).replace("\0", "")
