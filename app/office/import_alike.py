"""Equal touches of a file, counted: time and card do not tell them apart, their number does."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

_RUN = 20_000
"""Times and cards that are counted at once before they are put away as hashes."""


class Alike:
    """Counts the touches of a file that have the same time, device and card, wherever in it they stand.

    Past ones are kept as sorted hashes of eight bytes, in runs with the times they span: a million must fit, and where
    a device wrote in order of time hardly a run is looked into.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[str, str, array[int]]] = []
        self._near: dict[tuple[str, ...], int] = {}

    def count(self, keys: Sequence[tuple[str, Any, Any]]) -> list[int]:
        """For each (time as text, device, card) 1 if it is the first of its kind, 2 for the next …"""
        near = self._near
        times = [key[0] for key in keys]
        since, until = min(times), max(times)
        runs = [run for run in self._runs if run[0] <= until and run[1] >= since]
        found = []
        for key in keys:
            nth = near[key] = near.get(key, 0) + 1
            found.append(nth)
        if runs:
            for place, key in enumerate(keys):
                number = hash(key)
                for first, last, run in runs:
                    if first <= key[0] <= last:
                        found[place] += bisect_right(run, number) - bisect_left(run, number)
        if len(near) >= _RUN:
            hashes = sorted(hash(key) for key, times_ in near.items() for _ in range(times_))
            texts = [key[0] for key in near]
            self._runs.append((min(texts), max(texts), array("q", hashes)))
            near.clear()
        return found
