"""A station whose file was put back from an old copy goes on as a new station (docs/adr/0006).

The copy's chain and the old station's are one up to some seq and two after it. So the new station's chain begins at a
seq at which both have the same hash; the copy's events keep their ids, seqs and bytes.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from app.central import schema as t
from app.central.audit import Act, write_down
from app.central.chain import Branch, Chain
from app.central.refusals import Refused
from app.central.schema import stamp
from app.sync.wire import EnrolRequest


def branch_of(tx: Connection, station_id: str) -> Branch:
    """Of most stations: nothing before them."""
    rows = []
    current: str | None = station_id
    while current is not None:
        row = tx.execute(select(t.station_branch).where(t.station_branch.c.station_id == current)).one_or_none()
        if row is not None:
            rows.append(row)
        current = row.predecessor if row is not None else None
    if not rows:
        return Branch()
    return Branch(rows[0].base_seq, bytes(rows[0].base_hash), tuple(row.predecessor for row in rows))


def release(tx: Connection, old_id: str, request: EnrolRequest) -> None:
    """Check that the copy is one of this station's file, and free the installation's name for the new station.

    The old station's secret stays good: should its own file turn up, what is unsent in it is still delivered under the
    old id. Raises Refused (`chain_unknown`). The caller holds the old station's row.
    """
    row = tx.execute(select(t.station).where(t.station.c.id == old_id)).one()
    chain = Chain(
        tx, old_id, row.chain_seq, bytes(row.chain_hash), row.chain_broken, row.top_seq, "", branch_of(tx, old_id)
    )
    end = request.restored
    if end is None or chain.hash_at(end.seq) != _hash(end.hash):
        raise Refused("chain_unknown", f"seq {end.seq if end else 0}")
    name = f"{row.installation_id} until {old_id}"
    tx.execute(t.station.update().where(t.station.c.id == old_id).values(installation_id=name))


def branch(tx: Connection, station_id: str, old_id: str, request: EnrolRequest, now: datetime) -> list[str]:
    """Begin the new station's chain where the copy's and the old one's still agree; the old station's sites."""
    end = request.restored
    assert end is not None  # noqa: S101  (the caller asked)
    hashed = _hash(end.hash)
    tx.execute(
        t.station_branch.insert().values(station_id=station_id, predecessor=old_id, base_seq=end.seq, base_hash=hashed)
    )
    tx.execute(t.chain_point.insert().values(station_id=station_id, seq=end.seq, hash=hashed))
    tx.execute(
        t.station.update()
        .where(t.station.c.id == station_id)
        .values(chain_seq=end.seq, chain_hash=hashed, top_seq=end.seq)
    )
    act = Act(f"station {station_id}", "enrolled with a restored copy of its file")
    write_down(tx, now, act, "branch-station", old_id, {"station": station_id, "seq": end.seq, "at": stamp(now)})
    held = select(t.station_site.c.site_id).where(t.station_site.c.station_id == old_id, ~t.station_site.c.withdrawn)
    return list(tx.execute(held.order_by(t.station_site.c.site_id)).scalars())


def _hash(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
