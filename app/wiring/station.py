"""A station's data folder: made by `provision`, opened by everything else."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import codec, datafile, recovery, sealing
from app.clock import Clock, SystemClock
from app.domain.site import Site
from app.errors import CentreRefused, EnvironmentTrouble, GenbaError, InputRefused
from app.secrets import (
    CLIENT_SECRET,
    DATABASE_KEY,
    KeyFileVault,
    SecretVault,
    installation_id,
    new_database_key,
)
from app.settings import DataDir, Identity, Settings, from_provisioning
from app.store.database import Database
from app.store.events import EventLog
from app.store.meta import Meta
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from app.sync.engine import SyncEngine
from app.sync.enrol import enrol
from app.sync.http import CentreClient
from app.sync.schedule import Pace
from app.sync.status import SyncStatus
from app.sync.wire import ReaderReport
from app.version import VERSION

USER_AGENT = f"genba-touch/{VERSION}"
READERS = "readers"
"""Name under which a gate keeps its readers' last states for `status`."""
AnyVault = SecretVault | KeyFileVault


@dataclass(slots=True)
class Station:
    """An open data folder. `close` (or leaving `with`) lets go of it."""

    data: DataDir
    settings: Settings
    identity: Identity
    clock: Clock
    vault: AnyVault
    db: Database
    events: EventLog
    outbox: Outbox
    rosters: RosterStore

    def __enter__(self) -> Station:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and let go of the folder."""
        self.db.close()

    def site_ids(self) -> tuple[str, ...]:
        """Sites this station may record for, as last heard from the centre."""
        return tuple(site.id for site in self.rosters.sites()) or self.identity.site_ids

    def site(self, site_id: str | None = None) -> Site:
        """The site to record for: the one asked for, the settings', or the only one. Raises InputRefused."""
        known = {site.id: site for site in self.rosters.sites()}
        if not known:
            raise EnvironmentTrouble("settings.no_site_yet")
        wanted = site_id or self.settings.site_id
        names = ", ".join(sorted(known))
        if wanted is None:
            if len(known) > 1:
                raise InputRefused("settings.several_sites", sites=names)
            return next(iter(known.values()))
        if wanted not in known:
            raise InputRefused("settings.other_site", wanted, sites=names)
        return known[wanted]

    def engine(
        self,
        *,
        readers: Callable[[], list[ReaderReport]] = list,
        listener: Callable[[SyncStatus], None] = lambda status: None,
        pace: Pace | None = None,
    ) -> SyncEngine:
        """A sync engine with an HTTP client of its own."""
        secret = self.vault.require(CLIENT_SECRET).decode()
        return SyncEngine(
            centre_client(self.settings, self.clock, self.identity.station_id, secret),
            self.outbox,
            self.rosters,
            self.clock,
            self.site_ids,
            VERSION,
            readers=readers,
            pace=pace,
            listener=listener,
        )

    def status(self) -> dict[str, Any]:
        """What `status --json` prints (docs/cli.md)."""
        counts, outbox, state = self.events.counts(), self.outbox.counts(), self.outbox.sync_state()
        seq, head = self.events.chain_head()
        site: str | None = None
        with suppress(GenbaError):
            site = self.site().id
        return {
            "station_id": self.identity.station_id,
            "site_id": site,
            "pending": counts.pending,
            "rejected": counts.rejected + counts.conflict,
            "accepted": counts.accepted,
            "suppressed": counts.suppressed,
            "oldest_pending_at": _iso(outbox.oldest_pending_at),
            "last_sync_at": _iso(state.last_sync_at),
            "last_error": state.last_error,
            "readers": codec.decode(Meta(self.db).get(READERS) or "[]", list),
            "chain_head": {"seq": seq, "hash": head.hex()},
            "schema_version": self.db.schema_version,
            "sqlite_version": self.db.sqlite_version,
        }


def open_station(data: DataDir, *, clock: Clock | None = None, look: bool = False) -> Station:
    """Open a provisioned data folder. `look`: read only, beside a running gate. Raises GenbaErrors."""
    settings, identity = data.settings(), data.identity()
    if identity is None:
        raise InputRefused("settings.not_enrolled", str(data.root))
    vault = vault_of(data, settings)
    time = clock or SystemClock()
    opener = Database.look if look else Database.open
    db = opener(data.database, vault.require(DATABASE_KEY), time)
    return Station(data, settings, identity, time, vault, db, EventLog(db), Outbox(db), RosterStore(db))


def vault_of(data: DataDir, settings: Settings) -> AnyVault:
    """Where this station's secrets are: the OS keyring, or the key file that the settings name."""
    if settings.key_file:
        return KeyFileVault(data.root / settings.key_file)
    return SecretVault(installation_id(data.root))


def centre_client(settings: Settings, clock: Clock, station_id: str = "", secret: str = "") -> CentreClient:
    """A client of the settings' centre; without station and secret good for enrolment alone."""
    return CentreClient(
        settings.centre_url,
        station_id,
        lambda: secret,
        clock,
        USER_AGENT,
        proxy=settings.proxy,
        ca_file=settings.ca_file,
    )


