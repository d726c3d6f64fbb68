"""The office of a data folder: month, entries, approvals; alone with a sync engine of its own, or beside a gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from app import crash, logs
from app.gate import look
from app.gate.housekeeping import Housekeeping
from app.gate.look import LookRow
from app.office.desk import OfficeDesk
from app.office.import_notes import ImportNotes
from app.office.import_service import ImportService
from app.office.month import Books
from app.office.service import OfficeService
from app.pins import PinGuard
from app.secrets import check_pin
from app.settings import DataDir
from app.store.audit import AuditTrail
from app.store.backup import Backups
from app.store.office import OfficeBook
from app.sync.engine import SyncEngine
from app.sync.schedule import Pace
from app.sync.status import SyncStatus
from app.update.watch import UpdateWatch
from app.wiring.gate import GateRun, new_event_id
from app.wiring.import_formats import FormatFolder
from app.wiring.imports import after_of, desk_of
from app.wiring.serious import Serious, opening
from app.wiring.station import Station, open_station
from app.wiring.updates import watch_of

MOST_NEW_BESIDE_GATE = 20_000
"""New rows of a file at most while a gate is open in the same program: it waits some 30 µs for each, so half a
second."""


class OfficeDelivery:
    """`app.gate.look.DeliveryPort` without a gate: the office's thread asks the store."""

    def __init__(self, run: OfficeRun) -> None:
        self._run = run

    def send_now(self) -> None:
        """Send at once."""
        self._run.engine.sync_now()

    def roster_now(self) -> None:
        """Fetch at once."""
        self._run.engine.roster_now()

    def look(self, reply: Callable[[Sequence[LookRow]], None]) -> None:
        """What the centre did not take."""
        self._run.service.post(lambda: reply(self._rows()))

    def send_again(self, ids: Sequence[str], reply: Callable[[Sequence[LookRow]], None]) -> None:
        """Wait again, and go out at once."""

        def act() -> None:
            self._run.station.outbox.resend(ids)
            reply(self._rows())
            self._run.engine.sync_now()

        self._run.service.post(act)

    def _rows(self) -> Sequence[LookRow]:
        return look.rows(self._run.station.outbox, self._run.desk.roster)


@dataclass(slots=True)
class OfficeRun:
    """Everything behind the office's window. `start` once, `stop` once."""

    station: Station
    desk: OfficeDesk
    service: OfficeService
    engine: SyncEngine
    housekeeping: Housekeeping
    imports: ImportService
    gate: GateRun | None = None
    """A gate in the same program: station, engine, housekeeping and updates are its own."""
    updates: UpdateWatch | None = None
    _sync_listeners: list[Callable[[SyncStatus], None]] = field(default_factory=list)
    _last: SyncStatus | None = None

    def listen_sync(self, listener: Callable[[SyncStatus], None]) -> None:
        """Call `listener` with each new sync status, on the sync thread. Before `start`."""
        self._sync_listeners.append(listener)

    def start(self) -> None:
        """Office first, then sync."""
        self.service.start()
        self.imports.start()
        if self.gate is not None:
            self.gate.start()
            return
        self.engine.start()
        self.housekeeping.start()
        if self.updates is not None:
            self.updates.start()

    def stop(self) -> None:
        """Office, sync, database: nothing is cut but an import under way, of which nothing is stored."""
        self.imports.stop()
        self.service.stop()
        if self.gate is not None:
            self.gate.stop()
            return
        self.engine.stop()
        self.housekeeping.stop()
        self.station.close()
        if self.updates is not None:
            self.updates.stop()

    def on_sync(self, status: SyncStatus) -> None:
        """From the engine; its thread. What came from the centre, and what it took, changes the pages."""
        last, self._last = self._last, status
        if last is None or _seen(last) != _seen(status):
            self.service.roster_changed()
        for listener in self._sync_listeners:
            listener(status)

    def on_stored(self) -> None:
        """Something was stored here: it goes out, and what waits is counted at once. Office's or importer's thread."""
        self.engine.wake("touch")
        if self.gate is not None:
            self.gate.gate.roster_changed()
            self.gate.count_again()
        elif self._last is not None:
            counted = replace(self._last, pending=self.station.outbox.counts().pending)
            for listener in self._sync_listeners:
                listener(counted)


def _seen(status: SyncStatus) -> tuple[object, ...]:
    """What the pages hang on."""
    return status.roster_at, status.changes, status.rejected, status.accepted


def open_office(data: DataDir, site_id: str | None = None, pace: Pace | None = None) -> OfficeRun:
    """Open the data folder and build the office for a site. Raises GenbaErrors; then nothing is left open."""
    with opening():
        station = open_station(data)
    try:
        logs.to_file(data.logs, "office")
        crash.watch_native()
        crash.take_up()
        return build_office(station, site_id, pace)
    except BaseException:
        station.close()
        raise


def build_office(station: Station, site_id: str | None, pace: Pace | None = None) -> OfficeRun:
    """The office of an open station."""
    wanted = station.site(site_id)
    later: list[OfficeRun] = []
    engine = station.engine(listener=lambda status: later[0].on_sync(status), pace=pace)
    desk, service = _service(station, wanted.id, lambda: later[0].on_stored())
    imports = _imports(station, desk, service, lambda: later[0].on_stored())
    run = OfficeRun(station, desk, service, engine, Housekeeping(Backups(station.db)), imports)
    run.updates = watch_of(station)
    later.append(run)
    run.listen_sync(Serious().sync)
    return run


def build_beside(gate: GateRun) -> OfficeRun:
    """The office in a gate's program. Whatever is entered there, the gate's lists show too."""
    later: list[OfficeRun] = []
    desk, service = _service(gate.station, gate.site.id, lambda: later[0].on_stored())
    imports = _imports(gate.station, desk, service, lambda: later[0].on_stored(), most_new=MOST_NEW_BESIDE_GATE)
    run = OfficeRun(gate.station, desk, service, gate.engine, gate.housekeeping, imports, gate)
    later.append(run)
    gate.listen_sync(run.on_sync)
    return run


def _service(station: Station, site_id: str, stored: Callable[[], None]) -> tuple[OfficeDesk, OfficeService]:
    books = Books(station.events, station.rosters, OfficeBook(station.db))
    at_gate = station.identity.role == "gate"
    desk = OfficeDesk(books, lambda: station.site(site_id), station.clock, new_event_id, at_gate=at_gate)
    pins = PinGuard(AuditTrail(station.db), station.clock, check_pin)
    return desk, OfficeService(desk, pins, stored)


def _imports(
    station: Station,
    desk: OfficeDesk,
    service: OfficeService,
    stored: Callable[[], None],
    *,
    most_new: int | None = None,
) -> ImportService:
    def on_stored() -> None:
        stored()
        service.roster_changed()  # bound cards, new touches: the month's pages hang on them

    files = desk_of(station, station.settings.language, most_new=most_new)
    return ImportService(
        files,
        after_of(station),
        FormatFolder(station.data),
        lambda: desk.site,
        lambda: desk.person,
        on_stored,
        ImportNotes(AuditTrail(station.db)),
    )
