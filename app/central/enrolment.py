"""Who may speak to the centre: enrolment codes, stations, administrators."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, select

from app import codec
from app.central import schema as t
from app.central.audit import Act, write_down
from app.central.credentials import code_hash, new_code, new_secret, secret_hash
from app.central.database import CentralDatabase
from app.central.refusals import Refused
from app.central.restored import branch, release
from app.central.schema import stamp
from app.central.sites import next_site_change
from app.clock import Clock
from app.domain.events import GENESIS
from app.domain.ids import InvalidId, site_id
from app.errors import InputRefused
from app.sync.wire import EnrolAnswer, EnrolmentCodeAnswer, EnrolRequest

ROLES = ("gate", "office")
MAX_USES = 1000
MAX_VALID_DAYS = 3660
MAX_NAME = 200
_KNOWN = ("secret_used_at", "revoked_at", "lost_at")


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """Id and secret of somebody who is no station, shown once."""

    client_id: str
    client_secret: str


def create_client(db: CentralDatabase, clock: Clock, name: str, kind: str, act: Act) -> ClientCredentials:
    """An 'administrator' (may issue enrolment codes over the network) or a 'viewer' (may see the status page alone).

    The secret cannot be shown again.
    """
    made = ClientCredentials(f"{kind}-{uuid.uuid4()}", new_secret())
    moment = clock.now()
    now = stamp(moment)

    def work(tx: Connection) -> None:
        tx.execute(
            t.client.insert().values(
                id=made.client_id,
                kind=kind,
                name=name,
                secret_hash=secret_hash(made.client_secret),
                created_at=now,
            )
        )
        write_down(tx, moment, act, f"create-{kind}", made.client_id, {"name": name})

    db.write(work)
    return made


def issue_code(
    db: CentralDatabase,
    clock: Clock,
    site_ids: Sequence[str],
    uses: int = 1,
    *,
    valid_days: int = 180,
    role: str = "gate",
    issued_by: str = "command line",
) -> EnrolmentCodeAnswer:
    """A code with which `uses` stations can enrol for these sites.

    Raises InputRefused: `central.code_request` (number or role out of range), `central.site_unknown`.
    """
    wanted = _site_ids(site_ids)
    if not wanted or not 1 <= uses <= MAX_USES or not 1 <= valid_days <= MAX_VALID_DAYS or role not in ROLES:
        raise InputRefused("central.code_request", uses=MAX_USES, days=MAX_VALID_DAYS, roles=", ".join(ROLES))
    code = new_code()
    now = clock.now()
    expires_at = stamp(now + timedelta(days=valid_days))

    def work(tx: Connection) -> None:
        known = set(tx.execute(select(t.site.c.id).where(t.site.c.id.in_(wanted), ~t.site.c.deleted)).scalars())
        missing = [site for site in wanted if site not in known]
        if missing:
            raise InputRefused("central.site_unknown", where=", ".join(missing))
        tx.execute(
            t.enrolment_code.insert().values(
                hash=code_hash(code),
                role=role,
                site_ids=codec.encode(wanted).decode(),
                uses=uses,
                used=0,
                expires_at=expires_at,
                created_at=stamp(now),
                created_by=issued_by,
            )
        )

    db.write(work)
    return EnrolmentCodeAnswer(code, uses, expires_at)


def _site_ids(given: Sequence[str]) -> list[str]:
    try:
        return list(dict.fromkeys(site_id(site) for site in given))
    except InvalidId as exc:
        raise InputRefused("central.site_unknown", where=str(exc)) from exc


def sound(request: EnrolRequest) -> None:
    """Refuse names that nobody could read out. Raises Refused."""
    for name in ("installation_id", "station_name", "app_version"):
        value = getattr(request, name)
        if not 1 <= len(value) <= MAX_NAME or not value.isprintable():
            what = f"expected 1 to {MAX_NAME} printable characters"
            raise Refused("wrong_shape", errors=[{"where": f"$.{name}", "what": what}])


def enrol(db: CentralDatabase, clock: Clock, request: EnrolRequest) -> EnrolAnswer:
    """Make the installation a station, or answer again when its answer was lost.

    The same installation with the same code, as long as the secret was never used: a new secret, no use of the
    code burned. Otherwise a use is burned; an installation that was enrolled before stays the same station (its
    chain goes on), its old secret and tokens end, and the code's sites and role are added. With `restored` it becomes a
    new station that goes on from the old one's chain (app.central.restored). Raises Refused.
    """
    hashed = code_hash(request.enrolment_code)
    if hashed is None:
        raise Refused("code_unknown", "A code has 12 letters and digits, without 0, O, 1 and I")
    moment = clock.now()
    now = stamp(moment)
    secret = new_secret()

    def work(tx: Connection) -> EnrolAnswer:
        code = tx.execute(
            select(t.enrolment_code).where(t.enrolment_code.c.hash == hashed).with_for_update()
        ).one_or_none()
        if code is None:
            raise Refused("code_unknown")
        known = tx.execute(
            select(t.station.c.id, t.station.c.enrolled_with, *(t.client.c[name] for name in _KNOWN))
            .join(t.client, t.client.c.id == t.station.c.id)
            .where(t.station.c.installation_id == request.installation_id)
            .with_for_update()
        ).one_or_none()
        if known is not None and known.revoked_at is not None:
            raise Refused("station_revoked")
        if known is not None and known.lost_at is not None:
            raise Refused("station_lost")
        repeated = known is not None and known.enrolled_with == hashed and known.secret_used_at is None
        if not repeated:
            _burn(tx, hashed, code.used, code.uses, code.expires_at, now)
        restored = known is not None and request.restored is not None and not repeated
        station_id = known.id if known is not None and not restored else str(uuid.uuid4())
        if known is not None and restored:
            release(tx, known.id, request)
        if known is None or restored:
            _new_station(tx, station_id, request, hashed, code.role, secret, now)
        else:
            _renew_station(tx, station_id, request, hashed, code.role, secret)
        if known is not None and restored:
            grant(tx, station_id, branch(tx, station_id, known.id, request, moment))
        grant(tx, station_id, codec.decode(code.site_ids, list[str]))
        sites = tx.execute(
            select(t.station_site.c.site_id)
            .where(t.station_site.c.station_id == station_id, ~t.station_site.c.withdrawn)
            .order_by(t.station_site.c.site_id)
        ).scalars()
        return EnrolAnswer(station_id, secret, tuple(sites), code.role)

    return db.write(work)


def _burn(tx: Connection, hashed: bytes, used: int, uses: int, expires_at: str, now: str) -> None:
    if expires_at <= now:
        raise Refused("code_expired", f"It was valid until {expires_at}")
    if used >= uses:
        raise Refused("code_used_up", f"It was good for {uses}")
    tx.execute(t.enrolment_code.update().where(t.enrolment_code.c.hash == hashed).values(used=used + 1))


def _new_station(
    tx: Connection, station_id: str, request: EnrolRequest, code: bytes, role: str, secret: str, now: str
) -> None:
    tx.execute(
        t.client.insert().values(
            id=station_id,
            kind="station",
            name=request.station_name,
            secret_hash=secret_hash(secret),
            created_at=now,
        )
    )
    tx.execute(
        t.station.insert().values(
            id=station_id,
            installation_id=request.installation_id,
            role=role,
            app_version=request.app_version,
            enrolled_with=code,
            enrolled_at=now,
            chain_seq=0,
            chain_hash=GENESIS,
            chain_broken=False,
            top_seq=0,
        )
    )


def _renew_station(tx: Connection, station_id: str, request: EnrolRequest, code: bytes, role: str, secret: str) -> None:
    tx.execute(
        t.client.update()
        .where(t.client.c.id == station_id)
        .values(
            name=request.station_name,
            secret_hash=secret_hash(secret),
            secret_used_at=None,
            next_secret_hash=None,
            rotation_asked_at=None,
        )
    )
    tx.execute(
        t.station.update()
        .where(t.station.c.id == station_id)
        .values(role=role, app_version=request.app_version, enrolled_with=code)
    )
    tx.execute(t.token.delete().where(t.token.c.client_id == station_id))


def grant(tx: Connection, station_id: str, site_ids: Sequence[str]) -> None:
    """Give sites to a station; those it has stay as they are."""
    rows = tx.execute(
        select(t.station_site.c.site_id, t.station_site.c.withdrawn).where(t.station_site.c.station_id == station_id)
    )
    held = {row.site_id: row.withdrawn for row in rows}
    for site in site_ids:
        if held.get(site) is False:
            continue
        change = next_site_change(tx)
        if site in held:
            tx.execute(
                t.station_site.update()
                .where(t.station_site.c.station_id == station_id, t.station_site.c.site_id == site)
                .values(withdrawn=False, withdrawn_at=None, change=change)
            )
        else:
            tx.execute(
                t.station_site.insert().values(station_id=station_id, site_id=site, withdrawn=False, change=change)
            )
