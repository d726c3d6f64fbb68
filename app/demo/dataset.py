"""Large made-up data: `python -m app.demo.dataset big --out DIR` makes a station's data folder with years of touches.

Everything goes through the store's own doors, so the chain, the outbox and the gate's rows are what a gate would have
written; only the centre's receipts are invented. The last day still waits to be sent. The keys are in `keys.json` in
the folder (`key_file`), for anybody to read: it is made-up data.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from app.clock import Clock, SystemClock
from app.demo import crowd
from app.domain.events import JST, Draft, EventType
from app.domain.outbox import SITES_SCOPE, Cursor, OutboxState, Settled, roster_scope
from app.domain.verdict import Outcome
from app.secrets import CLIENT_SECRET, DATABASE_KEY, KeyFileVault, new_database_key
from app.settings import DataDir, Identity, Settings
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from app.store.rows import TouchRow

CHUNK = 10_000
KEY_FILE = "keys.json"
STATION_ID = "dataset-station"
_CLOCK = {"skew_ms": 0, "suspect": False}

Batch = list[tuple[Draft, TouchRow]]


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the words, make the data, print how it went."""
    clock = SystemClock()
    parser = argparse.ArgumentParser(prog="dev.py dataset", description="Make large made-up data.")
    parser.add_argument("what", choices=["big"], help="big: a station that has recorded for years")
    parser.add_argument("--out", type=Path, default=Path("build/dataset-big"), help="a new or empty folder")
    parser.add_argument("--workers", type=int, default=2000)
    parser.add_argument("--companies", type=int, default=120)
    parser.add_argument("--touches", type=int, default=5_000_000)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", type=date.fromisoformat, default=None, help="last day, YYYY-MM-DD (today)")
    args = parser.parse_args(argv)
    if min(args.workers, args.companies, args.touches, args.years) < 1:
        parser.error("workers, companies, touches and years are at least 1")
    if args.out.exists() and any(args.out.iterdir()):
        parser.error(f"{args.out} is not empty")
    until = args.until or clock.now().astimezone(JST).date()
    scale = crowd.Scale(args.workers, args.companies, args.touches, args.years, until, args.seed)
    try:
        make(args.out, scale, clock, progress=sys.stderr.isatty())
    except KeyboardInterrupt:
        print(f"\nstopped; {args.out} holds what was made so far", file=sys.stderr)
        return 130
    return 0


def make(out: Path, scale: crowd.Scale, clock: Clock, *, progress: bool = False) -> None:
    """Make the data folder `out` (new or empty)."""
    begun = clock.monotonic()
    data = DataDir.at(out)
    with _new_station(data, scale, clock) as db:
        log, outbox = EventLog(db), Outbox(db)
        with db.hot() as connection:
            # every card's last index page at once, and fewer checkpoints; for this connection alone
            connection.execute("PRAGMA cache_size=-65536").fetchall()
            connection.execute("PRAGMA wal_autocheckpoint=16384").fetchall()
        last_ms = crowd.midnight_ms(_last_day(scale))
        made = 0
        collecting = gc.isenabled()
        gc.disable()  # nothing here has cycles; the collector would look at every chunk for nothing
        try:
            for batch in _batches(scale):
                stored = log.append_many([draft for draft, _ in batch], {draft.id: row for draft, row in batch})
                outbox.settle(
                    [
                        Settled(one.id, OutboxState.ACCEPTED.value, receipt=one.seq)
                        for one, (_, row) in zip(stored, batch, strict=True)
                        if row.at_ms < last_ms
                    ],
                    clock.now(),
                )
                made += len(batch)
                if progress:
                    _say(made, scale.touches, clock.monotonic() - begun, end="\r")
        finally:
            if collecting:
                gc.enable()
        seq, head = log.chain_head()
    _say(made, scale.touches, clock.monotonic() - begun, end="\n")
    size = sum(file.stat().st_size for file in data.root.iterdir() if file.is_file())
    print(f"{data.root}: {size / 1e6:.0f} MB, last seq {seq}, chain {head.hex()[:16]}…")


