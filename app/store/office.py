"""Questions of the office's pages, and the two things it keeps beside the events: days set aside, the readers' past."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app import codec
from app.domain.assurance import Assurance
from app.domain.events import EventType
from app.domain.verdict import Outcome
from app.domain.work_records import Fact
from app.store import facts
from app.store.database import Database
from app.store.day import headcounts
from app.store.rows import from_ms, to_ms
from app.store.schema import aside, centre_record, event, mention, outbox, reader_log, remote_event, touch

GATE_OPENED = ""
"""In the readers' log: a gate was opened, and nothing is known of its readers yet."""
_LOOK = sa.text("outbox.state IN ('rejected', 'conflict')")
"""Literal, so that SQLite sees the partial index."""
_COUNTED = sa.and_(touch.c.suppressed_by.is_(None), touch.c.outcome != Outcome.REFUSED.value)


@dataclass
class _Proof:
    """Of a record, what it rests on."""

    assurance: str = ""


class OfficeBook:
    """Any thread. Every method may raise StorageTrouble. Days are ISO dates, months 'YYYY-MM'."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def recorded(self, month: str, site_id: str) -> set[str]:
        """Workers with a touch, an entry or a record of the centre in the month."""
        span = (f"{month}-01", f"{month}-31")
        queries = (
            sa.select(touch.c.worker_id).where(touch.c.site_id == site_id, touch.c.work_day.between(*span)).distinct(),
            sa.select(mention.c.worker_id)
            .where(
                mention.c.type == EventType.ENTRY.value,
                mention.c.site_id == site_id,
                mention.c.work_day.between(*span),
            )
            .distinct(),
            sa.select(centre_record.c.worker_id)
            .where(centre_record.c.site_id == site_id, centre_record.c.work_day.between(*span))
            .distinct(),
        )
        with self._db.read() as connection:
            return {one for query in queries for one in connection.execute(query).scalars() if one}

    def concerned(self, month: str, site_id: str) -> set[str]:
        """Those `recorded`, and whoever else a binding, a correction or another station's event may give a record."""
        span = (f"{month}-01", f"{month}-31")
        naming = (EventType.CARD_BINDING.value, EventType.CORRECTION.value)
        others = sa.and_(
            remote_event.c.type.in_((EventType.TOUCH.value, EventType.ENTRY.value)),
            remote_event.c.work_day.between(*span),
        )
        queries = (
            sa.select(mention.c.worker_id).where(mention.c.type.in_(naming), mention.c.site_id == site_id).distinct(),
            sa.select(remote_event.c.worker_id)
            .where(sa.or_(remote_event.c.type.in_(naming), others), remote_event.c.site_id == site_id)
            .distinct(),
        )
        with self._db.read() as connection:
            named = {one for query in queries for one in connection.execute(query).scalars() if one}
        return named | self.recorded(month, site_id)

    def not_taken(self, worker_ids: Collection[str], month: str, site_id: str) -> list[tuple[str, str, str, str]]:
        """(worker, day, event id, code) of touches and entries that the centre has rejected or holds a conflict
        about."""
        span = (f"{month}-01", f"{month}-31")
        found: list[tuple[str, str, str, str]] = []
        wanted = set(worker_ids)
        with self._db.read() as connection:
            for table in (touch, mention):
                query = (
                    sa.select(table.c.worker_id, table.c.work_day, event.c.id, outbox.c.code)
                    .join(outbox, outbox.c.seq == table.c.seq)
                    .join(event, event.c.seq == table.c.seq)
                    .where(_LOOK, table.c.site_id == site_id, table.c.work_day.between(*span))
                )
                if table is mention:
                    query = query.where(mention.c.type == EventType.ENTRY.value)
                rows = connection.execute(query)
                found += [(r.worker_id, r.work_day, r.id, r.code or "") for r in rows if r.worker_id in wanted]
        return found

    def entry_facts(self, site_id: str, first_day: str, last_day: str) -> list[Fact]:
        """Direct entries of these days, here and elsewhere, with the approvals and corrections that name them."""
        with self._db.read() as connection:
            return facts.entry_facts(connection, site_id, first_day, last_day)

    def made_here(self, ids: Collection[str]) -> set[str]:
        """Those of the events that this station has made."""
        with self._db.read() as connection:
            return set(connection.execute(sa.select(event.c.id).where(event.c.id.in_(ids))).scalars())

    def unsent(self, site_id: str, month: str) -> int:
        """Entries of the month's days, and approvals of such, that have not reached the centre."""
        last = mention.alias("entry_mention")
        entry = sa.and_(
            mention.c.type == EventType.ENTRY.value, mention.c.work_day.between(f"{month}-01", f"{month}-31")
        )
        own = (
            sa.select(sa.func.count())
            .select_from(outbox.join(mention, mention.c.seq == outbox.c.seq))
            .where(outbox.c.state == sa.literal_column("'waiting'"), mention.c.site_id == site_id)
        )
        named = (
            sa.select(remote_event.c.id)
            .where(
                remote_event.c.type == EventType.ENTRY.value,
                remote_event.c.work_day.between(f"{month}-01", f"{month}-31"),
            )
            .union_all(
                sa.select(event.c.id)
                .join(last, last.c.seq == event.c.seq)
                .where(last.c.type == EventType.ENTRY.value, last.c.work_day.between(f"{month}-01", f"{month}-31"))
            )
        )
        with self._db.read() as connection:
            entries = connection.execute(own.where(entry)).scalar_one()
            approvals = connection.execute(
                own.where(mention.c.type == EventType.APPROVAL.value, mention.c.target.in_(named))
            ).scalar_one()
        return int(entries) + int(approvals)

    def present(self, first_day: str, last_day: str, site_id: str, *, by_card: bool = False) -> Mapping[str, set[str]]:
        """Day → workers who were here: by this station's touches and the centre's records. `by_card`: those whose card
        was touched; a record that rests on declarations alone has the assurance 'declared'."""
        span = (first_day, last_day)
        found: defaultdict[str, set[str]] = defaultdict(set)
        touched = (
            sa.select(touch.c.work_day, touch.c.worker_id)
            .where(
                touch.c.site_id == site_id, touch.c.work_day.between(*span), _COUNTED, touch.c.worker_id.is_not(None)
            )
            .distinct()
        )
        if by_card:
            touched = touched.where(touch.c.assurance != Assurance.DECLARED.value)
        recorded = sa.select(centre_record.c.work_day, centre_record.c.worker_id, centre_record.c.body).where(
            centre_record.c.site_id == site_id, centre_record.c.work_day.between(*span)
        )
        with self._db.read() as connection:
            for day, worker_id in connection.execute(touched):
                found[day].add(worker_id)
            for day, worker_id, body in connection.execute(recorded):
                if not by_card or codec.decode(body, _Proof).assurance != Assurance.DECLARED.value:
                    found[day].add(worker_id)
        return found

    def headcounts(self, month: str, site_id: str) -> dict[tuple[str, str], int]:
        """(day, company) → 総出面 as last typed (by its time), here or at another station."""
        with self._db.read() as connection:
            return headcounts(connection, site_id, f"{month}-01", f"{month}-31")

    def elsewhere(self, month: str, site_id: str) -> dict[tuple[str, str], str]:
        """(worker, day) → another site of this station where he touched."""
        query = (
            sa.select(touch.c.worker_id, touch.c.work_day, touch.c.site_id)
            .where(
                touch.c.site_id != site_id,
                touch.c.work_day.between(f"{month}-01", f"{month}-31"),
                _COUNTED,
                touch.c.worker_id.is_not(None),
            )
            .distinct()
        )
        with self._db.read() as connection:
            return {(row.worker_id, row.work_day): row.site_id for row in connection.execute(query)}

    def stray_cards(self, month: str, site_id: str) -> dict[str, list[datetime]]:
        """Day → moments at which cards were touched that belonged to nobody."""
        query = sa.select(touch.c.work_day, touch.c.at_ms).where(
            touch.c.outcome == sa.literal_column("'unknown_card'"),
            touch.c.site_id == site_id,
            touch.c.work_day.between(f"{month}-01", f"{month}-31"),
        )
        found: defaultdict[str, list[datetime]] = defaultdict(list)
        with self._db.read() as connection:
            for day, at_ms in connection.execute(query):
                found[day].append(from_ms(at_ms))
        return found

    def set_aside(self, site_id: str, worker_id: str, day: str, put_aside: bool, operator_id: str) -> None:
        """Take a likely missed day off the list, or put it back."""
        at = self._db.clock.now().isoformat(timespec="milliseconds")
        row = {"at": at, "site_id": site_id, "worker_id": worker_id, "work_day": day, "aside": int(put_aside)}
        with self._db.write() as connection:
            connection.execute(sa.insert(aside).values(operator_id=operator_id, **row))

    def put_aside(self, month: str, site_id: str) -> set[tuple[str, str]]:
        """(worker, day) that are off the list."""
        query = (
            sa.select(aside.c.worker_id, aside.c.work_day, aside.c.aside)
            .where(aside.c.site_id == site_id, aside.c.work_day.between(f"{month}-01", f"{month}-31"))
            .order_by(aside.c.n)
        )
        with self._db.read() as connection:
            last: dict[tuple[str, str], int] = {(row[0], row[1]): row[2] for row in connection.execute(query)}
        return {place for place, flag in last.items() if flag}

    def log_readers(self, usable: Mapping[str, bool], at: datetime) -> None:
        """Readers that began or ceased to work; `{GATE_OPENED: False}` when a gate is opened."""
        rows = [{"at_ms": to_ms(at), "reader": name, "usable": int(works)} for name, works in usable.items()]
        if rows:
            with self._db.write() as connection:
                connection.execute(sa.insert(reader_log), rows)

    def reader_news(self, most: int) -> list[tuple[datetime, str, bool]]:
        """When which reader began or ceased to work (`GATE_OPENED`: a gate was opened), newest first."""
        query = sa.select(reader_log.c.at_ms, reader_log.c.reader, reader_log.c.usable).order_by(reader_log.c.n.desc())
        with self._db.read() as connection:
            return [(from_ms(row[0]), row[1], bool(row[2])) for row in connection.execute(query.limit(most))]

    def card_keys(self) -> list[str]:
        """Every card that was ever touched here."""
        with self._db.read() as connection:
            return list(connection.scalars(sa.select(touch.c.card_key).distinct()))

    def readers_down(self, first: date, last: date, zone: Any) -> list[tuple[datetime, datetime]]:
        """Spans in which a gate was open and none of its readers worked, oldest first; an open end is left out."""
        start = to_ms(datetime.combine(first, datetime.min.time(), tzinfo=zone))
        end = to_ms(datetime.combine(last, datetime.max.time(), tzinfo=zone))
        query = (
            sa.select(reader_log.c.at_ms, reader_log.c.reader, reader_log.c.usable)
            .where(reader_log.c.at_ms.between(start, end))
            .order_by(reader_log.c.n)
        )
        with self._db.read() as connection:
            return _down((row.at_ms, row.reader, bool(row.usable)) for row in connection.execute(query))


def _down(log: Iterable[tuple[int, str, bool]]) -> list[tuple[datetime, datetime]]:
    """From the moment when the last working reader ceased until one works again; a gate that opens begins anew."""
    working: set[str] = set()
    since: int | None = None
    spans: list[tuple[datetime, datetime]] = []
    for at_ms, reader, usable in log:
        if reader == GATE_OPENED:
            working, since = set(), None
            continue
        (working.add if usable else working.discard)(reader)
        if not working and since is None:
            since = at_ms
        elif working and since is not None:
            if at_ms > since:
                spans.append((from_ms(since), from_ms(at_ms)))
            since = None
    return spans
