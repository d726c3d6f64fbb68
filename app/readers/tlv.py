"""BER-TLV as cards use it (ISO/IEC 7816-4, 5.2.2): strict, definite lengths only, one level at a time.

Nothing here descends by itself, so a card cannot make it recurse; what is longer than its frame, cut short, padded or
doubled is refused. The bytes come from whoever made the card: nothing in them is believed.
"""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = 0xFFFF
"""Bytes one value may have; cards' data objects are a few kilobytes."""
MOST = 64
"""Objects on one level."""
_TAG_BYTES = 3
_LENGTH_BYTES = 2


class TlvError(ValueError):
    """Not well-formed. The text is for the log."""


def parse(data: bytes) -> list[tuple[int, bytes]]:
    """Every (tag, value) of one level, in order. Raises TlvError unless `data` is exactly that."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if len(found) == MOST:
            raise TlvError(f"more than {MOST} objects")
        tag, at = _tag(data, at)
        length, at = _length(data, at)
        if length > len(data) - at:
            raise TlvError(f"tag {tag:X}: {length} bytes announced, {len(data) - at} there")
        found.append((tag, data[at : at + length]))
        at += length
    return found


def fields(data: bytes) -> Mapping[int, bytes]:
    """The objects of one level by tag. Raises TlvError; also for a tag that comes twice."""
    pairs = parse(data)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise TlvError("a tag comes twice")
    return found


def only(data: bytes, tag: int) -> bytes:
    """The value of the one object that `data` consists of. Raises TlvError."""
    pairs = parse(data)
    if len(pairs) != 1 or pairs[0][0] != tag:
        raise TlvError(f"expected {tag:X} alone, not {[f'{t:X}' for t, _ in pairs[:4]]}")
    return pairs[0][1]


def encode(tag: int, value: bytes) -> bytes:
    """One object, its length in the shortest form. Raises ValueError for a value that is too long."""
    head = tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")
    count = len(value)
    if count > LONGEST:
        raise ValueError(f"{count} bytes")
    if count < 0x80:
        return head + bytes((count,)) + value
    size = 1 if count <= 0xFF else 2
    return head + bytes((0x80 | size,)) + count.to_bytes(size, "big") + value


def _tag(data: bytes, at: int) -> tuple[int, int]:
    tag = data[at]
    at += 1
    if tag in (0x00, 0xFF):
        raise TlvError(f"padding {tag:02X}")
    if tag & 0x1F != 0x1F:
        return tag, at
    for more in range(1, _TAG_BYTES):
        if at >= len(data):
            raise TlvError("cut in a tag")
        byte = data[at]
        if more == 1 and byte == 0x80:
            raise TlvError("a tag that starts with zero bits")
        tag, at = tag << 8 | byte, at + 1
        if not byte & 0x80:
            return tag, at
    raise TlvError("a tag of more than three bytes")


def _length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise TlvError("cut before a length")
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    size = first & 0x7F
    if not 1 <= size <= _LENGTH_BYTES:
        raise TlvError("an indefinite length" if size == 0 else f"a length of {size} bytes")
    if size > len(data) - at:
        raise TlvError("cut in a length")
    return int.from_bytes(data[at : at + size], "big"), at + size
