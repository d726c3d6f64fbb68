"""Promise: who takes the file reads nothing; who changes it, or puts an old copy back, is found out.

Four cases: without the key; a byte flipped; a row edited with the key; an old copy put back.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import codec
from app.central import schema as t
from app.clock import SystemClock
from app.domain.events import next_hash
from app.errors import StorageTrouble
from app.store import driver
from app.store.backup import Backups
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from tests.faults.machine import KEY, NAME, Post, Surroundings
from tests.helpers.drafts import draft

SECRET = "felica:0140000000000777"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with 30 touches in it, closed."""
    path = tmp_path / "data" / NAME
    with Database.open(path, KEY, SystemClock()) as db:
        for number in range(30):
            EventLog(db).append(draft(minute=number, card_key=SECRET))
    return path


@pytest.mark.parametrize("key", [None, bytes(32), KEY[:-1] + b"\xff"])
def test_without_the_key_nothing_can_be_read(file: Path, key: bytes | None) -> None:
    with Database.open(file, KEY, SystemClock()) as db:
        Backups(db).now()
        EventLog(db).append(draft(card_key=SECRET))  # and one in the WAL
        for place in (item for item in file.parent.rglob("*") if item.is_file()):
            whole = place.read_bytes()
            assert SECRET.encode() not in whole, place
            assert b"CREATE TABLE" not in whole, place
            if (place.suffix != ".db" and ".db" not in place.name) or place.name.endswith((".lock", "-shm", "-wal")):
                continue
            if place.stat().st_size < 4096:
                continue
            copy = file.parent.parent / "copy"
            shutil.copyfile(place, copy)
            with closing(driver.MODULE.connect(str(copy))) as sql:
                sql.execute("PRAGMA cipher_log_level=NONE")
                if key is not None:
                    sql.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
                with pytest.raises(driver.Error, match="not a database"):
                    sql.execute("SELECT count(*) FROM sqlite_master").fetchall()


def flipped(file: Path, place: int) -> None:
    whole = bytearray(file.read_bytes())
    whole[place] ^= 0x10
    file.write_bytes(whole)


@pytest.mark.parametrize("place", ["salt", "first page", "mac of the first page"])
def test_a_byte_flipped_in_the_first_page_is_found_at_the_start(file: Path, place: str) -> None:
    flipped(file, {"salt": 3, "first page": 1000, "mac of the first page": 4090}[place])
    with pytest.raises(StorageTrouble) as caught:
        Database.open(file, KEY, SystemClock())
    assert caught.value.code == "store.damaged"


def test_a_byte_flipped_in_any_other_page_is_found_when_it_is_read(file: Path) -> None:
    """Every page has a code of its own: none is read altered. `Backups` looks at all of them once a day."""
    kept = file.read_bytes()
    pages = len(kept) // 4096
    assert pages > 20
    for page in range(1, pages):
        flipped(file, page * 4096 + (page * 977) % 4096)
        with pytest.raises(StorageTrouble) as caught, Database.open(file, KEY, SystemClock()) as db:
            Backups(db).now()
        assert caught.value.code in ("store.damaged", "store.backup_failed", "store.backup_unsound"), caught.value
        file.write_bytes(kept)


