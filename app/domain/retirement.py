"""建退共: what a day is worth. A touch is no payment: on every screen it is 見込み."""

from __future__ import annotations

RATES = (("2021-10-01", 320), ("", 310))
"""First work day of a rate and yen a day, newest first (domain facts)."""


def yen_a_day(work_day: str) -> int:
    """The rate of a work day (ISO date)."""
    return next(yen for since, yen in RATES if work_day >= since)
