"""How the centre's stations and sites stand: for the command line and for the status page. No personal data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from app import codec
from app.central import schema as t
from app.central.database import CentralDatabase
from app.central.presence import hours
from app.central.schema import stamp
from app.central.sets import any_of
from app.clock import Clock
from app.domain.events import JST
from app.sync.wire import Heartbeat, PcReport, ReaderReport


@dataclass(frozen=True, slots=True)
class StationState:
    """One station as it was heard last. `chain`: 'ok', 'waiting' or 'broken'; None where no heartbeat has said it yet.

    `heard_hours`, `working_hours`: hours of today in which it was heard, and heard with a working reader.
    """

    id: str
    name: str
    role: str
    site_ids: tuple[str, ...]
    enrolled_at: str
    revoked_at: str | None
    lost_at: str | None
    withdrawn_at: str | None
    """When it said that it has wiped."""
    last_heard: str | None
    app_version: str
    waiting: int | None
    rejected: int | None
    oldest_waiting: str | None
    skew_ms: int | None
    readers: tuple[ReaderReport, ...]
    pc: PcReport | None
    """How its PC is; None from an older program."""
    chain: str
    chain_seq: int
    heard_hours: int
    working_hours: int


@dataclass(frozen=True, slots=True)
class StationPage:
    """`next`: give it as `after` for the next page; None on the last one."""

    stations: tuple[StationState, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers of stations in service, of those heard of late and those with a broken chain; records waiting at them."""

    stations: int
    heard: int
    waiting: int
    broken: int


@dataclass(frozen=True, slots=True)
class SiteDay:
    """One site on one work day. `working_hours`: the most that one of its stations was heard with a working reader."""

    site_id: str
    day: str
    records: int
    working_hours: int

    @property
    def working(self) -> bool:
        """Whether the site recorded, or could have: 稼働."""
        return self.records > 0 or self.working_hours > 0


@dataclass(frozen=True, slots=True)
class SiteState:
    """A site: its open days (`SiteDay`, oldest first) and whether it is closed."""

    id: str
    name: str
    closed_on: str | None
    days: tuple[SiteDay, ...]


def stations(db: CentralDatabase, clock: Clock, after: str = "", count: int = 200) -> StationPage:
    """Stations by id, those after `after`, at most `count`."""
    today = clock.now().astimezone(JST).date().isoformat()
    with db.read() as tx:
        rows = tx.execute(
            select(
                t.station,
                t.client.c.name,
                t.client.c.revoked_at,
                t.client.c.lost_at,
                t.client.c.withdrawn_at,
                t.heartbeat.c.received_at,
                t.heartbeat.c.body,
                t.station_day.c.heard,
                t.station_day.c.working,
            )
            .join(t.client, t.client.c.id == t.station.c.id)
            .outerjoin(t.heartbeat, t.heartbeat.c.station_id == t.station.c.id)
            .outerjoin(t.station_day, (t.station_day.c.station_id == t.station.c.id) & (t.station_day.c.day == today))
            .where(t.station.c.id > after)
            .order_by(t.station.c.id)
            .limit(count + 1)
        ).all()
        more = len(rows) > count
        rows = rows[:count]
        sites = _sites_of(tx, [row.id for row in rows])
    made = tuple(_station(row, tuple(sites.get(row.id, ()))) for row in rows)
    return StationPage(made, made[-1].id if more else None)


def sites(db: CentralDatabase, clock: Clock, days: int = 14) -> list[SiteState]:
    """Every site that is not withdrawn, with its last days: its records and whether it worked."""
    today = clock.now().astimezone(JST).date()
    wanted = [(today - timedelta(days=back)).isoformat() for back in range(days - 1, -1, -1)]
    with db.read() as tx:
        rows = tx.execute(
            select(t.site.c.id, t.site.c.fields, t.site.c.closed_on).where(~t.site.c.deleted).order_by(t.site.c.id)
        ).all()
        records = _records(tx, wanted[0], wanted[-1])
        working = _working(tx, wanted[0])
    made = []
    for row in rows:
        fields = codec.decode(row.fields, dict[str, object])
        last = row.closed_on or wanted[-1]
        first = str(fields.get("opens_on") or wanted[0])
        shown = tuple(
            SiteDay(row.id, day, records.get((row.id, day), 0), working.get((row.id, day), 0))
            for day in wanted
            if first <= day <= last
        )
        made.append(SiteState(row.id, str(fields.get("name", "")), row.closed_on, shown))
    return made