def provision(data: DataDir, file: Path, code: str | None = None, *, clock: Clock | None = None) -> dict[str, Any]:
    """Set a data folder up from a provisioning file: keys, enrolment, first roster.

    Can be run again after a break (a lost answer burns no use of the code). Raises InputRefused, EnvironmentTrouble
    (offline, no keyring), CentreRefused; what was done stays and is taken up again.
    """
    values = datafile.load(file, "provisioning")
    settings = from_provisioning(values)
    time = clock or SystemClock()
    if data.identity() is not None:
        return _finish(data, time, again=True)
    recovery_key = settings.recovery_public_key
    with _named(f"{file}: $.recovery_public_key"):
        public = sealing.public_key(recovery_key.encode()) if recovery_key else None
    code = code or values.get("enrolment_code")
    if not code:
        raise InputRefused("settings.no_code", str(file))
    data.create()
    vault = vault_of(data, settings)
    if vault.get(DATABASE_KEY) is None:
        if data.database.exists():
            raise EnvironmentTrouble("keyring.lost", str(data.database))
        vault.set(DATABASE_KEY, new_database_key())
    client = centre_client(settings, time)
    try:
        answer = enrol(client, code, installation_id(data.root), settings.station_name, VERSION)
    finally:
        client.close()
    vault.set(CLIENT_SECRET, answer.client_secret.encode())
    if public is not None:
        secrets = recovery.Secrets(vault.require(DATABASE_KEY), answer.station_id, answer.client_secret)
        recovery.write_sealed(data.root, public, secrets)
    data.save_settings(settings)
    data.save_identity(Identity(answer.station_id, tuple(answer.site_ids)))
    return _finish(data, time)


def _finish(data: DataDir, clock: Clock, *, again: bool = False) -> dict[str, Any]:
    """Fetch the first roster. `again`: the station was enrolled before; with a roster there is nothing left to do."""
    with open_station(data, clock=clock) as station:
        if again and station.rosters.sites():
            raise InputRefused("settings.already_enrolled", str(data.root))
        _, error = sync_once(station)
        if error is not None:
            raise error
        site = station.site()
        return {
            "station_id": station.identity.station_id,
            "station_name": station.settings.station_name,
            "site_id": site.id,
            "site_name": site.name,
            "workers": len(station.rosters.load(site.id).workers),
        }


def recover(old: Path, private_key: Path, new: DataDir) -> dict[str, Any]:
    """Open a data folder whose keyring is lost: copy it to `new`, with its secrets in this PC's keyring.

    Unsent touches come along and are sent from here. Raises InputRefused, StorageTrouble, EnvironmentTrouble.
    """
    try:
        pem = private_key.read_bytes()
    except OSError as exc:
        raise InputRefused("file.missing", str(private_key), why=exc.strerror or "") from exc
    source = DataDir.at(old)
    settings, identity = source.settings(), source.identity()
    new.create()
    with _named(str(private_key)):
        key = sealing.private_key(pem)
    with _named(str(source.sealed)):
        found = recovery.recover(source.root, key, vault_of(new, settings), new.root, SystemClock())
    with found.database as db:
        waiting = Outbox(db).counts().pending
    new.save_settings(settings)
    new.save_identity(identity or Identity(found.station_id))
    return {"last_seq": found.last_seq, "pending": waiting, "folder": str(new.root)}


def make_recovery_key(folder: Path) -> tuple[Path, Path]:
    """A new recovery key pair as two PEM files. Raises InputRefused when they are there already."""
    return sealing.make_key_pair(folder)


def ask_centre(station: Station) -> int | None:
    """One call to the centre; the PC's clock minus the centre's in milliseconds. Raises the troubles of sync."""
    secret = station.vault.require(CLIENT_SECRET).decode()
    client = centre_client(station.settings, station.clock, station.identity.station_id, secret)
    try:
        client.sites(None)
    finally:
        client.close()
    return station.clock.skew_ms()


def sync_once(station: Station) -> tuple[dict[str, Any], GenbaError | None]:
    """One round of everything: what `sync --once --json` prints, and what went wrong."""
    engine = station.engine()
    try:
        summary = engine.run_once()
    finally:
        engine.stop()
    result = {
        "accepted": summary.accepted,
        "rejected": summary.rejected + summary.conflict,
        "pulled": summary.pulled,
        "pending": summary.pending,
        "chain_state": summary.chain_state,
        "last_error": summary.error.code if summary.error else None,
        "refused": isinstance(summary.error, CentreRefused),
    }
    return result, summary.error


def sync_until_interrupted(station: Station, listener: Callable[[SyncStatus], None]) -> None:
    """Run the engine on its thread until SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    engine = station.engine(listener=listener)
    engine.start()
    try:
        stop.wait()
    finally:
        engine.stop()


@contextmanager
def _named(where: str) -> Iterator[None]:
    """Say where a value came from that was refused by somebody who cannot know."""
    try:
        yield
    except InputRefused as error:
        if error.where:
            raise
        raise InputRefused(error.code, where, **error.values) from error


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None
