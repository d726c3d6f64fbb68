"""Times as devices write them (docs/import-formats.md, "Times"): patterns → the device's local time and the moment.

Dates and times of day are each read once and remembered: a file of a million rows has few of either.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

_TOKEN = re.compile(r"YYYY|YY|GG|EE|MM|M|DD|D|hh|h|mm|m|ss|s|fff|AA|Z|.", re.DOTALL)
_SPOKEN = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<year2>\d{2})",
    "GG": r"(?P<era>令和|平成|R|H)",
    "EE": r"(?P<eyear>元|\d{1,2})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{2})",
    "D": r"(?P<day>\d{1,2})",
    "hh": r"(?P<hour>\d{2})",
    "h": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "m": r"(?P<minute>\d{1,2})",
    "ss": r"(?P<second>\d{2})",
    "s": r"(?P<second>\d{1,2})",
    "fff": r"(?P<fraction>\d{1,6})",
    "AA": r"(?P<half>午前|午後|AM|PM|am|pm)",
    "Z": r"(?P<zone>Z|[+-]\d{2}:?\d{2})",
}
_DATE_TOKENS = frozenset(("YYYY", "YY", "GG", "EE", "MM", "M", "DD", "D"))
_ERAS = {"令和": 2018, "R": 2018, "平成": 1988, "H": 1988}
_FIRST_DAY = date(2000, 1, 1)
_LAST_DAY = date(2099, 12, 31)
_EPOCH_DAY = date(1970, 1, 1)
_DAY_MS = 86_400_000
_KEPT = 200_000
"""Texts remembered at once."""
EPOCHS = {"epoch": 1000, "epoch_ms": 1}


class BadPattern(ValueError):
    """The pattern says too little, or something twice. The text says what."""


class NoTime(ValueError):
    """The text is no time of these patterns."""


def _tokens(pattern: str) -> list[str]:
    return _TOKEN.findall(pattern)


class _Pattern:
    """One pattern. `cut`: number of places of the date before the time; 0: found by `between`."""

    def __init__(self, text: str) -> None:
        self.text = text
        tokens = _tokens(text)
        known = [token for token in tokens if token in _SPOKEN]
        names = [re.match(r"\(\?P<(\w+?)2?>", _SPOKEN[token])[1] for token in known]  # type: ignore[index]
        if len(set(names)) != len(names):
            raise BadPattern(f"{text}: something stands there twice")
        has = set(names)
        if not ({"month", "day"} <= has and ("year" in has or {"era", "eyear"} <= has)):
            raise BadPattern(f"{text}: year, month and day are needed (YYYY or YY or GG EE, MM, DD)")
        if not {"hour", "minute"} <= has:
            raise BadPattern(f"{text}: hour and minute are needed (hh, mm)")
        last_date = max(i for i, token in enumerate(tokens) if token in _DATE_TOKENS)
        first_time = min(i for i, token in enumerate(tokens) if token in _SPOKEN and token not in _DATE_TOKENS)
        self.between: str | None = None
        self.cut = 0
        if last_date < first_time:
            before = tokens[: last_date + 1]
            gap = "".join(tokens[last_date + 1 : first_time])
            # a date that ends in a letter (日) has it in the gap; what follows the last blank of the gap is the time's
            if gap and (" " in gap or "T" in gap):
                mark = " " if " " in gap else "T"
                if "".join(tokens).count(mark) == 1:
                    self.between = mark
            elif not gap and all(len(t) > 1 for t in before if t in _SPOKEN and t != "EE"):
                self.cut = len("".join(before))
        self._whole = _regex(tokens)
        if self.between is not None:
            place = text.index(self.between)
            self._date, self._time = _regex(_tokens(text[:place])), _regex(_tokens(text[place + 1 :]))
        elif self.cut:
            self._date, self._time = _regex(_tokens(text[: self.cut])), _regex(_tokens(text[self.cut :]))

    @property
    def splits(self) -> bool:
        """Whether date and time can be told apart before they are read."""
        return self.between is not None or self.cut > 0

    def split(self, text: str) -> tuple[str, str]:
        """Both parts; ('', '') where the text does not have them."""
        if self.between is not None:
            left, mark, right = text.partition(self.between)
            return (left, right) if mark else ("", "")
        return text[: self.cut], text[self.cut :]

    def date_of(self, text: str) -> date | None:
        found = self._date.fullmatch(text)
        return _date(found) if found else None

    def time_of(self, text: str) -> tuple[int, int | None] | None:
        found = self._time.fullmatch(text)
        return _time(found) if found else None

    def both(self, text: str) -> tuple[date, int, int | None] | None:
        found = self._whole.fullmatch(text)
        if found is None:
            return None
        day, clock = _date(found), _time(found)
        return None if day is None or clock is None else (day, *clock)


def _regex(tokens: Sequence[str]) -> re.Pattern[str]:
    return re.compile("".join(_SPOKEN.get(token) or re.escape(token) for token in tokens), re.ASCII)


def _date(found: re.Match[str]) -> date | None:
    parts = found.groupdict()
    if parts.get("year"):
        year = int(parts["year"])
    elif parts.get("year2"):
        year = 2000 + int(parts["year2"])
    else:
        year = _ERAS[parts["era"]] + (1 if parts["eyear"] == "元" else int(parts["eyear"]))
    try:
        day = date(year, int(parts["month"]), int(parts["day"]))
    except ValueError:
        return None
    return day if _FIRST_DAY <= day <= _LAST_DAY else None


def _time(found: re.Match[str]) -> tuple[int, int | None] | None:
    """Milliseconds of the day, and the zone it names in minutes."""
    parts = found.groupdict()
    hour, minute, second = int(parts["hour"]), int(parts["minute"]), int(parts.get("second") or 0)
    half = parts.get("half")
    if half:
        if hour > 12:
            return None
        hour = hour % 12 + (12 if half in ("午後", "PM", "pm") else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = int((parts.get("fraction") or "0").ljust(3, "0")[:3])
    zone = parts.get("zone")
    minutes = None
    if zone:
        minutes = 0 if zone == "Z" else int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[-2:]))
    return ((hour * 60 + minute) * 60 + second) * 1000 + fraction, minutes


class Times:
    """Reads a format's times. Not for two threads at once."""

    def __init__(self, patterns: Sequence[str], offset_minutes: int) -> None:
        """Raises BadPattern. `offset_minutes`: of the device's zone from UTC, where its text names none."""
        self._epoch = next((EPOCHS[p] for p in patterns if p in EPOCHS), 0)
        if self._epoch and len(patterns) > 1:
            raise BadPattern("epoch stands alone")
        self._patterns = [] if self._epoch else [_Pattern(text) for text in patterns]
        self._offset_ms = offset_minutes * 60_000
        self._split = self._patterns[0] if self._patterns and self._patterns[0].splits else None
        self._dates: dict[str, tuple[str, int]] = {}
        self._clocks: dict[str, tuple[str, int]] = {}
        self._wholes: dict[str, tuple[str, int]] = {}

    def read(self, text: str) -> tuple[str, int]:
        """The device's own time to the second ('2026-11-19T07:40:00') and Unix milliseconds. Raises NoTime."""
        if self._split is not None:
            left, right = self._split.split(text)
            try:
                day, clock = self._dates[left], self._clocks[right]
            except KeyError:
                pass
            else:
                return day[0] + clock[0], day[1] + clock[1]
        known = self._wholes.get(text)
        return known or self._read_new(text)

    def _read_new(self, text: str) -> tuple[str, int]:
        plain = text.strip(" \t'")
        if not plain.isascii():
            plain = unicodedata.normalize("NFKC", plain)
        if self._epoch:
            return self._read_epoch(plain)
        for pattern in self._patterns:
            found = pattern.both(plain)
            if found is not None:
                day, ms, zone = found
                made = self._made(day, ms, zone)
                alone = pattern is self._split and zone is None and plain == text
                if not (alone and self._remember(text, day, ms)):
                    if len(self._wholes) >= _KEPT:
                        self._wholes.clear()
                    self._wholes[text] = made
                return made
        raise NoTime(text)

    def _remember(self, text: str, day: date, ms: int) -> bool:
        """Keep date and time of day apart, if each alone is what both together were."""
        split = self._split
        if split is None:
            return False
        left, right = split.split(text)
        if split.date_of(left) != day or split.time_of(right) != (ms, None):
            return False
        for kept in (self._dates, self._clocks):
            if len(kept) >= _KEPT:
                kept.clear()
        self._dates[left] = f"{day.isoformat()}T", (day - _EPOCH_DAY).days * _DAY_MS - self._offset_ms
        self._clocks[right] = _clock_text(ms), ms
        return True

    def _made(self, day: date, ms: int, zone: int | None) -> tuple[str, int]:
        offset = self._offset_ms if zone is None else zone * 60_000
        return f"{day.isoformat()}T{_clock_text(ms)}", (day - _EPOCH_DAY).days * _DAY_MS + ms - offset

    def _read_epoch(self, text: str) -> tuple[str, int]:
        if not re.fullmatch(r"\d{9,14}(\.\d{1,6})?", text, re.ASCII):
            raise NoTime(text)
        ms = int(float(text) * self._epoch) if "." in text else int(text) * self._epoch
        try:
            local = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms + self._offset_ms)
        except OverflowError as exc:
            raise NoTime(text) from exc
        if not _FIRST_DAY <= local.date() <= _LAST_DAY:
            raise NoTime(text)
        return local.replace(tzinfo=None).isoformat(timespec="seconds"), ms


def _clock_text(ms: int) -> str:
    seconds = ms // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
