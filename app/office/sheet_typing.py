"""Typing in what a foreman ticked on the printed sheet: `3 1-5 8 12` is line 3, the 1st to 5th, 8th, 12th. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_RANGE = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")
_SPACES = re.compile(r"[\s,、.・:]+")


@dataclass(frozen=True, slots=True)
class Ticked:
    """A line of the sheet (from 1) and the days ticked on it."""

    line: int
    days: tuple[int, ...]


def read_ticks(text: str, last_line: int, last_day: int) -> Ticked | str:
    """What was typed, or the piece of it that makes no sense ('' when there is too little).

    Full-width digits, commas and the long dashes of a Japanese keyboard are taken too.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    for dash in "‐‑–—−ー〜~":
        plain = plain.replace(dash, "-")
    words = [word for word in _SPACES.split(plain) if word]
    if len(words) < 2:
        return words[0] if words and not words[0].isdigit() else ""
    head, *rest = words
    if not head.isdigit() or not 1 <= int(head) <= last_line:
        return head
    days: list[int] = []
    for word in rest:
        match = _RANGE.fullmatch(word)
        first = int(match[1]) if match else 0
        last = int(match[2]) if match and match[2] else first
        if not 1 <= first <= last <= last_day:
            return word
        days += range(first, last + 1)
    return Ticked(int(head), tuple(dict.fromkeys(days)))
