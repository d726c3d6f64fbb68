"""What may differ between two installations of the centre. None of it is state."""

from __future__ import annotations

import re
from dataclasses import dataclass

_AGENT = re.compile(r"genba-touch/(\d+(?:\.\d+)*)")
_VERSION = re.compile(r"\d+(\.\d+)*")


@dataclass(frozen=True, slots=True)
class CentralSettings:
    """`token_seconds`: how long an access token holds. `page_size`: items of a page. `oldest_version`: of this program
    at a station; older ones are told to upgrade. `most_requests`: at work at once in one process; more are told to come
    again. `burst`, `a_second`: requests of one client in a row, and then a second."""

    token_seconds: int = 3600
    page_size: int = 500
    oldest_version: str = ""
    most_requests: int = 64
    burst: int = 600
    a_second: float = 10.0

    def too_old(self, agent: str) -> bool:
        """Whether a `User-Agent` is this program in a version below `oldest_version`. Others cannot be judged."""
        found = _AGENT.match(agent)
        return bool(self.oldest_version and found and _numbers(found[1]) < _numbers(self.oldest_version))


def is_version(text: str) -> bool:
    """Whether this can be an `oldest_version`: numbers with dots."""
    return _VERSION.fullmatch(text) is not None


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
