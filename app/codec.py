"""JSON in and out: the only file that imports msgspec.

Two encodings on purpose: `canonical` (what is hashed and stored: one way to write a value, documented in
`docs/contract.md`) and `encode` (what merely travels).
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


class DecodeError(ValueError):
    """The bytes are not JSON, or not of the shape asked for. The text names the place (`$.events[3].id`)."""


def encode(value: object) -> bytes:
    """Compact UTF-8 JSON of plain values or dataclasses."""
    return msgspec.json.encode(value)


def decode(data: bytes | str, shape: type[T]) -> T:
    """Read JSON as `shape` (a dataclass, TypedDict or plain type). Unknown fields are ignored.

    Raises DecodeError.
    """
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise DecodeError(str(exc)) from exc


def convert(value: object, shape: type[T]) -> T:
    """Check plain values (of `json.loads`) against `shape` and build it. Raises DecodeError."""
    try:
        return msgspec.convert(value, type=shape)
    except msgspec.ValidationError as exc:
        raise DecodeError(str(exc)) from exc


def plain(value: object) -> Any:
    """A dataclass (nested too) as plain dicts, lists and scalars."""
    return msgspec.to_builtins(value)


def canonical(value: object) -> bytes:
    """The one way to write a value (RFC 8785 for objects, arrays, strings, integers, booleans and null).

    Keys sorted by code point, no blanks, UTF-8 unescaped. ValueError for a float (nothing in an event needs one, and
    their spelling differs between languages) and for an integer that not every language can hold (beyond 2^53 - 1).
    """
    _refuse_numbers(value)
    return _CANONICAL.encode(value)


_CANONICAL = msgspec.json.Encoder(order="sorted")
_PLAIN = frozenset((str, bool, type(None)))

_LARGEST = 2**53 - 1


def _refuse_numbers(value: object) -> None:
    if isinstance(value, dict):
        for item in value.values():
            if type(item) not in _PLAIN:
                _refuse_numbers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            if type(item) not in _PLAIN:
                _refuse_numbers(item)
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) > _LARGEST):
        raise ValueError(f"a number that has no canonical form: {value!r}")
