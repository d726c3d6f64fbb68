"""A file of left-out rows (`app.office.import_bad`) known again: a part of another file, and which rows are back.

Of such a file nobody can say that the reader's memory may be cleared, unless every row that was left out is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from app.office.formats.rows import Rows, open_rows, plain
from app.office.formats.shapes import Format
from app.office.formats.text import encoding_of, open_text

_TOTAL = re.compile(r"行\(全(\d+)\)")
_MARKS = re.compile(
    r"行[(\uff08]全\d+[)\uff09]|\"直し方\"|[,;\t|]行[,;\t|]理由[,;\t|]直し方"
    r"|(?:[,;\t|]|  )行\d+(?:[,;\t|]| / )"
)
_MOST_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Part:
    """What a mended file says of the file it came from. `total`: rows that were left out, 0 for unknown."""

    total: int
    back: int
    """How many different rows of them are in this file."""


def is_bad_file(path: Path) -> bool:
    """Whether this program wrote it, by its first lines. Raises InputRefused for what is no text; False when empty."""
    if path.stat().st_size == 0:
        return False
    text, _ = open_text(path, encoding_of(path))
    with text:
        return any(_MARKS.search(text.readline(10_000)) for _ in range(_MOST_LOOKED_AT))


def part_of(path: Path, format_: Format, rows: Rows) -> Part | None:
    """None for a file that is no part of another; `rows`: of the file, opened. Raises InputRefused as `open_rows`."""
    found = [(place, m) for place, name in enumerate(rows.columns) if (m := _TOTAL.fullmatch(plain(name)))]
    if not found or not format_.header:
        return Part(0, 0) if not rows.excel and is_bad_file(path) else None
    if len(found) > 1:  # left out twice: what became of the first file's other rows is not known
        return Part(0, 0)
    ((place, total),) = found
    with open_rows(path, format_) as again:
        lines = {cells[place].strip() for _, cells in again.rows if place < len(cells)}
    return Part(int(total[1]), sum(line.isdecimal() for line in lines))
