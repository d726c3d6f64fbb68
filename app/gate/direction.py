"""入場 / 退場 / 自動: a direction chosen by hand, and when it returns to 自動. Gate thread alone."""

from __future__ import annotations

from datetime import timedelta

from app.clock import Clock
from app.domain.events import Direction
from app.domain.site import Site
from app.gate.news import DirectionState


class DirectionChoice:
    """What was chosen last. Each touch starts the site's minutes anew (choose the same again)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.state = DirectionState(None)

    def choose(self, direction: Direction | None, site: Site) -> None:
        """None: 自動."""
        returns_at = None
        if direction is not None:
            returns_at = self._clock.now() + timedelta(minutes=site.manual_direction_minutes)
        self.state = DirectionState(direction, returns_at)

    def is_over(self, site: Site) -> bool:
        """Whether the minutes have passed. A clock that was set back must not keep a direction for hours."""
        if self.state.returns_at is None:
            return False
        left = self.state.returns_at - self._clock.now()
        return not timedelta(0) < left <= timedelta(minutes=site.manual_direction_minutes)
