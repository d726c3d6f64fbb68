"""Commands longer or answers longer than a short APDU holds (ISO/IEC 7816-4, 5.3): chaining, bounded both ways.

Short APDUs are used as far as they go, because every reader and every transport carries them. An answer in parts (61xx)
is collected until it is complete or longer than allowed; a part without a byte ends it, so no card can go on for ever.
"""

from __future__ import annotations

from app.readers.channel import Channel, Response

SHORT = 255
"""Data bytes of a short command."""
PARTS = 64
"""Parts of an answer; a card that hands out single bytes is not one of ours."""
_CHAINED = 0x10
_NO_CHAINING = (0x6883, 0x6884, 0x6E00)
"""'Last command of the chain expected', 'chaining not supported', 'class not supported'."""


class TooMuch(Exception):
    """The card's answer is longer than allowed, or has parts with nothing in them."""


def ask(channel: Channel, head: bytes, data: bytes = b"", *, limit: int) -> Response:
    """Send CLA INS P1 P2 with `data` and collect the whole answer of at most `limit` bytes.

    Data longer than a short command goes in a chain, or, where the card knows no chaining, in one extended command.
    Raises TooMuch, and what `Channel.transmit` raises.
    """
    answer = _send(channel, head, data)
    if answer.sw >> 8 == 0x6C:  # wrong Le: the card says the right one
        answer = channel.transmit(_short(head, data[-_last(data) :] if data else b"", answer.sw & 0xFF))
    collected = answer.data
    parts = 1
    while answer.sw >> 8 == 0x61:
        _check(len(collected), limit)
        if parts == PARTS:
            raise TooMuch(f"more than {PARTS} parts")
        parts += 1
        answer = channel.transmit(bytes((head[0] & ~_CHAINED & 0xFF, 0xC0, 0x00, 0x00, answer.sw & 0xFF)))
        if not answer.data and not answer.ok:
            raise TooMuch("a part with nothing in it")
        collected += answer.data
    _check(len(collected), limit)
    return Response(collected, answer.sw)


def _send(channel: Channel, head: bytes, data: bytes) -> Response:
    parts = [data[i : i + SHORT] for i in range(0, len(data), SHORT)] or [b""]
    for part in parts[:-1]:
        answer = channel.transmit(bytes((head[0] | _CHAINED,)) + head[1:] + bytes((len(part),)) + part)
        if answer.sw in _NO_CHAINING:
            return channel.transmit(_extended(head, data))
        if not answer.ok:
            return answer
    return channel.transmit(_short(head, parts[-1], 0))


def _last(data: bytes) -> int:
    return (len(data) - 1) % SHORT + 1


def _short(head: bytes, data: bytes, le: int) -> bytes:
    return head + (bytes((len(data),)) + data if data else b"") + bytes((le,))


def _extended(head: bytes, data: bytes) -> bytes:
    return head + b"\x00" + len(data).to_bytes(2, "big") + data + b"\x00\x00"


def _check(count: int, limit: int) -> None:
    if count > limit:
        raise TooMuch(f"more than {limit} bytes")
