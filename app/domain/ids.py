"""Ids of the field: how they are written, normalised, masked, and which must not be used as cards.

技能者ID and 事業者ID have 14 digits. The number of digits of a 現場ID is not public: 14 is assumed, others are taken
with a warning (`is_usual_site_id`).
"""

from __future__ import annotations

import re
import unicodedata

_FOURTEEN = re.compile(r"\d{14}", re.ASCII)
_SITE = re.compile(r"[0-9A-Za-z_-]{1,32}", re.ASCII)
_HEX = re.compile(r"(?:[0-9A-F]{2})+", re.ASCII)
_DASHES = "-‐‑‒–—―−ー－"


class InvalidId(ValueError):
    """The text is no id of that kind. The message says what one looks like."""


def normalise(text: str) -> str:
    """Full-width to half-width, blanks and hyphens of any kind out."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(c for c in plain if not c.isspace() and c not in _DASHES)


def worker_id(text: str) -> str:
    """A 技能者ID in its one form. Raises InvalidId."""
    return _fourteen(text, "技能者ID")


def company_id(text: str) -> str:
    """A 事業者ID in its one form. Raises InvalidId."""
    return _fourteen(text, "事業者ID")


def site_id(text: str) -> str:
    """A 現場ID in its one form. Raises InvalidId for what cannot be one."""
    plain = unicodedata.normalize("NFKC", text).strip()
    digits = normalise(text)
    if _FOURTEEN.fullmatch(digits):
        return digits
    if not _SITE.fullmatch(plain):
        raise InvalidId(f"現場ID: 1–32 letters, digits, '-' or '_' (usually 14 digits), not {text!r}")
    return plain


def is_usual_site_id(value: str) -> bool:
    """Whether a 現場ID has the assumed 14 digits."""
    return _FOURTEEN.fullmatch(value) is not None


def _fourteen(text: str, name: str) -> str:
    value = normalise(text)
    if not _FOURTEEN.fullmatch(value):
        raise InvalidId(f"{name}: 14 digits, not {text!r}")
    return value


def card_key(text: str) -> str:
    """A card key in its one form: hex in capitals without separators. Raises InvalidId.

    `piv:GUID` (16 bytes), `felica:IDm` (8 bytes), `uid:hex` (4, 7, 8 or 10 bytes), `profile:NAME:value`.
    """
    kind, _, rest = text.strip().partition(":")
    if kind == "profile":
        name, _, value = rest.partition(":")
        if not re.fullmatch(r"[a-z0-9_-]{1,40}", name) or not 1 <= len(value) <= 80 or not value.isprintable():
            raise InvalidId(f"profile:NAME:value, not {text!r}")
        return f"profile:{name}:{value}"
    lengths = {"piv": (16,), "felica": (8,), "uid": (4, 7, 8, 10)}.get(kind)
    if lengths is None:
        raise InvalidId(f"a card key starts with piv:, felica:, uid: or profile:, not {text!r}")
    value = re.sub(r"[\s:.-]", "", rest).upper()
    if not _HEX.fullmatch(value) or len(value) // 2 not in lengths:
        raise InvalidId(f"{kind}: {' or '.join(map(str, lengths))} bytes in hex, not {text!r}")
    return f"{kind}:{value}"


def mask_card_key(key: str) -> str:
    """For logs and `--json`: the kind and the last four characters."""
    kind, _, rest = key.partition(":")
    if kind == "profile":
        name, _, rest = rest.partition(":")
        kind = f"profile:{name}"
    return f"{kind}:…{rest[-4:]}" if len(rest) > 4 else f"{kind}:…"


def unusable_card(key: str) -> str | None:
    """Why a chip number must not stand for a person, as a reason code; None when it may.

    `random_id`: a phone's wallet answers with a 4-byte id that starts with 08 and changes each time
    (ISO/IEC 14443-3). `blank_id`: all zeros or all ones, an empty or cloned chip.
    """
    kind, _, value = key.partition(":")
    if kind in ("uid", "felica", "piv") and set(value) in ({"0"}, {"F"}):
        return "blank_id"
    if kind == "uid" and len(value) == 8 and value.startswith("08"):
        return "random_id"
    # A FeliCa IDm whose manufacturer code starts 01 FE (NFCID2 for NFC-DEP) is made anew at each activation
    # (NFC Forum Digital Protocol): phones in peer mode.
    if kind == "felica" and value.startswith("01FE"):
        return "random_id"
    return None