def totals(db: CentralDatabase, clock: Clock, fresh: timedelta) -> Totals:
    """Over all stations in service; heard: within `fresh`."""
    since = stamp(clock.now() - fresh)
    query = (
        select(t.station.c.chain_broken, t.heartbeat.c.received_at, t.heartbeat.c.body)
        .join(t.client, t.client.c.id == t.station.c.id)
        .outerjoin(t.heartbeat, t.heartbeat.c.station_id == t.station.c.id)
        .where(t.client.c.revoked_at.is_(None))
    )
    with db.read() as tx:
        rows = tx.execute(query).all()
    return Totals(
        stations=len(rows),
        heard=sum(row.received_at is not None and row.received_at >= since for row in rows),
        waiting=sum(codec.decode(row.body, Heartbeat).pending for row in rows if row.body),
        broken=sum(bool(row.chain_broken) for row in rows),
    )


def working_share(states: Sequence[SiteState], day: str) -> tuple[int, int]:
    """稼働率 of a day as (sites that worked, sites that were open)."""
    open_ones = [one for site in states for one in site.days if one.day == day]
    return sum(one.working for one in open_ones), len(open_ones)


def days_of(states: Sequence[SiteState]) -> list[str]:
    """Days that any of the sites has, oldest first."""
    return sorted({one.day for site in states for one in site.days})


def _station(row: Any, site_ids: tuple[str, ...]) -> StationState:
    beat = codec.decode(row.body, Heartbeat) if row.body else None
    return StationState(
        id=row.id,
        name=row.name,
        role=row.role,
        site_ids=site_ids,
        enrolled_at=row.enrolled_at,
        revoked_at=row.revoked_at,
        lost_at=row.lost_at,
        withdrawn_at=row.withdrawn_at,
        last_heard=row.received_at,
        app_version=beat.app_version if beat else row.app_version,
        waiting=beat.pending if beat else None,
        rejected=beat.rejected if beat else None,
        oldest_waiting=beat.oldest_pending_at if beat else None,
        skew_ms=beat.skew_ms if beat else None,
        readers=tuple(beat.readers) if beat else (),
        pc=beat.pc if beat else None,
        chain="broken" if row.chain_broken else "waiting" if row.top_seq > row.chain_seq else "ok",
        chain_seq=row.chain_seq,
        heard_hours=hours(row.heard or 0),
        working_hours=hours(row.working or 0),
    )


def _sites_of(tx: Connection, station_ids: Sequence[str]) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    rows = tx.execute(
        select(t.station_site.c.station_id, t.station_site.c.site_id)
        .where(any_of(tx, t.station_site.c.station_id, station_ids), ~t.station_site.c.withdrawn)
        .order_by(t.station_site.c.site_id)
    )
    for row in rows:
        held.setdefault(row.station_id, []).append(row.site_id)
    return held


def _records(tx: Connection, first: str, last: str) -> dict[tuple[str, str], int]:
    c = t.work_record.c
    rows = tx.execute(
        select(c.site_id, c.work_day, func.count())
        .where(c.work_day.between(first, last), c.events != "[]")
        .group_by(c.site_id, c.work_day)
    )
    return {(site, day): count for site, day, count in rows}


def _working(tx: Connection, first: str) -> dict[tuple[str, str], int]:
    rows = tx.execute(
        select(t.station_site.c.site_id, t.station_day.c.day, t.station_day.c.working)
        .join(t.station_site, t.station_site.c.station_id == t.station_day.c.station_id)
        .where(t.station_day.c.day >= first, ~t.station_site.c.withdrawn)
    )
    most: dict[tuple[str, str], int] = {}
    for site, day, mask in rows:
        most[site, day] = max(most.get((site, day), 0), hours(mask))
    return most
