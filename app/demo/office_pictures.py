"""Pictures of the office's pages over a real office: `python -m app.demo.office_pictures --out DIR`.

A made-up site's station in a temporary folder: real store, real importer, real files; nothing goes over a network.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from app.demo.people import PEOPLE, Matter
from app.demo.site import SITE_ID, card_key, demo_site, worker_id
from app.domain.events import JST, Draft, EventType, rfc3339
from app.domain.outbox import SITES_SCOPE, Cursor, OutboxState, Settled, roster_scope
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
from app.wiring.station import open_station

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
    options = parser.parse_args(argv)
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # the picture shows where files are written
        os.environ["HOME"] = os.environ["USERPROFILE"] = str(Path(folder) / "home")
        for file in _pictures(Path(folder), options.out, options.language):
            print(file)
    return 0


def _pictures(folder: Path, out: Path, language: str) -> list[Path]:
    clock = GalleryClock(NOW.astimezone(UTC))
    data = DataDir.at(folder / "station")
    make_station(data, clock)
    run = build_office(open_station(data, clock=clock), SITE_ID)
    person = run.desk.sign_in("op-admin")
    run.service.start()
    run.imports.start()
    try:
        parts = OfficeParts(run.service, OfficeDelivery(run), lambda take: _synced(run, take), run.imports)
        props = Props(
            person,
            _known(folder / "files"),
            _mixed(folder / "files"),
            _unknown(folder / "files"),
            _large(folder / "files"),
            "2026-11",
            "ク",
        )
        return make_pictures(parts, props, clock, out, language, "" if language == "ja" else f"-{language}")
    finally:
        run.imports.stop()
        run.service.stop()
        run.station.close()


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
        drafts = list(_touches())
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


def _touches() -> Iterator[Draft]:
    """In and out of everybody whose card works, but for a few days that somebody has forgotten."""
    for day in _days():
        for place, person in enumerate(PEOPLE):
            if person.matter in (Matter.NO_CARD, Matter.STOPPED) or (place, day) in _GAPS:
                continue
            away = person.matter is Matter.NONE and (place * 7 + day.toordinal()) % 41 == 0
            if away or (day.weekday() == 5 and place % 3):
                continue
            if day == NOW.date() and place % 4 == 3:
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


# ---- files -----------------------------------------------------------------------------------------------------------


def _known(folder: Path) -> Path:
    """A day's touches of a second gate, in this program's own format: everything that can be with a row."""
    folder.mkdir(exist_ok=True)
    lines = ["card,at,direction,device"]
    for place in range(36):
        lines.append(f"{card_key(place)},2026-11-19 07:{20 + place % 30:02}:{place:02},入,東門 2号")
        lines.append(f"{card_key(place)},2026-11-19 17:{5 + place % 40:02}:{place:02},退,東門 2号")
    lines.append(f"{card_key(3)},2026-11-19 17:08:05,退,東門 2号")
    for number in range(1, 4):
        for day in (18, 19):
            lines.append(f"felica:0114F00DCAFE{number:04X},2026-11-{day} 07:4{number}:00,入,東門 2号")
    lines += [
        f"{card_key(5)},2026-11-31 07:40:00,入,東門 2号",
        f"{card_key(6)},,入,東門 2号",
        "カード,2026-11-19 07:41:00,入,東門 2号",
        f"{card_key(7)},2027-01-05 07:40:00,入,東門 2号",
        f"{card_key(8)},2026-06-01 07:40:00,入,東門 2号",
    ]
    return _written(folder / "東門2号_20261119.csv", lines)


def _mixed(folder: Path) -> Path:
    """An empty file."""
    return _written(folder / "西門_20261119.csv", [])


def _unknown(folder: Path) -> Path:
    """Columns of another maker's, with 入 and 出 in words and the cards' numbers the usual way round."""
    lines = ["No,打刻日,打刻時刻,氏名,ICカードNo,入出"]
    for place in range(24):
        number = card_key(place).removeprefix("felica:")
        person = PEOPLE[place].name
        lines.append(f"{place * 2 + 1},2026/11/18,7:{20 + place:02}:11,{person},{number},入")
        lines.append(f"{place * 2 + 2},2026/11/18,17:{10 + place:02}:42,{person},{number},出")
    return _written(folder / "北ゲート打刻データ.csv", lines, "cp932")


def _large(folder: Path) -> Path:
    """So many rows that a picture of the progress can be taken."""
    lines = ["card,at,direction,device"]
    for day in _days():
        for second in range(0, 30_000, 30):
            clock = f"{6 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            lines.append(f"{card_key(second // 30 % 36)},{day.isoformat()} {clock},,南門 3号")
    return _written(folder / "南門3号.csv", lines)


def _written(file: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    file.write_text("".join(f"{line}\r\n" for line in lines), encoding=encoding, newline="")
    return file


if __name__ == "__main__":
    sys.exit(main())
