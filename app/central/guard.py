"""Against guessing codes and secrets: after some wrong ones, each further one costs a longer wait.

The counts are in the database, so that they hold whichever process answers. A right answer takes nothing back (who
guesses may own a right one), an hour without a wrong one does.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from app.central import schema as t
from app.central.database import CentralDatabase
from app.central.refusals import Refused
from app.central.schema import stamp
from app.central.sets import upsert_many
from app.clock import Clock

FORGET_AFTER = timedelta(hours=1)
LONGEST_WAIT_S = 900
_WRONG = frozenset({"code_unknown", "invalid_client", "login_needed"})


@dataclass(frozen=True, slots=True)
class Door:
    """Something to guess at, seen from one place. `free`: wrong answers that cost nothing."""

    key: str
    free: int


def place(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that one IPv6 subscriber has."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def enrolment(address: str) -> list[Door]:
    """Codes have 60 bits: 20 slips of the finger an hour from one office are free."""
    return [Door(f"enrol {place(address)}", 20)]


def token(address: str, client_id: str) -> list[Door]:
    """By client and place, so that neither an attacker elsewhere nor a broken PC next door keeps a station out."""
    return [Door(f"token {place(address)} {client_id[:80]}", 10), Door(f"token {place(address)}", 200)]


@contextmanager
def guarded(db: CentralDatabase, clock: Clock, doors: Collection[Door]) -> Iterator[None]:
    """Around a check of a code or secret: raises Refused `too_many_attempts` while a wait runs; counts wrong ones."""
    now = clock.now()
    with db.read() as tx:
        query = select(t.attempt.c.until).where(t.attempt.c.key.in_([door.key for door in doors]))
        until = max(tx.execute(query).scalars(), default="")
    if until > stamp(now):
        left = datetime.fromisoformat(until) - now
        raise Refused("too_many_attempts", retry_after=max(1, math.ceil(left.total_seconds())))
    try:
        yield
    except Refused as refused:
        if refused.code in _WRONG:
            db.write(lambda tx: _count(tx, doors, now))
        raise


def _count(tx: Connection, doors: Collection[Door], now: datetime) -> None:
    tx.execute(t.attempt.delete().where(t.attempt.c.last_at < stamp(now - FORGET_AFTER)))
    for door in sorted(doors, key=lambda door: door.key):
        query = select(t.attempt.c.failures).where(t.attempt.c.key == door.key).with_for_update()
        failures = (tx.execute(query).scalar() or 0) + 1
        over = failures - door.free
        wait = min(2 ** min(over, 20), LONGEST_WAIT_S) if over > 0 else 0
        row = {
            "key": door.key,
            "failures": failures,
            "last_at": stamp(now),
            "until": stamp(now + timedelta(seconds=wait)),
        }
        upsert_many(tx, t.attempt, [row])
