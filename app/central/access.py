"""Tokens: who is asking, and what for. OAuth 2 client credentials with opaque tokens kept in the database."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from app.central import schema as t
from app.central.credentials import new_secret, secret_hash
from app.central.database import CentralDatabase
from app.central.refusals import Refused
from app.central.schema import stamp
from app.central.station_life import promote
from app.clock import Clock
from app.sync.wire import ASK_ROTATE, ASK_WITHDRAW, TokenAnswer

_NOBODY = bytes(32)
_WHO = (t.client.c.id, t.client.c.kind, t.client.c.revoked_at, t.client.c.lost_at, t.station.c.role)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who holds a token. `role` and `site_ids` are a station's; `site_ids` holds its open and closed sites."""

    client_id: str
    kind: str
    role: str = ""
    site_ids: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    """Sites among `site_ids` that were taken out."""
    lost: bool = False
    """Its PC is lost: it may deliver what waits, and is handed nothing."""

    def may_pull(self) -> None:
        """Raises Refused for a lost station."""
        if self.lost:
            raise Refused("station_lost")

    def require_site(self, site_id: str) -> None:
        """Raises Refused unless this is an open site of this station."""
        if site_id not in self.site_ids:
            raise Refused("site_not_allowed", f"site {site_id}")
        if site_id in self.closed:
            raise Refused("site_closed", f"site {site_id}")


def issue_token(db: CentralDatabase, clock: Clock, client_id: str, client_secret: str, seconds: int) -> TokenAnswer:
    """A token for a client that knows its secret, or the next one: then that is its secret from now on, and the old
    one and all its tokens end. Raises Refused."""
    now = clock.now()
    token = new_secret()

    def work(tx: Connection) -> TokenAnswer:
        client = tx.execute(
            select(t.client).where(t.client.c.id == client_id).with_for_update(key_share=True)
        ).one_or_none()
        given = secret_hash(client_secret)
        held = client.secret_hash if client is not None else _NOBODY
        coming = client.next_secret_hash if client is not None else None
        changes = not hmac.compare_digest(held, given)
        if client is None or (changes and not hmac.compare_digest(coming or _NOBODY, given)):
            raise Refused("invalid_client")
        if client.revoked_at is not None:
            raise Refused("station_revoked")
        if changes:
            promote(tx, client_id, given)
        if client.secret_used_at is None:
            tx.execute(t.client.update().where(t.client.c.id == client_id).values(secret_used_at=stamp(now)))
        tx.execute(t.token.delete().where(t.token.c.client_id == client_id, t.token.c.expires_at <= stamp(now)))
        tx.execute(
            t.token.insert().values(
                hash=secret_hash(token),
                client_id=client_id,
                expires_at=stamp(now + timedelta(seconds=seconds)),
            )
        )
        asked = client.rotation_asked_at is not None and not changes
        return TokenAnswer(token, "Bearer", seconds, ASK_WITHDRAW if client.lost_at else ASK_ROTATE if asked else "")

    return db.write(work)


def log_in(db: CentralDatabase, client_id: str, client_secret: str, kinds: Collection[str]) -> None:
    """Check id and secret of a person, a client of one of these kinds. Raises Refused `login_needed`."""
    with db.read() as tx:
        client = tx.execute(select(t.client).where(t.client.c.id == client_id)).one_or_none()
    held = client.secret_hash if client is not None else _NOBODY
    right = hmac.compare_digest(bytes(held), secret_hash(client_secret))
    if not right or client is None or client.kind not in kinds or client.revoked_at is not None:
        raise Refused("login_needed")


def authenticate(db: CentralDatabase, clock: Clock, authorization: str | None) -> Principal:
    """Who sent this `Authorization` header. Raises Refused."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("token_missing")
    with db.read() as tx:
        client = tx.execute(
            select(*_WHO)
            .join(t.token, t.token.c.client_id == t.client.c.id)
            .outerjoin(t.station, t.station.c.id == t.client.c.id)
            .where(t.token.c.hash == secret_hash(token.strip()), t.token.c.expires_at > stamp(clock.now()))
        ).one_or_none()
        if client is None:
            raise Refused("token_invalid")
        return _principal(tx, client)


def station_principal(db: CentralDatabase, station_id: str) -> Principal:
    """A station that has proven itself by its signature (app.central.drop). Raises Refused."""
    with db.read() as tx:
        client = tx.execute(
            select(*_WHO).join(t.station, t.station.c.id == t.client.c.id).where(t.client.c.id == station_id)
        ).one()
        return _principal(tx, client)


def _principal(tx: Connection, client: Any) -> Principal:
    if client.revoked_at is not None:
        raise Refused("station_revoked")
    sites = tx.execute(
        select(t.station_site.c.site_id, t.site.c.deleted)
        .join(t.site, t.site.c.id == t.station_site.c.site_id)
        .where(t.station_site.c.station_id == client.id, ~t.station_site.c.withdrawn)
    ).all()
    return Principal(
        client.id,
        client.kind,
        client.role or "",
        frozenset(site.site_id for site in sites),
        frozenset(site.site_id for site in sites if site.deleted),
        client.lost_at is not None,
    )