def test_a_byte_flipped_in_a_backup_is_found(file: Path) -> None:
    with Database.open(file, KEY, SystemClock()) as db:
        backup = Backups(db).now()
    flipped(backup, backup.stat().st_size // 2 + 7)
    with closing(driver.open_bare(backup, KEY)) as sql:
        said = sql.execute("PRAGMA cipher_integrity_check").fetchall()
    assert said


def test_a_byte_flipped_in_the_wal_lets_nothing_altered_in(tmp_path: Path, file: Path) -> None:
    """What stands before the flip is whole, what stands after it is not believed (the limit: docs/faults.md)."""
    after = tmp_path / "after"
    with Database.open(file, KEY, SystemClock()) as db:
        for number in range(10):
            EventLog(db).append(draft(minute=100 + number, card_key=SECRET))
        shutil.copytree(file.parent, after)
    wal = after / f"{NAME}-wal"
    kept = wal.read_bytes()
    for place in range(40, len(kept), len(kept) // 40):
        left = tmp_path / f"left-{place}"
        shutil.copytree(after, left)
        (left / f"{NAME}-shm").unlink(missing_ok=True)
        flipped(left / f"{NAME}-wal", place)
        with Database.open(left / NAME, KEY, SystemClock()) as db:
            log = EventLog(db)
            assert log.verify_chain() is None
            assert 30 <= log.chain_head()[0] <= 40


@pytest.fixture
def around(tmp_path: Path) -> Any:
    made = Surroundings(f"sqlite:///{tmp_path / 'central.db'}", tmp_path)
    yield made
    made.close()


@pytest.fixture
def post(around: Surroundings) -> Any:
    it = Post(around, 0)
    yield it
    it.end()
    shutil.rmtree(it.base)


def edit(post: Post, work: Callable[[Any], None]) -> None:
    """Somebody with the key changes the file of a gate that is switched off, past the triggers."""
    post.end()
    with closing(driver.open_bare(post.folder / NAME, KEY)) as sql:
        made = sql.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in sql.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            sql.execute(f"DROP TRIGGER {name}")
        work(sql)
        for (trigger,) in made:
            sql.execute(trigger)
    post.start()


def another_day(sql: Any, seq: int) -> None:
    """A touch is moved to another day."""
    (body,) = sql.execute("SELECT body FROM event WHERE seq = ?", (seq,)).fetchone()
    event = codec.decode(body, dict)
    event["payload"]["work_day"] = "2020-01-01"
    sql.execute("UPDATE event SET body = ? WHERE seq = ?", (codec.canonical(event), seq))


def chain_again(sql: Any) -> None:
    """And the hashes are made to fit, by somebody who knows the program."""
    link = bytes(32)
    for seq, body in sql.execute("SELECT seq, body FROM event ORDER BY seq").fetchall():
        link = next_hash(link, body)
        sql.execute("UPDATE event SET hash = ? WHERE seq = ?", (link, seq))


def touch_and_deliver(post: Post, *people: int) -> None:
    for person in people:
        post.touch(person)
        post.clock.advance(61)
    post.deliver(2)


def incidents(post: Post) -> list[str]:
    """What the centre wrote down about this station's history."""
    with post.around.db.read() as tx:
        query = select(t.chain_incident.c.kind).where(t.chain_incident.c.station_id == post.who.id)
        return list(tx.execute(query).scalars())


def test_an_edited_row_is_found_on_the_spot(post: Post) -> None:
    touch_and_deliver(post, 0, 1, 2)
    edit(post, lambda sql: another_day(sql, 2))
    assert post.log.verify_chain() == 2


def test_an_edited_row_with_hashes_made_to_fit_is_found_by_the_centre(post: Post) -> None:
    """The centre keeps its copy as it was, and the difference is written down and told at the next delivery."""
    touch_and_deliver(post, 0, 1, 2)
    held = post.central()

    def work(sql: Any) -> None:
        another_day(sql, 2)
        chain_again(sql)

    edit(post, work)
    assert post.log.verify_chain() is None  # alone, the file cannot know
    touch_and_deliver(post, 3)
    assert "hash_mismatch" in incidents(post)
    assert post.rounds.status.chain_state == "broken"
    assert held.items() <= post.central().items()


def test_an_edited_row_that_waits_is_found_by_the_centre_or_travels_as_it_was_chained(post: Post) -> None:
    """Edited before it was sent, hashes left alone: the batch's own chain end gives it away."""
    post.touch(0)
    post.clock.advance(61)
    post.touch(1)
    edit(post, lambda sql: another_day(sql, 1))
    post.deliver(2)
    assert "hash_mismatch" in incidents(post)
    assert post.rounds.status.chain_state == "broken"


def test_an_old_copy_put_back_is_found_by_the_centre_and_loses_nothing_it_holds(post: Post) -> None:
    touch_and_deliver(post, 0, 1)
    post.end()
    old = post.base / "old"
    shutil.copytree(post.folder, old)
    post.start()
    touch_and_deliver(post, 2, 3)
    held = post.central()
    assert len(held) == 4
    post.end()
    shutil.rmtree(post.folder)
    shutil.copytree(old, post.folder)
    post.start()
    touch_and_deliver(post, 4)
    assert incidents(post), "nobody noticed"
    assert post.rounds.status.chain_state == "broken"
    assert held.items() <= post.central().items()
    counts = Outbox(post.db).counts()
    assert counts.accepted + counts.pending + counts.conflict + counts.rejected == post.log.chain_head()[0]
