"""What must not leave a PC is taken out of text: people, cards, secrets, telephones, the user's own folder. Pure.

Belt and braces: logs and reports are written without such things; this takes out what got in all the same. Two ways
at once: what is known (the roster's names and numbers, given by the caller) and what has the form of such a thing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

NAME, NUMBER, SECRET, PHONE, MAIL, CODE, HOME = "[name]", "[number]", "[secret]", "[phone]", "[mail]", "[code]", "~"
_BLANKS = r"[ \t\u3000]*"
_SEPARATORS = r"[ \t\u3000:.\-‐‑‒–—―−ー－]*"
_BETWEEN = re.compile(_SEPARATORS.removesuffix("*"))
_SLASH = r"(?:\\\\|\\|/)"
_USER_FOLDER = re.compile(
    rf"(?:[A-Za-z]:)?{_SLASH}(?:Users|home|Documents and Settings){_SLASH}"
    r"(?:[^\\/\r\n\"'<>|:*?]{1,60}(?=[\\/])|[^\\/\s\"'<>|:*?]+)",
    re.I,
)
_CARD = re.compile(r"\b(piv|felica|uid)(:|%3A)[0-9A-F][0-9A-F:. -]{6,}[0-9A-F]", re.I)
_PROFILE_CARD = re.compile(r"\b(profile:[a-z0-9_-]{1,40}):[^\s\"',;}\]]+", re.I)
_FORMS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.S), SECRET),
    (re.compile(r"(?<=://)[^/\s@\"']+(?:@[^/\s@\"']*)*@"), ""),  # user and password of an address
    (
        # a word that announces a secret, and what comes after it
        re.compile(
            r"(?i)\b(authorization|pass(?:word|wd|phrase)?|pwd|pin|secret|token|api[_-]?key|bearer|basic)\b"
            r"(\"?\s*[=:]\s*\"?|\s+(?=\d{4})|(?<=bearer)\s+|(?<=basic)\s+)(?:(?:bearer|basic)\s+)?[^\s\"',;}\]]+"
        ),
        rf"\1\2{SECRET}",
    ),
    (_CARD, lambda found: f"{found[1].lower()}:…"),
    (_PROFILE_CARD, r"\1:…"),
    (re.compile(r"\bscrypt\$[^\s\"']+"), SECRET),
    (re.compile(r"(?<![0-9A-Z-])[0-9A-F]{14,}(?![0-9A-Z])", re.I), NUMBER),
    (re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/]{20,}={1,2}"), SECRET),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), MAIL),
    (re.compile(r"\b[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}\b"), CODE),
    (re.compile(r"(?<![\w.])(?:\+81[-\s]?|0)\d{1,4}[-‐−－)(\s]{1,2}\d{1,4}[-‐−－)(\s]{1,2}\d{3,4}(?![\w.])"), PHONE),
    (re.compile(r"(?<![\w.])(?:\+81|0)\d{9,10}(?![\w.])"), PHONE),
    (re.compile(r"(?<!\d)\d{4}[-\s]\d{4}[-\s]\d{4}[-\s]?\d{2,4}(?!\d)"), NUMBER),
    (re.compile(r"(?<!\d)\d{12,16}(?!\d)"), NUMBER),
    (re.compile(r"(?<![0-9A-F])(?:[0-9A-F]{2}[:\s-]){6,}[0-9A-F]{2}(?![0-9A-F])", re.I), NUMBER),
    (re.compile(r"(?<![\w+/=-])(?=[\w+/-]*\d)(?=[\w+/-]*[a-zA-Z])[A-Za-z0-9+_-]{24,}={0,2}(?![\w+/=-])"), SECRET),
)
"""In this order. A UUID (an event's, a station's) stays: it says nothing without the centre."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


