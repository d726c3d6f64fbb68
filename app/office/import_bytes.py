"""Canonical bytes of imported touches, put together from ready-made pieces: a file has a million of them.

What comes out equals `app.codec.canonical` of the event (a test holds it for any text); every text goes through
`codec.encode`, which spells strings as canonical JSON does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import codec
from app.office.touches import moment_of

_DAY_MS = 86_400_000
_JST_MS = 9 * 3_600_000


def quoted(text: str) -> str:
    """A text as canonical JSON."""
    return codec.encode(text).decode()


class Frame:
    """What all events of a file have in common."""

    def __init__(self, site_id: str, recorded_at: str, assurance: str, source: str, clock: Mapping[str, Any]) -> None:
        self._start = f'"assurance":{quoted(assurance)},"card_key":'
        self._clock = f',"clock":{codec.canonical(clock).decode()}'
        self._source = f',"source":{quoted(source)}'
        self._recorded = f'}},"recorded_at":{quoted(recorded_at)},"seq":'
        self._touch = f',"site_id":{quoted(site_id)},"type":"touch"}}'
        self._refusal = f',"site_id":{quoted(site_id)},"type":"refusal"}}'

    def piece(self, card_key: str, reader: str, worker_id: str | None, reason: str | None) -> Piece:
        """Of a card. `reason`: of a refusal; None for touches."""
        before = f"{self._start}{quoted(card_key)}{self._clock}"
        after = f',"reader":{quoted(reader)}'
        if reason is not None:
            after += f',"reason":{quoted(reason)}'
        after += self._source
        end = ""
        if worker_id is not None and reason is None:
            end = f',"worker_id":{quoted(worker_id)}'
        return Piece(before, after, end + self._recorded, self._touch if reason is None else self._refusal)


class Piece:
    """The payload of a card's touches, but for what differs from one to the next."""

    __slots__ = ("_after", "_before", "_end", "_last")

    def __init__(self, before: str, after: str, end: str, last: str) -> None:
        self._before, self._after, self._end, self._last = before, after, end, last

    def body(
        self, id_: str, occurred_at: str, work_day: str, direction: str | None, suppressed_by: str | None, seq: int
    ) -> bytes:
        """Canonical bytes. `direction`: None for refusals. Ids, days and times are plain ASCII by their making."""
        way = "" if direction is None else f',"direction":"{direction}"'
        by = "" if suppressed_by is None else f',"suppressed_by":"{suppressed_by}"'
        return (
            f'{{"id":"{id_}","occurred_at":"{occurred_at}","payload":{{{self._before}{way}{self._after}{by}'
            f',"work_day":"{work_day}"{self._end}{seq}{self._last}'
        ).encode()


class Stamps:
    """`app.domain.events.rfc3339` of Unix milliseconds, in Japan's zone; days and seconds are spelled once."""

    def __init__(self) -> None:
        self._days: dict[int, str] = {}
        self._seconds: dict[int, str] = {}

    def text(self, at_ms: int) -> str:
        """'2026-11-19T07:40:00.000+09:00'."""
        day, rest = divmod(at_ms + _JST_MS, _DAY_MS)
        second, ms = divmod(rest, 1000)
        try:
            return f"{self._days[day]}{self._seconds[second]}.{ms:03d}+09:00"
        except KeyError:
            return self._new(day, second, ms)

    def _new(self, day: int, second: int, ms: int) -> str:
        self._days[day] = f"{moment_of(day * _DAY_MS).date().isoformat()}T"
        self._seconds[second] = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        return f"{self._days[day]}{self._seconds[second]}.{ms:03d}+09:00"
