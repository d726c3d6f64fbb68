"""A gate with a flaw, to prove that the judge of `dev.py faults` sees it: `python -m … FLAW DATA SCRIPT`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from app.domain.events import Draft
from app.domain.outbox import Outgoing, Settled
from app.store.events import EventLog
from app.store.rows import Stored, TouchRow
from app.sync.push import Pusher
from app.sync.trouble import Offline
from app.wiring.gate import new_event_id
from tests.helpers import fault_station

_append, _send = EventLog.append, Pusher._send
_count = [0]


def loses(self: EventLog, draft: Draft, touch: TouchRow | None = None) -> Stored:
    """Shows a touch as recorded that it did not store, each tenth time."""
    _count[0] += 1
    return Stored(1, draft.id, b"") if _count[0] % 10 == 0 else _append(self, draft, touch)


def doubles(self: EventLog, draft: Draft, touch: TouchRow | None = None) -> Stored:
    """Stores every touch twice."""
    _append(self, replace(draft, id=new_event_id()), touch)
    return _append(self, draft, touch)


def believes(self: Pusher, rows: Sequence[Outgoing]) -> None:
    """Takes what it sent for received, whatever came back."""
    try:
        _send(self, rows)
    except Offline:
        self._outbox.settle([Settled(row.id, "accepted") for row in rows], self._clock.now())


if __name__ == "__main__":
    flaw, *arguments = sys.argv[1:]
    if flaw == "believes":
        Pusher._send = believes  # type: ignore[method-assign]
    else:
        EventLog.append = {"loses": loses, "doubles": doubles}[flaw]  # type: ignore[method-assign]
    sys.exit(fault_station.main(*arguments))
