"""Heartbeats: the latest of each station, and for each of its days the hours in which it was heard."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, select

from app import codec
from app.central import schema as t
from app.central.database import CentralDatabase
from app.central.schema import stamp
from app.central.sets import upsert_many
from app.clock import Clock
from app.domain.events import JST
from app.sync.wire import Heartbeat

WORKING = frozenset({"ready", "card_present"})
"""Conditions of a reader that takes cards."""
KEPT_DAYS = 400
"""Days of a station that are kept: a year and a month, to compare with the same month of last year."""


def note(db: CentralDatabase, clock: Clock, station_id: str, beat: Heartbeat) -> None:
    """Keep a heartbeat."""
    now = clock.now()
    local = now.astimezone(JST)
    day, bit = local.date().isoformat(), 1 << local.hour
    working = bit if any(reader.condition in WORKING for reader in beat.readers) else 0
    latest = {"station_id": station_id, "received_at": stamp(now), "body": codec.encode(beat).decode()}

    def work(tx: Connection) -> None:
        upsert_many(tx, t.heartbeat, [latest])  # first: its row's lock keeps two beats of one station apart
        held = tx.execute(
            select(t.station_day.c.heard, t.station_day.c.working).where(
                t.station_day.c.station_id == station_id, t.station_day.c.day == day
            )
        ).one_or_none()
        heard, worked = (held.heard, held.working) if held else (0, 0)
        if held is None:
            oldest = (local.date() - timedelta(days=KEPT_DAYS)).isoformat()
            tx.execute(
                t.station_day.delete().where(t.station_day.c.station_id == station_id, t.station_day.c.day < oldest)
            )
        if (heard | bit, worked | working) != (heard, worked):
            row = {"station_id": station_id, "day": day, "heard": heard | bit, "working": worked | working}
            upsert_many(tx, t.station_day, [row])

    db.write(work)


def hours(mask: int) -> int:
    """How many hours a row's number names."""
    return mask.bit_count()
