"""Opening, refusing, private files, and what goes wrong with a disk."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from app.errors import StorageTrouble
from app.store import driver, schema
from app.store.database import Database
from app.store.events import EventLog
from app.store.opening import revision
from tests.helpers.drafts import draft
from tests.helpers.fake_clock import FakeClock
from tests.helpers.namespace import way_in
from tests.store.conftest import KEY, NAME

ROOT = Path(__file__).resolve().parents[2]


def refused(path: Path, key: bytes = KEY) -> StorageTrouble:
    with pytest.raises(StorageTrouble) as caught:
        Database.open(path, key, FakeClock())
    return caught.value


def test_a_fresh_folder_becomes_a_private_encrypted_database(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data" / NAME
    with Database.open(path, KEY, FakeClock()) as db:
        EventLog(db).append(draft(card_key="uid:CAFEBABE"))
        assert db.schema_version == schema.HEAD
        assert tuple(map(int, db.sqlite_version.split("."))) >= (3, 51, 3)
        files = sorted(path.parent.iterdir())
        assert {file.name for file in files} >= {NAME, f"{NAME}-wal", f"{NAME}-shm", f"{NAME}.lock"}
        if sys.platform != "win32":
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"CAFEBABE" not in content
    assert b"SQLite format 3" not in content
    assert KEY.hex().encode() not in content


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_an_open_folder_is_closed_to_others(path: Path) -> None:
    path.parent.chmod(0o755)
    path.chmod(0o644)
    with Database.open(path, KEY, FakeClock()):
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_connection_keeps_the_promises(db: Database) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "trusted_schema": 0,
    }
    for pragma, value in wanted.items():
        with db.read() as reading, db.looking() as looking:
            assert reading.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
            assert looking.execute(f"PRAGMA {pragma}").fetchone()[0] == value
        with db.write() as writing:
            assert writing.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
        with db.hot() as hot:
            assert hot.execute(f"PRAGMA {pragma}").fetchone()[0] == value


def test_an_old_sqlite_is_not_trusted() -> None:
    with pytest.raises(RuntimeError, match=r"3\.51\.3"):
        driver.assert_version("3.51.2")
    driver.assert_version("3.51.3")
    driver.assert_version()


def test_a_key_has_32_bytes(path: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Database.open(path, b"short", FakeClock())


def test_wrong_key_damaged_and_lost_are_told_apart(path: Path) -> None:
    assert refused(path, bytes(32)).code == "store.wrong_key"
    whole = path.read_bytes()
    path.write_bytes(os.urandom(4096) + whole[4096:])
    assert refused(path).code == "store.damaged"
    path.write_bytes(b"")
    assert refused(path).code == "store.lost"
    path.unlink()
    assert refused(path).code == "store.lost"
    path.write_bytes(whole)
    Database.open(path, KEY, FakeClock()).close()


def test_damage_further_in_is_told_when_it_is_met(path: Path) -> None:
    with Database.open(path, KEY, FakeClock()) as db:
        EventLog(db).append_many([draft(minute=n) for n in range(2000)])
    size = path.stat().st_size
    with path.open("r+b") as file:
        for offset in range(80 * 4096, size, 8 * 4096):
            file.seek(offset)
            file.write(os.urandom(64))
    with Database.open(path, KEY, FakeClock()) as db, pytest.raises(StorageTrouble) as caught:
        EventLog(db).verify_chain()
    assert caught.value.code == "store.damaged"


def test_a_newer_database_is_refused_and_left_alone(path: Path) -> None:
    connection = driver.open_bare(path, KEY)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()
    trouble = refused(path)
    assert (trouble.code, trouble.values) == ("store.newer_database", {"found": "9999", "known": schema.HEAD})
    assert path.read_bytes() == before
    with pytest.raises(StorageTrouble, match=r"store\.newer_database"):
        Database.look(path, KEY, FakeClock())


def test_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = driver.open_bare(path, KEY)
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    assert refused(path).code == "store.not_ours"


def test_a_missing_trigger_is_noticed(path: Path) -> None:
    connection = driver.open_bare(path, KEY)
    connection.execute("DROP TRIGGER event_no_update")
    connection.close()
    assert refused(path).code == "store.tampered"


def test_one_program_per_folder(db: Database, path: Path) -> None:
    assert refused(path).code == "store.in_use"
    script = f"""
        from pathlib import Path
        from app.clock import SystemClock
        from app.errors import StorageTrouble
        from app.store.database import Database
        try:
            Database.open(Path({str(path)!r}), bytes(range(32)), SystemClock())
        except StorageTrouble as trouble:
            print(trouble.code)
        with Database.look(Path({str(path)!r}), bytes(range(32)), SystemClock()) as db:
            from app.store.events import EventLog
            print(EventLog(db).chain_head()[0])
    """
    EventLog(db).append(draft())
    done = run(script)
    assert done.stdout.split() == ["store.in_use", "1"], done.stderr


def test_a_killed_program_leaves_no_lock(path: Path) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from app.clock import SystemClock
        from app.store.database import Database
        db = Database.open(Path({str(path)!r}), bytes(range(32)), SystemClock())
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run(script).returncode == -signal.SIGKILL
    Database.open(path, KEY, FakeClock()).close()


def test_a_close_lets_go_and_later_calls_are_told(path: Path) -> None:
    db = Database.open(path, KEY, FakeClock())
    db.close()
    db.close()
    assert not path.with_name(f"{NAME}-wal").exists()
    for call in (db.hot().__enter__, db.write().__enter__, db.read().__enter__, db.looking().__enter__):
        with pytest.raises(StorageTrouble, match=r"store\.closed"):
            call()
    Database.open(path, KEY, FakeClock()).close()


def test_a_look_writes_nothing(db: Database, path: Path) -> None:
    with Database.look(path, KEY, FakeClock()) as beside:
        assert beside.read_only
        for way in (beside.hot(), beside.write()):
            with pytest.raises(StorageTrouble, match=r"store\.read_only"), way:
                pass
        with pytest.raises(StorageTrouble, match=r"store\.read_only"), beside.looking() as connection:
            connection.execute("INSERT INTO meta VALUES ('a', 'b')")


def test_a_look_at_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageTrouble, match=r"store\.no_access"):
        Database.look(tmp_path / NAME, KEY, FakeClock())
    assert not (tmp_path / NAME).exists()


def test_a_body_that_raises_leaves_nothing(db: Database) -> None:
    def by_hot() -> None:
        with db.hot() as connection:
            connection.execute("INSERT INTO meta VALUES ('a', 'b')")
            raise KeyError

    def by_write() -> None:
        with db.write() as connection:
            connection.exec_driver_sql("INSERT INTO meta VALUES ('a', 'b')")
            raise KeyError

    for way in (by_hot, by_write):
        with pytest.raises(KeyError):
            way()
    with db.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM meta").scalar() == 0


def test_a_write_in_a_write_crashes_instead_of_waiting_for_itself(db: Database) -> None:
    with db.write(), pytest.raises(RuntimeError, match="wait for itself"), db.hot():
        pass
    with db.hot():
        pass


def test_our_own_faults_crash(db: Database) -> None:
    with pytest.raises(driver.Error) as caught, db.hot() as connection:
        connection.execute("SELECT nonsense")
    assert not isinstance(caught.value, StorageTrouble)
    EventLog(db).append(draft())


def test_a_deleted_or_moved_file_is_loud(db: Database, path: Path) -> None:
    log = EventLog(db)
    log.append(draft())
    moved = path.with_name("moved.db")
    path.rename(moved)
    with pytest.raises(StorageTrouble, match=r"store\.file_gone"):
        log.append(draft())
    shutil.copy(moved, path)
    with pytest.raises(StorageTrouble, match=r"store\.file_gone"):
        log.append(draft())
    path.unlink()
    moved.rename(path)
    assert log.append(draft()).seq == 2
    path.with_name(f"{NAME}-wal").unlink()
    with pytest.raises(StorageTrouble, match=r"store\.file_gone"):
        log.append(draft())


def test_a_database_that_may_not_grow_refuses_loudly_and_keeps_what_it_has(db: Database) -> None:
    log = EventLog(db)
    log.append(draft())
    with db.hot() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    db._writer.execute(f"PRAGMA max_page_count = {pages + 8}").fetchall()  # type: ignore[union-attr]
    stored = 1
    with pytest.raises(StorageTrouble) as caught:  # noqa: PT012 - which one fails is not ours to say
        for number in range(500):
            log.append(draft(minute=number))
            stored += 1
    assert caught.value.code == "store.disk_full"
    assert log.chain_head()[0] == stored
    assert log.verify_chain() is None
    db._writer.execute("PRAGMA max_page_count = 1000000").fetchall()  # type: ignore[union-attr]
    assert log.append(draft()).seq == stored + 1


TMPFS = """
    from pathlib import Path
    from app.clock import SystemClock
    from app.errors import StorageTrouble
    from app.store.backup import Backups
    from app.store.database import Database
    from app.store.events import EventLog
    from tests.helpers.drafts import draft
    import sys
    folder = Path(sys.argv[1])
    db = Database.open(folder / "data" / "a.db", bytes(range(32)), SystemClock())
    log = EventLog(db)
    stored = 0
    try:
        while True:
            stored = log.append(draft(minute=stored)).seq
    except StorageTrouble as trouble:
        print(trouble.code)
    assert log.chain_head()[0] == stored > 100
    assert log.verify_chain() is None
    try:
        Backups(db).daily()
    except StorageTrouble as trouble:
        print(trouble.code)
    db.close()
    with Database.look(folder / "data" / "a.db", bytes(range(32)), SystemClock()) as again:
        assert EventLog(again).chain_head()[0] == stored
"""


def test_a_full_disk_refuses_loudly_and_keeps_what_it_has(tmp_path: Path) -> None:
    own = way_in() or ("unshare", "--user", "--map-root-user", "--mount")
    mount = [*own, "sh", "-c"]
    place = tmp_path / "full"
    place.mkdir()
    command = f'mount -t tmpfs -o size=12m tmpfs "{place}" && exec "$@"'
    if shutil.which("unshare") is None or subprocess.run([*mount, command, "-", "true"], check=False).returncode:
        if os.environ.get("CI"):
            pytest.fail("no tmpfs of our own here, and this is CI")
        pytest.skip("no tmpfs of our own: this machine lets nobody make namespaces")
    done = subprocess.run(
        [*mount, command, "-", sys.executable, "-W", "error", "-c", textwrap.dedent(TMPFS), str(place)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["store.disk_full", "store.no_room_for_backup"], done.stderr
    assert done.returncode == 0, done.stderr


def test_revision_of_an_empty_file_is_none(tmp_path: Path) -> None:
    assert revision(tmp_path / "none.db", KEY) is None


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
