"""What the centre did not take, as a screen may show it: no more of a person than today's list shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app import codec
from app.domain import ids
from app.domain.events import EventType
from app.domain.roster import Roster
from app.store.outbox import Outbox

MOST = 500
"""Rows shown; the count beside them is of all."""


@dataclass(frozen=True, slots=True)
class LookRow:
    """An event that needs a look. `code`: the centre's word, of `sync.verdict_…`; `card` is masked."""

    id: str
    seq: int
    at: datetime
    type: str
    code: str
    name: str = ""
    card: str = ""


class DeliveryPort(Protocol):
    """What a screen may ask of delivery. Thread-safe, returns at once; `reply` comes on the gate's thread."""

    def send_now(self) -> None:
        """Try at once; only a wait that the centre asked for is kept."""

    def roster_now(self) -> None:
        """Fetch the roster at once, likewise."""

    def look(self, reply: Callable[[Sequence[LookRow]], None]) -> None:
        """What the centre did not take, oldest first, at most `MOST`."""

    def send_again(self, ids: Sequence[str], reply: Callable[[Sequence[LookRow]], None]) -> None:
        """These wait to be sent again, under the same ids; the reply is what still needs a look."""


def rows(outbox: Outbox, roster: Roster) -> tuple[LookRow, ...]:
    """Read them from the store. Raises StorageTrouble."""
    return tuple(
        _row(codec.decode(row.body, dict), row.seq, settled.code or "", roster) for row, settled in outbox.look(MOST)
    )


def _row(event: Mapping[str, Any], seq: int, code: str, roster: Roster) -> LookRow:
    payload = event["payload"]
    worker = None
    if event["type"] != EventType.REFUSAL:  # who lends or finds a stopped card learns no name from the gate
        worker = roster.workers.get(str(payload.get("worker_id")))
    card = payload.get("card_key")
    return LookRow(
        id=event["id"],
        seq=seq,
        at=datetime.fromisoformat(event["occurred_at"]),
        type=event["type"],
        code=code,
        name=worker.name if worker else "",
        card=ids.mask_card_key(card) if isinstance(card, str) else "",
    )
