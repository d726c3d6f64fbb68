"""A station's secret over its life, and the end of a station whose PC is lost.

A secret is changed in two steps, so that nothing that is cut in between locks anybody out: the station names the next
one, and both open; the first time it opens with the next one, the old one and all its tokens end. A lost station may
deliver what waits and is handed nothing; every token's answer asks it to wipe what it holds of people, and when it says
that it has, it is out of service.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, select

from app.central import schema as t
from app.central.audit import Act, write_down
from app.central.credentials import secret_hash
from app.central.database import CentralDatabase
from app.central.refusals import Refused
from app.central.schema import stamp
from app.clock import Clock
from app.errors import InputRefused
from app.sync.wire import ChainEnd

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_WIPED = Act("station", "the lost station says that it has wiped")


def name_next_secret(db: CentralDatabase, station_id: str, secret: str) -> None:
    """From now on this opens as well. May be said again; another one takes its place. Raises Refused."""
    if not _SECRET.fullmatch(secret):
        what = "expected 43 characters of A-Z, a-z, 0-9, - and _: 32 random bytes as base64url"
        raise Refused("wrong_shape", errors=[{"where": "$.client_secret", "what": what}])
    hashed = secret_hash(secret)

    def work(tx: Connection) -> None:
        here = t.client.c.id == station_id
        client = tx.execute(select(t.client).where(here).with_for_update(key_share=True)).one()
        if client.lost_at is not None:
            raise Refused("station_lost")
        if bytes(client.secret_hash) != hashed:  # else: its own answer was lost, and it has opened with it since
            tx.execute(t.client.update().where(here).values(next_secret_hash=hashed))

    db.write(work)


def promote(tx: Connection, client_id: str, hashed: bytes) -> None:
    """The next secret was used: the old one and every token end."""
    values = {"secret_hash": hashed, "next_secret_hash": None, "rotation_asked_at": None}
    tx.execute(t.client.update().where(t.client.c.id == client_id).values(values))
    tx.execute(t.token.delete().where(t.token.c.client_id == client_id))


def ask_rotation(db: CentralDatabase, clock: Clock, station_id: str, act: Act) -> None:
    """The station changes its secret at its next contact. Raises InputRefused for one unknown or out of service."""
    now = clock.now()

    def work(tx: Connection) -> None:
        _in_service(tx, station_id)
        _tell(tx, station_id, rotation_asked_at=stamp(now))
        write_down(tx, now, act, "rotate-secret", station_id)

    db.write(work)


def mark_lost(db: CentralDatabase, clock: Clock, station_id: str, act: Act, *, found: bool = False) -> None:
    """Its PC is lost, or `found` again before it heard of that.

    Raises InputRefused for a station that is unknown or out of service.
    """
    now = clock.now()

    def work(tx: Connection) -> None:
        _in_service(tx, station_id)
        _tell(tx, station_id, lost_at=None if found else stamp(now))
        write_down(tx, now, act, "found-station" if found else "lost-station", station_id)

    db.write(work)


def take_withdrawal(db: CentralDatabase, clock: Clock, station_id: str, end: ChainEnd) -> None:
    """A lost station has wiped: out of service. `end`: its last event. Raises Refused `not_lost`."""
    now = clock.now()

    def work(tx: Connection) -> None:
        here = t.client.c.id == station_id
        client = tx.execute(select(t.client).where(here).with_for_update(key_share=True)).one()
        if client.lost_at is None:
            raise Refused("not_lost")
        held = tx.execute(select(t.station.c.chain_seq).where(t.station.c.id == station_id)).scalar_one()
        tx.execute(t.client.update().where(here).values(withdrawn_at=stamp(now), revoked_at=stamp(now)))
        write_down(tx, now, _WIPED, "withdrawn-station", station_id, {"its_last": end.seq, "held_to": held})

    db.write(work)


def _in_service(tx: Connection, station_id: str) -> None:
    query = select(t.client.c.revoked_at).join(t.station, t.station.c.id == t.client.c.id)
    row = tx.execute(query.where(t.client.c.id == station_id)).one_or_none()
    if row is None:
        raise InputRefused("central.station_unknown", where=station_id)
    if row.revoked_at is not None:
        raise InputRefused("central.station_out", where=station_id)


def _tell(tx: Connection, station_id: str, **values: str | None) -> None:
    """Change its row, and end its tokens: the next token's answer tells it."""
    tx.execute(t.client.update().where(t.client.c.id == station_id).values(values))
    tx.execute(t.token.delete().where(t.token.c.client_id == station_id))
