"""Fitting an unknown layout: a file's first lines cut into cells, guesses what is what, and the format file that a
mapping makes. Pure but for reading the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from app.domain.assurance import Assurance
from app.errors import InputRefused
from app.office.formats.rows import names_of, open_rows, plain
from app.office.formats.shapes import FIXED, JSONL, TABLE, Column, Format
from app.office.formats.text import is_excel
from app.office.formats.times import NoTime, Times
from app.office.import_layout import Cells, FormatDraft, Layout, Part

MOST_ROWS = 200
TIMES = (
    "YYYY/MM/DD hh:mm:ss", "YYYY-MM-DD hh:mm:ss", "YYYY/M/D h:mm:ss", "YYYY/MM/DD hh:mm", "YYYY-MM-DD hh:mm",
    "YYYY/M/D h:mm", "YYYYMMDD hhmmss", "YYYYMMDD hh:mm:ss", "YYYYMMDDhhmmss", "YYYYMMDDhhmm", "YYYYMMDD hhmm",
    "YYYY-MM-DDThh:mm:ss", "YYYY-MM-DDThh:mm:ssZ", "YYYY-MM-DDThh:mm:ss.fffZ", "YYYY年M月D日 h時m分",
    "YYYY年M月D日 h:mm", "YYYY年M月D日 h:mm:ss", "GGEE年M月D日 h時m分", "GGEE年M月D日 h:mm", "GGEE.M.D h:mm",
    "GGEE.M.D h:mm:ss", "YY/MM/DD hh:mm:ss", "YY/MM/DD hh:mm", "YYMMDD hhmmss", "YYYY/M/D AAh:mm", "YYYY/M/D AA h:mm",
    "YYYY/M/D h:mm AA", "YYYY/M/D h:mm:ss AA", "DD.MM.YYYY hh:mm:ss", "MM/DD/YYYY hh:mm:ss", "epoch", "epoch_ms",
)  # fmt: skip
"""Patterns that are tried on an unknown column, most usual first."""
_NAMES: Mapping[Part, tuple[str, ...]] = {
    Part.CARD: ("カード", "card", "idm", "uid", "タグ"),
    Part.WORKER: ("技能者", "作業員", "社員", "worker", "user", "個人"),
    Part.PHONE: ("電話", "phone", "発信", "tel"),
    Part.AT: ("日時", "datetime", "timestamp", "打刻", "時刻日"),
    Part.DATE: ("日付", "年月日", "date", "日"),
    Part.TIME: ("時刻", "時間", "time"),
    Part.DIRECTION: ("入退", "入出", "出入", "区分", "方向", "direction", "inout", "in/out"),
    Part.DEVICE: ("端末", "機器", "装置", "device", "terminal", "reader", "リーダ"),
    Part.NUMBER: ("番号", "連番", "no", "seq", "#"),
    Part.OCCUPATION: ("職種", "occupation"),
    Part.ROLE: ("立場", "役割", "role"),
}


def cells_of(file: Path, layout: Layout, rows: int) -> Cells:
    """See `ImportPort.cells`. Raises InputRefused."""
    names: tuple[str, ...] = ()
    if layout.type == JSONL or (layout.type == TABLE and layout.delimiter == "auto" and not is_excel(file)):
        names = names_of(file, layout.encoding, MOST_ROWS)
        if names:
            layout = replace(layout, type=JSONL)
        elif layout.type == JSONL:
            raise InputRefused("import.no_objects", str(file))
    with open_rows(file, _probe(layout, names)) as opened:
        some = tuple(tuple(cells) for _, cells in islice(opened.rows, min(rows, MOST_ROWS)) if any(cells))
        columns = opened.columns
        found = Layout(
            layout.type,
            opened.encoding if layout.encoding == "auto" else layout.encoding,
            opened.delimiter if layout.delimiter == "auto" else layout.delimiter,
            layout.header,
            layout.widths,
            layout.sheet,
        )
        sheet, sheets = opened.sheet, opened.sheets
    guessed = _guess(columns, some)
    return Cells(found, columns, some, guessed, _times(columns, some, guessed), sheet=sheet, sheets=sheets)


def _probe(layout: Layout, names: Sequence[str]) -> Format:
    """`names`: of a JSON Lines file's objects."""
    start, columns = 1, []
    for number, width in enumerate(layout.widths, 1):
        columns.append(Column(str(number), start, width))
        start += width
    return Format(
        "probe",
        "1",
        {},
        Assurance.LOGGED,
        layout.type,
        {name: name for name in names},
        (),
        encoding=layout.encoding,
        delimiter=layout.delimiter,
        header=layout.header if layout.type == TABLE else 0,
        sheet=layout.sheet,
        layout=tuple(columns),
    )


