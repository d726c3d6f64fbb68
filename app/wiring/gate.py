"""A running gate: readers, gate and sync around one open station."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import uuid_utils

from app import codec, crash, logs
from app.clock import SystemClock
from app.domain.roster import Roster
from app.domain.site import Site
from app.gate.housekeeping import Housekeeping
from app.gate.news import Announcement, News
from app.gate.policy import SecurePolicy
from app.gate.record import Recorder
from app.gate.service import GateService
from app.pins import PinGuard
from app.readers import specs
from app.readers.port import ReaderCondition, ReaderEvent, ReaderState
from app.readers.supervisor import Supervisor
from app.secrets import check_pin
from app.settings import DataDir
from app.store import rescue
from app.store.audit import AuditTrail
from app.store.backup import Backups, disk_space
from app.store.meta import Meta
from app.store.office import GATE_OPENED, OfficeBook
from app.store.roster import RosterStore
from app.sync.engine import SyncEngine
from app.sync.schedule import Pace
from app.sync.status import SyncStatus
from app.sync.wire import ChainState, ReaderReport
from app.update.watch import UpdateWatch
from app.wiring import duties
from app.wiring.card_profiles import enabled
from app.wiring.readers import build, trust_of
from app.wiring.serious import Serious, opening
from app.wiring.station import CHAIN_BROKEN, READERS, Station, keep_chain, open_station
from app.wiring.updates import watch_of

DEFAULT_ROADS = ("pcsc", "pasori:usb")
"""Every road that may be there, when neither command line nor settings name one."""

DEMO_PACE = Pace(backoff_base=0.3, backoff_cap=2.0, first_delay=0.0)
"""For a demonstration on loopback: nobody is spared there, and nobody wants to wait."""


def new_event_id() -> str:
    """A UUIDv7 in its usual text form."""
    return str(uuid_utils.uuid7())


@dataclass(slots=True)
class StoredRoster:
    """`app.gate.service.RosterSource` over the store."""

    store: RosterStore
    first: Site

    def site(self) -> Site:
        """The site as last pulled."""
        return next((site for site in self.store.sites() if site.id == self.first.id), self.first)

    def roster(self) -> Roster:
        """The effective roster."""
        return self.store.load(self.first.id)

    def roster_at(self) -> datetime | None:
        """When the centre last confirmed it."""
        return self.store.roster_at(self.first.id)

    def own_changes(self) -> int:
        """Seq of the newest event here that the roster hangs on."""
        return self.store.own_changes(self.first.id)


@dataclass(slots=True)
class GateRun:
    """Everything between the readers and the centre. `start` once, `stop` once."""

    station: Station
    site: Site
    gate: GateService
    supervisor: Supervisor
    engine: SyncEngine
    housekeeping: Housekeeping
    asked_roads: bool
    """Whether somebody named the readers; if not, a road without a reader is not held against the gate."""
    wedge: bool
    """Whether a keyboard-wedge reader was named: the window listens for it."""
    _reader_listeners: list[Callable[[ReaderEvent], None]] = field(default_factory=list)
    _sync_listeners: list[Callable[[SyncStatus], None]] = field(default_factory=list)
    chain_broken: bool = False
    """The centre has found a second history under this station's name: said loudly, after a restart too."""
    updates: UpdateWatch | None = None
    _last_sync: SyncStatus | None = None
    _kept_readers: list[dict[str, str]] = field(default_factory=list)
    _logged_readers: dict[str, bool] = field(default_factory=dict)

    def listen_readers(self, listener: Callable[[ReaderEvent], None]) -> None:
        """Call `listener` with each reader event, on the reader's thread. Before `start`."""
        self._reader_listeners.append(listener)

    def listen_sync(self, listener: Callable[[SyncStatus], None]) -> None:
        """Call `listener` with each new sync status, on the sync thread. Before `start`."""
        self._sync_listeners.append(listener)

    def start(self) -> None:
        """Gate first, then sync, then readers: a card never meets a gate that is not there."""
        self.gate.start()
        self.engine.start()
        self.supervisor.start()
        self.housekeeping.start()
        if self.updates is not None:
            self.updates.start()

    def stop(self) -> None:
        """Readers, gate, sync, database: in that order, so that what was read is stored and nothing is cut."""
        self.supervisor.stop()
        self.gate.stop()
        self.engine.stop()
        self.housekeeping.stop()
        self.station.close()
        if self.updates is not None:
            self.updates.stop()

    def on_reader(self, event: ReaderEvent) -> None:
        """From the supervisor; a reader's thread."""
        self.gate.on_reader_event(event)
        if isinstance(event, ReaderState):
            self.gate.post(self._keep_readers)
        for listener in self._reader_listeners:
            listener(event)

    def _keep_readers(self) -> None:
        """For `status` beside this gate. A card on the reader is no news: nothing is written for each touch."""
        present, ready = ReaderCondition.CARD_PRESENT, ReaderCondition.READY
        rows = [
            {
                "reader": s.reader,
                "label": s.label,
                "condition": (ready if s.condition is present else s.condition).value,
            }
            for s in self.supervisor.states().values()
        ]
        if rows and rows != self._kept_readers:
            self._kept_readers = rows
            Meta(self.station.db).set(READERS, codec.encode(rows).decode())
        self._log_readers()

    def _log_readers(self) -> None:
        """When which reader worked: the office looks for days that were missed because none did."""
        now = {
            s.reader: s.condition.usable
            for s in self.supervisor.states().values()
            if s.condition not in (ReaderCondition.STARTING, ReaderCondition.STOPPED)
        }
        news = {reader: usable for reader, usable in now.items() if self._logged_readers.get(reader) is not usable}
        if not self._logged_readers:
            news = {GATE_OPENED: False, **news}
        if news:
            self._logged_readers |= news
            OfficeBook(self.station.db).log_readers(news, self.station.clock.now())

    def on_sync(self, status: SyncStatus) -> None:
        """From the engine; its thread."""
        last, self._last_sync = self._last_sync, status
        # a binding of ours that the centre rejects counts no more
        if last is None or _roster(last) != _roster(status):
            self.gate.roster_changed()
        if status.chain_state is not None and (last is None or last.chain_state != status.chain_state):
            self.chain_broken = status.chain_state == ChainState.BROKEN
            self.gate.post(self._keep_chain)
        if last is None or (last.accepted, last.rejected) != (status.accepted, status.rejected):
            self.gate.delivery_changed()
        for listener in self._sync_listeners:
            listener(status)

    def _keep_chain(self) -> None:
        keep_chain(self.station, self.chain_broken)

    def on_news(self, news: News) -> None:
        """From the gate; its thread. The count of what waits must not lag behind while sync waits for an answer."""
        if isinstance(news, Announcement) and news.id is not None:
            self.count_again()
            if self.updates is not None:
                self.updates.touched()

    def count_again(self) -> None:
        """Something was stored: say at once how much waits. Any thread."""
        status = self._last_sync
        if status is not None:
            counted = replace(status, pending=self.station.outbox.counts().pending)
            if counted != status:
                for listener in self._sync_listeners:
                    listener(counted)

    def reader_reports(self) -> list[ReaderReport]:
        """Readers for the heartbeat."""
        return [
            ReaderReport(state.reader, state.label, state.condition.value)
            for state in self.supervisor.states().values()
        ]


