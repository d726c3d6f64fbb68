"""The file of a phone that buffered touches (docs/phone-file.md): opened, proven, checked line by line.

Nothing of a file is believed before its signature holds; with one line wrong all of it is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app import codec, phone_seal
from app.domain import ids
from app.domain.assurance import Assurance
from app.domain.events import Direction
from app.errors import InputRefused
from app.office.touches import DeviceTouch, Origin, ms_of
from app.store.phones import Phone

FORMAT = "genba-touch-phone/1"
NAME = "phone-reader"
MAX_BYTES = 16 << 20
MAX_TOUCHES = 50_000
_FIRST_LINE = re.compile(rb"genba-touch-phone/(\d{1,4}) ([0-9a-f]{16}) (\d{1,12})\n")
_LONGEST_FIRST_LINE = 64
_MOMENT = re.compile(r"20\d{2}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}(Z|[+-]\d{2}:\d{2})", re.ASCII)
_WORKER = re.compile(r"[0-9A-Za-z_-]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Header:
    format: str
    phone: str
    site: str
    key: str
    made_at: str
    count: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    at: str
    card: str | None = None
    worker_id: str | None = None
    direction: Literal["in", "out"] | None = None


@dataclass(frozen=True, slots=True)
class _Signature:
    signature: str


@dataclass(frozen=True, slots=True)
class PhoneFile:
    """A file whose signature holds. `first`, `last`: the phone's numbers in it."""

    origin: Origin
    phone: Phone
    site_id: str
    made_at: datetime
    first: int
    last: int
    touches: Sequence[DeviceTouch]


def read(data: bytes, file: str, private: bytes, phone_of: Callable[[str], Phone | None]) -> PhoneFile:
    """Open a file. `file`: its name for errors; `private`: the station's import key; `phone_of`: by id.

    Raises InputRefused `phone_file.…`, with file and line.
    """
    key = phone_seal.fingerprint(phone_seal.public_of(private))
    text = _opened(data, file, private, key)
    body, signature = _split(text, file)
    lines = body.split(b"\n")[:-1]
    header = _header(lines[0], f"{file}: line 1")
    phone = phone_of(header.phone)
    if phone is None:
        raise InputRefused("phone_file.unknown_phone", file, phone=header.phone[:40])
    if not phone_seal.is_signed(phone.public_key, signature, body):
        raise InputRefused("phone_file.bad_signature", file, phone=phone.id, label=phone.label)
    if phone.revoked:
        raise InputRefused("phone_file.revoked", file, phone=phone.id, label=phone.label, on=f"{phone.at:%Y-%m-%d}")
    # without this a signed file could be sealed anew and handed to a station it was not meant for
    if header.key != key:
        raise InputRefused("phone_file.other_key", file, wanted=header.key[:40], given=key)
    made_at = _moment(header.made_at)
    if made_at is None:
        raise InputRefused("phone_file.line", f"{file}: line 1", why="made_at: 20YY-MM-DDTHH:MM:SS.mmm+09:00")
    count = len(lines) - 1
    if not header.count == count == header.last - header.first + 1 or count < 1 or header.first < 1:
        numbers = {"first": header.first, "last": header.last}
        raise InputRefused("phone_file.count", f"{file}: line 1", said=header.count, count=count, **numbers)
    if count > MAX_TOUCHES:
        raise InputRefused("phone_file.too_large", file, most=MAX_TOUCHES)
    digest = hashlib.sha256(data).hexdigest()
    origin = Origin(file, NAME, f"phone:{phone.id}", digest, Assurance.OPEN, f"phone:{phone.id}")
    touches = tuple(_touches(lines[1:], header.first, file))
    return PhoneFile(origin, phone, header.site, made_at, header.first, header.last, touches)


def _opened(data: bytes, file: str, private: bytes, key: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise InputRefused("phone_file.too_large", file, most=MAX_TOUCHES)
    head = _FIRST_LINE.match(data[:_LONGEST_FIRST_LINE])
    if head is None:
        raise InputRefused("phone_file.not_one", file)
    version, wanted, length = (part.decode() for part in head.groups())
    if version != FORMAT.rpartition("/")[2]:
        raise InputRefused("phone_file.other_version", file, found=version, known=FORMAT.rpartition("/")[2])
    if wanted != key:
        raise InputRefused("phone_file.other_key", file, wanted=wanted, given=key)
    sealed = data[head.end() :]
    if len(sealed) != int(length):
        code = "phone_file.truncated" if len(sealed) < int(length) else "phone_file.altered"
        raise InputRefused(code, file, length=length, found=len(sealed))
    try:
        return phone_seal.unseal(private, sealed)
    except phone_seal.NotOurs as exc:
        raise InputRefused("phone_file.altered", file) from exc


def _split(text: bytes, file: str) -> tuple[bytes, bytes]:
    """Everything up to the signature's line, and the signature."""
    body, _, last = text.removesuffix(b"\n").rpartition(b"\n")
    try:
        signature = base64.b64decode(codec.decode(last, _Signature).signature, validate=True)
    except (codec.DecodeError, binascii.Error, ValueError) as exc:
        raise InputRefused("phone_file.no_signature", file) from exc
    if not body or not text.endswith(b"\n"):
        raise InputRefused("phone_file.no_signature", file)
    return body + b"\n", signature


def _header(line: bytes, where: str) -> _Header:
    try:
        header = codec.decode(line, _Header)
    except codec.DecodeError as exc:
        raise InputRefused("phone_file.line", where, why=str(exc)) from exc
    if header.format != FORMAT:
        raise InputRefused("phone_file.line", where, why=f"format: {FORMAT}")
    return header


def _touches(lines: list[bytes], first: int, file: str) -> Iterator[DeviceTouch]:
    for number, line in enumerate(lines, first):
        place = number - first + 2
        try:
            yield _touch(line, number, place)
        except ValueError as exc:
            raise InputRefused("phone_file.line", f"{file}: line {place}", why=str(exc)) from exc


def _touch(line: bytes, number: int, place: int) -> DeviceTouch:
    """Raises ValueError whose text names the field."""
    one = codec.decode(line, _Line)
    if one.number != number:
        raise ValueError(f"number: {number}, not {one.number}")
    moment = _moment(one.at)
    if moment is None:
        raise ValueError("at: 20YY-MM-DDTHH:MM:SS.mmm+09:00")
    if one.worker_id is not None and not _WORKER.fullmatch(one.worker_id):
        raise ValueError("worker_id: 1-40 of 0-9 A-Z a-z _ -")
    if one.card is not None:
        key = _card(one.card)
    elif one.worker_id is not None:
        key = f"profile:phone:{one.worker_id}"
    else:
        raise ValueError("card or worker_id is needed")
    direction = Direction(one.direction) if one.direction else None
    return DeviceTouch(one.at, ms_of(moment), key, number, place, direction, one.worker_id)


def _card(text: str) -> str:
    """One way to write a card alone, or one touch would count as two."""
    try:
        key = ids.card_key(text)
    except ids.InvalidId:
        key = ""
    if key != text or key.startswith("piv:"):
        # the number is not repeated: it may be somebody's
        raise ValueError("card: felica:HEX, uid:HEX (capitals, no separators) or profile:NAME:value")
    return key


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        return None
