"""The stations' chains while bodies under them are replaced: their hashes are kept where a body goes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from app.central import schema as t
from app.central.chain import Chain
from app.central.restored import branch_of
from app.central.schema import stamp
from app.central.sets import any_of, upsert_many


class Chains:
    """Inside one transaction. A station's row is locked before its chain is looked at, as a batch does."""

    def __init__(self, tx: Connection, now: datetime) -> None:
        self._tx = tx
        self._now = stamp(now)
        self._held: dict[str, Chain] = {}
        self._shared: dict[str, list[tuple[str, int]]] = {}

    def lock(self, station_ids: Collection[str]) -> None:
        """Lock stations, always in the same order."""
        rows = self._tx.execute(
            select(t.station)
            .where(any_of(self._tx, t.station.c.id, sorted(set(station_ids) - self._held.keys())))
            .order_by(t.station.c.id)
            .with_for_update(key_share=True)
        )
        for row in rows.all():
            branch = branch_of(self._tx, row.id)
            self._held[row.id] = Chain(
                self._tx, row.id, row.chain_seq, bytes(row.chain_hash), row.chain_broken, row.top_seq, self._now, branch
            )

    def know(self, event_ids: Collection[str]) -> None:
        """Look up which other stations' chains run over these events too."""
        c = t.shared_event.c
        for row in self._tx.execute(select(t.shared_event).where(any_of(self._tx, c.event_id, list(event_ids)))):
            self._shared.setdefault(row.event_id, []).append((row.station_id, row.seq))

    def keep(self, station_id: str, seq: int, event_id: str = "") -> bool:
        """Write down the hash at a body that is about to go; False, and nothing done, when a chain is not there yet."""
        places = [(station_id, seq), *self._shared.get(event_id, ())]
        self.lock([station for station, _ in places])
        if any(at > self._held[station].seq for station, at in places):
            return False
        points = [
            {"station_id": station, "seq": at, "hash": hashed}
            for station, at in places
            if (hashed := self._held[station].hash_at(at))
        ]
        upsert_many(self._tx, t.chain_point, points)
        return True