def _say(made: int, of: int, seconds: float, end: str) -> None:
    rate = made / seconds if seconds else 0.0
    print(f"{made:,} of {of:,} touches, {seconds:.1f} s, {rate:,.0f}/s", end=end, flush=True)


def _new_station(data: DataDir, scale: crowd.Scale, clock: Clock) -> Database:
    """Settings, keys, an empty database with the roster: as `provision` would have left them."""
    data.create()
    vault = KeyFileVault(data.root / KEY_FILE)
    vault.set(DATABASE_KEY, new_database_key())
    vault.set(CLIENT_SECRET, b"there is no such centre")
    data.save_settings(
        Settings(
            "https://centre.invalid", "見本の端末", site_id=crowd.SITE_ID, readers=crowd.READERS, key_file=KEY_FILE
        )
    )
    data.save_identity(Identity(STATION_ID, (crowd.SITE_ID,)))
    db = Database.open(data.database, vault.require(DATABASE_KEY), clock)
    try:
        items, now = crowd.site_items(scale), clock.now()
        rosters = RosterStore(db)
        rosters.apply_page(SITES_SCOPE, None, items[:1], Cursor("made-up"), now)
        rosters.apply_page(roster_scope(crowd.SITE_ID), crowd.SITE_ID, items[1:], Cursor("made-up"), now)
    except BaseException:
        db.close()
        raise
    return db


def _last_day(scale: crowd.Scale) -> date:
    return crowd.working_days(scale)[-1]


def _batches(scale: crowd.Scale) -> Iterator[Batch]:
    batch: Batch = []
    for day, touches in crowd.days_of_touches(scale):
        batch += _drafts(scale, day, touches)
        while len(batch) >= CHUNK:
            yield batch[:CHUNK]
            batch = batch[CHUNK:]
    if batch:
        yield batch


def _drafts(scale: crowd.Scale, day: date, touches: Sequence[crowd.Touch]) -> Iterator[tuple[Draft, TouchRow]]:
    """A day's touches as events; the times of ids rise strictly, so that order by id is order by time."""
    bits = random.Random(f"{scale.seed} ids {day}").getrandbits  # noqa: S311 - made-up data
    work_day, midnight = day.isoformat(), crowd.midnight_ms(day)
    ids: list[str] = []
    for place, touch in enumerate(touches):
        at_ms = midnight + touch.at_ms
        stamp, noise = f"{at_ms:012x}", bits(60)
        # the place in the day stands where UUIDv7 has its counter: 12 bits, and 2 more of 'rand_b'
        id_ = (
            f"{stamp[:8]}-{stamp[8:]}-7{place >> 2 & 0xFFF:03x}-{0x8000 | (place & 3) << 12 | noise >> 48:04x}"
            f"-{noise & 0xFFFFFFFFFFFF:012x}"
        )
        ids.append(id_)
        seconds, ms = divmod(touch.at_ms, 1000)
        at = f"{work_day}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}+09:00"
        worker = crowd.worker_id(touch.worker) if touch.worker >= 0 else None
        key, reader = crowd.card_key(touch.worker), crowd.READERS[touch.reader]
        first = None if touch.first is None else ids[touch.first]
        payload: dict[str, object] = {
            "card_key": key,
            "direction": touch.direction,
            "work_day": work_day,
            "assurance": "uid",
            "reader": reader,
            "source": "card",
            "clock": _CLOCK,
        }
        outcome = Outcome.RECORDED if worker else Outcome.UNKNOWN_CARD
        if worker:
            payload["worker_id"] = worker
        if first is not None:
            payload["suppressed_by"] = first
            outcome = Outcome.SUPPRESSED
        row = TouchRow(key, worker, touch.direction, work_day, "uid", outcome.value, (), first, reader, "card", at_ms)
        yield Draft(id_, EventType.TOUCH, crowd.SITE_ID, at, at, payload), row


if __name__ == "__main__":
    sys.exit(main())