def _guess(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[Part, str]:
    found: dict[Part, str] = {}
    for part, words in _NAMES.items():
        for column in columns:
            if column in found.values() or not any(word in plain(column) for word in words):
                continue
            # 打刻日 beside 打刻時刻 is no date and time in one
            if part is not Part.AT or _fitting(_texts(rows, columns.index(column))):
                found[part] = column
                break
    if Part.AT not in found and not {Part.DATE, Part.TIME} <= set(found):
        for place, column in enumerate(columns):
            if column not in found.values() and _fitting(_texts(rows, place)):
                found[Part.AT] = column
                break
    if Part.AT in found:
        found.pop(Part.DATE, None)
        found.pop(Part.TIME, None)
    return found


def _texts(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    return [row[place] for row in rows if place < len(row) and row[place].strip()]


def _times(columns: Sequence[str], rows: Sequence[Sequence[str]], guessed: Mapping[Part, str]) -> tuple[str, ...]:
    parts = [Part.AT] if Part.AT in guessed else [Part.DATE, Part.TIME]
    places = [columns.index(guessed[part]) for part in parts if part in guessed]
    if len(places) != len(parts):
        return ()
    texts = [" ".join(row[i].strip() for i in places) for row in rows if len(row) > max(places)]
    return _fitting([text for text in texts if text.strip()])


def _fitting(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(pattern for pattern in TIMES if texts and _reads(pattern, texts))


def _reads(pattern: str, texts: Sequence[str]) -> bool:
    times = Times((pattern,), 540)
    try:
        for text in texts:
            times.read(text)
    except NoTime:
        return False
    return True


def values_of(draft: FormatDraft) -> dict[str, Any]:
    """The content of the format file (schema `import-format`) that a mapping makes."""
    layout = draft.layout
    encoding = {"utf-8-sig": "utf-8", "utf-16-le": "utf-16", "utf-16-be": "utf-16", "xlsx": "auto"}.get(
        layout.encoding, layout.encoding
    )
    file: dict[str, Any] = {"type": layout.type}
    if encoding != "auto":
        file["encoding"] = encoding
    if layout.type == TABLE:
        file["header"] = layout.header
        if layout.delimiter not in ("auto", ""):
            file["delimiter"] = layout.delimiter
        if layout.sheet:
            file["sheet"] = layout.sheet
    elif layout.type == FIXED:
        start, columns = 1, []
        for number, width in enumerate(layout.widths, 1):
            columns.append({"name": str(number), "start": start, "width": width})
            start += width
        file["columns"] = columns
    values: dict[str, Any] = {
        "schema": 1,
        "name": draft.name,
        "version": "1",
        "label": {"ja": draft.label, "en": draft.label},
        "assurance": draft.assurance.value,
        "file": file,
        "columns": {part.value: column for part, column in draft.columns.items()},
        "time": {"formats": list(draft.times)},
    }
    if Part.CARD in draft.columns:
        values["card"] = {"kind": draft.card_kind}
        if draft.card_kind in ("felica", "uid"):
            values["card"] |= {"base": draft.card_base, "reversed": draft.card_reversed, "bytes": draft.card_bytes}
    words = {"in": list(draft.direction_in), "out": list(draft.direction_out)}
    if Part.DIRECTION in draft.columns:
        values["direction"] = {name: some for name, some in words.items() if some}
    if draft.device and Part.DEVICE not in draft.columns:
        values["device"] = {"fixed": draft.device}
    return values
