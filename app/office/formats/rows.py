"""Files as rows of cells with their line numbers, by the way a format says they are cut."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO

from app import codec
from app.errors import InputRefused
from app.office.formats.shapes import FIXED, JSONL, Column, Format
from app.office.formats.sheets import open_sheet
from app.office.formats.text import encoding_of, is_excel, open_text
from app.office.tables import FORMULA

MAX_COLUMNS = 500
LONGEST_LINE = 100_000
"""Letters; a longer line is no row of touches."""
DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True, slots=True)
class Rows:
    """An open file. `columns`: names of the header, or '1', '2' …"""

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    before: tuple[str, ...]
    """Lines above the header, and comments among the first rows."""
    rows: Iterator[tuple[int, list[str]]]
    done: Callable[[], float]
    """How much of the file has been read, 0 to 1."""
    excel: bool = False
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    """Of an Excel file: the one that is read, and all there are."""


@contextmanager
def open_rows(path: Path, format_: Format) -> Iterator[Rows]:
    """Raises InputRefused with file and line: `import.empty`, `import.binary`, `import.no_header`, `import.line` …"""
    with ExitStack() as stack:
        if is_excel(path):
            if format_.type != "table":
                raise InputRefused("import.other_type", str(path), type=format_.type)
            sheet = stack.enter_context(open_sheet(path, format_.sheet))
            seen = [0]
            made = _table(path, format_, _counted(sheet.rows, seen), lambda: seen[0] / max(sheet.total, 1), "xlsx", "")
            yield replace(made, sheet=sheet.name, sheets=sheet.names)
            return
        encoding = encoding_of(path, format_.encoding)
        text, raw = open_text(path, encoding)
        stack.callback(text.close)
        size = max(path.stat().st_size, 1)

        def done() -> float:
            return raw.tell() / size

        if format_.type == JSONL:
            names = tuple(dict.fromkeys([*format_.columns.values(), *(one.column for one in format_.skip)]))
            yield Rows(encoding, "", names, (), _objects(text, names), done)
        elif format_.type == FIXED:
            names = tuple(column.name for column in format_.layout)
            before = _comments(text, format_.comment) if format_.comment else ()
            yield Rows(encoding, "", names, before, _cut(text, format_.layout, format_.comment, path), done)
        else:
            delimiter = format_.delimiter if format_.delimiter != "auto" else _delimiter(text, format_.header)
            yield _table(path, format_, _split(text, delimiter, path), done, encoding, delimiter)


def _table(
    path: Path,
    format_: Format,
    lines: Iterator[tuple[int, list[str]]],
    done: Callable[[], float],
    encoding: str,
    delimiter: str,
) -> Rows:
    before: list[str] = []
    first: tuple[int, list[str]] | None = None
    for line, cells in lines:
        if line >= max(format_.header, 1) and not (format_.comment and _starts(cells, format_.comment)):
            first = line, cells
            break
        before.append((delimiter or ",").join(cells))
    if first is None:
        raise InputRefused("import.no_header" if format_.header else "import.empty", str(path), line=format_.header)
    line, cells = first
    if len(cells) > MAX_COLUMNS:
        raise InputRefused("import.too_many_columns", f"{path}: line {line}", count=len(cells), most=MAX_COLUMNS)
    if format_.header:
        columns = tuple(name.strip() for name in cells)
        rows = lines
    else:
        columns = tuple(str(number) for number in range(1, len(cells) + 1))
        rows = _again(first, lines)
    return Rows(
        encoding, delimiter, columns, tuple(before), _without(rows, format_.comment), done, excel=encoding == "xlsx"
    )


def plain(name: str) -> str:
    """A column's name as it is compared: width, case and blanks do not matter."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def place_of(column: str, columns: Sequence[str]) -> int | None:
    """Where a column stands, from 0; None: nowhere."""
    names = [plain(name) for name in columns]
    return names.index(plain(column)) if plain(column) in names else None


def unguarded(text: str) -> str:
    """A cell without the apostrophe that keeps spreadsheet programs from taking it for a formula."""
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA else text


def _again(first: tuple[int, list[str]], rest: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rest


def _without(rows: Iterator[tuple[int, list[str]]], comment: str) -> Iterator[tuple[int, list[str]]]:
    return rows if not comment else ((line, cells) for line, cells in rows if not _starts(cells, comment))


def _starts(cells: list[str], comment: str) -> bool:
    return bool(cells) and cells[0].startswith(comment)


def _counted(rows: Iterator[tuple[int, list[str]]], seen: list[int]) -> Iterator[tuple[int, list[str]]]:
    for line, cells in rows:
        seen[0] = line
        yield line, cells


def _split(text: IO[str], delimiter: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(text, delimiter=delimiter)
    line = 0
    try:
        for cells in reader:
            # where the row began: a quoted cell may go over several lines
            line, number = reader.line_num, line + 1
            yield number, cells
    except csv.Error as exc:
        raise InputRefused("import.line", f"{path}: line {reader.line_num}", why=str(exc)) from exc


def _delimiter(text: IO[str], header: int) -> str:
    """The one that cuts the first lines into most pieces alike."""
    lines = [text.readline(LONGEST_LINE) for _ in range(max(header, 1) + 20)]
    text.seek(0)
    rows = [line for line in lines[max(header, 1) - 1 :] if line.strip()]

    def worth(delimiter: str) -> tuple[int, int]:
        counts = [line.count(delimiter) for line in rows]
        return (min(counts, default=0), sum(counts))

    return max(DELIMITERS, key=worth)


def _comments(text: IO[str], comment: str) -> tuple[str, ...]:
    lines = [text.readline(LONGEST_LINE).rstrip("\r\n") for _ in range(50)]
    text.seek(0)
    return tuple(line for line in lines if line.startswith(comment))


def _lines(text: IO[str], path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    while line := text.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise InputRefused("import.line", f"{path}: line {number}", why=f"more than {LONGEST_LINE} letters")
        yield number, line.rstrip("\r\n")


def _cut(text: IO[str], layout: tuple[Column, ...], comment: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    spans = [(column.start - 1, column.start - 1 + column.width) for column in layout]
    for number, line in _lines(text, path):
        if not line.strip() or (comment and line.startswith(comment)):
            continue
        wide = widened(line)
        yield number, [wide[start:end].replace("\0", "").strip() for start, end in spans]


def widened(line: str) -> str:
    """With a NUL behind each full-width letter: it takes two places, as in the device's own bytes."""
    return line if line.isascii() else "".join(c if _is_half(c) else f"{c}\0" for c in line)


def _is_half(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in ("H", "Na", "N")


def names_of(path: Path, encoding: str, most: int) -> tuple[str, ...]:
    """Names in the objects of a JSON Lines file's first lines, in their order; () where the first line is none."""
    text, _ = open_text(path, encoding_of(path, encoding))
    found: dict[str, None] = {}
    with text:
        for line in filter(str.strip, islice((text.readline(LONGEST_LINE) for _ in range(most)), most)):
            try:
                found.update(dict.fromkeys(codec.decode(line, dict)))
            except codec.DecodeError:
                if not found:
                    return ()
    return tuple(str(name) for name in list(found)[:MAX_COLUMNS])


def _objects(text: IO[str], names: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    for number, line in _lines(text, Path(getattr(text, "name", "-"))):
        if not line.strip():
            continue
        try:
            found = codec.decode(line, dict)
        except codec.DecodeError:
            found = {}
        yield number, [_as_text(found.get(name)) for name in names]


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
