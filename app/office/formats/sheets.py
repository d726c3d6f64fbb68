"""Excel files as rows of texts, read row by row. Formulas count by the value that Excel stored with them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl

from app.errors import InputRefused

MAX_UNPACKED = 512 << 20
MAX_STRINGS = 64 << 20
"""Of the table of texts, which is held in memory."""
MAX_MEMBERS = 2000
MAX_RATIO = 400
"""Bytes unpacked for one packed; sheets of touches have 5 to 30."""
EXCEL_TIMES = ("YYYY-MM-DD hh:mm:ss", "YYYY-MM-DD h:mm:ss", "YYYY-MM-DD h:mm")
"""How `text_of` writes a cell that Excel knows as a time (the last two: with a time typed as text beside it)."""


def check_size(path: Path) -> None:
    """By the zip's own directory, before anything is unpacked: what unpacks to more than that is cut there anyway.

    Raises InputRefused `import.bad_excel`, `import.zip_bomb`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as exc:
        raise InputRefused("import.bad_excel", str(path)) from exc
    total = sum(one.file_size for one in members)
    strings = sum(one.file_size for one in members if one.filename.endswith("sharedStrings.xml"))
    worst = max((one.file_size // max(one.compress_size, 1) for one in members if one.file_size > 1 << 20), default=0)
    if total > MAX_UNPACKED or strings > MAX_STRINGS or len(members) > MAX_MEMBERS or worst > MAX_RATIO:
        raise InputRefused("import.zip_bomb", str(path), size=total >> 20)


_LOOKED_AT = 50
"""Rows of a sheet that are looked at for something written."""


class Sheet(NamedTuple):
    """An open sheet. `names`: of all that the file has; `rows`: row numbers (from 1) with cells."""

    name: str
    names: tuple[str, ...]
    total: int
    """Rows as the file says."""
    rows: Iterator[tuple[int, list[str]]]


@contextmanager
def open_sheet(path: Path, sheet: str) -> Iterator[Sheet]:
    """A sheet by its name; '': the first that has anything in it. Raises InputRefused `import.bad_excel`,
    `import.no_sheet`."""
    check_size(path)
    book: Any = None
    try:
        # whatever a broken workbook makes the library stumble over, it is the file's fault
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        except Exception as exc:
            raise InputRefused("import.bad_excel", str(path)) from exc
        names = [one.title for one in book.worksheets]
        if not names or (sheet and sheet not in names):
            raise InputRefused("import.no_sheet", str(path), sheet=sheet, sheets=", ".join(names)[:200])
        chosen = book[sheet] if sheet else next((one for one in book.worksheets if _written(one, path)), book[names[0]])
        yield Sheet(chosen.title, tuple(names), chosen.max_row or 0, _rows(chosen, path))
    finally:
        if book is not None:
            book.close()


def _written(sheet: Any, path: Path) -> bool:
    return any(any(cells) for _, cells in islice(_rows(sheet, path), _LOOKED_AT))


def _rows(sheet: Any, path: Path) -> Iterator[tuple[int, list[str]]]:
    rows = sheet.iter_rows(values_only=True)
    line = 0
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except Exception as exc:
            raise InputRefused("import.bad_excel", f"{path}: row {line + 1}") from exc
        line += 1
        yield line, [text_of(value) for value in cells]


def text_of(value: object) -> str:
    """A cell as text: what Excel knows as a time to the nearest second, whole numbers without a point."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime():
            whole = (value.replace(tzinfo=None) + timedelta(milliseconds=500)).replace(microsecond=0)
            return whole.isoformat(sep=" ") if whole.time() != time() else whole.date().isoformat()
        case date() | time():
            return value.isoformat() if isinstance(value, date) else value.isoformat(timespec="seconds")
        case _:
            return str(value)
