"""From a profile file's content to a profile. Pure: `wiring` loads the file and checks its JSON Schema; what
contradicts itself is refused here, with its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import InputRefused
from app.readers.felica import FelicaArea
from app.readers.profile import Check, Field, Kind, Profile, block_numbers
from app.readers.storage_card import StorageArea, Technology

KEY_BYTES = 80
"""A card key's value has at most so many characters (`app.domain.ids.card_key`)."""
REGEX_BYTES = 64
_QUANTIFIERS = re.compile(r"[*+?{]")
_NOT_ALLOWED = re.compile(r"[()]|\\[1-9]")
MAX_QUANTIFIERS = 3
"""With no groups and so few repeats a pattern on 64 characters ends in no time whatever it is."""
_BINARY = ("binary_be", "binary_le")
_NUMBER = ("ascii_digits", "bcd", *_BINARY)
_OPTIONS = {
    "luhn": set(),
    "mod10": {"weights"},
    "mod11": {"weights", "ten"},
    "fixed": {"value"},
    "range": {"min", "max"},
    "regex": {"pattern"},
    "date": {"format", "never"},
}


def profile_of(values: Mapping[str, Any], where: str) -> Profile:
    """The profile that a file's content describes (schema `card-profile`, checked already).

    Raises InputRefused `profile.inconsistent` with file and place for what contradicts itself.
    """
    match, use = values["match"], values.get("use", {})
    kind = Kind(match["kind"])
    fields = tuple(_field(item) for item in values.get("fields", ()))
    try:
        profile = Profile(
            values["name"],
            values["version"],
            dict(values["label"]),
            kind,
            sample=values.get("sample", False),
            fallback_uid=values.get("fallback_uid", False),
            area=_area(kind, match),
            fields=fields,
            worker_id=use.get("worker_id"),
            expires_on=use.get("expires_on"),
            card_key=use.get("card_key"),
            technologies=_technologies(kind, match),
            lengths=tuple(match.get("lengths", ())),
            prefix=bytes.fromhex(match.get("prefix", "")),
        )
        _check_kind(profile, values)
        _check_uses(profile)
        for number, item in enumerate(fields):
            _check_field(profile, number, item, values["fields"][number])
    except _Contradiction as exc:
        raise InputRefused("profile.inconsistent", f"{where}: {exc.place}", why=exc.why) from exc
    return profile


