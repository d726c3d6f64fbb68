"""What a mapping by hand can be told from the cells: how cards and times are written, which words are directions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.office.formats.times import BadPattern, NoTime, Times
from app.office.import_mapping import TIMES

CARD_FORMS = ("felica", "felica_reversed", "uid", "uid_reversed", "uid_decimal", "felica_decimal", "key", "worker")
"""Ways to write a card; message `wizard.card_<form>`."""
_IN = re.compile(r"入|出勤|始業|\bin\b|enter|arriv", re.IGNORECASE)
_OUT = re.compile(r"退|出|終業|\bout\b|exit|leav", re.IGNORECASE)
_JST_MINUTES = 540


@dataclass(frozen=True, slots=True)
class CardForm:
    """The same as the fields of `FormatDraft`."""

    kind: str
    base: str = "hex"
    reversed: bool = False
    bytes: int = 8


FORMS = {
    "felica": CardForm("felica"),
    "felica_reversed": CardForm("felica", reversed=True),
    "felica_decimal": CardForm("felica", "decimal"),
    "uid": CardForm("uid"),
    "uid_reversed": CardForm("uid", reversed=True),
    "uid_decimal": CardForm("uid", "decimal", bytes=4),
    "key": CardForm("key"),
}


def card_form(texts: Sequence[str]) -> str:
    """The likeliest way these cards are written."""
    plain = [re.sub(r"[\s:-]", "", text).upper() for text in texts if text.strip()]
    if any(":" in text and not re.fullmatch(r"[0-9A-Fa-f: ]+", text) for text in texts):
        return "key"
    if plain and all(text.isdigit() and len(text) <= 10 for text in plain) and not _alike(plain, (8,)):
        return "uid_decimal"
    if plain and all(text.isdigit() and len(text) > 16 for text in plain):
        return "felica_decimal"
    return "uid" if plain and _alike(plain, (8, 14)) else "felica"


def _alike(texts: Sequence[str], lengths: tuple[int, ...]) -> bool:
    return all(len(text) in lengths for text in texts)


def patterns(texts: Sequence[str], likely: Sequence[str] = ()) -> list[str]:
    """Patterns that read all of these times, the likely ones first."""
    seen = [text for text in texts if text.strip()]
    return [one for one in dict.fromkeys((*likely, *TIMES)) if seen and all(read(one, text) for text in seen)]


def read(pattern: str, text: str) -> str:
    """A time by a pattern, '2026-11-19T07:40:00'; '' when it is none."""
    try:
        return Times((pattern,), _JST_MINUTES).read(text)[0]
    except (NoTime, BadPattern):
        return ""


def direction(word: str) -> str:
    """'in', 'out' or '' for a word that could be either."""
    if _IN.search(word):
        return "in"
    return "out" if _OUT.search(word) else ""


def slug(label: str, taken: Sequence[str]) -> str:
    """A format's file name for the name somebody gave it: one that is not taken."""
    plain = re.sub(r"[^a-z0-9]+", "-", label.casefold()).strip("-")[:30] or "own"
    number, name = 1, plain
    while name in taken:
        number += 1
        name = f"{plain}-{number}"
    return name
