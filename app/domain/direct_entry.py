"""The deadline of 直接入力, asked by the office beforehand and judged by the centre with its own clock."""

from __future__ import annotations

from datetime import date


def deadline(work_day: date) -> date:
    """Last day for an entry and its approval: the end of the month after the work day (domain facts).

    A work day at the end of time, which a fact may name, has the last day there is.
    """
    months = work_day.year * 12 + work_day.month - 1 + 2
    if months // 12 > date.max.year:
        return date.max
    first_after = date(months // 12, months % 12 + 1, 1)
    return date.fromordinal(first_after.toordinal() - 1)
