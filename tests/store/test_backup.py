"""Backups that were checked, and how much room there is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.errors import StorageTrouble
from app.store import backup
from app.store.backup import Backups, SpaceLevel, disk_space
from app.store.database import Database
from app.store.events import EventLog
from app.store.opening import revision
from tests.helpers.drafts import draft
from tests.helpers.fake_clock import FakeClock
from tests.store.conftest import KEY
from tests.store.fill import fill


def head_of(path: Path) -> tuple[int, bytes]:
    with Database.look(path, KEY, FakeClock()) as db:
        assert EventLog(db).verify_chain() is None
        return EventLog(db).chain_head()


def test_a_backup_a_day_and_seven_of_them(db: Database, clock: FakeClock) -> None:
    fill(db)
    log, backups = EventLog(db), Backups(db)
    made = []
    for _ in range(9):
        log.append(draft())
        path = backups.daily()
        assert path is not None
        assert backups.daily() is None
        assert head_of(path) == log.chain_head()
        made.append(path)
        clock.forward(86_400)
    assert backups.list() == list(reversed(made[-7:]))
    assert sorted(p.name for p in backups.folder.iterdir()) == [p.name for p in made[-7:]]
    assert made[-1].name == "genba-touch-2026-11-28.db"
    assert made[-1].stat().st_mode & 0o077 == 0
    assert b"04A1B2C3" not in made[-1].read_bytes()


def test_a_backup_of_now_replaces_todays(db: Database) -> None:
    log, backups = EventLog(db), Backups(db)
    first = backups.daily()
    log.append(draft())
    assert backups.now() == first
    assert head_of(first) == log.chain_head()


def test_a_backup_opens_with_the_key_alone(db: Database) -> None:
    path = Backups(db).now()
    assert revision(path, KEY) is not None
    with pytest.raises(StorageTrouble, match=r"store\.wrong_key"):
        revision(path, bytes(32))


def test_a_copy_that_is_not_sound_does_not_count(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    backups = Backups(db)
    good = backups.now()
    before = good.read_bytes()
    monkeypatch.setattr(backup, "is_sound", lambda copy: False)
    with pytest.raises(StorageTrouble, match=r"store\.backup_failed"):
        backups.now()
    assert good.read_bytes() == before
    assert [p.name for p in backups.folder.iterdir()] == [good.name]


def test_the_check_finds_damage(db: Database, path: Path) -> None:
    EventLog(db).append_many([draft(minute=n) for n in range(500)])
    copy = Backups(db).now()
    with copy.open("r+b") as file:
        file.seek(copy.stat().st_size // 2)
        file.write(os.urandom(16))
    connection = db.connect_to(copy)
    assert not backup.is_sound(connection)
    connection.close()


def test_a_damaged_original_makes_no_backup(path: Path) -> None:
    with Database.open(path, KEY, FakeClock()) as db:
        EventLog(db).append_many([draft(minute=n) for n in range(1000)])
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(os.urandom(64))
    with Database.open(path, KEY, FakeClock()) as db:
        backups = Backups(db)
        with pytest.raises(StorageTrouble, match=r"store\.(damaged|backup_failed|disk_error)"):
            backups.daily()
        assert list(backups.folder.iterdir()) == []


def test_a_chain_that_differs_is_no_copy(db: Database) -> None:
    log = EventLog(db)
    log.append(draft())
    source, copy = db.connect_to(db.path), db.connect_to(Backups(db).now())
    assert backup.same_chain(source, copy)
    copy.execute("DROP TRIGGER event_no_update")
    copy.execute("UPDATE event SET hash = zeroblob(32)")
    assert not backup.same_chain(source, copy)
    source.close()
    copy.close()


def test_no_room_no_backup(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000, "total": 10**9})())
    with pytest.raises(StorageTrouble, match=r"store\.no_room_for_backup"):
        Backups(db).daily()
    assert disk_space(db.path).level is SpaceLevel.CRITICAL


def test_room_on_the_disk(tmp_path: Path) -> None:
    space = disk_space(tmp_path, low=0, critical=0)
    assert space.level is SpaceLevel.OK
    assert 0 < space.free < space.total
    assert disk_space(tmp_path / "not there yet", low=space.total * 2, critical=0).level is SpaceLevel.LOW
    assert disk_space(tmp_path, low=space.total * 2, critical=space.total * 2).level is SpaceLevel.CRITICAL
    with pytest.raises(StorageTrouble):
        disk_space(tmp_path / "a" / "b" / "c")
