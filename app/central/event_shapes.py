"""Is an event well formed? Looked at alone, without the database."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from inspect import get_annotations
from typing import Any

from app import codec
from app.domain import ids
from app.domain.events import Direction, Event, EventType, digest
from app.domain.payloads import PAYLOADS, CardBindingPayload, CorrectionPayload, HeadcountPayload
from app.domain.work_records import SETTABLE

MAX_TEXT = 300
MAX_SEQ = 2**53 - 1
"""Greatest whole number that every JSON reader keeps exact."""
_CLEARABLE = frozenset({"company_id", "occupation", "role", "in_at", "out_at"})
"""What a correction may set to null, see `app.domain.work_records`."""
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NAME = re.compile(r"[!-~]{1,64}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}(Z|[+-]\d{2}:\d{2})", re.ASCII)


class Malformed(ValueError):
    """The text names the place and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An event as it came, and what is wrong with it alone.

    `body`: its canonical bytes; None when it has none (a float, a lone surrogate). `seq`: None when it is no number
    that could stand in a chain. `code`, `detail`: why it is refused; `event` is None exactly then.
    """

    id: str
    seq: int | None
    body: bytes | None
    digest: bytes
    event: Event | None
    code: str = ""
    detail: str = ""


def nameable(raw: Mapping[str, Any]) -> bool:
    """Whether an answer can name this event: `id` is 1 to 64 visible ASCII characters."""
    value = raw.get("id")
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def check(raw: dict[str, Any]) -> Checked:
    """Look at one nameable event. Never raises."""
    identity, seq = str(raw["id"]), raw.get("seq")
    usable = seq if type(seq) is int and 1 <= seq <= MAX_SEQ else None
    try:
        body = codec.canonical(raw)
    except (ValueError, RecursionError) as exc:
        why = "nested too deeply" if isinstance(exc, RecursionError) else str(exc)[:MAX_TEXT]
        return Checked(identity, usable, None, b"", None, "malformed", f"$: {why}")
    hashed = digest(body)
    kind = raw.get("type")
    try:
        event = _envelope(raw)
        if kind not in PAYLOADS:
            return Checked(identity, usable, body, hashed, None, "unknown_type", f"$.type: {event.type[:40]!r}")
        _payload(event)
    except Malformed as exc:
        return Checked(identity, usable, body, hashed, None, "malformed", str(exc)[:MAX_TEXT])
    return Checked(identity, usable, body, hashed, event)


def as_event(body: bytes) -> Event:
    """An accepted event from its canonical bytes."""
    return codec.decode(body, Event)


def subject(event: Event) -> str | None:
    """What an event is about, by which others find it: a card key, or the id it names."""
    name = _SUBJECTS.get(event.type)
    return str(event.payload[name]) if name else None


_SUBJECTS = {
    EventType.TOUCH.value: "card_key",
    EventType.CARD_BINDING.value: "card_key",
    EventType.APPROVAL.value: "entry",
    EventType.CORRECTION.value: "target",
}


def _envelope(raw: dict[str, Any]) -> Event:
    event: Event = _shaped(raw, Event, "")
    _require(_UUID7.fullmatch(event.id) is not None, "$.id", "a UUIDv7 in small letters")
    _require(1 <= event.seq <= MAX_SEQ, "$.seq", "a whole number from 1")
    _require(_is_site_id(event.site_id), "$.site_id", "a 現場ID in its usual form")
    _require(_is_moment(event.occurred_at), "$.occurred_at", _MOMENT_FORM)
    _require(_is_moment(event.recorded_at), "$.recorded_at", _MOMENT_FORM)
    return event


_MOMENT_FORM = "RFC 3339 with milliseconds and offset"
_DAY_FORM = "a day YYYY-MM-DD"
_TEXT_FORM = f"text of 1 to {MAX_TEXT} printable characters"


def _payload(event: Event) -> None:
    payload = _shaped(dict(event.payload), PAYLOADS[event.type], ".payload")
    for name, rule, form in _RULES_OF[event.type]:
        value = getattr(payload, name)
        if value is not None and not rule(value):
            raise Malformed(f"$.payload.{name}: expected {form}")
    if isinstance(payload, CorrectionPayload):
        _correction(payload)
    elif isinstance(payload, CardBindingPayload):
        why = ids.unusable_card(payload.card_key)
        _require(why is None, "$.payload.card_key", f"a chip number that stays the same ({why})")
    elif isinstance(payload, HeadcountPayload):
        _require(0 <= payload.count <= 1_000_000, "$.payload.count", "a number of people")


def _correction(payload: CorrectionPayload) -> None:
    if payload.op == "void":
        return
    _require(payload.fields is not None, "$.payload.fields", "an object (op is 'set')")
    for name, value in (payload.fields or {}).items():
        where = f"$.payload.fields.{name[:40]}"
        if name not in SETTABLE:
            continue
        if name == "direction":
            _require(value in tuple(Direction), where, "in, out or none")
            continue
        if value is None and name in _CLEARABLE:
            continue
        rule, form = _RULES[name]
        _require(isinstance(value, str) and rule(value), where, form)


def _shaped(raw: dict[str, Any], shape: type[Any], prefix: str) -> Any:
    try:
        return codec.convert(raw, shape)
    except codec.DecodeError as exc:
        what, where = split(str(exc))
        raise Malformed(f"${prefix}{where[1:]}: {what}") from exc


def split(message: str) -> tuple[str, str]:
    """A codec error as (what, where): "Expected `int`, got `str` - at `$.seq`" → what, '$.seq'."""
    what, _, place = message.partition(" - at `")
    return what, place.removesuffix("`") or "$"


def _require(holds: bool, where: str, form: str) -> None:
    if not holds:
        raise Malformed(f"{where}: expected {form}")


def _is_text(value: str) -> bool:
    return 1 <= len(value) <= MAX_TEXT and value.isprintable()


def _is_note(value: str) -> bool:
    return len(value) <= 10 * MAX_TEXT


@lru_cache(maxsize=1024)
def _is_day(value: str) -> bool:
    if not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_moment(value: str) -> bool:
    if not _MOMENT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_id(value: str, form: Callable[[str], str]) -> bool:
    try:
        return form(value) == value
    except ids.InvalidId:
        return False


@lru_cache(maxsize=1024)
def _is_site_id(value: str) -> bool:
    return _is_id(value, ids.site_id)


@lru_cache(maxsize=4096)
def _is_card_key(value: str) -> bool:
    return _is_id(value, ids.card_key)


_RULES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "card_key": (_is_card_key, "a card key in its one form (hex in capitals)"),
    "work_day": (_is_day, _DAY_FORM),
    "day": (_is_day, _DAY_FORM),
    "valid_from": (_is_day, _DAY_FORM),
    "in_at": (_is_moment, _MOMENT_FORM),
    "out_at": (_is_moment, _MOMENT_FORM),
    "reason": (_is_note, f"at most {10 * MAX_TEXT} characters"),
    **{
        name: (_is_text, _TEXT_FORM)
        for name in (
            "worker_id",
            "company_id",
            "occupation",
            "role",
            "reader",
            "source",
            "suppressed_by",
            "entered_by",
            "by",
            "entry",
            "target",
            "kind",
            "key",
        )
    },
}
_RULES_OF = {
    kind: [(name, *_RULES[name]) for name in get_annotations(payload) if name in _RULES]
    for kind, payload in PAYLOADS.items()
}
