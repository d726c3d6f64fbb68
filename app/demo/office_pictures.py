"""Pictures of the office's pages over a real office: `python -m app.demo.office_pictures --out DIR`.

A made-up site's station in a temporary folder, or (`--data`) a folder that `dev.py dataset big` has made, which is
written to: real store, real importer, real files; nothing goes over a network.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from app.clock import SystemClock
from app.demo import office_files
from app.demo.people import PEOPLE, Matter
from app.demo.site import SITE_ID, card_key, demo_site, worker_id
from app.domain.events import JST, Draft, EventType, rfc3339
from app.domain.outbox import SITES_SCOPE, Cursor, OutboxState, Settled, roster_scope
from app.domain.roster import Roster
from app.office.calendar import is_closed
from app.office.shapes import EntryWanted
from app.secrets import CLIENT_SECRET, DATABASE_KEY, KeyFileVault, new_database_key
from app.settings import DataDir, Identity, Settings
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from app.ui.gallery_data import GalleryClock
from app.ui.office.gallery import Props, make_pictures
from app.ui.office.run import OfficeParts
from app.ui.status import SyncStatus
from app.wiring.gate import new_event_id
from app.wiring.office import OfficeDelivery, OfficeRun, build_office
from app.wiring.station import Station, open_station

KEY_FILE = "keys.json"
NOW = datetime(2026, 11, 20, 17, 30, tzinfo=JST)
_FIRST = date(2026, 10, 1)
_PLURAL = {"company": "companies", "calendar": "calendar"}
_KINDS = ("company", "contract", "occupation", "role", "worker", "assignment", "card", "operator", "calendar", "target")
_GAPS = {(4, date(2026, 11, 11)), (12, date(2026, 11, 17)), (24, date(2026, 11, 12)), (25, date(2026, 11, 12))}
"""(place of a person, day) without a touch, though his crew was here."""


def main(argv: list[str] | None = None) -> int:
    """Make the pictures, in Japanese and (with -en) in English."""
    parser = argparse.ArgumentParser(description="Pictures of the office's pages.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--language", default="ja", choices=("ja", "en"))
    parser.add_argument("--data", type=Path, help="a folder of `dev.py dataset big`, instead of a small site")
    parser.add_argument("--size", default="1366x768", metavar="WxH")
    parser.add_argument("--only", default="", metavar="SCENE,…", help="of the scenes before these the last state alone")
    options = parser.parse_args(argv)
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # the picture shows where files are written
        os.environ["HOME"] = os.environ["USERPROFILE"] = str(Path(folder) / "home")
        for file in _pictures(Path(folder), options):
            print(file)
    return 0


def _pictures(folder: Path, options: argparse.Namespace) -> list[Path]:
    language, files = options.language, folder / "files"
    if options.data is not None:
        data, now, site_id = (
            DataDir.at(options.data),
            SystemClock().now().astimezone(JST).replace(hour=17, minute=30),
            None,
        )
    else:
        data, now, site_id = DataDir.at(folder / "station"), NOW, SITE_ID
    clock = GalleryClock(now.astimezone(UTC))
    if options.data is None:
        make_station(data, clock)
    station = open_station(data, clock=clock)
    if options.data is not None:
        _seat_somebody(station)
    run = build_office(station, site_id)
    _enter_some_days(run, now.date())
    person = run.desk.sign_in("op-admin")
    run.service.start()
    run.imports.start()
    try:
        parts = OfficeParts(run.service, OfficeDelivery(run), lambda take: _synced(run, take), run.imports)
        workers = run.desk.roster.workers
        held = [card for card in run.desk.roster.cards.values() if card.worker_id in workers][:60]
        names = [workers[card.worker_id].name for card in held]
        cast = office_files.Cast([card.id for card in held], names, now.date())
        days = [now.date() - timedelta(days=n) for n in range(1, 45)]
        props = Props(
            person,
            office_files.known(files, cast),
            office_files.empty(folder, cast),
            office_files.unknown(files, cast),
            office_files.large(files, cast, days),
            f"{now:%Y-%m}",
            "ク" if options.data is None else "サ",
        )
        width, height = (int(part) for part in options.size.split("x"))
        ending = ("" if language == "ja" else f"-{language}") + ("" if width == 1366 else f"-{width}")
        only = set(filter(None, options.only.split(",")))
        return make_pictures(parts, props, clock, options.out, language, ending, (width, height), only)
    finally:
        run.imports.stop()
        run.service.stop()
        run.station.close()


def _seat_somebody(station: Station) -> None:
    """The large made-up site has no operators: one with every right is put on its roster."""
    site = station.site(None).id
    if "op-admin" not in station.rosters.load(site).operators:
        people = (("op-admin", "見本 管理", "administrator"), ("op-foreman", "見本 職長", "foreman"))
        items = [{"kind": "operator", "deleted": False, "id": i, "name": n, "roles": [r]} for i, n, r in people]
        kept = station.rosters.cursor(roster_scope(site)) or Cursor("made-up")
        station.rosters.apply_page(roster_scope(site), site, items, kept, station.clock.now())


def _enter_some_days(run: OfficeRun, today: date) -> None:
    """A foreman has entered a Sunday's work, which the approver may decide on."""
    run.desk.sign_in("op-foreman")
    sunday = today - timedelta(days=today.weekday() + 1)
    there = [one for one in run.desk.roster.workers if run.desk.roster.assignment(one, sunday.isoformat())]
    for start in range(0, len(there), 4):  # a folder may have been photographed before
        some = [EntryWanted(one, sunday.isoformat(), "card_forgotten", "07:50", "17:00") for one in there[start:][:4]]
        if run.desk.enter(some).stored:
            return


