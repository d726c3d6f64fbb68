"""The loops of `bench_import`: ours, and bare ones with the same work in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import uuid_utils

from app.domain.events import GENESIS
from app.domain.outbox import Cursor, roster_scope
from app.domain.site import Site
from app.office.formats.reading import RowReader
from app.office.formats.rows import open_rows
from app.office.formats.spec import format_of
from app.office.formats.text import digest_of
from app.office.import_bytes import Stamps
from app.office.importing import CHUNK, Importer
from app.office.touches import DeviceTouch, Origin
from app.store import driver, events, imports, schema
from app.store.database import Database
from app.store.imports import ImportStore
from app.store.roster import RosterStore
from tests.helpers.fake_clock import FakeClock
from tests.helpers.tiny_site import SITE_ID
from tests.store.fill import AT, items

KEY = bytes(range(32))
FORMAT = {
    "schema": 1,
    "name": "bench",
    "version": "1",
    "label": {"ja": "計測", "en": "bench"},
    "assurance": "logged",
    "columns": {"card": "カードID", "at": "日時", "direction": "区分"},
    "time": {"formats": ["YYYY/MM/DD hh:mm:ss"]},
    "card": {"kind": "felica"},
    "direction": {"in": ["入場"], "out": ["退場"]},
}


class Loop(Protocol):
    def run(self, dump: Path) -> int: ...

    def verify(self) -> None: ...


def prepare(name: str, folder: Path, people: int) -> Loop:
    """A database with a roster, and the loop over it."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "plain":
        return Bare(plain_database(folder / "bare.db"), people)
    path = folder / "bench.db"
    with Database.open(path, KEY, FakeClock()) as db:
        RosterStore(db).apply_page(roster_scope(SITE_ID), SITE_ID, items(people), Cursor("1"), AT)
    if name == "bare":
        return Bare(driver.open_connection(path, KEY), people)
    return Ours(path)


def plain_database(path: Path) -> Any:
    """The same tables, indexes and triggers without the cipher."""
    import sqlalchemy as sa

    engine = sa.create_engine(f"sqlite:///{path}")
    schema.metadata.create_all(engine)
    engine.dispose()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    for trigger in schema.TRIGGERS.values():
        connection.execute(trigger)
    return connection


def touches(dump: Path) -> Iterator[DeviceTouch]:
    """The parse both have."""
    form = format_of(FORMAT, "bench")
    with open_rows(dump, form) as rows:
        for one in RowReader(dump, form, rows).touches():
            assert isinstance(one, DeviceTouch)
            yield one


class Ours:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = Database.open(path, KEY, FakeClock())
        self._batch: int | None = None

    def run(self, dump: Path) -> int:
        site = Site(SITE_ID, "架空の現場")
        importer = Importer(ImportStore(self._db), RosterStore(self._db), FakeClock(), lambda: str(uuid_utils.uuid7()))
        origin = Origin(str(dump), "bench", "dump", digest_of(dump), site.accepted[4], "bench:dump", strict=False)
        done = importer.run(origin, site, touches(dump))
        self._batch = done.batch
        return done.tally.new

    def verify(self) -> None:
        if self._batch is not None:
            assert ImportStore(self._db).read_back(self._batch)
        self._db.close()


class Bare:
    """Everything about a row is known without looking; one f-string, one hash, four executemany."""

    def __init__(self, connection: Any, people: int) -> None:
        self._connection = connection
        self._workers = {
            f"felica:{0x0140_0000_0000_0000 + n:016X}": f"9100000000{n:04d}"[:14] for n in range(1, people + 1)
        }

    def run(self, dump: Path) -> int:
        connection = self._connection
        connection.execute(f"PRAGMA cache_size = {imports._CACHE}")
        connection.execute("BEGIN IMMEDIATE")
        source, recorded = f"bench:{digest_of(dump)[:16]}", "2026-11-20T07:40:00.000+09:00"
        stamp, uuid7, link, seq = Stamps().text, uuid_utils.uuid7, GENESIS, 0
        made: tuple[list[Any], ...] = ([], [], [], [])

        def put() -> None:
            for statement, some in zip((events._EVENT, events._TOUCH, events._OUTBOX, imports._ROW), made, strict=True):
                connection.executemany(statement, some)
                some.clear()

        for one in touches(dump):
            seq += 1
            id_, at, key = str(uuid7()), stamp(one.at_ms), one.card_key
            day, worker, way = at[:10], self._workers[key], one.direction.value if one.direction else "none"
            body = (
                f'{{"id":"{id_}","occurred_at":"{at}","payload":{{"assurance":"logged","card_key":"{key}","clock":'
                f'{{"skew_ms":null,"suspect":false}},"direction":"{way}","reader":"bench:dump","source":"{source}",'
                f'"work_day":"{day}","worker_id":"{worker}"}},"recorded_at":"{recorded}","seq":{seq},'
                f'"site_id":"{SITE_ID}","type":"touch"}}'
            ).encode()
            link = sha256(link + body).digest()
            made[0].append((seq, id_, "touch", SITE_ID, at, recorded, body, link))
            made[1].append(
                (
                    seq, id_, SITE_ID, key, worker, way, day, "logged", "recorded", "", None, "bench:dump", source,
                    one.at_ms,
                )
            )  # fmt: skip
            made[2].append((seq,))
            made[3].append((seq, one.at, "dump", key, 1, one.number))
            if len(made[0]) == CHUNK:
                put()
        put()
        connection.execute("COMMIT")
        return seq

    def verify(self) -> None:
        self._connection.close()
