"""Sentences for the screen: the shared messages in one language, and how times and dates are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from app.domain.events import Direction
from app.messages import Message, known, say

_WEEKDAYS = {
    "ja": "月火水木金土日",
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}


class Words:
    """The messages of one language, by code."""

    def __init__(self, language: str, zone: tzinfo) -> None:
        """`language`: 'ja' or 'en'; `zone`: the site's."""
        self.language = language if language in _WEEKDAYS else "ja"
        self.zone = zone

    def title(self, code: str, **values: object) -> str:
        """What happened."""
        return say(code, self.language, **values).title

    def remedy(self, code: str, **values: object) -> str:
        """What to do; may be empty."""
        return say(code, self.language, **values).remedy

    def known(self, code: str, fallback: str, values: Mapping[str, str] | None = None) -> Message:
        """The message of somebody else's code, or that of `fallback` when there is none: no bare code on a screen."""
        return known(code, fallback, self.language, **(values or {}))

    def direction(self, direction: Direction) -> str:
        """入場 / 退場, '' when not known."""
        if direction is Direction.NONE:
            return ""
        return self.title("gate.direction_in" if direction is Direction.IN else "gate.direction_out")

    def tier(self, tier: int) -> str:
        """元請, 一次, 二次 …"""
        return self.title(f"gate.tier_{tier}" if 0 <= tier <= 4 else "gate.tier_n", tier=tier)

    def clock(self, moment: datetime, *, seconds: bool = False) -> str:
        """'07:42' or '07:42:11', local."""
        return f"{moment.astimezone(self.zone):{'%H:%M:%S' if seconds else '%H:%M'}}"

    def day(self, moment: datetime) -> str:
        """'11月20日(金)' or 'Fri 20 Nov'."""
        local = moment.astimezone(self.zone)
        weekday = _WEEKDAYS[self.language][local.weekday()]
        if self.language == "ja":
            return f"{local.month}月{local.day}日({weekday})"
        return f"{weekday} {local.day} {_MONTHS[local.month - 1]}"

    def weekday(self, number: int) -> str:
        """月 火 …, 'Mon' …; 0 is Monday."""
        return _WEEKDAYS[self.language][number]

    def month(self, month: str) -> str:
        """'2026年11月' or 'Nov 2026' of '2026-11'."""
        year, number = int(month[:4]), int(month[5:7])
        return f"{year}年{number}月" if self.language == "ja" else f"{_MONTHS[number - 1]} {year}"

    def short_month(self, month: str) -> str:
        """'11月' or 'Nov' of '2026-11'."""
        number = int(month[5:7])
        return f"{number}月" if self.language == "ja" else _MONTHS[number - 1]

    def month_day(self, day: str) -> str:
        """'11月20日(金)' or 'Fri 20 Nov' of '2026-11-20'."""
        return self.day(datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=self.zone))

    def when(self, moment: datetime, now: datetime) -> str:
        """'07:41' today, '11/17 18:02' on another day."""
        local = moment.astimezone(self.zone)
        if local.date() == now.astimezone(self.zone).date():
            return f"{local:%H:%M}"
        return f"{local.month}/{local.day} {local:%H:%M}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def left(span: timedelta) -> str:
    """A rest of time as '9:42'; never under 0:00."""
    seconds = max(0, int(span.total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02}"
