"""Cards as devices write them → card keys (`app.domain.ids`)."""

from __future__ import annotations

import re
import unicodedata

from app.domain import ids
from app.office.formats.shapes import CardForm

_SEPARATORS = re.compile(r"[\s:.\-]")
_AROUND = " \t'\""
"""An apostrophe before a number is how spreadsheet programs keep it text."""
_KEPT = 100_000


class NoCard(ValueError):
    """The text is no card of this form. The number is not repeated: it may be somebody's."""


class Cards:
    """Reads a format's card column; each text once. Not for two threads at once."""

    def __init__(self, form: CardForm) -> None:
        self._form = form
        self._known: dict[str, str] = {}

    def read(self, text: str) -> str:
        """The card key. Raises NoCard."""
        key = self._known.get(text)
        if key is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            key = self._known[text] = self._read(text)
        return key

    def _read(self, text: str) -> str:
        form, plain = self._form, unicodedata.normalize("NFKC", text).strip(_AROUND)
        try:
            if form.kind == "key":
                key = ids.card_key(plain)
                if key.startswith("piv:"):
                    raise NoCard("a file cannot prove a card of kind piv")
                return key
            if form.kind.startswith("profile:"):
                return ids.card_key(f"{form.kind}:{ids.normalise(plain)}")
            return ids.card_key(f"{form.kind}:{self._hex(plain)}")
        except ids.InvalidId as exc:
            raise NoCard(form.kind) from exc

    def _hex(self, plain: str) -> str:
        form = self._form
        digits = _SEPARATORS.sub("", plain)
        if form.base == "decimal":
            if not re.fullmatch(r"\d{1,25}", digits, re.ASCII) or int(digits) >= 1 << 8 * form.length:
                raise NoCard("decimal")
            digits = f"{int(digits):0{2 * form.length}X}"
        elif digits[:2] in ("0x", "0X"):
            digits = digits[2:]
        if form.reversed:
            if len(digits) % 2 or not re.fullmatch(r"[0-9A-Fa-f]+", digits):
                raise NoCard("hex")
            digits = bytes.fromhex(digits)[::-1].hex()
        return digits
