"""What the parts of this room hand each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

Stopped = Callable[[], bool]
"""Whether to give up; asked between two pieces."""


class NotThere(Exception):
    """The source answers, and has no such file."""


class Stopping(Exception):
    """Given up, because the program is ending. Never shown."""


class Source(Protocol):
    """Where updates lie. One thread at a time."""

    name: str
    """For people."""

    def read(self, path: str, offset: int = 0) -> Iterator[tuple[int, bytes]]:
        """The file's bytes from `offset` on as (place, bytes); from 0 where the source cannot begin in the middle.

        `path`: with '/', below the source. Raises NotThere, EnvironmentTrouble.
        """

    def close(self) -> None:
        """Let go."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A package of the signed list. `path`: CHANNEL/NAME; `percent`: of the stations, 0 to 100; `minimum`: the oldest
    version that may go on to this one; `size` in bytes; `sha256` in hex."""

    path: str
    name: str
    version: str
    platform: str
    channel: str
    percent: int
    minimum: str
    size: int
    sha256: str