def _synced(run: OfficeRun, take: Callable[[SyncStatus], None]) -> None:
    """As if sync had answered a minute ago; what waits is what the store says, now and after each storing."""
    run.listen_sync(take)
    counts = run.station.outbox.counts()
    at = run.station.clock.now() - timedelta(minutes=1)
    status = replace(run.engine.status(), pending=counts.pending, last_sync_at=at, online=True)
    run.on_sync(status)


# ---- the station -----------------------------------------------------------------------------------------------------


def make_station(data: DataDir, clock: GalleryClock) -> None:
    """As `provision` and seven weeks at the gate would have left it; the last day still waits to be sent."""
    data.create()
    vault = KeyFileVault(data.root / KEY_FILE)
    vault.set(DATABASE_KEY, new_database_key())
    vault.set(CLIENT_SECRET, b"there is no such centre")
    data.save_settings(Settings("https://centre.invalid", "見本の事務所", site_id=SITE_ID, key_file=KEY_FILE))
    data.save_identity(Identity("pictures-station", (SITE_ID,)))
    site = demo_site(NOW.date())
    items = [
        {"kind": kind, "deleted": False, **{("day_kind" if key == "kind" else key): v for key, v in item.items()}}
        for kind in _KINDS
        for item in site[_PLURAL.get(kind, f"{kind}s")]
    ]
    with Database.open(data.database, vault.require(DATABASE_KEY), clock) as db:
        rosters, at = RosterStore(db), clock.now()
        home = {"kind": "site", "deleted": False, **site["site"]}
        rosters.apply_page(SITES_SCOPE, None, [home], Cursor("made-up"), at)
        rosters.apply_page(roster_scope(SITE_ID), SITE_ID, items, Cursor("made-up"), at)
        drafts = list(touches_of(_days(), NOW.date()))
        stored = EventLog(db).append_many(drafts)
        taken = [
            Settled(one.id, OutboxState.ACCEPTED.value, receipt=one.seq)
            for one, draft in zip(stored, drafts, strict=True)
            if draft.payload["work_day"] < NOW.date().isoformat()
        ]
        Outbox(db).settle(taken, at)


def _days() -> list[date]:
    days = [_FIRST + timedelta(days=n) for n in range((NOW.date() - _FIRST).days + 1)]
    return [day for day in days if day.weekday() < 6 and day not in (date(2026, 10, 12), date(2026, 11, 3))]


def touches_of(days: Iterable[date], today: date) -> Iterator[Draft]:
    """In and out of everybody whose card works on these days' working days, but for some that somebody has forgotten;
    of `today` the gate has not seen all yet."""
    for day in days:
        if is_closed(day, Roster()):
            continue
        for place, person in enumerate(PEOPLE):
            if person.matter in (Matter.NO_CARD, Matter.STOPPED) or (place, day) in _GAPS:
                continue
            away = person.matter is Matter.NONE and (place * 7 + day.toordinal()) % 41 == 0
            if away or (day.weekday() == 5 and place % 3):
                continue
            if day == today and place % 4 == 3:
                continue
            yield _touch(place, day, 7, 20 + place * 3 % 35, "in")
            yield _touch(place, day, 17, 1 + place * 5 % 40, "out")


def _touch(place: int, day: date, hour: int, minute: int, direction: str) -> Draft:
    at = rfc3339(datetime(day.year, day.month, day.day, hour, minute, place % 60, tzinfo=JST))
    payload = {
        "card_key": card_key(place),
        "worker_id": worker_id(place),
        "direction": direction,
        "work_day": day.isoformat(),
        "assurance": "uid",
        "reader": "gate",
        "source": "gate",
        "clock": {"skew_ms": 0, "suspect": False},
    }
    return Draft(new_event_id(), EventType.TOUCH, SITE_ID, at, at, payload)


if __name__ == "__main__":
    sys.exit(main())
