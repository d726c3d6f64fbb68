"""What was pulled from the centre: sites, rosters, other stations' events, the centre's work records, and cursors.

`load` lays this station's own changes over the pulled roster until the centre has taken them and a later page has come
back: the foreman sees his own change at once, and it does not flicker away in between.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from app import codec
from app.domain.events import JST
from app.domain.outbox import Cursor, feed_scope, roster_scope
from app.domain.roster import ROSTER_KINDS, Roster
from app.domain.site import Site
from app.store.about import about
from app.store.database import Database
from app.store.overlay import overlay, turning_days
from app.store.schema import centre_record, cursor, roster_item, site

_log = logging.getLogger(__name__)
_RECORDS = "work-records:"
_OWN_CHANGES = (
    "SELECT max(seq) FROM mention WHERE type IN ('card_binding', 'roster_change', 'correction') AND site_id = ?"
)
_FEED = (
    "INSERT INTO remote_event (receipt, station_id, site_id, id, type, occurred_at, worker_id, work_day, card_key,"
    " target, body) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
    " WHERE NOT EXISTS (SELECT 1 FROM remote_event WHERE receipt = ? OR id = ?)"
    " AND NOT EXISTS (SELECT 1 FROM event WHERE id = ?)"
)


class FeedItem(Protocol):
    """An event made elsewhere, as `app.sync.wire.FeedEvent`."""

    @property
    def receipt(self) -> int:
        """The centre's running number."""

    @property
    def station_id(self) -> str:
        """Who made it."""

    @property
    def event(self) -> Mapping[str, Any]:
        """The event as it travels."""


class RosterStore:
    """Any thread. Every method may raise StorageTrouble; after it, nothing of the call is stored."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def cursor(self, scope: str) -> Cursor | None:
        """How far a scope was pulled; None: never."""
        with self._db.read() as connection:
            row = connection.execute(sa.select(cursor).where(cursor.c.scope == scope)).one_or_none()
        return None if row is None else Cursor(row.value, row.etag)

    def apply_page(
        self,
        scope: str,
        site_id: str | None,
        items: Sequence[Mapping[str, Any]],
        cursor: Cursor,
        at: datetime,
    ) -> None:
        """Upsert items, delete the deleted and keep the cursor, all or none.

        `scope` as in `app.domain.outbox`; items of `work-records:…` are the centre's records, all others have `kind`
        and `id`. `at`: when the page was asked for or came. An item without its key is left out, with a warning.
        """
        with self._db.write() as connection:
            for item in items:
                taken = (
                    _put_record(connection, site_id, item)
                    if scope.startswith(_RECORDS)
                    else _put_item(connection, site_id, item)
                )
                if not taken:
                    _log.warning("an item of %s without its key was left out", scope)
            _keep(connection, scope, site_id, cursor, at)

    def apply_feed(self, site_id: str, items: Sequence[FeedItem], cursor: Cursor, at: datetime) -> None:
        """Take events made elsewhere and keep the cursor of `feed_scope(site_id)`, all or none.

        The same receipt or event twice counts once; an event of our own that comes back is left out.
        """
        with self._db.write() as connection:
            for item in items:
                row = _feed_row(item, site_id)
                if row is None:
                    _log.warning("the feed of %s has an event of another shape: receipt %d", site_id, item.receipt)
                else:
                    connection.exec_driver_sql(_FEED, (*row, row[0], row[3], row[3]))
            _keep(connection, feed_scope(site_id), site_id, cursor, at)

    def sites(self) -> list[Site]:
        """Sites of this station, by id."""
        with self._db.read() as connection:
            bodies = connection.execute(sa.select(site.c.body).order_by(site.c.id)).scalars().all()
        return [one for body in bodies if (one := _build(codec.decode(body, dict), Site)) is not None]

    def load(self, site_id: str, on: date | None = None) -> Roster:
        """The roster as it is in force here. `on`: bindings that begin later are left out; today when None.

        An item that this version cannot read is left out (and logged): a gate must not stop for it.
        """
        day = on or self._db.clock.now().astimezone(JST).date()
        with self._db.read() as connection:
            query = sa.select(roster_item.c.kind, roster_item.c.id, roster_item.c.body).where(
                roster_item.c.site_id == site_id
            )
            items = {(row.kind, row.id): codec.decode(row.body, dict) for row in connection.execute(query)}
            pulled = connection.execute(sa.select(cursor.c.at).where(cursor.c.scope == roster_scope(site_id))).scalar()
            overlay(connection, items, site_id, day.isoformat(), datetime.fromisoformat(pulled) if pulled else None)
        built = (_build(item, ROSTER_KINDS[kind]) for (kind, _), item in items.items() if kind in ROSTER_KINDS)
        return Roster.of(item for item in built if item is not None)

    def turning_days(self, site_id: str) -> list[str]:
        """ISO days on which `load(site_id, on=…)` may change, in order."""
        with self._db.read() as connection:
            return turning_days(connection, site_id)

    def own_changes(self, site_id: str) -> int:
        """Seq of this station's newest event that `load` hangs on; 0 for none. Cheap enough for every card."""
        with self._db.looking() as connection:
            row = connection.execute(_OWN_CHANGES, (site_id,)).fetchone()
        return row[0] or 0

    def roster_at(self, site_id: str) -> datetime | None:
        """When the site's roster was last pulled, aware; None: never."""
        with self._db.read() as connection:
            at = connection.execute(sa.select(cursor.c.at).where(cursor.c.scope == roster_scope(site_id))).scalar()
        return datetime.fromisoformat(at) if at else None

    def confirm(self, scope: str, at: datetime) -> None:
        """The centre answered that nothing has changed (304): the roster is as fresh as that."""
        with self._db.write() as connection:
            connection.execute(sa.update(cursor).where(cursor.c.scope == scope).values(at=at.isoformat()))

    def centre_records(
        self, site_id: str, month: str, worker_ids: Collection[str] | None = None
    ) -> list[dict[str, Any]]:
        """Work records of a month ('YYYY-MM') as the centre derived them, by day and worker; of these workers alone."""
        query = (
            sa.select(centre_record.c.body)
            .where(
                centre_record.c.site_id == site_id,
                centre_record.c.work_day.between(f"{month}-01", f"{month}-31"),
            )
            .order_by(centre_record.c.work_day, centre_record.c.worker_id)
        )
        if worker_ids is not None:
            query = query.where(centre_record.c.worker_id.in_(worker_ids))
        with self._db.read() as connection:
            return [codec.decode(body, dict) for body in connection.execute(query).scalars()]


