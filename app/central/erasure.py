"""Taking a person out: names go, ids and cards become a pseudonym, every fact and every count stays.

docs/adr/0007 says why it is done so. In short: an event's body is replaced by one in which the person's id, cards
and free texts are no more; its digest stays (sent again, it is still a duplicate), and the hash that the station's
chain has there is kept as a chain point, so that the chain never has to be worked out over a replaced body. Events
that the chain has not reached yet cannot be replaced: they are counted as `held_back`, and the next run takes them.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, func, literal, or_, select

from app import codec
from app.central import derivation
from app.central import schema as t
from app.central.audit import Act, write_down
from app.central.database import CentralDatabase
from app.central.erasure_bodies import Person, redacted
from app.central.erasure_chain import Chains
from app.central.roster_items import Affected
from app.central.sets import any_of, upsert_many
from app.central.sites import SiteNumbers, lock_sites
from app.clock import Clock
from app.errors import InputRefused

_KEY = "pseudonyms"
PREFIX = "erased-"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was found of a person (`dry_run`: and left). Numbers of rows."""

    pseudonym: str
    work_records: int
    events: int
    held_back: int
    roster_items: int
    refused_events: int


def erase_person(db: CentralDatabase, clock: Clock, worker_id: str, act: Act, *, dry_run: bool = False) -> Erased:
    """Take one person out of every site, in one transaction.

    Again for the same person: what came since, under the same pseudonym. Raises InputRefused when nothing here is
    this person's.
    """
    now = clock.now()

    def work(tx: Connection) -> Erased:
        done = _Erasure(tx, worker_id, now, act).run()
        if not any((done.work_records, done.events, done.held_back, done.roster_items, done.refused_events)):
            raise InputRefused("central.person_unknown")
        if dry_run:
            raise _Undo(replace(done, pseudonym=""))
        return done

    try:
        return db.write(work)
    except _Undo as undo:
        return undo.done


class _Undo(Exception):
    def __init__(self, done: Erased) -> None:
        super().__init__("dry run")
        self.done = done


