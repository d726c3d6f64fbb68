"""From a format file's content to a format. Pure: `wiring` loads the file and checks its JSON Schema; what contradicts
itself is refused here, with its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.assurance import Assurance
from app.errors import InputRefused
from app.office.formats.shapes import FIXED, JSONL, TABLE, CardForm, Column, DeviceRule, Format, Skip
from app.office.formats.times import BadPattern, Times

_NOT_FOR = {
    TABLE: ("columns",),
    FIXED: ("delimiter", "sheet", "header"),
    JSONL: ("delimiter", "sheet", "header", "columns", "comment"),
}


class _Contradiction(Exception):
    """A place in the file and what is wrong there."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(place, why)
        self.place, self.why = place, why


def format_of(values: Mapping[str, Any], where: str) -> Format:
    """The format that a file's content describes (schema `import-format`, checked already).

    Raises InputRefused `formats.inconsistent` with file and place for what contradicts itself.
    """
    try:
        made = _format(values)
        _check(made, values)
    except _Contradiction as exc:
        raise InputRefused("formats.inconsistent", f"{where}: {exc.place}", why=exc.why) from exc
    return made


def _format(values: Mapping[str, Any]) -> Format:
    file, time, direction = values.get("file", {}), values["time"], values.get("direction", {})
    kind = file.get("type", TABLE)
    for name in _NOT_FOR[kind]:
        if name in file:
            raise _Contradiction(f"$.file.{name}", f"not for type {kind}")
    sign, hours, minutes = (offset := time.get("offset", "+09:00"))[0], offset[1:3], offset[4:]
    card = values.get("card", {})
    columns = dict(values["columns"])
    return Format(
        values["name"],
        values["version"],
        dict(values["label"]),
        Assurance(values["assurance"]),
        kind,
        columns,
        tuple(time["formats"]),
        sample=values.get("sample", False),
        offset_minutes=int(f"{sign}1") * (int(hours) * 60 + int(minutes)),
        encoding=file.get("encoding", "auto"),
        delimiter=file.get("delimiter", "auto"),
        header=file.get("header", 1) if kind == TABLE else 0,
        sheet=file.get("sheet", ""),
        comment=file.get("comment", ""),
        layout=tuple(Column(**one) for one in file.get("columns", ())),
        card=CardForm(
            card.get("kind", "key"), card.get("base", "hex"), card.get("reversed", False), card.get("bytes", 8)
        ),
        direction_in=frozenset(direction.get("in", ())),
        direction_out=frozenset(direction.get("out", ())),
        device=DeviceRule(**values.get("device", {})),
        skip=tuple(_skip(number, one) for number, one in enumerate(values.get("skip", ()))),
        needs=tuple(file.get("needs", ())),
        suffixes=tuple(file.get("suffixes", ())),
    )


def _skip(number: int, one: Mapping[str, Any]) -> Skip:
    if ("is" in one) == ("is_not" in one):
        raise _Contradiction(f"$.skip[{number}]", "needs is or is_not, not both")
    return Skip(one["column"], frozenset(one.get("is") or one["is_not"]), keep="is_not" in one)


def _check(made: Format, values: Mapping[str, Any]) -> None:
    columns = made.columns
    if not {"card", "worker", "phone"} & set(columns):
        raise _Contradiction("$.columns", "a row needs card, worker or phone")
    if "phone" in columns and {"card", "worker"} & set(columns):
        raise _Contradiction("$.columns.phone", "not beside card or worker")
    if ("at" in columns) == bool({"date", "time"} & set(columns)):
        raise _Contradiction("$.columns", "the time stands in at, or in date and time")
    if "at" not in columns and not {"date", "time"} <= set(columns):
        raise _Contradiction("$.columns", "date and time go together")
    if "card" in values and "card" not in columns:
        raise _Contradiction("$.card", "there is no column card")
    if "card" in columns and "card" not in values:
        raise _Contradiction("$.columns.card", "say how the card is written: [card]")
    try:
        Times(made.times, made.offset_minutes)
    except BadPattern as exc:
        raise _Contradiction("$.time.formats", str(exc)) from exc
    if both := made.direction_in & made.direction_out:
        raise _Contradiction("$.direction", f"{min(both)} is in and out")
    if "direction" in columns and not (made.direction_in or made.direction_out):
        raise _Contradiction("$.columns.direction", "say which words mean in and out: [direction]")
    if "device" in columns and "device" in values:
        raise _Contradiction("$.device", "the device stands in a column already")
    if made.card.kind.startswith("profile:") and (made.card.base != "hex" or made.card.reversed):
        raise _Contradiction("$.card", "a number printed on a card is taken as it stands")
    _check_places(made)


def _check_places(made: Format) -> None:
    wanted = [(f"$.columns.{part}", column) for part, column in made.columns.items()]
    wanted += [(f"$.skip[{number}].column", one.column) for number, one in enumerate(made.skip)]
    if made.type == FIXED:
        names = [column.name for column in made.layout]
        if not names:
            raise _Contradiction("$.file.columns", "type fixed needs its columns")
        if len(set(names)) != len(names):
            raise _Contradiction("$.file.columns", "a name is there twice")
        for place, column in wanted:
            if column not in names:
                raise _Contradiction(place, f"there is no column {column} in file.columns")
    elif made.type == TABLE and made.header == 0:
        for place, column in wanted:
            if not (column.isascii() and column.isdigit() and 1 <= int(column) <= 1000):
                raise _Contradiction(place, "without a header a column is a number from 1")
    if made.device.line_prefix and made.header < 2 and not made.comment:
        raise _Contradiction("$.device.line_prefix", "there are no lines before the header (file.header, file.comment)")
