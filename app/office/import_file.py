"""One file, opened by its format: what it is, its touches (clock corrected), and how far one is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.errors import InputRefused
from app.office import phone_file
from app.office.formats.clock import correct
from app.office.formats.reading import PhoneBook, RowReader
from app.office.formats.rows import Rows, open_rows
from app.office.formats.shapes import Format
from app.office.formats.text import digest_of
from app.office.import_shapes import Correction
from app.office.touches import BadTouch, DeviceTouch, Origin
from app.store.phones import Phone

NOTHING = Correction()
Touches = Iterator[DeviceTouch | BadTouch]


@dataclass(frozen=True, slots=True)
class PhoneKeys:
    """What opens phones' files. `private`: the station's import key, None before there is one."""

    private: Callable[[], bytes | None]
    phone_of: Callable[[str], Phone | None]


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file. `rows`, `reader`: None for a phone's; `site_id`: what the file says, '' for none."""

    origin: Origin
    touches: Touches
    done: Callable[[], float]
    site_id: str = ""
    rows: Rows | None = None
    reader: RowReader | None = None
    phone: phone_file.PhoneFile | None = None


@contextmanager
def open_file(
    path: Path, format_: Format, book: PhoneBook, *, correction: Correction = NOTHING, device: str = ""
) -> Iterator[Opened]:
    """Raises InputRefused with file and place. `device`: instead of what the file says."""
    with open_rows(path, format_) as rows:
        reader = RowReader(path, format_, rows, book)
        name = device or reader.device
        origin = Origin(
            str(path), format_.name, name, digest_of(path), format_.assurance, f"{format_.name}:{name}", strict=False
        )
        touches = reader.touches()
        if correction != NOTHING:
            touches = _corrected(touches, correction)
        yield Opened(origin, touches, rows.done, rows=rows, reader=reader)


def open_phone_file(path: Path, keys: PhoneKeys) -> Opened:
    """See docs/phone-file.md. Raises InputRefused."""
    private = keys.private()
    if private is None:
        raise InputRefused("import.no_key", str(path))
    try:
        with path.open("rb") as opened:
            data = opened.read(phone_file.MAX_BYTES + 1)
    except OSError as exc:
        raise InputRefused("file.missing", str(path), why=exc.strerror or "") from exc
    found = phone_file.read(data, str(path), private, keys.phone_of)
    return Opened(found.origin, iter(found.touches), lambda: 1.0, found.site_id, phone=found)


def is_phone_file(path: Path) -> bool:
    """By its first bytes. False for what cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(18) == b"genba-touch-phone/"
    except OSError:
        return False


def _corrected(touches: Touches, by: Correction) -> Touches:
    for one in touches:
        yield one._replace(at_ms=correct(one.at_ms, by)) if isinstance(one, DeviceTouch) else one