def _put_item(connection: sa.Connection, site_id: str | None, item: Mapping[str, Any]) -> bool:
    kind, id_ = item.get("kind"), item.get("id")
    if not isinstance(kind, str) or not isinstance(id_, str):
        return False
    table: sa.Table = site if kind == "site" else roster_item
    key = {"id": id_} if kind == "site" else {"site_id": site_id or "", "kind": kind, "id": id_}
    values: dict[str, Any] = {"body": codec.encode(item)}
    if kind != "site":
        worker = item.get("worker_id")
        values["worker_id"] = worker if isinstance(worker, str) else None
    return _put(connection, table, key, values, bool(item.get("deleted")))


def _put_record(connection: sa.Connection, site_id: str | None, item: Mapping[str, Any]) -> bool:
    worker, day = item.get("worker_id"), item.get("work_day")
    if not isinstance(worker, str) or not isinstance(day, str):
        return False
    key = {"site_id": site_id or str(item.get("site_id")), "work_day": day, "worker_id": worker}
    return _put(connection, centre_record, key, {"body": codec.encode(item)}, bool(item.get("deleted")))


def _put(
    connection: sa.Connection, table: sa.Table, key: dict[str, Any], values: dict[str, Any], deleted: bool
) -> bool:
    if deleted:
        connection.execute(sa.delete(table).where(*(table.c[name] == value for name, value in key.items())))
    else:
        connection.execute(
            insert(table).values(**key, **values).on_conflict_do_update(index_elements=list(key), set_=values)
        )
    return True


def _keep(connection: sa.Connection, scope: str, site_id: str | None, to: Cursor, at: datetime) -> None:
    values = {"site_id": site_id, "value": to.value, "etag": to.etag, "at": at.isoformat()}
    connection.execute(
        insert(cursor).values(scope=scope, **values).on_conflict_do_update(index_elements=["scope"], set_=values)
    )


def _feed_row(item: FeedItem, site_id: str) -> tuple[Any, ...] | None:
    one = item.event
    texts = [one.get(name) for name in ("id", "type", "occurred_at")]
    payload = one.get("payload")
    if not all(isinstance(text, str) for text in texts) or not isinstance(payload, Mapping):
        return None
    id_, kind, occurred_at = (str(text) for text in texts)
    where = one.get("site_id")
    return (
        item.receipt,
        item.station_id,
        where if isinstance(where, str) else site_id,
        id_,
        kind,
        occurred_at,
        *about(kind, payload),
        codec.encode({**one, "site_id": where if isinstance(where, str) else site_id}),
    )


def _build(item: Mapping[str, Any], shape: type) -> Any:
    try:
        return codec.convert(item, shape)
    except codec.DecodeError as exc:
        _log.warning("a %s of the roster cannot be read: %s", shape.__name__, exc)
        return None
