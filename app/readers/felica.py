"""What FeliCa reading has in common on every road: which blocks to read, and how they are handed on.

The open area's layout of a CCUS card is not public: which service and blocks to read is data (a card profile). The
raw blocks, which prove nothing, travel as attributes where somebody looks at a card (`profile dump`, `profile try`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BLOCK_BYTES = 16
IDM_BYTES = 8


@dataclass(frozen=True, slots=True)
class FelicaArea:
    """Blocks of one service that can be read without a key."""

    service_code: int
    """16 bits, e.g. 0x090F."""
    blocks: tuple[int, ...]
    """Block numbers, each 0–255."""
    system_codes: tuple[int, ...] = ()
    """The card's system that holds the service; empty: the one that answers first. A PC/SC reader cannot be asked for
    one, only nfcpy can."""

    def __post_init__(self) -> None:
        if not 0 <= self.service_code <= 0xFFFF or not all(0 <= block <= 0xFF for block in self.blocks):
            raise ValueError(f"no FeliCa area: service {self.service_code:#x}, blocks {self.blocks}")


def block_attributes(area: FelicaArea, blocks: Mapping[int, bytes]) -> dict[str, str]:
    """Raw blocks as attributes of a `CardSeen`: 'felica.090F.0' → 32 hex digits."""
    return {f"felica.{area.service_code:04X}.{number}": data.hex().upper() for number, data in blocks.items()}
