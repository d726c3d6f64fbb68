"""Lists as CSV for a spreadsheet program: UTF-8 with BOM, and no cell that such a program would take for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a cell begins with that such a program would take for one."""


def safe_cell(value: object) -> str:
    """The text of a cell; what would start a formula gets an apostrophe before it. Numbers stay numbers."""
    if isinstance(value, int):
        return str(value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def csv_bytes(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A whole file; lines end in CR LF (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([safe_cell(name) for name in head])
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def tab_text(rows: Iterable[Sequence[object]]) -> str:
    """For the clipboard: a spreadsheet program pastes it cell by cell."""
    return "\n".join("\t".join(safe_cell(v).replace("\t", " ").replace("\n", " ") for v in row) for row in rows)
