"""Is this the centre that answers, and what does it say? Nothing is believed before type, size and shape are right.

Why so strict: behind a captive portal a client that looked at the status alone counted 17 pages of HTML as receipts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Generic, NoReturn, TypeVar

import zstandard

from app import codec
from app.sync.trouble import (
    AuthFailed,
    BadAnswer,
    BadRequest,
    Busy,
    Forbidden,
    SomebodyInBetween,
    TooLarge,
    UpgradeNeeded,
)
from app.sync.wire import PROBLEM, ZSTD, Problem

T = TypeVar("T")

MAX_ANSWER = 16 * 1024 * 1024
"""Most bytes of an answer, packed or unpacked."""
RETRY_AFTER_CAP_S = 3600.0
"""Longest wait that a `Retry-After` can impose, in seconds."""
_BUSY = frozenset({408, 425, 429})
UPGRADE = "upgrade_needed"


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came over the line. Header names in small letters; `body` still packed. `took_s`: the round trip."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    took_s: float
    now: datetime
    """The PC's time when it came (aware)."""

    @property
    def media_type(self) -> str:
        """Content type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()[:60]

    @property
    def date(self) -> datetime | None:
        """The `Date` header, aware; None when absent or unreadable."""
        return http_date(self.headers.get("date", ""))


@dataclass(frozen=True, slots=True)
class Pulled(Generic[T]):
    """A page and the ETag it came with."""

    page: T
    etag: str | None
    at: datetime | None = None
    """When the centre wrote it; None: just now."""


def http_date(text: str) -> datetime | None:
    """An HTTP-date as an aware datetime; None when it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after(raw: RawAnswer) -> float | None:
    """Seconds to wait by `Retry-After`, 0 to RETRY_AFTER_CAP_S; None when not asked for or unreadable.

    A date is measured against the answer's own `Date`, so that a wrong clock on this PC does not matter.
    """
    text = raw.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), RETRY_AFTER_CAP_S))
    until = http_date(text) if text else None
    if until is None:
        return None
    seconds = (until - (raw.date or raw.now)).total_seconds()
    return max(0.0, min(seconds, RETRY_AFTER_CAP_S))


def unpacked(raw: RawAnswer, host: str) -> bytes:
    """The body without its content encoding. Raises SomebodyInBetween."""
    encoding = raw.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        body = raw.body
    elif encoding == ZSTD:
        try:
            with zstandard.ZstdDecompressor().stream_reader(raw.body, read_across_frames=True) as reader:
                body = reader.read(MAX_ANSWER + 1)
        except zstandard.ZstdError as exc:
            raise SomebodyInBetween("a body that is not zstd", host) from exc
    else:
        raise SomebodyInBetween(f"content encoding {encoding[:20]!r}", host)
    if len(body) > MAX_ANSWER:
        raise SomebodyInBetween("an endless answer", host)
    return body


def read(raw: RawAnswer, shape: type[T], ok: int, host: str) -> T:
    """The answer as `shape`, if it is the centre's and has the status `ok`; else the error that it means.

    Raises every trouble but Offline.
    """
    if raw.status != ok:
        refuse(raw, host)
    if raw.media_type != "application/json":
        raise SomebodyInBetween(f"{raw.media_type or 'no content type'} instead of JSON", host)
    body = unpacked(raw, host)
    try:
        return codec.decode(body, shape)
    except codec.DecodeError as exc:
        raise BadAnswer(str(exc)[:200], host) from exc


def refuse(raw: RawAnswer, host: str) -> NoReturn:
    """Raise what an unwanted status means. Only a problem document of the centre's may blame us for anything."""
    status = raw.status
    if status in _BUSY or (status >= 500 and status != 511):
        raise Busy(status, retry_after(raw), host)
    if status == 413:  # often said by a web server before the centre; fewer at a time helps either way
        raise TooLarge(host)
    if status == 407:
        raise SomebodyInBetween("proxy authentication required", host, "sync.proxy_login")
    problem = _problem(raw, host) if 400 <= status < 500 else None
    if problem is None:
        raise SomebodyInBetween(f"status {status}", host)
    code = problem.code[:64]
    if status == 426 or code == UPGRADE:
        raise UpgradeNeeded(host)
    if status == 401:
        raise AuthFailed(code, host)
    if status == 403:
        raise Forbidden(code, host)
    raise BadRequest(status, code, problem.detail[:300] or problem.title[:300], problem.errors[:20], host)


def _problem(raw: RawAnswer, host: str) -> Problem | None:
    if raw.media_type not in (PROBLEM, "application/json"):
        return None
    try:
        problem = codec.decode(unpacked(raw, host), Problem)
    except (codec.DecodeError, SomebodyInBetween):
        return None
    return problem if problem.status == raw.status else None
