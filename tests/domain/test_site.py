"""Sites: the work day of a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.assurance import Assurance
from app.domain.events import JST
from app.domain.site import DirectionRule, Site


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("change", "moment", "day"),
    [
        ("00:00", "2026-11-20T00:00:00+09:00", "2026-11-20"),
        ("00:00", "2026-11-19T23:59:59.999+09:00", "2026-11-19"),
        ("00:00", "2026-11-19T14:59:59.999Z", "2026-11-19"),
        ("00:00", "2026-11-19T15:00:00Z", "2026-11-20"),
        ("05:00", "2026-11-20T04:59:59.999+09:00", "2026-11-19"),
        ("05:00", "2026-11-20T05:00:00+09:00", "2026-11-20"),
        ("05:00", "2026-11-19T20:00:00Z", "2026-11-20"),
        ("05:00", "2026-01-01T02:00:00+09:00", "2025-12-31"),
        ("18:30", "2026-11-20T18:29:59+09:00", "2026-11-19"),
    ],
)
def test_work_day(change: str, moment: str, day: str) -> None:
    assert Site("S", "現場", day_change=change).work_day(at(moment)) == date.fromisoformat(day)


@settings(deadline=None)
@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2100, 1, 1)),  # noqa: DTZ001 - the next line adds the zone
    st.sampled_from([UTC, JST, timezone(timedelta(hours=-7))]),
    st.times().map(lambda t: f"{t:%H:%M}"),
)
def test_a_moment_lies_within_the_bounds_of_its_work_day(moment: datetime, zone: timezone, change: str) -> None:
    site, aware = Site("S", "現場", day_change=change), moment.replace(tzinfo=zone)
    day = site.work_day(aware)
    start, end = site.day_bounds(day)
    assert start <= aware < end
    assert end - start == timedelta(days=1)
    assert site.day_bounds(day + timedelta(days=1))[0] == end


def test_defaults_take_every_card_there_is_and_show_nothing_private() -> None:
    site = Site("S", "現場")
    assert set(site.accepted) == set(Assurance)
    assert site.direction_rule is DirectionRule.ALTERNATE
    assert (site.show_level, site.show_retirement, site.self_approval) == (False, False, False)
