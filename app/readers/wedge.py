"""Keyboard-wedge readers: they type the chip number and Enter. Telling that burst from a person's typing; pure.

A reader types a character every few milliseconds; a person needs ten times as long. What the digits mean is not
standardised: hex of 4, 7 or 10 bytes is taken as a chip number, of 8 bytes as a FeliCa IDm; anything else is not read.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

from app.domain.ids import InvalidId, card_key

BURST_GAP_S = 0.05
"""Longest pause between two characters of a burst."""
SHORTEST = 8
_KINDS = {8: "uid", 14: "uid", 16: "felica", 20: "uid"}
_HEX = frozenset(string.hexdigits)


@dataclass(frozen=True, slots=True)
class Burst:
    """A reader has typed something. `key`: the card's key; None when the digits have no meaning for us."""

    key: str | None


class WedgeListener:
    """Takes characters with their times; one thread."""

    def __init__(self) -> None:
        self._typed = ""
        self._last = 0.0

    def wants(self, char: str) -> bool:
        """Whether a character may belong to a burst at all."""
        return char in _HEX or char in "\r\n"

    def take(self, char: str, at_s: float) -> Burst | None:
        """A character at a steady time in seconds. A Burst when Enter ends one; None otherwise."""
        fast = at_s - self._last <= BURST_GAP_S
        self._last = at_s
        if char in "\r\n":
            typed, self._typed = self._typed, ""
            if not fast or len(typed) < SHORTEST:
                return None
            return Burst(_key(typed))
        self._typed = (self._typed + char) if fast else char
        return None

    def forget(self) -> None:
        """What was typed so far was a person's."""
        self._typed = ""


def _key(digits: str) -> str | None:
    kind = _KINDS.get(len(digits))
    if kind is None:
        return None
    try:
        return card_key(f"{kind}:{digits}")
    except InvalidId:
        return None
