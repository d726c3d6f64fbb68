"""A site's settings: which proof counts, when the work day changes, how directions are chosen, what the gate shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum

from app.domain.assurance import Assurance
from app.domain.events import JST


class DirectionRule(StrEnum):
    """How 自動 chooses between 入場 and 退場."""

    ALTERNATE = "alternate"
    """First touch of the work day in, the next out, the next in …"""
    BY_TIME = "by_time"
    """In before `out_from`, out from then on."""
    NONE = "none"
    """Direction is not recorded."""


@dataclass(frozen=True, slots=True)
class Site:
    """現場 and its rules. Times are 'HH:MM' local (the site is in Japan: UTC+9, no summer time)."""

    id: str
    name: str
    day_change: str = "00:00"
    """日替わり時刻: touches before it belong to the day before."""
    suppress_seconds: int = 60
    """A second touch of the same card within this many seconds is suppressed."""
    accepted: tuple[Assurance, ...] = (
        Assurance.AUTHENTICATED,
        Assurance.CERTIFIED,
        Assurance.OPEN,
        Assurance.UID,
        Assurance.LOGGED,
        Assurance.DECLARED,
    )
    """Levels of proof that count here; a touch with less is refused."""
    direction_rule: DirectionRule = DirectionRule.ALTERNATE
    out_from: str = "12:00"
    manual_direction_minutes: int = 10
    """A direction chosen by hand returns to 自動 after so many minutes without a touch."""
    show_level: bool = False
    show_retirement: bool = False
    """Show 建退共 見込み (yen) on the gate's screen."""
    expiring_days: int = 30
    """Days before its end from which a card is said to expire soon."""
    opens_on: str | None = None
    closes_on: str | None = None
    greetings: tuple[str, ...] = ("en", "vi", "id", "zh")
    """Languages of the second line on the idle screen."""
    self_approval: bool = False
    """One-person sites: who entered a missed day may approve it too."""

    @property
    def zone(self) -> timezone:
        """Japan's zone."""
        return JST

    def work_day(self, moment: datetime) -> date:
        """The 就業日 of a moment, by the site's day-change time."""
        local = moment.astimezone(self.zone)
        change = time.fromisoformat(self.day_change)
        shifted = local - timedelta(hours=change.hour, minutes=change.minute)
        return shifted.date()

    def day_bounds(self, day: date) -> tuple[datetime, datetime]:
        """First moment of a work day and of the next one; aware."""
        change = time.fromisoformat(self.day_change)
        start = datetime.combine(day, change, tzinfo=self.zone)
        return start, start + timedelta(days=1)
