"""What may differ between two installations of the centre. None of it is state."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CentralSettings:
    """`token_seconds`: how long an access token holds. `page_size`: items of a page."""

    token_seconds: int = 3600
    page_size: int = 500
