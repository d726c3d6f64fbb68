"""Many threads on one database, and kill -9 in the middle of commits."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.outbox import Cursor, Settled, SyncState, roster_scope
from app.store.backup import Backups
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from app.store.roster import RosterStore
from tests.helpers.drafts import SITE, draft
from tests.store.fill import items

AT = datetime(2026, 11, 20, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def test_gate_sync_and_window_at_once(db: Database) -> None:
    """Four writers of three kinds and three readers; no error, no gap, nothing lost, every touch settled once."""
    log, outbox, rosters = EventLog(db), Outbox(db), RosterStore(db)
    touches, failures = 150, []
    done = threading.Event()
    seen: list[int] = []

    def guard(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as exc:
            failures.append(exc)
            done.set()

    def gate() -> None:
        for number in range(touches):
            seen.append(log.append(draft(minute=number, card_key=f"uid:{number:08X}")).seq)

    def sync() -> None:
        while not done.is_set() or outbox.counts().pending:
            batch = outbox.next_batch(50, 10**6)
            outbox.settle([Settled(one.id, "accepted") for one in batch], AT)
            outbox.save_sync_state(SyncState(AT, len(batch), AT))
            if failures:
                return

    def pull() -> None:
        while not done.is_set():
            rosters.apply_page(roster_scope(SITE), SITE, items(5), Cursor("c"), AT)

    def window() -> None:
        while not done.is_set():
            log.today(SITE, "2026-11-20", 50)
            log.counts()
            rosters.load(SITE)
            log.month_facts("91000000000001", "2026-11", SITE)

    def backup() -> None:
        Backups(db).now()

    gates = [threading.Thread(target=guard, args=(gate,), name=f"gate-{n}") for n in range(2)]
    others = [threading.Thread(target=guard, args=(work,)) for work in (sync, pull, window, window, backup)]
    for thread in [*gates, *others]:
        thread.start()
    for thread in gates:
        thread.join()
    done.set()
    for thread in others:
        thread.join()
    assert failures == []
    assert sorted(seen) == list(range(1, 2 * touches + 1))
    assert log.verify_chain() is None
    counts = outbox.counts()
    assert (counts.accepted, counts.pending) == (2 * touches, 0)
    assert db._engine.pool.checkedout() == 0  # type: ignore[attr-defined]


KILLS = """
    import os, random, signal, sys, time
    from pathlib import Path
    from app.clock import SystemClock
    from app.domain.outbox import Settled
    from app.store.database import Database
    from app.store.events import EventLog
    from app.store.outbox import Outbox
    from tests.helpers.drafts import draft

    path, kills = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(7)
    acknowledged = {}

    def child(pipe):
        db = Database.open(path, bytes(range(32)), SystemClock())
        log, outbox = EventLog(db), Outbox(db)
        while True:
            stored = log.append(draft())
            os.write(pipe, f"{stored.seq} {stored.id}\\n".encode())
            if stored.seq % 7 == 0:
                batch = outbox.next_batch(3, 10**6)
                outbox.settle([Settled(one.id, "accepted") for one in batch], SystemClock().now())

    for round in range(kills):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            child(writing)
        os.close(writing)
        # on a busy machine a fixed time would kill it before its first touch
        first = os.read(reading, 1)
        time.sleep(chance.random() * 0.06)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with os.fdopen(reading, "rb") as rest:
            text = (first + rest.read()).decode()
            # the last line may be cut: what was not told whole was not acknowledged
            for line in text.split("\\n")[:-1]:
                seq, id_ = line.split()
                acknowledged[int(seq)] = id_
        with Database.open(path, bytes(range(32)), SystemClock()) as db:
            log = EventLog(db)
            assert log.verify_chain() is None
            with db.looking() as connection:
                kept = dict(connection.execute("SELECT seq, id FROM event").fetchall())
                touches = connection.execute("SELECT count(*) FROM touch").fetchone()[0]
            missing = {seq: id_ for seq, id_ in acknowledged.items() if kept.get(seq) != id_}
            assert not missing, missing
            assert touches == len(kept) == log.chain_head()[0]
            assert len(kept) <= len(acknowledged) + round + 1
            counts = Outbox(db).counts()
            assert counts.pending + counts.accepted == len(kept)
    print(len(acknowledged))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 and fork are POSIX")
def test_thirty_kills_and_every_acknowledged_touch_is_there(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(KILLS), str(path), "30"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30
