"""The hash chain of each station at the centre: forward over what is here, and what does not fit is an incident.

A station's row holds (seq, hash) of the last contiguous seq; the caller holds that row's lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, select, union_all

from app.central import schema as t
from app.central.sets import upsert_many
from app.domain.events import GENESIS, next_hash
from app.sync.wire import ChainState

_CHUNK = 500
_POINT_EVERY = 1000


class _Link(NamedTuple):
    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a station's chain begins, and the stations before it, nearest first."""

    base_seq: int = 0
    base_hash: bytes = GENESIS
    ancestors: tuple[str, ...] = ()


@dataclass
class Chain:
    """One station's chain inside a transaction."""

    tx: Connection
    station_id: str
    seq: int
    hash: bytes
    broken: bool
    top_seq: int
    now: str
    branch: Branch = Branch()
    """Of a station that goes on from another's chain: it begins at the base, and nothing before it is its own."""

    def advance(self, fresh: Mapping[int, bytes]) -> None:
        """Move forward over contiguous seqs. `fresh`: canonical bytes of this batch's events, already written."""
        if not fresh:
            return
        self.top_seq = max(self.top_seq, *fresh)
        start = self.seq
        claims = self._claims()
        points: dict[int, bytes] = {}
        for body in self._bodies(fresh):
            self.seq += 1
            self.hash = next_hash(self.hash, body)
            if self.seq in claims:
                self._settle(claims.pop(self.seq))
                points[self.seq] = self.hash
            elif self.seq % _POINT_EVERY == 0:
                points[self.seq] = self.hash
        if self.seq > start:
            points[self.seq] = self.hash
            rows = [{"station_id": self.station_id, "seq": s, "hash": h} for s, h in points.items()]
            upsert_many(self.tx, t.chain_point, rows)

    def compare(self, seq: int, claimed: bytes) -> None:
        """Hold the sender's hash at `seq` against ours, now or, when the chain is not there yet, later."""
        if seq > self.seq:
            row = {"station_id": self.station_id, "seq": seq, "hash": claimed}
            held = select(t.chain_claim.c.seq).filter_by(**row)
            if self.tx.execute(held).first() is None:
                self.tx.execute(t.chain_claim.insert().values(row))
        elif seq >= self.branch.base_seq and (known := self.hash_at(seq)) != claimed:
            self._mismatch(seq, claimed, known)

    def reused(self, seq: int, event_id: str, body: bytes, known: bytes) -> None:
        """A used seq came with a new id: somebody put back or edited the file."""
        c = t.incident_closure.c
        if self._closed("seq_reused", c.seq == seq, c.event_id == event_id) is not None:
            self._count("seq_reused", seq, event_id)
        else:
            self._incident("seq_reused", seq, event_id, body, known)

    def save(self) -> None:
        """Write the head back."""
        self.tx.execute(
            t.station.update()
            .where(t.station.c.id == self.station_id)
            .values(chain_seq=self.seq, chain_hash=self.hash, chain_broken=self.broken, top_seq=self.top_seq)
        )

    def state(self, end_seq: int | None) -> ChainState:
        """How the chain stands after a batch that ended at `end_seq`."""
        if self.broken:
            return ChainState.BROKEN
        waiting = max(self.top_seq, end_seq or 0) > self.seq
        return ChainState.WAITING if waiting else ChainState.OK

    def _bodies(self, fresh: Mapping[int, bytes]) -> Iterator[bytes]:
        """Canonical bytes from the head on, until the first hole."""
        seq = self.seq + 1
        while True:
            while seq in fresh:
                yield fresh[seq]
                seq += 1
            if seq > self.top_seq or not self._exists(seq):
                return
            for held in self._stored(seq, self.top_seq):
                if held.seq != seq:
                    break
                yield held.body
                seq += 1

    def _exists(self, seq: int) -> bool:
        return any(
            self.tx.execute(
                select(table.c.seq).where(table.c.station_id == self.station_id, table.c.seq == seq)
            ).first()
            for table in (t.event, t.rejected_event, t.shared_event)
        )

    def _stored(self, first: int, last: int) -> list[_Link]:
        both: Any = union_all(
            *(
                select(table.c.seq, table.c.body).where(
                    table.c.station_id == self.station_id,
                    table.c.seq.between(first, min(last, first + _CHUNK - 1)),
                )
                for table in (t.event, t.rejected_event)
            ),
            *([self._shared(first, last)] if self.branch.ancestors else []),
        ).order_by("seq")
        return [_Link(row.seq, bytes(row.body)) for row in self.tx.execute(both)]

    def _shared(self, first: int, last: int) -> Select[Any]:
        """Events of the station before this one that this one has delivered too."""
        c = t.shared_event.c
        return (
            select(c.seq, t.event.c.body)
            .join(t.event, t.event.c.id == c.event_id)
            .where(c.station_id == self.station_id, c.seq.between(first, min(last, first + _CHUNK - 1)))
        )

    def hash_at(self, seq: int) -> bytes:
        """Our hash at a seq up to the head, from the nearest point before it; b'' outside of this chain."""
        if not self.branch.base_seq <= seq <= self.seq:
            return b""
        point = self.tx.execute(
            select(t.chain_point.c.seq, t.chain_point.c.hash)
            .where(t.chain_point.c.station_id == self.station_id, t.chain_point.c.seq <= seq)
            .order_by(t.chain_point.c.seq.desc())
            .limit(1)
        ).one_or_none()
        at, value = (point.seq, bytes(point.hash)) if point else (0, GENESIS)
        for link in self._links(at + 1, seq):
            value = next_hash(value, link.body)
        return value

    def _links(self, first: int, last: int) -> Iterator[_Link]:
        """What the chain runs over, from one seq to another; all are there."""
        while first <= last:
            for held in self._stored(first, last):
                yield held
                first = held.seq + 1

    def _claims(self) -> dict[int, list[bytes]]:
        rows = self.tx.execute(
            select(t.chain_claim.c.seq, t.chain_claim.c.hash).where(t.chain_claim.c.station_id == self.station_id)
        )
        found: dict[int, list[bytes]] = {}
        for row in rows:
            found.setdefault(row.seq, []).append(bytes(row.hash))
        return found

    def _settle(self, claimed: list[bytes]) -> None:
        for one in claimed:
            if one != self.hash:
                self._mismatch(self.seq, one, self.hash)
        self.tx.execute(
            t.chain_claim.delete().where(t.chain_claim.c.station_id == self.station_id, t.chain_claim.c.seq == self.seq)
        )

    def _mismatch(self, seq: int, claimed: bytes, known: bytes) -> None:
        """Once the chains differ they differ at every later seq: the first is kept, the others are counted on it.

        After somebody closed it, the station's next own hash is taken over: from there on both run together again,
        and what differs further on is a new incident.
        """
        closed = self._closed("hash_mismatch")
        if closed is not None and closed.rebased_seq is None and seq >= closed.seq:
            self._rebase(seq, claimed, closed.seq)
        elif closed is not None and (closed.rebased_seq is None or seq <= closed.rebased_seq):
            self._count("hash_mismatch", closed.seq, "")
        else:
            first = self.tx.execute(
                select(func.max(t.chain_incident.c.seq)).where(
                    t.chain_incident.c.station_id == self.station_id,
                    t.chain_incident.c.kind == "hash_mismatch",
                    t.chain_incident.c.seq > (closed.rebased_seq if closed is not None else 0),
                )
            ).scalar()
            self._incident("hash_mismatch", seq if first is None else first, "", claimed, known)

    def _closed(self, kind: str, *where: ColumnElement[bool]) -> Any:
        """The latest closed incident of a kind; None without one."""
        c = t.incident_closure.c
        return self.tx.execute(
            select(c.seq, c.rebased_seq)
            .where(c.station_id == self.station_id, c.kind == kind, *where)
            .order_by(c.seq.desc())
            .limit(1)
        ).one_or_none()

    def _rebase(self, seq: int, claimed: bytes, closed_seq: int) -> None:
        """Take over the station's hash at a seq up to the head, and run on from it."""
        value = claimed
        for link in self._links(seq + 1, self.seq):
            value = next_hash(value, link.body)
        self.hash = value
        point = t.chain_point.c
        self.tx.execute(t.chain_point.delete().where(point.station_id == self.station_id, point.seq >= seq))
        points = {seq: claimed, self.seq: value}
        upsert_many(
            self.tx, t.chain_point, [{"station_id": self.station_id, "seq": s, "hash": h} for s, h in points.items()]
        )
        c = t.incident_closure.c
        self.tx.execute(
            t.incident_closure.update()
            .where(c.station_id == self.station_id, c.kind == "hash_mismatch", c.seq == closed_seq)
            .values(rebased_seq=seq)
        )

    def _incident(self, kind: str, seq: int, event_id: str, claimed: bytes, known: bytes) -> None:
        self.broken = True
        if not self._count(kind, seq, event_id):
            self.tx.execute(
                t.chain_incident.insert().values(
                    station_id=self.station_id,
                    kind=kind,
                    seq=seq,
                    event_id=event_id,
                    claimed=claimed,
                    known=known,
                    first_at=self.now,
                    last_at=self.now,
                    times=1,
                )
            )

    def _count(self, kind: str, seq: int, event_id: str) -> bool:
        """Once more the same incident; whether there is one."""
        c = t.chain_incident.c
        again = self.tx.execute(
            t.chain_incident.update()
            .where(c.station_id == self.station_id, c.kind == kind, c.seq == seq, c.event_id == event_id)
            .values(times=c.times + 1, last_at=self.now)
        )
        return again.rowcount > 0