class _Contradiction(Exception):
    """A place in the file and what is wrong there."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(place, why)
        self.place = place
        self.why = why


def _field(item: Mapping[str, Any]) -> Field:
    plain = {k: v for k, v in item.items() if k not in ("checks", "padding")}
    padding = bytes.fromhex(item["padding"])[0] if "padding" in item else None
    return Field(**plain, padding=padding, checks=tuple(_check(check) for check in item.get("checks", ())))


def _check(item: Mapping[str, Any]) -> Check:
    plain: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in item.items()}
    return Check(**plain)


def _area(kind: Kind, match: Mapping[str, Any]) -> FelicaArea | StorageArea | None:
    allowed = {
        Kind.FELICA: {"kind", "system_codes", "service", "blocks"},
        Kind.UID: {"kind", "technologies", "lengths", "prefix"},
    }.get(kind, {"kind", "blocks", "block_bytes"})
    for name in match:
        if name not in allowed:
            raise _Contradiction(f"$.match.{name}", f"not for kind {kind.value}")
    needed = {Kind.FELICA: ("service", "blocks"), Kind.UID: ()}.get(kind, ("blocks", "block_bytes"))
    for name in needed:
        if name not in match:
            raise _Contradiction("$.match", f"kind {kind.value} needs {name}")
    if kind is Kind.UID:
        return None
    try:
        blocks = block_numbers(match["blocks"])
    except ValueError as exc:
        raise _Contradiction("$.match.blocks", str(exc)) from exc
    if kind is not Kind.FELICA:
        return StorageArea(Technology(kind.value), blocks, match["block_bytes"])
    service = int(match["service"], 16)
    if not service & 1:
        # FeliCa service attributes: the lowest bit set means 'without authentication'
        raise _Contradiction("$.match.service", f"service {match['service']} is read with a key only")
    return FelicaArea(service, blocks, tuple(int(code, 16) for code in match.get("system_codes", ())))


def _technologies(kind: Kind, match: Mapping[str, Any]) -> tuple[Technology, ...]:
    if kind is Kind.UID:
        return tuple(Technology(name) for name in match.get("technologies", ()))
    return (Technology(kind.value),)


def _check_kind(profile: Profile, values: Mapping[str, Any]) -> None:
    wanted = "uid" if profile.kind is Kind.UID else "open"
    if values["assurance"] != wanted:
        raise _Contradiction("$.assurance", f"kind {profile.kind.value} gives {wanted}")
    if profile.kind is Kind.UID:
        for name in ("fields", "use", "fallback_uid"):
            if values.get(name):
                raise _Contradiction(f"$.{name}", "kind uid reads the chip number alone")
    elif profile.key_field is None:
        raise _Contradiction("$.use", "name the field that is the worker id or the card key")


def _check_uses(profile: Profile) -> None:
    by_name: dict[str, Field] = {}
    for number, field in enumerate(profile.fields):
        if field.name in by_name:
            raise _Contradiction(f"$.fields[{number}].name", f"{field.name} is there twice")
        by_name[field.name] = field
    uses = {"worker_id": profile.worker_id, "expires_on": profile.expires_on, "card_key": profile.card_key}
    for use, name in uses.items():
        if name is not None and name not in by_name:
            raise _Contradiction(f"$.use.{use}", f"there is no field {name}")
    if profile.expires_on and by_name[profile.expires_on].date is None:
        raise _Contradiction("$.use.expires_on", f"field {profile.expires_on} needs a check of rule date")
    key = profile.key_field
    if key is not None and by_name[key].length > KEY_BYTES // 2:
        raise _Contradiction("$.use", f"field {key} is too long for a card key ({KEY_BYTES // 2} bytes at most)")


def _check_field(profile: Profile, number: int, field: Field, written: Mapping[str, Any]) -> None:
    place = f"$.fields[{number}]"
    if field.end > profile.area_bytes:
        raise _Contradiction(
            place, f"{field.name} ends at byte {field.end}, but only {profile.area_bytes} bytes are read"
        )
    for other in profile.fields[:number]:
        shared = field.offset < other.end and other.offset < field.end
        if shared and not (field.overlaps or other.overlaps):
            raise _Contradiction(place, f"{field.name} overlaps {other.name} (on purpose: overlaps = true)")
    if field.digits is not None and field.encoding not in _BINARY:
        raise _Contradiction(f"{place}.digits", f"not for encoding {field.encoding}")
    if field.encoding in _BINARY and field.length > 8:
        raise _Contradiction(f"{place}.length", "a binary number has 8 bytes at most")
    if field.padding is not None and field.encoding in _BINARY:
        raise _Contradiction(f"{place}.padding", f"not for encoding {field.encoding}")
    for at, check in enumerate(field.checks):
        _check_check(field, check, f"{place}.checks[{at}]", set(written["checks"][at]) - {"rule"})


def _check_check(field: Field, check: Check, place: str, options: set[str]) -> None:
    stranger = min(options - _OPTIONS[check.rule], default=None)
    if stranger is not None:
        raise _Contradiction(f"{place}.{stranger}", f"not for rule {check.rule}")
    missing = {"fixed": "value", "regex": "pattern", "date": "format"}.get(check.rule)
    if missing is not None and missing not in options:
        raise _Contradiction(place, f"rule {check.rule} needs {missing}")
    numeric = field.encoding in _NUMBER
    if check.rule == "range":
        if not numeric:
            raise _Contradiction(place, f"rule range needs a number, not {field.encoding}")
        low, high = check.min or 0, check.max
        if check.min is None and high is None:
            raise _Contradiction(place, "rule range needs min or max")
        if high is not None and low > high:
            raise _Contradiction(place, f"min {low} is more than max {high}")
    if check.rule in ("luhn", "mod10", "mod11") and not numeric and field.encoding != "ascii":
        raise _Contradiction(place, f"rule {check.rule} needs digits, not {field.encoding}")
    if check.rule == "regex":
        _check_pattern(field, check.pattern, f"{place}.pattern")


def _check_pattern(field: Field, pattern: str, place: str) -> None:
    if field.length > REGEX_BYTES:
        raise _Contradiction(place, f"a pattern is for fields of {REGEX_BYTES} bytes at most")
    if _NOT_ALLOWED.search(pattern) or len(_QUANTIFIERS.findall(pattern)) > MAX_QUANTIFIERS:
        raise _Contradiction(place, f"no groups, and {MAX_QUANTIFIERS} repeats (* + ? {{}}) at most")
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as exc:
        raise _Contradiction(place, f"no pattern: {exc}") from exc


def weak_spots(profile: Profile) -> Sequence[str]:
    """What is allowed but unwise, as codes `profile.weak_…`: an office should know before it trusts the profile."""
    spots = []
    if profile.kind is not Kind.UID and not any(
        check.rule in ("luhn", "mod10", "mod11", "fixed") for field in profile.fields for check in field.checks
    ):
        spots.append("profile.weak_no_check")
    if profile.fallback_uid:
        spots.append("profile.weak_fallback")
    if profile.sample:
        spots.append("profile.weak_sample")
    return spots
