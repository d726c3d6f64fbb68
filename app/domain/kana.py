"""Names as people search for them."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """Katakana to hiragana, half-width to full, case and blanks out: サトウ, さとう, ｻﾄｳ are the same."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in plain if not c.isspace())
