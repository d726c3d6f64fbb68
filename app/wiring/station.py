"""A station's data folder: made by `provision`, opened by everything else."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app import codec
from app.clock import Clock, SystemClock
from app.domain.site import Site
from app.errors import CentreRefused, EnvironmentTrouble, GenbaError, InputRefused, StorageTrouble
from app.secrets import (
    CLIENT_SECRET,
    DATABASE_KEY,
    DROP_KEYS,
    KeyFileVault,
    SecretVault,
    installation_id,
)
from app.settings import DataDir, Identity, Settings
from app.store.database import Database
from app.store.events import EventLog
from app.store.meta import Meta
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from app.sync.engine import SyncEngine
from app.sync.http import CentreClient
from app.sync.schedule import Pace
from app.sync.status import SyncStatus
from app.sync.wire import ReaderReport
from app.version import VERSION
from app.wiring import duties, pc
from app.wiring.stopping import Stop

if TYPE_CHECKING:
    from app.drop_seal import Keys
    from app.sync.file_drop import FileDrop

USER_AGENT = f"genba-touch/{VERSION}"
READERS = "readers"
"""Name under which a gate keeps its readers' last states for `status`."""
CHAIN_BROKEN = "chain_broken"
"""Name under which it is kept that the centre found a second history under this station's name: '1' or '0'."""
CARRIED_CAP_S = 30.0
"""A stick that was put in is found within so many seconds."""
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
    secret: str = field(default="", repr=False)
    """The client secret in use, once a client was asked for; a change of the secret changes it."""

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
        """A sync engine with a client of its own."""
        client, asked = self.client(), None
        if isinstance(client, CentreClient):
            asked = duties.Duties(self, client)
        elif pace is None:
            pace = Pace(backoff_cap=CARRIED_CAP_S)
        return SyncEngine(
            client,
            self.outbox,
            self.rosters,
            self.clock,
            self.site_ids,
            VERSION,
            readers=readers,
            pace=pace,
            listener=listener,
            duties=asked,
            pc=lambda: pc.report(self.data, self.events),
        )

    def client(self) -> CentreClient | FileDrop:
        """This station's way to the centre."""
        self.secret = self.vault.require(CLIENT_SECRET).decode()
        me, memory = self.identity.station_id, Meta(self.db)
        return centre_client(self.settings, self.clock, self.vault, me, lambda: self.secret, memory)

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
            "chain_broken": Meta(self.db).get(CHAIN_BROKEN) == "1",
            "closed": next(iter(duties.standing(self.db)), None),
            "readers": codec.decode(Meta(self.db).get(READERS) or "[]", list),
            "chain_head": {"seq": seq, "hash": head.hex()},
            "schema_version": self.db.schema_version,
            "sqlite_version": self.db.sqlite_version,
        }


def open_station(
    data: DataDir, *, clock: Clock | None = None, look: bool = False, new: bool = False, rejoining: bool = False
) -> Station:
    """Open a provisioned data folder. `look`: read only, beside a running gate. `new`: the database may be made.
    `rejoining`: a copy that was put in place is opened before it is a station again.

    Raises GenbaErrors.
    """
    if not (look or rejoining) and data.holds(data.rejoin_first):
        raise InputRefused("settings.rejoin_first", str(data.root))  # it would begin a second chain under its old name
    settings, identity = data.settings(), data.identity()
    if identity is None:
        raise InputRefused("settings.not_enrolled", str(data.root))
    vault = vault_of(data, settings)
    time = clock or SystemClock()
    if not (new or data.database.exists()):
        raise StorageTrouble("store.lost", str(data.database))  # never a second chain under this station's name
    opener = Database.look if look else Database.open
    db = opener(data.database, vault.require(DATABASE_KEY), time)
    station = Station(data, settings, identity, time, vault, db, EventLog(db), Outbox(db), RosterStore(db))
    if not (look or rejoining):
        try:
            duties.refuse_closed(station)
        except BaseException:
            db.close()
            raise
    return station


def vault_of(data: DataDir, settings: Settings) -> AnyVault:
    """Where this station's secrets are: the OS keyring, or the key file that the settings name."""
    if settings.key_file:
        return KeyFileVault(data.root / settings.key_file)
    return SecretVault(installation_id(data.root))


