"""What a window may ask of the gate. Every call returns at once; answers come as news or through `reply`.

`reply` is called on the gate's thread: the window's bridge moves it to its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from app.domain.events import Direction
from app.domain.site import Site
from app.gate.news import News, WorkerHit


class GatePort(Protocol):
    """The gate as a screen sees it. Thread-safe."""

    @property
    def site(self) -> Site:
        """The site as last known."""

    def listen(self, listener: Callable[[News], None]) -> None:
        """Call `listener` with each piece of news, on the gate's thread."""

    def choose_direction(self, direction: Direction | None) -> None:
        """入場 / 退場, or None for 自動."""

    def search(self, text: str, reply: Callable[[list[WorkerHit]], None]) -> None:
        """Workers whose kana, name or latin name starts with (or holds) `text`; at most 30, by kana."""

    def enter_forgotten(self, worker_id: str, reason: str = "card_forgotten") -> None:
        """カードをお持ちでない方: an `entry` that waits for approval; answered by an Announcement with `entered`.

        `reason`: 'card_forgotten' or 'no_card'.
        """

    def set_headcount(self, company_id: str, count: int) -> None:
        """総出面 of a company today."""

    def check_pin(self, pin: str, action: str, reply: Callable[[PinAnswer], None]) -> None:
        """Does an operator's PIN allow `action` ('leave_kiosk')? Every try goes to the audit trail."""

    def refresh(self) -> None:
        """Send `Today`, the direction and the standing warnings again."""


class PinAnswer(Protocol):
    """Answer to a PIN."""

    @property
    def ok(self) -> bool:
        """Whether the action is allowed."""

    @property
    def wait_s(self) -> int:
        """Seconds until the next try is allowed."""
