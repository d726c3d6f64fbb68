"""What `test_power_cut` records: a station's store at work, in one thread. Says what a gate would show.

`python -m tests.helpers.power_cut_program DATABASE TOUCHES [PRAGMA]`; PRAGMA weakens it, which proves the test.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from app.clock import SystemClock
from app.domain.assurance import Assurance
from app.domain.outbox import Settled, SyncState
from app.domain.roster import Roster
from app.domain.site import Site
from app.domain.verdict import ClockState, Outcome
from app.gate.record import Recorder, Situation
from app.readers.port import CardSeen
from app.store import driver
from app.store.backup import Backups
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from app.wiring.gate import new_event_id
from tests.helpers.drafts import SITE

KEY = bytes(range(32))


def main(path: str, touches: str, pragma: str = "") -> None:
    """Touches in two runs of the program, with verdicts, a checkpoint and a backup between them."""
    if pragma:
        driver._PRAGMAS = (*driver._PRAGMAS, pragma)
    clock = SystemClock()
    for _ in range(2):
        with Database.open(Path(path), KEY, clock) as db:
            log, outbox = EventLog(db), Outbox(db)
            recorder = Recorder(log, clock, new_event_id)
            now = Situation(Site(SITE, "x"), Roster.of([]), None, ClockState())
            for number in range(int(touches) // 2):
                card = CardSeen("r", f"uid:04{number:06X}", Assurance.UID, clock.now(), source="gate")
                told = recorder.card(card, now)
                assert told.outcome is not Outcome.REFUSED
                os.write(1, f"{told.seq} {told.id}\n".encode())
                if number % 5 == 4:
                    batch = outbox.next_batch(4, 10**6)
                    outbox.settle([Settled(one.id, "accepted") for one in batch], datetime.now(UTC))
                    outbox.save_sync_state(SyncState())
                if number % 9 == 8:
                    with db.looking() as connection:
                        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            Backups(db).now()


if __name__ == "__main__":
    main(*sys.argv[1:])
