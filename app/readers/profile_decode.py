"""From an area's bytes to fields, key, worker and expiry, by a profile. Pure, and never raises, whatever the bytes.

One check that fails makes the whole card worthless: no key comes out, so that a wrong layout, another kind of card or
a damaged one is never somebody.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

from app.domain import ids
from app.readers.profile import Check, Field, Profile

WHYS = (
    "short", "blank", "not_digits", "not_text", "not_bcd", "too_many_digits",
    "luhn", "mod10", "mod11", "fixed", "range", "regex", "date", "worker_id", "card_key",
)  # fmt: skip
"""Why a field was not accepted; messages `profile.why.<code>`."""
MOD10_WEIGHTS = (3, 1)
"""GS1 / JAN, from the right."""
MOD11_WEIGHTS = (2, 3, 4, 5, 6, 7)


class _Not(Exception):
    """The bytes are not what the field says: one of `WHYS`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Decoded:
    """A field with what the card holds there. `why`: empty when it is accepted."""

    field: Field
    raw: bytes
    value: str | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What a card's area says. `card_key` is None unless every field was accepted."""

    fields: tuple[Decoded, ...]
    card_key: str | None = None
    worker_id: str | None = None
    expires_on: str | None = None
    """ISO date; None when there is none, or none that ends."""

    @property
    def refused(self) -> str:
        """'FIELD: why' of the first field that was not accepted; empty when all were."""
        return next((f"{d.field.name}: {d.why}" for d in self.fields if d.why), "")


def decode(profile: Profile, data: bytes) -> Content:
    """The content of an area; `data` are its blocks in the profile's order."""
    decoded = tuple(_decoded(profile, field, data) for field in profile.fields)
    if any(item.why for item in decoded) or profile.key_field is None:
        return Content(decoded)
    values = {item.field.name: item.value or "" for item in decoded}
    key = ids.card_key(_key(profile, values[profile.key_field]))
    worker = ids.worker_id(values[profile.worker_id]) if profile.worker_id else None
    return Content(decoded, key, worker, _expiry(profile, values))


def _decoded(profile: Profile, field: Field, data: bytes) -> Decoded:
    raw = data[field.offset : field.end]
    value: str | None = None
    try:
        if len(raw) < field.length:
            raise _Not("short")
        value = _value(field, raw)
        for check in field.checks:
            _apply(check, value)
        if field.name in (profile.key_field, profile.worker_id):
            _identity(profile, field, raw, value)
    except _Not as exc:
        return Decoded(field, raw, value, exc.why)
    return Decoded(field, raw, value)


def _identity(profile: Profile, field: Field, raw: bytes, value: str) -> None:
    """More is asked of what stands for a person."""
    if set(raw) <= {0x00} or set(raw) <= {0xFF} or set(value) <= {"0"}:
        raise _Not("blank")
    if field.name == profile.worker_id:
        try:
            ids.worker_id(value)
        except ids.InvalidId:
            raise _Not("worker_id") from None
    if field.name == profile.key_field:
        try:
            key = ids.card_key(_key(profile, value))
        except ids.InvalidId:
            raise _Not("card_key") from None
        if key != _key(profile, value) or value != value.strip():
            raise _Not("card_key")


def _key(profile: Profile, value: str) -> str:
    return f"profile:{profile.name}:{value}"


def _value(field: Field, raw: bytes) -> str:
    if field.padding is not None:
        raw = raw.rstrip(bytes([field.padding]))
    match field.encoding:
        case "ascii_digits":
            if not raw.isdigit():  # bytes: ASCII digits alone
                raise _Not("blank" if not raw else "not_digits")
            return raw.decode("ascii")
        case "ascii":
            if not all(0x20 <= byte < 0x7F for byte in raw):
                raise _Not("not_text")
            return raw.decode("ascii")
        case "bcd":
            digits = raw.hex().upper().rstrip("F")  # a filler after an odd number of digits
            if not digits.isdigit():
                raise _Not("not_bcd")
            return digits
        case "shift_jis":
            return _shift_jis(raw)
        case "hex":
            return raw.hex().upper()
        case _:
            number = str(int.from_bytes(raw, "big" if field.encoding == "binary_be" else "little"))
            if field.digits is not None and len(number) > field.digits:
                raise _Not("too_many_digits")
            return number.zfill(field.digits or 0)


def _shift_jis(raw: bytes) -> str:
    """Windows code page 932, which is what is meant in practice: Shift_JIS with NEC's and IBM's additions."""
    try:
        text = raw.decode("cp932")
    except UnicodeDecodeError:
        raise _Not("not_text") from None
    if not all(letter.isprintable() or letter == "\u3000" for letter in text):
        raise _Not("not_text")
    return text


def _apply(check: Check, value: str) -> None:
    fine = True
    match check.rule:
        case "luhn":
            fine = _digits(value) and luhn(value)
        case "mod10":
            fine = _digits(value) and mod10_digit(value[:-1], check.weights or MOD10_WEIGHTS) == value[-1]
        case "mod11":
            fine = _digits(value[:-1]) and mod11_digit(value[:-1], check.weights, check.ten) == value[-1]
        case "fixed":
            fine = value == check.value
        case "range":
            fine = (check.min or 0) <= int(value) and (check.max is None or int(value) <= check.max)
        case "regex":
            fine = re.fullmatch(check.pattern, value) is not None
        case "date":
            fine = value in check.never or date_of(value, check.format) is not None
    if not fine:
        raise _Not(check.rule)


def _digits(value: str) -> bool:
    return value.isascii() and value.isdigit()


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: every second digit from the right doubled, the sum a multiple of ten."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def mod10_digit(digits: str, weights: tuple[int, ...]) -> str:
    """The check digit of modulus 10: ten minus the weighted sum's last digit."""
    return str(-_weighted(digits, weights) % 10)


def mod11_digit(digits: str, weights: tuple[int, ...], ten: str) -> str | None:
    """The check digit of modulus 11: eleven minus the remainder; 11 is 0; 10 as the profile says, None when refused."""
    digit = -_weighted(digits, weights or MOD11_WEIGHTS) % 11
    if digit == 10:
        return None if ten == "refused" else ten
    return str(digit)


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weights[place % len(weights)] for place, digit in enumerate(reversed(digits)))


def date_of(text: str, form: str) -> date | None:
    """A date as a card writes it; a month stands for its last day, two digits of a year for 20YY. None: no date."""
    match form:
        case "YYYYMMDD" | "YYMMDD" | "YYYYMM" | "YYMM":
            plain = text
        case _:
            mark = form[4]
            plain = text.replace(mark, "") if len(text) == 10 and text[4] == text[7] == mark else ""
    letters = form.replace("-", "").replace("/", "")
    if len(plain) != len(letters) or not _digits(plain):
        return None
    if not letters.startswith("YYYY"):
        plain = "20" + plain
    year, month = int(plain[:4]), int(plain[4:6])
    try:
        day = int(plain[6:]) if plain[6:] else calendar.monthrange(year, month)[1]
        return date(year, month, day)
    except ValueError:  # calendar's error for a month that is none is one too
        return None


def _expiry(profile: Profile, values: dict[str, str]) -> str | None:
    field = next((f for f in profile.fields if f.name == profile.expires_on), None)
    if field is None or field.date is None or values[field.name] in field.date.never:
        return None
    day = date_of(values[field.name], field.date.format)
    return day.isoformat() if day else None