def _roster(status: SyncStatus) -> tuple[object, ...]:
    """What the effective roster hangs on."""
    return status.roster_at, status.changes, status.rejected


def open_gate(
    data: DataDir,
    *,
    site_id: str | None = None,
    reader_specs: Sequence[specs.ReaderSpec] = (),
    pace: Pace | None = None,
) -> GateRun:
    """Open the data folder and build the gate for a site. Raises GenbaErrors; then nothing is left open."""
    with opening():
        station = open_station(data)
    try:
        logs.to_file(data.logs, "gate")
        crash.watch_native()
        crash.take_up()
        return build_gate(station, site_id, reader_specs, pace)
    except BaseException:
        station.close()
        raise


def build_gate(station: Station, site_id: str | None, wanted: Sequence[specs.ReaderSpec], pace: Pace | None) -> GateRun:
    """The gate of an open station."""
    site = station.site(site_id)
    named = list(wanted) or [specs.parse_spec(text) for text in station.settings.readers]
    roads = named or [specs.parse_spec(text) for text in DEFAULT_ROADS]
    clock = station.clock
    later: list[GateRun] = []
    engine = station.engine(
        readers=lambda: later[0].reader_reports(), listener=lambda status: later[0].on_sync(status), pace=pace
    )
    housekeeping = Housekeeping(Backups(station.db))
    trust = trust_of(station.data, station.settings, clock)
    rescued = rescue.standing(station.data.database)
    gate = GateService(
        source=StoredRoster(station.rosters, site),
        event_log=station.events,
        recorder=Recorder(station.events, clock, new_event_id),
        pins=PinGuard(AuditTrail(station.db), clock, check_pin),
        clock=clock,
        disk=lambda: disk_space(station.data.root),
        key_file=station.settings.key_file is not None,
        on_stored=lambda: engine.wake("touch"),
        policy=SecurePolicy(Meta(station.db)),
        standing_trouble=lambda: (
            *duties.standing(station.db),
            *housekeeping.trouble(),
            *trust.trouble(),
            *(("sync.chain_broken",) if later[0].chain_broken else ()),
            *(("store.log_lost",) if rescued is not None and rescued.lost else ()),
        ),
    )
    wedge = specs.WedgeSpec() in roads
    profiles = enabled(station.settings, station.data)
    readers = [build(spec, clock, trust, profiles) for spec in roads if not isinstance(spec, specs.WedgeSpec)]
    supervisor = Supervisor(readers, lambda event: later[0].on_reader(event), clock)
    run = GateRun(station, site, gate, supervisor, engine, housekeeping, asked_roads=bool(named), wedge=wedge)
    run.chain_broken = Meta(station.db).get(CHAIN_BROKEN) == "1"
    run.updates = watch_of(station)
    later.append(run)
    gate.listen(run.on_news)
    serious = Serious()
    gate.listen(serious.news)
    run.listen_sync(serious.sync)
    return run


def look_at_readers(reader_specs: Sequence[str], seconds: float = 2.0) -> list[ReaderState]:
    """Start the readers for a moment and say what they are doing (`genba-touch readers`)."""
    wanted = [specs.parse_spec(text) for text in reader_specs or DEFAULT_ROADS]
    clock = SystemClock()
    settled = threading.Event()
    supervisor = Supervisor(
        [build(spec, clock) for spec in wanted],
        lambda event: settled.set() if isinstance(event, ReaderState) and event.condition.usable else None,
        clock,
    )
    supervisor.start()
    settled.wait(seconds)
    states = [s for s in supervisor.states().values() if s.condition is not ReaderCondition.STOPPED]
    supervisor.stop()
    return sorted(states, key=lambda state: state.reader)
