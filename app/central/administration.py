"""Taking stations and sites out of service. Nothing is deleted: they are marked, and their facts stay."""

from __future__ import annotations

from sqlalchemy import Connection, select

from app.central import schema as t
from app.central.database import CentralDatabase
from app.central.schema import stamp
from app.central.sites import lock_sites, next_site_change
from app.clock import Clock
from app.errors import InputRefused


def revoke_station(db: CentralDatabase, clock: Clock, station_id: str) -> None:
    """From now on the station is answered 403 `station_revoked`. Raises InputRefused for an unknown one."""
    now = stamp(clock.now())

    def work(tx: Connection) -> None:
        if tx.execute(select(t.station.c.id).where(t.station.c.id == station_id)).first() is None:
            raise InputRefused("central.station_unknown", where=station_id)
        tx.execute(t.client.update().where(t.client.c.id == station_id).values(revoked_at=now))

    db.write(work)


def close_site(db: CentralDatabase, site_id: str) -> None:
    """Stations get a tombstone of the site and 403 `site_closed` for its pages; their late events are still taken.

    Loading the site's file again opens it. Raises InputRefused for an unknown site.
    """

    def work(tx: Connection) -> None:
        if site_id not in lock_sites(tx, [site_id]):
            raise InputRefused("central.site_unknown", where=site_id)
        change = next_site_change(tx)
        tx.execute(t.site.update().where(t.site.c.id == site_id).values(deleted=True, change=change))

    db.write(work)
