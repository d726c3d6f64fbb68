"""Card profiles: what of a card is read and what its bytes mean, as data that an office adds (docs/card-profiles.md).

The open area of a CCUS card is not public, so no layout is built in. Pure. From a file's content: `profile_file`; from
bytes to fields: `profile_decode`; at the reader: `profile_card`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.readers.felica import BLOCK_BYTES, FelicaArea
from app.readers.storage_card import StorageArea, Technology

MAX_BLOCKS = 64


class Kind(StrEnum):
    """What of a card a profile reads."""

    FELICA = "felica"
    TYPE_A = "type_a"
    TYPE_B = "type_b"
    UID = "uid"
    """The chip number alone."""


@dataclass(frozen=True, slots=True)
class Check:
    """A rule that a field's value must fulfil. Only the options of its rule are set."""

    rule: str
    weights: tuple[int, ...] = ()
    """mod10, mod11: from the digit left of the check digit to the left, repeated."""
    ten: str = "0"
    """mod11: the check digit where the sum gives 10; 'refused': no such number exists."""
    value: str = ""
    min: int | None = None
    max: int | None = None
    pattern: str = ""
    format: str = ""
    never: tuple[str, ...] = ()
    """date: values that stand for 'no end'."""


@dataclass(frozen=True, slots=True)
class Field:
    """Some bytes of the area. `offset` counts over the blocks read, in the order in which the profile names them."""

    name: str
    offset: int
    length: int
    encoding: str
    digits: int | None = None
    padding: int | None = None
    overlaps: bool = False
    checks: tuple[Check, ...] = ()

    @property
    def end(self) -> int:
        return self.offset + self.length

    @property
    def date(self) -> Check | None:
        """Its date rule."""
        return next((check for check in self.checks if check.rule == "date"), None)


@dataclass(frozen=True, slots=True)
class Profile:
    """A checked profile. `area` is None for kind `uid`."""

    name: str
    version: str
    label: Mapping[str, str]
    kind: Kind
    sample: bool = False
    fallback_uid: bool = False
    area: FelicaArea | StorageArea | None = None
    fields: tuple[Field, ...] = ()
    worker_id: str | None = None
    """Name of the field; so are the next two."""
    expires_on: str | None = None
    card_key: str | None = None
    technologies: tuple[Technology, ...] = ()
    """uid: which chips, all when empty; otherwise the one of its kind."""
    lengths: tuple[int, ...] = ()
    prefix: bytes = b""

    @property
    def area_bytes(self) -> int:
        """Length of what is read."""
        if self.area is None:
            return 0
        return len(self.area.blocks) * (BLOCK_BYTES if isinstance(self.area, FelicaArea) else self.area.block_bytes)

    @property
    def key_field(self) -> str | None:
        """The field whose value becomes the card key."""
        return self.card_key or self.worker_id


def block_numbers(text: str) -> tuple[int, ...]:
    """'0-3,8' → (0, 1, 2, 3, 8). Raises ValueError."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isascii() and first.isdigit()) or (dash and not (last.isascii() and last.isdigit())):
            raise ValueError(f"blocks are written 0-3,8, not {text!r}")
        start, end = int(first), int(last or first)
        if not start <= end <= 255:
            raise ValueError(f"block numbers go up, to 255 at most, not {part.strip()!r}")
        numbers += range(start, end + 1)
    if len(set(numbers)) != len(numbers) or len(numbers) > MAX_BLOCKS:
        raise ValueError(f"each block once, {MAX_BLOCKS} at most, not {text!r}")
    return tuple(numbers)
