"""Rows of cells → touches, by a format. A row that is none becomes a `BadTouch` with its reason; the others go on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.domain import ids
from app.domain.events import Direction
from app.errors import InputRefused
from app.office.formats.cards import Cards, NoCard
from app.office.formats.device_names import device_name, device_of
from app.office.formats.rows import MAX_COLUMNS, Rows, place_of, unguarded
from app.office.formats.shapes import TABLE, Format
from app.office.formats.sheets import EXCEL_TIMES
from app.office.formats.times import NoTime, Times
from app.office.touches import BadTouch, DeviceTouch

_WORKER = re.compile(r"[0-9A-Za-z_-]{1,40}", re.ASCII)
_PHONE = re.compile(r"0\d{9,10}", re.ASCII)
_KEPT = 100_000
_NONE = ("", "")


@dataclass(frozen=True, slots=True)
class PhoneBook:
    """Whose telephone it is: number → (技能者ID, 事業者ID or '')."""

    numbers: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def phone_number(text: str) -> str:
    """Digits alone, from 0. Raises ValueError for what is none."""
    plain = ids.normalise(text).replace("(", "").replace(")", "")
    plain = f"0{plain[3:]}" if plain.startswith("+81") else plain
    if not _PHONE.fullmatch(plain):
        raise ValueError("a telephone number has 10 or 11 digits and starts with 0")
    return plain


class _Bad(Exception):
    def __init__(self, code: str, **values: str) -> None:
        super().__init__(code)
        self.code, self.values = code, values


class RowReader:
    """Reads one open file. Not for two threads at once."""

    def __init__(self, path: Path, format_: Format, rows: Rows, book: PhoneBook | None = None) -> None:
        """Raises InputRefused `import.no_column`, `import.not_this` for a file of another format."""
        self._format, self._rows = format_, rows
        self._path = path
        self._columns = {part: self._place(column) for part, column in format_.columns.items()}
        self._skips = [(self._place(one.column), one) for one in format_.skip]
        head = [*rows.before, ",".join(rows.columns)]
        for needed in format_.needs:
            if not any(needed in line for line in head):
                raise InputRefused("import.not_this", str(path), format=format_.name, needed=needed)
        # always: a file of bad rows of an Excel file is CSV
        extra = tuple(text for text in EXCEL_TIMES if text not in format_.times) if format_.type == TABLE else ()
        epoch = any(text.startswith("epoch") for text in format_.times)
        self._times = Times(format_.times if epoch else (*format_.times, *extra), format_.offset_minutes)
        self._cards = Cards(format_.card)
        self._workers: dict[str, str] = {}
        self._devices: dict[str, str] = {}
        self._numbers = book.numbers if book else {}
        self.skipped = 0
        """Rows that the format says are no touches, and empty ones."""

    @property
    def device(self) -> str:
        """Name of the file's device; where a column says it, of the file.

        Raises InputRefused `import.no_device`, `import.no_device_name`: then somebody has to say it.
        """
        rule = self._format.device
        if rule.fixed:
            return rule.fixed
        if rule.line_prefix:
            for line in self._rows.before:
                if line.startswith(rule.line_prefix):
                    found = device_name(line[len(rule.line_prefix) :].strip(",\t;| "))
                    if found:
                        return found
            raise InputRefused("import.no_device", str(self._path), prefix=rule.line_prefix)
        named = device_of(self._path.stem, rule.name_prefix)
        if named:
            return named
        if "device" in self._format.columns:  # then it names the batch alone
            return device_name(self._path.stem) or "file"
        raise InputRefused("import.no_device_name", str(self._path))

    def touches(self) -> Iterator[DeviceTouch | BadTouch]:
        """Every row that is meant to be a touch, in the file's order. Raises InputRefused where the file breaks off."""
        columns, times, cards, directions = self._columns, self._times, self._cards, self._directions()
        card_at, worker_at, phone_at = columns.get("card"), columns.get("worker"), columns.get("phone")
        at_at, date_at, time_at = columns.get("at"), columns.get("date", 0), columns.get("time", 0)
        direction_at, device_at, number_at = columns.get("direction"), columns.get("device"), columns.get("number")
        plain = not self._skips and phone_at is None and card_at is not None
        described = tuple(columns.get(part) for part in ("occupation", "role"))
        says_more = described != (None, None)
        for line, cells in self._rows.rows:
            try:
                if self._skips and self._is_skipped(cells):
                    self.skipped += 1
                    continue
                at = cells[at_at] if at_at is not None else f"{cells[date_at].strip()} {cells[time_at].strip()}"
                worker = company = None
                if card_at is not None and (plain or cells[card_at].strip()):
                    key = cards.read(cells[card_at])
                    if worker_at is not None and cells[worker_at].strip():
                        worker = self._worker(cells[worker_at])
                elif phone_at is not None:
                    key, worker, company = self._caller(cells[phone_at])
                else:
                    worker = self._worker(cells[worker_at]) if worker_at is not None else ""
                    if not worker:
                        raise NoCard("")
                    key = f"profile:{self._format.name}:{worker}"
                local, at_ms = times.read(at)
                direction = None if direction_at is None else directions[cells[direction_at]]
                number = line if number_at is None else self._number(cells[number_at])
                device = "" if device_at is None else self._device(cells[device_at])
                occupation, role = (
                    [cells[i].strip() if i is not None else "" for i in described] if says_more else _NONE
                )
                yield DeviceTouch(
                    local,
                    at_ms,
                    key,
                    number,
                    line,
                    direction,
                    worker,
                    device,
                    company or "",
                    occupation,
                    role,
                    cells,
                )
            except (NoTime, NoCard, KeyError, IndexError, ValueError, _Bad) as exc:
                if not any(cell.strip() for cell in cells):
                    self.skipped += 1
                else:
                    yield self._bad(line, cells, exc)

    def _place(self, column: str) -> int:
        place = place_of(column, self._rows.columns)
        if place is None:
            if self._format.type == "table" and self._format.header == 0:
                raise InputRefused("import.not_this", str(self._path), format=self._format.name, needed=column)
            seen = ", ".join(self._rows.columns)[:200]
            raise InputRefused("import.no_column", str(self._path), column=column, columns=seen)
        return place

    def _directions(self) -> Mapping[str, Direction | None]:
        return _Directions(self._format)

    def _is_skipped(self, cells: list[str]) -> bool:
        for place, rule in self._skips:
            text = cells[place].strip() if place < len(cells) else ""
            if (text in rule.values) is not rule.keep:
                return True
        return False

    def _worker(self, text: str) -> str:
        found = self._workers.get(text)
        if found is None:
            plain = ids.normalise(unguarded(text))
            if not _WORKER.fullmatch(plain):
                raise _Bad("import.row_worker")
            if len(self._workers) >= _KEPT:
                self._workers.clear()
            found = self._workers[text] = plain
        return found

    def _caller(self, text: str) -> tuple[str, str | None, str]:
        try:
            number = phone_number(text)
        except ValueError as exc:
            raise _Bad("import.row_phone") from exc
        worker, company = self._numbers.get(number, (None, ""))
        return f"profile:call:{number}", worker, company

    def _number(self, text: str) -> int:
        plain = ids.normalise(text)
        if not (plain.isascii() and plain.isdigit() and len(plain) <= 15):
            raise _Bad("import.row_number", text=text[:40])
        return int(plain)

    def _device(self, text: str) -> str:
        found = self._devices.get(text)
        if found is None:
            found = device_name(unguarded(text))
            if not found:
                raise _Bad("import.row_device")
            if len(self._devices) >= _KEPT:
                self._devices.clear()
            self._devices[text] = found
        return found

    def _bad(self, line: int, cells: list[str], exc: Exception) -> BadTouch:
        """Why, in words; the cells stay as they are."""
        kept = tuple(cells[:MAX_COLUMNS])
        # an apostrophe that our own file of bad rows, or a spreadsheet program, has put there
        text = ""
        if isinstance(exc, _Bad):
            code, values = exc.code, exc.values
        elif any("\ufffd" in cell for cell in cells):
            code, values = "import.row_encoding", {"encoding": self._rows.encoding}
        elif isinstance(exc, IndexError):
            code, values = "import.row_short", {"count": str(len(cells)), "wanted": str(len(self._rows.columns))}
        elif isinstance(exc, NoTime):
            text = str(exc).strip()
            code = "import.row_time" if text else "import.row_no_time"
            values = {"text": text[:40], "formats": " / ".join(self._format.times)}
        elif isinstance(exc, NoCard):
            card_at = self._columns.get("card", 0)
            code = "import.row_card" if cells[card_at].strip() else "import.row_no_card"
            values = {"kind": self._format.card.kind}
        elif isinstance(exc, KeyError):
            code, values = "import.row_direction", {"text": str(exc.args[0])[:40]}
        else:
            raise exc
        return BadTouch(line, code, values, kept, text)


class _Directions(dict[str, Direction | None]):
    """Word → direction, each looked at once; an empty cell is no direction. KeyError for a word that is neither."""

    def __init__(self, format_: Format) -> None:
        super().__init__()
        self._in, self._out = ({_word(w) for w in words} for words in (format_.direction_in, format_.direction_out))

    def __missing__(self, text: str) -> Direction | None:
        word = _word(unguarded(text))
        if word and word not in self._in and word not in self._out:
            raise KeyError(text)
        if len(self) < _KEPT:
            self[text] = Direction.IN if word in self._in else Direction.OUT if word in self._out else None
        return Direction.IN if word in self._in else Direction.OUT if word in self._out else None


def _word(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()
