"""The port for cards that prove themselves: one more kind of secure card is one more file that implements it.

The first is PIV card authentication (`piv.py`), for cards that a site issues itself. The CCUS card's own encrypted area
is not public: whoever holds its specification adds a `SecureCardProtocol` beside it, and nothing else changes.

A card that is of a secure kind and fails its proof is *refused with a reason*. It is never taken by its chip number
instead: that would let a forger choose the weaker proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.clock import Clock
from app.domain.assurance import Assurance
from app.domain.verdict import Reason
from app.readers.channel import CardAnswer, CardError, CardProtocol, CardUseless, Channel, Response
from app.readers.storage_card import read_storage_card

LIMIT_S = 5.0
"""Seconds for a whole proof. A slow chip takes about one and a half; people take their card away after two."""
_TRIES = 2
"""Another program (Windows reads certificates of cards by itself) may have talked in between: once more, then no."""

Note = Callable[[str], None]
"""Told the name of each step that was passed (`cards show` prints them)."""


@dataclass(frozen=True, slots=True)
class Proven:
    """The card proved, just now, that it holds the key that the site certified for `card_key`."""

    card_key: str
    attributes: dict[str, str] = field(default_factory=dict)


class ProofFailed(Exception):
    """A card of this kind that did not prove itself. `card_key`: what it claims to be, where it got that far."""

    def __init__(self, reason: Reason, detail: str = "", card_key: str | None = None) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        """For the log."""
        self.card_key = card_key


class SecureCardProtocol(Protocol):
    """One kind of card with a proof. Called on readers' threads, several at a time."""

    @property
    def name(self) -> str:
        """For the log and `cards show`: 'piv'."""

    @property
    def steps(self) -> tuple[str, ...]:
        """Every step in order, as `Note` is told of them."""

    @property
    def active(self) -> bool:
        """Whether this site uses such cards (it has what is needed to judge them). False: not asked at all."""

    def prove(self, channel: Channel, note: Note) -> Proven | None:
        """None: not my kind of card. Raises ProofFailed, CardGone; never waits or reads without an end."""


def secure_card(
    protocols: Sequence[SecureCardProtocol], clock: Clock, *, limit_s: float = LIMIT_S, note: Note = lambda step: None
) -> CardProtocol:
    """The first entry in a reader's list of protocols: a card that is of a secure kind is decided here."""

    def read(channel: Channel) -> CardAnswer | None:
        for protocol in protocols:
            if not protocol.active:
                continue
            try:
                proven = _prove(protocol, _Timed(channel, clock, clock.monotonic() + limit_s), note)
            except ProofFailed as failed:
                return _refused(channel, protocol, failed)
            if proven is not None:
                return CardAnswer(proven.card_key, Assurance.AUTHENTICATED, proven.attributes)
        return None

    return read


def _prove(protocol: SecureCardProtocol, channel: Channel, note: Note) -> Proven | None:
    for _ in range(_TRIES - 1):
        try:
            return protocol.prove(channel, note)
        except ProofFailed as failed:
            if failed.reason is not Reason.SECURE_MALFORMED:
                raise
    return protocol.prove(channel, note)


def _refused(channel: Channel, protocol: SecureCardProtocol, failed: ProofFailed) -> CardAnswer:
    """The refusal that is stored. Its key only says which card it was: a claim, or else the chip's number.

    Raises CardUseless when the card has neither: there is nothing to store a refusal under.
    """
    key = failed.card_key
    if key is None:
        try:
            chip = read_storage_card(channel)
        except CardError:
            chip = None
        if chip is None:
            raise CardUseless(f"{failed.reason.value}: {failed.detail}")
        key = chip.card_key
    attributes = {"secure.protocol": protocol.name, "secure.detail": failed.detail}
    return CardAnswer(key, Assurance.UID, attributes, refused=failed.reason)


class _Timed:
    """A channel that is given up after a while, however promptly the card answers each single command."""

    def __init__(self, channel: Channel, clock: Clock, until: float) -> None:
        self._channel = channel
        self._clock = clock
        self._until = until

    @property
    def atr(self) -> bytes:
        return self._channel.atr

    def transmit(self, apdu: bytes) -> Response:
        if self._clock.monotonic() > self._until:
            raise ProofFailed(Reason.SECURE_TOO_SLOW)
        return self._channel.transmit(apdu)