class _Erasure:
    """One person inside one transaction."""

    def __init__(self, tx: Connection, worker_id: str, now: datetime, act: Act) -> None:
        self._tx = tx
        self._now = now
        self._act = act
        self._worker = worker_id
        key = key_of(tx)
        self._key = key
        self._chains = Chains(tx, now)
        self.pseudonym = pseudonym_of(key, worker_id)

    def run(self) -> Erased:
        """Find, replace, count. The person's sites and their stations are locked before anything is looked at."""
        where = self._sites()
        of = t.station_site.c
        self._chains.lock(
            self._tx.execute(select(of.station_id).where(of.site_id.in_(where)).distinct()).scalars().all()
        )
        sites = lock_sites(self._tx, where)
        person = self._person(sites)
        counted = set(self._ids_counted())
        number = write_down(self._tx, self._now, self._act, "erase-person", self.pseudonym)
        events, held_back = self._events(person, counted, number, sites)
        refused, held = self._refused(person)
        items = self._roster(sites)
        records = self._records(sites)
        for numbers in sites.values():
            numbers.save(self._tx)
        return Erased(self.pseudonym, records, events, held_back + held, items, refused)

    def _sites(self) -> set[str]:
        """Where the person was on a roster or has a record."""
        item, record = t.roster_item.c, t.work_record.c
        known = or_((item.kind == "worker") & (item.id == self._worker), item.worker_id == self._worker)
        found = set(self._tx.execute(select(item.site_id).where(known).distinct()).scalars())
        return found | set(
            self._tx.execute(select(record.site_id).where(record.worker_id == self._worker).distinct()).scalars()
        )

    def _person(self, sites: Collection[str]) -> Person:
        """Id and cards. A card that is another's now does not lead to the person: only its counted touches do."""
        item = t.roster_item.c
        cards: set[str] = set()
        others: set[str] = set()
        for row in self._tx.execute(
            select(item.id, item.worker_id).where(item.kind == "card", item.site_id.in_(sites))
        ):
            (cards if row.worker_id == self._worker else others).add(row.id)
        e = t.event.c
        bindings = select(e.subject, e.body).where(e.type == "card_binding", e.site_id.in_(sites))
        for row in self._tx.execute(bindings):
            bound = codec.decode(row.body, dict[str, Any])["payload"].get("worker_id")
            (cards if bound == self._worker else others).add(row.subject)
        names = {card: pseudonym_of(self._key, card) for card in cards}
        return Person(self._worker, self.pseudonym, names, frozenset(cards - others))

    def _ids_counted(self) -> Iterable[str]:
        return self._tx.execute(
            select(t.record_event.c.event_id).where(t.record_event.c.worker_id == self._worker)
        ).scalars()

    def _events(self, person: Person, counted: Collection[str], number: int, sites: Collection[str]) -> tuple[int, int]:
        """Replace bodies in `event`; how many, and how many the chain has not reached."""
        e = t.event.c
        about = [e.id, e.station_id, e.seq, e.type, e.subject, e.body]
        mentions = select(*about).where(e.site_id.in_(sites), self._mentions(e.body, person))
        found = {row.id: row for row in self._tx.execute(mentions)}
        mine = any_of(self._tx, e.id, counted)
        found |= {row.id: row for row in self._tx.execute(select(*about).where(mine))}
        # approvals and corrections of these: their reasons are about the person
        named = any_of(self._tx, e.subject, list(found))
        found |= {row.id: row for row in self._tx.execute(select(*about).where(named))}
        self._chains.know(found.keys())
        done, held_back = 0, 0
        for row in sorted(found.values(), key=lambda row: (row.station_id, row.seq)):
            body = redacted(bytes(row.body), person, counted=row.id in counted)
            if body is None:
                continue
            if not self._chains.keep(row.station_id, row.seq, row.id):
                held_back += 1
                continue
            subject = person.cards.get(row.subject, row.subject)
            if row.subject in person.cards and row.subject not in person.own and row.id not in counted:
                subject = row.subject
            self._tx.execute(
                t.event_erasure.insert().values(event_id=row.id, audit_number=number, subject=subject, body=body)
            )
            self._tx.execute(t.event.update().where(e.id == row.id).values(subject=subject, body=body))
            done += 1
        return done, held_back

    def _refused(self, person: Person) -> tuple[int, int]:
        r = t.rejected_event.c
        done, held_back = 0, 0
        rows = self._tx.execute(
            select(r.station_id, r.id, r.seq, r.body).where(self._mentions(r.body, person)).order_by(r.seq)
        ).all()
        for row in rows:
            body = redacted(bytes(row.body), person, counted=False)
            if body is None:
                continue
            if not self._chains.keep(row.station_id, row.seq):
                held_back += 1
                continue
            self._tx.execute(
                t.rejected_event.update()
                .where(r.station_id == row.station_id, r.id == row.id)
                .values(body=body, detail="")
            )
            done += 1
        incident = t.chain_incident.c
        # the second body of a seq that was used twice
        for row in self._tx.execute(
            select(t.chain_incident).where(incident.kind == "seq_reused", self._mentions(incident.claimed, person))
        ).all():
            body = redacted(bytes(row.claimed), person, counted=False)
            if body is not None:
                this = (incident.station_id == row.station_id) & (incident.event_id == row.event_id)
                self._tx.execute(t.chain_incident.update().where(this).values(claimed=body))
        return done, held_back

    def _mentions(self, column: ColumnElement[Any], person: Person) -> ColumnElement[bool]:
        """Whether bytes hold the id or a card of the person anywhere, in whatever field."""
        needles = [codec.encode(name)[1:-1] for name in (person.worker_id, *person.cards)]
        if self._tx.dialect.name == "sqlite":
            return or_(*(func.instr(column, needle) > 0 for needle in needles))
        patterns = [b"%" + re.sub(rb"([\\%_])", rb"\\\1", needle) + b"%" for needle in needles]
        return or_(*(column.op("LIKE")(literal(pattern, LargeBinary)) for pattern in patterns))

    def _roster(self, sites: Mapping[str, SiteNumbers]) -> int:
        """Tombstones that hold nothing; assignments go on under the pseudonym, for the records they describe."""
        item = t.roster_item.c
        rows = self._tx.execute(
            select(t.roster_item).where(
                or_(
                    (item.kind == "worker") & (item.id == self._worker),
                    item.worker_id == self._worker,
                )
            )
        ).all()
        done = 0
        for row in rows:
            if row.deleted and row.fields == "{}":
                continue
            done += 1
            fields = codec.decode(row.fields, dict[str, Any])
            numbers = sites[row.site_id]
            gone = {"worker_id": self.pseudonym, "due_on": None, "fields": "{}", "deleted": True}
            if row.kind == "assignment" and not row.deleted:
                name = pseudonym_of(self._key, f"{row.site_id} {row.id}")
                renamed = {**fields, "worker_id": self.pseudonym}
                self._item(numbers, row.kind, name, {"fields": codec.encode(renamed).decode(), "deleted": False,
                                                     "worker_id": self.pseudonym, "due_on": None})  # fmt: skip
            self._item(numbers, row.kind, row.id, gone)
        return done

    def _item(self, numbers: SiteNumbers, kind: str, item_id: str, values: Mapping[str, Any]) -> None:
        row = {
            "site_id": numbers.site_id,
            "kind": kind,
            "id": item_id,
            "change": numbers.next_roster_change(),
            **values,
        }
        upsert_many(self._tx, t.roster_item, [row])

    def _records(self, sites: Mapping[str, SiteNumbers]) -> int:
        """Records move to the pseudonym; the old key stays as a withdrawn record, so that offices drop it."""
        record = t.work_record.c
        rows = self._tx.execute(
            select(t.work_record).where(record.worker_id == self._worker, record.events != "[]")
        ).mappings()
        moved = [dict(row) for row in rows]
        mine = select(record.site_id, record.work_day).where(record.worker_id == self.pseudonym, record.events != "[]")
        held = {(row.site_id, row.work_day) for row in self._tx.execute(mine)}
        for row in moved:
            numbers = sites[row["site_id"]]
            gone = dict.fromkeys(("first_in", "last_out", "company_id", "occupation", "role"))
            old = {**row, **gone, "events": "[]", "change": numbers.next_record_change()}
            upsert_many(self._tx, t.work_record, [old])
            if (row["site_id"], row["work_day"]) not in held:
                new = {**row, "worker_id": self.pseudonym, "change": numbers.next_record_change()}
                upsert_many(self._tx, t.work_record, [new])
        counted = t.record_event.update().where(t.record_event.c.worker_id == self._worker)
        self._tx.execute(counted.values(worker_id=self.pseudonym))
        if held:  # an earlier run left a record of the same day: the two become one
            for numbers in sites.values():
                derivation.after_roster(self._tx, numbers, Affected({self.pseudonym}), self._now)
        return len(moved)


def key_of(tx: Connection) -> bytes:
    """This database's key for pseudonyms, made when first needed."""
    held = tx.execute(select(t.secret.c.value).where(t.secret.c.name == _KEY)).scalar()
    if held is None:
        held = secrets.token_bytes(32)
        tx.execute(t.secret.insert().values(name=_KEY, value=held))
    return bytes(held)


def pseudonym_of(key: bytes, name: str) -> str:
    """What stands for an id or a card from now on: always the same, and not to be turned back without the key."""
    return PREFIX + hmac.digest(key, name.encode(), "sha256").hex()[:20]
