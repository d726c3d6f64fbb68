"""How a card is spoken to, whatever carries the bytes: the seam where card protocols are added.

A `CardProtocol` gets the channel of a card that was just put on and answers what the card is, or None when it is not
its kind of card. A PC/SC reader tries its protocols in order and takes the first answer, so a new kind of card is a
new file and one more entry in that list. Nothing here knows a vendor library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.domain.assurance import Assurance
from app.domain.verdict import Reason


class CardGone(Exception):
    """The card left the field in mid-command. Nothing that it said before counts."""


class CardError(Exception):
    """The card is there and answers, but not sensibly; the text is for the log."""


class CardUseless(CardError):
    """The same, and trying again would not help."""


@dataclass(frozen=True, slots=True)
class Response:
    """A card's answer to one command (ISO/IEC 7816-4)."""

    data: bytes
    sw: int
    """Status word, 0x9000 for success."""

    @property
    def ok(self) -> bool:
        return self.sw == 0x9000


class Channel(Protocol):
    """A card that is on a reader, for the time of one reading. One thread only."""

    @property
    def atr(self) -> bytes:
        """The answer to reset; for contactless cards made up by the reader (PC/SC part 3, 3.1.3.2.3)."""

    def transmit(self, apdu: bytes) -> Response:
        """Send one command. Raises CardGone, or another error that ends the reading; never waits for ever
        (the reader's watchdog abandons a card that does not answer)."""


@dataclass(frozen=True, slots=True)
class CardAnswer:
    """What a protocol learned of a card."""

    card_key: str
    """Normalised, see `app.domain.ids.card_key`."""
    assurance: Assurance
    attributes: Mapping[str, str] = field(default_factory=dict)
    refused: Reason | None = None
    """The card is of a kind that proves itself, and did not: why (`app.readers.secure`)."""


CardProtocol = Callable[[Channel], CardAnswer | None]
"""None: not my kind of card, let the next one try. Raises CardGone or CardError."""
