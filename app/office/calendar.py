"""Days of a month: 祝日 by the maintained `holidays` library (its only importer), 休工日 by the site's calendar."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache

import holidays

from app.domain.roster import Roster
from app.office.shapes import Day

_LANGUAGES = {"ja": "ja", "en": "en_US"}


@lru_cache(maxsize=32)
def _year(year: int, language: str) -> dict[date, str]:
    return dict(holidays.country_holidays("JP", years=year, language=_LANGUAGES[language]).items())


def holiday(day: date, language: str = "ja") -> str:
    """Name of the 祝日 ('ja' or 'en'); '' on other days. The library knows the years 1949 to 2099."""
    return _year(day.year, language).get(day, "")


def is_closed(day: date, roster: Roster) -> bool:
    """休工日: what the site's calendar says; where it says nothing, Sundays and 祝日."""
    said = roster.calendar.get(day.isoformat())
    if said is not None:
        return said.day_kind == "closed"
    return day.weekday() == 6 or bool(holiday(day))


def days_of(month: str, roster: Roster, today: date) -> tuple[Day, ...]:
    """The columns of a month ('YYYY-MM')."""
    first = date.fromisoformat(f"{month}-01")
    days = (first + timedelta(days=n) for n in range(monthrange(first.year, first.month)[1]))
    return tuple(Day(day.isoformat(), day.weekday(), holiday(day), is_closed(day, roster), day > today) for day in days)


def last_day(month: str) -> date:
    """The last day of a month ('YYYY-MM')."""
    first = date.fromisoformat(f"{month}-01")
    return first.replace(day=monthrange(first.year, first.month)[1])


def months_later(month: str, count: int) -> str:
    """'2026-11' and 2 → '2027-01'; negative goes back."""
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + count, 12)
    return f"{year:04d}-{number + 1:02d}"
