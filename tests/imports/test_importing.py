"""From a device's touches to stored events: once each, all or none, judged as at the gate."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain.assurance import Assurance
from app.domain.events import Direction, EventType
from app.domain.outbox import Cursor, roster_scope
from app.domain.site import Site
from app.domain.work_records import derive
from app.errors import InputRefused
from app.office import import_alike, importing
from app.office.import_alike import Alike
from app.office.import_tally import Tally
from app.office.importing import Importer
from app.office.touches import DeviceTouch, Origin, ms_of
from app.store.database import Database
from app.store.events import EventLog
from app.store.imports import ImportStore
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from app.wiring.gate import new_event_id
from tests.helpers.drafts import draft
from tests.helpers.fake_clock import FakeClock
from tests.helpers.tiny_site import SITE_ID
from tests.store.conftest import KEY
from tests.store.fill import AT, items

CARD = "felica:0140000000000001"
PERSON = "91000000000001"
STRANGER = "felica:0140000000009999"
ORIGIN = Origin("buffer", "phone-reader", "phone:1", "ab" * 32, Assurance.OPEN, "phone:1")
START = datetime.fromisoformat("2026-11-19T07:40:00.000+09:00")


def touch(seconds: float, card: str = CARD, **changes: Any) -> DeviceTouch:
    at = START + timedelta(seconds=seconds)
    made = DeviceTouch(at.isoformat(timespec="milliseconds"), ms_of(at), card, 1, 2)
    return made._replace(**changes)


class Bench:
    """One database, a sequence of imports."""

    def __init__(self, db: Database, site: Site, clock: FakeClock) -> None:
        self.db, self.site = db, site
        self.log, self.rosters = EventLog(db), RosterStore(db)
        self.importer = Importer(ImportStore(db), self.rosters, clock, new_event_id)

    def run(self, touches: Sequence[DeviceTouch], *, dry_run: bool = False, **origin: Any) -> Tally:
        return self.importer.run(replace(ORIGIN, **origin), self.site, iter(touches), dry_run=dry_run).tally

    def rows(self) -> list[dict[str, Any]]:
        with self.db.looking() as connection:
            return [json.loads(row[0]) for row in connection.execute("SELECT body FROM event ORDER BY seq")]

    def whole(self) -> bool:
        """Events, their rows, the outbox and what they are known by belong together."""
        with self.db.looking() as connection:
            counts = [
                connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - names of our own
                for name in ("event", "touch", "outbox", "import_row")
            ]
        return len(set(counts)) == 1 and self.log.verify_chain() is None


@pytest.fixture
def bench(db: Database, site: Site, clock: FakeClock) -> Bench:
    return Bench(db, site, clock)


def test_what_is_stored(bench: Bench) -> None:
    tally = bench.run([touch(0, direction=Direction.IN, number=17), touch(5, STRANGER), touch(36_000, number=18)])
    assert tally == Tally(read=3, recorded=2, unknown_card=1)
    first, stranger, last = bench.rows()
    assert first["payload"] == {
        "assurance": "open",
        "card_key": CARD,
        "clock": {"skew_ms": None, "suspect": False},
        "direction": "in",
        "reader": "phone:1",
        "source": "phone-reader:abababababababab",
        "work_day": "2026-11-19",
        "worker_id": PERSON,
    }
    assert (first["type"], first["occurred_at"]) == ("touch", "2026-11-19T07:40:00.000+09:00")
    assert first["recorded_at"] == "2026-11-20T07:40:00.000+09:00"
    assert "worker_id" not in stranger["payload"]
    assert last["payload"]["direction"] == "out", "by the site's rule"
    assert Outbox(bench.db).counts().pending == 3
    with bench.db.looking() as connection:
        assert connection.execute("SELECT number FROM import_row ORDER BY seq").fetchall() == [(17,), (1,), (18,)]
        batch = connection.execute("SELECT device, rows, first_seq, last_seq FROM import_batch").fetchall()
    assert batch == [("phone:1", 3, 1, 3)]
    assert bench.whole()


@pytest.mark.parametrize("chunk", [1, 3, 2000])
def test_again_overlapping_and_in_another_order(bench: Bench, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK", chunk)
    monkeypatch.setattr(import_alike, "_RUN", 2)
    # equal ones, far apart too: time and card do not tell them apart, their number in the file does
    ten = [touch(100 * n) for n in range(10)] + [touch(0), touch(900), touch(0)]
    assert bench.run(ten[:4]).new == 4
    assert bench.run(ten) == Tally(read=13, known=4, recorded=6, suppressed=3)
    for again in (ten, ten[::-1], random.Random(3).sample(ten, 13), ten[5:12]):
        assert bench.run(again).new == 0
    assert bench.run(ten, device="phone:2").new == 13, "another device's"
    assert bench.whole()


def test_a_trial_says_the_same_and_stores_nothing(bench: Bench) -> None:
    ten = [touch(20 * n) for n in range(10)]
    tried = bench.run(ten, dry_run=True)
    assert bench.log.chain_head()[0] == 0
    assert bench.run(ten) == tried
    assert bench.run([touch(1000)], dry_run=True).new == 1
    assert bench.log.chain_head()[0] == 10
    assert bench.whole()


def test_double_touches_belong_to_the_first_as_at_the_gate(bench: Bench) -> None:
    bench.log.append(draft(card_key=CARD, worker_id=PERSON, id_="01939b5e-0000-7000-8000-000000000001"))  # 11-20 07:40
    day = 86_400
    tally = bench.run([touch(day - 30), touch(day + 20), touch(day + 59.999), touch(day + 60), touch(day + 70)])
    assert tally == Tally(read=5, recorded=2, suppressed=3)
    by = [row["payload"].get("suppressed_by") for row in bench.rows()]
    at_the_gate, fourth = bench.rows()[0]["id"], bench.rows()[4]["id"]
    assert by == [None, None, at_the_gate, at_the_gate, None, fourth]


def test_cards_that_are_not_accepted_are_kept_as_refusals(bench: Bench) -> None:
    roster = [i | ({"stopped": "lost"} if i["id"] == CARD else {}) for i in items(3)]
    bench.rosters.apply_page(roster_scope(SITE_ID), SITE_ID, roster, Cursor("2"), AT)
    assert bench.run([touch(0), touch(1, "uid:08123456"), touch(2, "felica:0140000000000002")]) == Tally(
        read=3, recorded=1, refused=2
    )
    assert [(r["type"], r["payload"].get("reason")) for r in bench.rows()] == [
        ("refusal", "card_stopped"),
        ("refusal", "random_id"),
        ("touch", None),
    ]
    bench.site = replace(bench.site, accepted=(Assurance.AUTHENTICATED,))
    assert bench.run([touch(500)]).refused == 1


def test_the_worker_is_whose_card_it_was_that_day(bench: Bench) -> None:
    bench.log.append(
        draft(EventType.CARD_BINDING, card_key=STRANGER, worker_id=PERSON, valid_from="2026-11-18", by="op")
    )
    bench.run([touch(-2 * 86_400, STRANGER), touch(-86_400, STRANGER), touch(0, STRANGER)])
    assert [row["payload"].get("worker_id") for row in bench.rows()[1:]] == [None, PERSON, PERSON]
    # what the card itself names counts where the roster does not know the card
    bench.run([touch(60, "profile:phone:91000000000002", worker_id="91000000000002"), touch(60, worker_id="x")])
    assert [row["payload"]["worker_id"] for row in bench.rows()[4:]] == ["91000000000002", PERSON]


def test_the_day_changes_when_the_site_says_and_counts_once(bench: Bench) -> None:
    bench.site = replace(bench.site, day_change="05:00")
    bench.run([touch(0, direction=Direction.IN), touch(20 * 3600, direction=Direction.OUT)])  # 03:40 the next morning
    assert {row["payload"]["work_day"] for row in bench.rows()} == {"2026-11-19"}
    records = derive(bench.log.month_facts(PERSON, "2026-11", SITE_ID), bench.rosters.load(SITE_ID))
    assert [(r.work_day, len(r.events), r.assurance) for r in records] == [("2026-11-19", 2, Assurance.OPEN)]


@pytest.mark.parametrize(("seconds", "code"), [(86_400 + 301, "import.future"), (-86_400, "import.outside_site")])
def test_one_impossible_time_refuses_all(bench: Bench, seconds: float, code: str) -> None:
    bench.site = replace(bench.site, opens_on="2026-11-19", closes_on="2026-12-31")
    many = [touch(n) for n in range(2500)]
    with pytest.raises(InputRefused) as caught:
        bench.run([*many, touch(seconds, line=2502)])
    assert (caught.value.code, caught.value.where) == (code, "buffer: line 2502")
    assert "0140000000000001" not in str(caught.value)
    assert bench.log.chain_head()[0] == 0
    assert bench.run(many).new == 2500
    assert bench.whole()


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from tests.imports.test_importing import Bench, touch
    from tests.helpers.fake_clock import FakeClock
    from tests.store.conftest import KEY
    from app.domain.site import Site
    from app.store.database import Database

    def touches():
        for n in range(20_000):
            if n == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)
            yield touch(n / 1000)

    with Database.open(Path(sys.argv[1]), KEY, FakeClock()) as db:
        Bench(db, Site("90000000000001", "x"), FakeClock()).run(touches())
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="SIGKILL is POSIX")
def test_killed_in_the_middle_nothing_is_left(db: Database, site: Site, clock: FakeClock) -> None:
    """19,999 touches, most of them already handed to SQLite and in its log on disk."""
    before = Bench(db, site, clock)
    before.run([touch(-500)])
    head = before.log.chain_head()
    db.close()
    code = "\n".join(line[4:] for line in KILLED.splitlines())
    done = subprocess.run(
        [sys.executable, "-c", code, str(db.path), "19999"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert db.path.with_name(db.path.name + "-wal").stat().st_size > 1 << 20
    with Database.open(db.path, KEY, clock) as again:
        bench = Bench(again, site, clock)
        assert bench.log.chain_head() == head
        assert bench.whole()
        assert bench.run([touch(n) for n in range(10)]).new == 10


def test_a_million_rows_need_no_more_memory_than_some() -> None:
    """What is kept of rows that went by: eight bytes each."""
    counting = Alike()
    keys = [(touch(n).at, "", CARD) for n in range(60_000)]
    assert {n for start in range(0, 60_000, 1000) for n in counting.count(keys[start : start + 1000])} == {1}
    assert sum(len(run) * run.itemsize for _, _, run in counting._runs) <= 8 * len(keys)