def centre_client(
    settings: Settings,
    clock: Clock,
    vault: AnyVault,
    station_id: str = "",
    secret: Callable[[], str] = str,
    memory: Meta | None = None,
) -> CentreClient | FileDrop:
    """A client of the settings' centre; without station and secret good for enrolment alone. Raises InputRefused."""
    if settings.centre_url.startswith("file:"):
        from app.sync.file_drop import FileDrop  # brings cryptography, 6 MB that other stations need not

        key = settings.centre_key or ""
        return FileDrop(settings.centre_url, key, station_id, lambda: drop_keys(vault), clock, VERSION, memory)
    return CentreClient(
        settings.centre_url,
        station_id,
        secret,
        clock,
        USER_AGENT,
        proxy=settings.proxy,
        ca_file=settings.ca_file,
    )


def drop_keys(vault: AnyVault) -> Keys:
    """This station's keys for carried letters, made the first time. Raises EnvironmentTrouble."""
    from app.drop_seal import Keys

    raw = vault.get(DROP_KEYS)
    if raw is None:
        raw = Keys.new().raw
        vault.set(DROP_KEYS, raw)
    try:
        return Keys.of(raw)
    except ValueError as exc:
        raise EnvironmentTrouble("keyring.damaged", DROP_KEYS) from exc


def ask_centre(station: Station) -> int | None:
    """One call to the centre; the PC's clock minus the centre's in milliseconds, None where letters are carried.

    Raises the troubles of sync.
    """
    client = station.client()
    try:
        if not isinstance(client, CentreClient):
            client.reach()
            return None
        client.sites(None)
    finally:
        client.close()
    return station.clock.skew_ms()


def sync_once(station: Station) -> tuple[dict[str, Any], GenbaError | None]:
    """One round of everything: what `sync --once --json` prints, and what went wrong."""
    station.db.spare_memory()
    engine = station.engine()
    try:
        summary = engine.run_once()
    finally:
        engine.stop()
    if summary.chain_state is not None:
        keep_chain(station, summary.chain_state == "broken")
    error = summary.error
    if error is None and summary.chain_state == "broken":
        error = CentreRefused("sync.chain_broken", station.identity.station_id)
    result = {
        "accepted": summary.accepted,
        "rejected": summary.rejected + summary.conflict,
        "pulled": summary.pulled,
        "pending": summary.pending,
        "handed": summary.handed,
        "chain_state": summary.chain_state,
        "last_error": error.code if error else None,
        "refused": isinstance(error, CentreRefused),
    }
    return result, error


def keep_chain(station: Station, broken: bool) -> None:
    """Remember what the centre said of the chain, so that it is not forgotten with this program. StorageTrouble."""
    kept = Meta(station.db)
    value = "1" if broken else "0"
    if (kept.get(CHAIN_BROKEN) or "0") != value:
        kept.set(CHAIN_BROKEN, value)


def not_accepted(station: Station, *, resend: bool, ids: Collection[str] = ()) -> list[dict[str, Any]]:
    """What the centre did not accept, oldest first, at most 1,000; `resend`: it waits to be sent again.

    `ids`: these alone. Raises InputRefused for an id that is not among them; then nothing is sent again.
    """
    rows = station.outbox.needing_look(1000)
    if strange := set(ids) - {settled.id for _, settled in rows}:
        raise InputRefused("rejected.unknown_id", ", ".join(sorted(strange)))
    rows = [(seq, one) for seq, one in rows if not ids or one.id in ids]
    if resend:
        station.outbox.resend([settled.id for _, settled in rows])
    return [{"seq": seq, "id": one.id, "state": one.state, "code": one.code, "detail": one.detail} for seq, one in rows]


def sync_until_interrupted(station: Station, listener: Callable[[SyncStatus], None]) -> None:
    """Run the engine on its thread until SIGINT or SIGTERM."""
    stop = Stop().on_signals()
    engine = station.engine(listener=listener)
    engine.start()
    try:
        stop.wait()
    finally:
        engine.stop()


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None
