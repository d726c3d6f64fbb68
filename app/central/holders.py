"""Who holds the ids and seqs of a batch already: what makes a duplicate, a conflict, or a used seq."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, null, select

from app.central import schema as t
from app.central.chain import Branch
from app.central.event_shapes import Checked
from app.central.sets import any_of


@dataclass(frozen=True, slots=True)
class Holder:
    """An event that is here. `receipt`: of an accepted one."""

    id: str
    digest: bytes
    accepted: bool
    station_id: str
    receipt: int | None = None


class Holders:
    """Holders of a batch's ids (any station's accepted events, this one's refused ones) and of this station's seqs."""

    def __init__(
        self, tx: Connection, station_id: str, branch: Branch, top_seq: int, checked: Collection[Checked]
    ) -> None:
        """`top_seq`: the highest seq of this station that is held here; nobody holds one above it."""
        self._tx = tx
        self._station_id = station_id
        self._branch = branch
        self.by_id: dict[str, Holder] = {}
        self._by_seq: dict[int, Holder] = {}
        ids = {c.id for c in checked}
        seqs = {c.seq for c in checked if c.seq is not None and c.seq <= top_seq}
        for table, accepted in ((t.rejected_event, False), (t.event, True)):
            mine = table.c.station_id == station_id
            receipt = t.event.c.receipt if accepted else null().label("receipt")
            columns = select(table.c.id, table.c.seq, table.c.station_id, table.c.digest, receipt)
            named = any_of(tx, table.c.id, ids)
            queries = [columns.where(named if accepted else named & mine)]
            if seqs:
                queries.append(columns.where(mine, any_of(tx, table.c.seq, seqs)))
            for query in queries:
                for row in tx.execute(query):
                    held = Holder(row.id, bytes(row.digest), accepted, row.station_id, row.receipt)
                    if row.id in ids:
                        self.by_id[row.id] = held
                    if row.station_id == station_id:
                        self._by_seq[row.seq] = held
        if branch.ancestors and seqs:
            self._load_shared(seqs)

    def add(self, one: Checked, accepted: bool) -> None:
        """An event of the batch was judged and will be kept."""
        if one.seq is not None:
            self.by_id[one.id] = self._by_seq[one.seq] = Holder(one.id, one.digest, accepted, self._station_id)

    def of_seq(self, one: Checked) -> Holder | None:
        """Another event that has this one's seq."""
        if one.seq is None or one.body is None:
            return None
        held = self._by_seq.get(one.seq)
        if held is None and one.seq <= self._branch.base_seq and one.id not in self.by_id:
            held = self._before_base(one, one.seq)
        return held if held is not None and held.id != one.id else None

    def share(self, one: Checked, held: Holder) -> bool:
        """A duplicate: whether the chain now runs over it too.

        So it is when a restored copy delivers what the station before it had delivered from the same file.
        """
        branch, seq = self._branch, one.seq
        if held.station_id not in branch.ancestors or seq is None or seq <= branch.base_seq or seq in self._by_seq:
            return False
        self._by_seq[seq] = held
        self._tx.execute(t.shared_event.insert().values(station_id=self._station_id, seq=seq, event_id=one.id))
        return True

    def _load_shared(self, seqs: Collection[int]) -> None:
        c = t.shared_event.c
        rows = self._tx.execute(
            select(c.seq, t.event.c.id, t.event.c.digest, t.event.c.station_id, t.event.c.receipt)
            .join(t.event, t.event.c.id == c.event_id)
            .where(c.station_id == self._station_id, any_of(self._tx, c.seq, seqs))
        )
        for row in rows:
            self._by_seq[row.seq] = Holder(row.id, bytes(row.digest), True, row.station_id, row.receipt)

    def _before_base(self, one: Checked, seq: int) -> Holder | None:
        """Whose a seq before a restored copy's own part is; None when it is this very event, refused then."""
        found: list[Holder] = []
        for table in (t.event, t.rejected_event):
            c = table.c
            rows = self._tx.execute(
                select(c.id, c.digest, c.station_id).where(c.station_id.in_(self._branch.ancestors), c.seq == seq)
            )
            found += [Holder(row.id, bytes(row.digest), table is t.event, row.station_id) for row in rows]
        if any(held.id == one.id for held in found):
            return None
        return found[0] if found else None
