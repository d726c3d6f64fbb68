"""How long the centre keeps persons: who is due to be erased, and when their tombstones go."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, or_, select

from app.central import schema as t
from app.central.audit import Act
from app.central.database import CentralDatabase
from app.central.erasure import PREFIX, Erased, erase_person, key_of, pseudonym_of
from app.central.schema import stamp
from app.central.sets import any_of
from app.clock import Clock
from app.domain.events import JST
from app.errors import InputRefused

TOMBSTONES = timedelta(days=90)
"""How long the bare ids of the erased stay, so that stations learn to drop them."""


def retention(db: CentralDatabase, clock: Clock, months: int, act: Act, *, dry_run: bool = False) -> list[Erased]:
    """Erase everybody whose last work day is more than `months` ago and who is on no open site's roster any more.

    A person a transaction. Tombstones of those erased before `TOMBSTONES` are forgotten too. Raises InputRefused for
    a number below 1.
    """
    if months < 1:
        raise InputRefused("central.retention_months")
    today = clock.now().astimezone(JST).date()
    index = today.year * 12 + today.month - 1 - months
    day = min(today.day, 28)
    cutoff = f"{index // 12:04d}-{index % 12 + 1:02d}-{day:02d}"
    with db.read() as tx:
        due = _due(tx, cutoff)
    done = [erase_person(db, clock, worker, act, dry_run=dry_run) for worker in due]
    if not dry_run:
        db.write(lambda tx: _sweep(tx, stamp(clock.now() - TOMBSTONES)))
    return done


def _due(tx: Connection, cutoff: str) -> list[str]:
    """Workers to erase: known, not pseudonyms, without work since `cutoff`, and on no site that is open or was then."""
    item, record, site = t.roster_item.c, t.work_record.c, t.site.c
    workers = set(tx.execute(select(item.id).where(item.kind == "worker", item.fields != "{}").distinct()).scalars())
    workers |= set(tx.execute(select(record.worker_id).where(record.events != "[]").distinct()).scalars())
    recent = select(record.worker_id).where(record.work_day >= cutoff, record.events != "[]").distinct()
    open_sites = select(site.id).where(~site.deleted, or_(site.closed_on.is_(None), site.closed_on >= cutoff))
    present = select(item.id).where(item.kind == "worker", ~item.deleted, item.site_id.in_(open_sites)).distinct()
    workers -= set(tx.execute(recent).scalars()) | set(tx.execute(present).scalars())
    return sorted(worker for worker in workers if not worker.startswith(PREFIX))


def _sweep(tx: Connection, before: str) -> None:
    """Forget the tombstones of persons erased before a moment: by then every station that runs has pulled them."""
    item, record = t.roster_item.c, t.work_record.c
    done = select(t.audit.c.subject).where(t.audit.c.action == "erase-person")
    recent = set(tx.execute(done.where(t.audit.c.at >= before)).scalars())
    old = set(tx.execute(done.where(t.audit.c.at < before)).scalars()) - recent
    tx.execute(t.roster_item.delete().where(item.deleted, item.fields == "{}", any_of(tx, item.worker_id, list(old))))
    key = key_of(tx)
    withdrawn = tx.execute(select(record.worker_id).where(record.events == "[]").distinct()).scalars()
    gone = [worker for worker in withdrawn if pseudonym_of(key, worker) in old]
    tx.execute(t.work_record.delete().where(record.events == "[]", any_of(tx, record.worker_id, gone)))
    tx.execute(t.token.delete().where(t.token.c.expires_at < before))
