"""Taking stations and sites out of service, and moving stations. Nothing is deleted: facts stay, acts are audited."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, select

from app.central import schema as t
from app.central.audit import Act, write_down
from app.central.database import CentralDatabase
from app.central.enrolment import grant
from app.central.schema import stamp
from app.central.sites import lock_sites, next_site_change
from app.clock import Clock
from app.errors import InputRefused


def revoke_station(db: CentralDatabase, clock: Clock, station_id: str, act: Act) -> None:
    """From now on the station is answered 403 `station_revoked`. Raises InputRefused for an unknown one."""
    now = clock.now()

    def work(tx: Connection) -> None:
        _require_station(tx, station_id)
        tx.execute(t.client.update().where(t.client.c.id == station_id).values(revoked_at=stamp(now)))
        write_down(tx, now, act, "revoke-station", station_id)

    db.write(work)


def move_station(db: CentralDatabase, clock: Clock, station_id: str, to_site: str, act: Act) -> list[str]:
    """From now on the station is that site's alone; the sites it had, which get a tombstone at the station.

    What happened at those before is still taken when it arrives late. Raises InputRefused for an unknown station, and
    an unknown or closed site.
    """
    now = clock.now()

    def work(tx: Connection) -> list[str]:
        _require_station(tx, station_id)
        found = lock_sites(tx, [to_site])
        if to_site not in found or found[to_site].deleted or found[to_site].closed_on:
            raise InputRefused("central.site_unknown", where=to_site)
        here = (t.station_site.c.station_id == station_id) & ~t.station_site.c.withdrawn
        held = list(tx.execute(select(t.station_site.c.site_id).where(here)).scalars())
        left = sorted(site for site in held if site != to_site)
        for site in left:
            tx.execute(
                t.station_site.update()
                .where(here, t.station_site.c.site_id == site)
                .values(withdrawn=True, withdrawn_at=stamp(now), change=next_site_change(tx))
            )
        grant(tx, station_id, [to_site])
        write_down(tx, now, act, "move-station", station_id, {"from": left, "to": to_site})
        return left

    return db.write(work)


def close_site(
    db: CentralDatabase, clock: Clock, site_id: str, last_day: date, act: Act, *, withdraw: bool = False
) -> None:
    """Nothing of a later work day is taken any more (`rejected`, `site_closed`); what is late, is. Pages stay.

    `withdraw`: its stations also get a tombstone of the site and 403 `site_closed` for its pages. Loading the site's
    file again opens it. Raises InputRefused for an unknown site.
    """
    now = clock.now()

    def work(tx: Connection) -> None:
        if site_id not in lock_sites(tx, [site_id]):
            raise InputRefused("central.site_unknown", where=site_id)
        values = {"closed_on": last_day.isoformat(), "deleted": withdraw, "change": next_site_change(tx)}
        tx.execute(t.site.update().where(t.site.c.id == site_id).values(values))
        write_down(tx, now, act, "close-site", site_id, {"last_day": last_day.isoformat(), "withdraw": withdraw})

    db.write(work)


def _require_station(tx: Connection, station_id: str) -> None:
    if tx.execute(select(t.station.c.id).where(t.station.c.id == station_id).with_for_update()).first() is None:
        raise InputRefused("central.station_unknown", where=station_id)