class Redactor:
    """Takes text, gives it back without what must not leave. Any thread.

    `names`: of people, in whatever writing the roster has. `numbers`: worker ids and card keys. `secrets`: anything
    else to be taken out word for word. `home`: the user's own folder, which becomes `~`; `user`: how he logs in.
    """

    def __init__(
        self,
        names: Iterable[str] = (),
        numbers: Iterable[str] = (),
        secrets: Iterable[str] = (),
        home: str = "",
        user: str = "",
    ) -> None:
        self._known: list[tuple[re.Pattern[str], str]] = []
        self._know(_homes(home), HOME)
        self._know((_loosely(secret, _BLANKS) for secret in _longest_first(secrets)), SECRET)
        self._know((_loosely(number.rpartition(":")[2], _SEPARATORS) for number in _longest_first(numbers)), NUMBER)
        self._know((_loosely(name, _BLANKS) for name in _longest_first(spellings(names))), NAME)
        self._user = re.compile(rf"(?<!\w){re.escape(user)}(?!\w)", re.I) if len(user) > 2 else None

    def _know(self, wholes: Iterable[str], instead: str) -> None:
        whole = [one for one in wholes if one]
        for start in range(0, len(whole), 500):  # one pattern of a whole roster would take long to build
            self._known.append((re.compile("|".join(whole[start : start + 500]), re.I), instead))

    def text(self, text: str) -> str:
        """The text without them."""
        text = unicodedata.normalize("NFKC", text) if not text.isascii() else text
        for pattern, instead in self._known:
            text = pattern.sub(instead, text)
        text = _USER_FOLDER.sub(HOME, text)
        if self._user is not None:
            text = self._user.sub("[user]", text)
        kept: list[str] = []

        def keep(found: re.Match[str]) -> str:
            kept.append(found[0])
            return f"\x00{len(kept) - 1}\x00"

        text = _UUID.sub(keep, text)
        for form, put in _FORMS:
            text = form.sub(put, text)
        return re.sub(r"\x00(\d+)\x00", lambda found: kept[int(found[1])], text)

    def value(self, value: Any) -> Any:
        """Plain JSON values without them, names of fields too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one) for one in value]
        return value


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted({word for word in words if word}, key=lambda word: (-len(word), word))


def present(words: Iterable[str], text: str) -> list[str]:
    """Those of many words that the text has, whatever stands between their letters; maybe a few more.

    A `Redactor` for a whole roster would take minutes over a long text; one for these few takes no time.
    """
    folded = _folded(text)
    pairs = set(pairwise(folded))
    found = []
    for word in set(words):
        short = _folded(word)
        if pairs.issuperset(pairwise(short)) and short in folded:
            found.append(word)
    return found


def _folded(text: str) -> str:
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text).lower())


def spellings(names: Iterable[str]) -> Iterable[str]:
    """A name as it stands, and what it looks like in half width or other kana. A single letter is no name."""
    for name in names:
        plain = unicodedata.normalize("NFKC", name).strip()
        if len(plain.replace(" ", "")) < 2:
            continue
        yield plain
        yield "".join(chr(ord(c) - 0x60) if "\u30a1" <= c <= "\u30f6" else c for c in plain)
        words = plain.split()
        if len(words) > 1 and plain.isascii():
            yield " ".join(reversed(words))


def _loosely(word: str, between: str) -> str:
    """A pattern of the word, whatever stands between its letters. Short ones stand alone, or they would eat text."""
    plain = [re.escape(c) for c in unicodedata.normalize("NFKC", word) if not c.isspace() and c not in "-:."]
    if len(plain) < 2:
        return ""
    pattern = between.join(plain)
    return rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])" if word.isascii() else pattern


def _homes(home: str) -> Iterable[str]:
    if len(home) < 4:
        return ()
    parts = [re.escape(part) for part in re.split(r"[\\/]+", home.rstrip("\\/"))]
    return (_SLASH.join(parts) + r"(?![^\\/\s\"'<>|:*?,;)\]}])",)
