"""The device's name as a file's name says it, without what changes from dump to dump: dates, times, marks of a copy.

A touch is known by its device too, so two dumps of one reader must name it alike. What could be a number of the device
stays: two readers under one name would lose a touch where their times are alike.
"""

from __future__ import annotations

import re
import unicodedata

BAD_FILE = ".bad"
"""Before the suffix of a file of bad rows: the device's name is that of the file they come from."""
_LONGEST = 60
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")
_COPY = re.compile(r"(?:\s*(?:-\s*(?:コピー|copy)|のコピー)(?:\s*\(\d{1,3}\))?)+$", re.IGNORECASE)
"""As the system's file manager marks one. A number in brackets alone may be a gate's: 東門(1)."""
_MONTH, _DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_TIME = r"(?:[ _T.-]?(?:[01]\d|2[0-3])[_:.-]?[0-5]\d(?:[_:.-]?[0-5]\d)?(?!\d))?"
_DATED = re.compile(
    r"(?<!\d)(?:"
    rf"20\d\d{_MONTH}{_DAY}{_TIME}"
    rf"|20\d\d([-_. ])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d){_TIME}"
    rf"|20\d\d[-_.]?{_MONTH}(?!\d)"
    rf"|\d\d{_MONTH}{_DAY}(?!\d){_TIME}"
    r"|(?:20\d\d|(?:令和|R)(?:\d{1,2}|元))年\d{1,2}月(?:\d{1,2}日|分)?(?:\d{1,2}時(?:\d{1,2}分)?)?"
    r"|(?<![A-Za-z])R\d{1,2}\.\d{1,2}\.\d{1,2}(?!\d)"
    r")(?!\d)"
)
_AROUND = re.compile(r"[-_.~\s]*\x00[-_.~\s\x00]*")


def device_name(text: str) -> str:
    """A device's name as it is kept: half width, single blanks, at most 60 letters."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text)).strip()[:_LONGEST]


def device_of(stem: str, prefix: str = "") -> str:
    """Of a file's name without its suffix and `prefix`; '' where nothing but dates and times stands there."""
    plain = _COPY.sub("", unicodedata.normalize("NFKC", stem)).removesuffix(BAD_FILE)
    plain = _COPY.sub("", plain).removeprefix(unicodedata.normalize("NFKC", prefix))
    return device_name(_AROUND.sub("_", _DATED.sub("\0", plain.replace("\0", ""))).strip("-_.~ "))
