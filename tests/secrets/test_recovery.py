"""Sealing, and the day on which a PC or its keyring is lost."""

from __future__ import annotations

import json
import shutil
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import recovery, sealing
from app.errors import GenbaError, InputRefused, StorageTrouble
from app.secrets import CLIENT_SECRET, DATABASE_KEY, IMPORT_KEY, EphemeralVault, KeyFileVault
from app.store import driver
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from tests.helpers.drafts import draft
from tests.helpers.fake_clock import FakeClock
from tests.store.fill import fill

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[sealing.PrivateKey, sealing.PublicKey]:
    private, public = sealing.make_key_pair(tmp_path_factory.mktemp("safe"))
    return sealing.private_key(private.read_bytes()), sealing.public_key(public.read_bytes())


Pair = tuple[sealing.PrivateKey, sealing.PublicKey]


@given(payload=st.binary(max_size=200))
def test_what_is_sealed_comes_back(pair: Pair, payload: bytes) -> None:
    private, public = pair
    sealed = sealing.seal(public, payload)
    assert sealing.unseal(private, sealed) == payload
    assert sealing.seal(public, payload) != sealed
    assert len(payload) < 8 or payload not in sealed


def test_another_key_is_named(pair: Pair, tmp_path: Path) -> None:
    other = sealing.private_key(sealing.make_key_pair(tmp_path)[0].read_bytes())
    with pytest.raises(InputRefused) as caught:
        sealing.unseal(other, sealing.seal(pair[1], b"x"))
    assert caught.value.code == "recovery.other_key"
    assert caught.value.values == {
        "wanted": sealing.fingerprint(pair[1]),
        "given": sealing.fingerprint(other.public_key()),
    }


def test_altered_and_strange_files_are_refused(pair: Pair) -> None:
    private, public = pair
    parts = json.loads(sealing.seal(public, b"secret"))
    for text in (b"", b"[]", b"{}", b"\xff", json.dumps({**parts, "format": "other/1"}).encode()):
        with pytest.raises(InputRefused, match=r"recovery\.not_sealed"):
            sealing.unseal(private, text)
    for sealed in ("", "AAAA", parts["sealed"][:-8] + "AAAAAAA="):
        with pytest.raises(InputRefused, match=r"recovery\.altered"):
            sealing.unseal(private, json.dumps({**parts, "sealed": sealed}).encode())


def test_key_files(tmp_path: Path) -> None:
    private, public = sealing.make_key_pair(tmp_path, "合言葉")
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in private.read_bytes()
    assert public.read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")
    if sys.platform != "win32":
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
    key = sealing.private_key(private.read_bytes(), "合言葉")
    assert sealing.public_pem(key.public_key()) == public.read_bytes()
    for password in (None, "another"):
        with pytest.raises(InputRefused, match=r"recovery\.password"):
            sealing.private_key(private.read_bytes(), password)
    with pytest.raises(InputRefused, match=r"recovery\.key_exists"):
        sealing.make_key_pair(tmp_path)
    with pytest.raises(InputRefused, match=r"recovery\.bad_private_key"):
        sealing.private_key(public.read_bytes())
    with pytest.raises(InputRefused, match=r"recovery\.bad_public_key"):
        sealing.public_key(private.read_bytes())
    in_the_way = tmp_path / "file"
    in_the_way.write_bytes(b"")
    with pytest.raises(GenbaError, match=r"recovery\.cannot_write"):
        sealing.make_key_pair(in_the_way / "folder")


class Lost:
    """A PC with unsent touches, just before it is lost."""

    def __init__(self, folder: Path, public: sealing.PublicKey) -> None:
        self.folder = folder
        self.db = Database.open(folder / recovery.DATABASE_NAME, KEY, FakeClock())
        fill(self.db)
        self.log, self.outbox = EventLog(self.db), Outbox(self.db)
        secrets = recovery.Secrets(KEY, "station-1", "client secret", b"i" * 32)
        recovery.write_sealed(folder, public, secrets)
        self.head = self.log.chain_head()
        self.waiting = self.outbox.next_batch(100, 10**6)
        self.counts = self.log.counts()


@pytest.fixture
def lost(tmp_path: Path, pair: Pair) -> Lost:
    return Lost(tmp_path / "old", pair[1])


def check(lost: Lost, found: recovery.Recovered) -> None:
    log, outbox = EventLog(found.database), Outbox(found.database)
    assert (found.station_id, found.last_seq, found.pending) == ("station-1", 4, 1)
    assert log.chain_head() == lost.head
    assert log.verify_chain() is None
    assert log.counts() == lost.counts
    assert outbox.next_batch(100, 10**6) == lost.waiting
    assert lost.waiting
    assert log.append(draft()).seq == 5


def test_everything_comes_back_on_another_pc(lost: Lost, pair: Pair, tmp_path: Path) -> None:
    lost.db.close()
    before = {file.name: file.read_bytes() for file in lost.folder.iterdir() if file.is_file()}
    new = tmp_path / "new" / "data"
    vault = KeyFileVault(tmp_path / "keys.json")
    found = recovery.recover(lost.folder, pair[0], vault, new, FakeClock())
    check(lost, found)
    found.database.close()
    assert (vault.get(DATABASE_KEY), vault.get(CLIENT_SECRET)) == (KEY, b"client secret")
    assert vault.get(IMPORT_KEY) == b"i" * 32
    assert {file.name: file.read_bytes() for file in lost.folder.iterdir() if file.is_file()} == before
    # the new place can be lost in its turn
    again = recovery.recover(new, pair[0], EphemeralVault(), tmp_path / "third", FakeClock())
    assert EventLog(again.database).chain_head()[0] == 5
    again.database.close()


def test_a_power_cut_and_what_is_still_in_the_wal(lost: Lost, pair: Pair, tmp_path: Path) -> None:
    """The disk as it was at the cut: copied while the program still had it open."""
    disk = tmp_path / "disk"
    shutil.copytree(lost.folder, disk)
    lost.db.close()
    assert (disk / f"{recovery.DATABASE_NAME}-wal").stat().st_size > 0
    found = recovery.recover(disk, pair[0], EphemeralVault(), tmp_path / "new", FakeClock())
    check(lost, found)
    found.database.close()


def test_what_is_missing_is_named_and_nothing_is_left(lost: Lost, pair: Pair, tmp_path: Path) -> None:
    lost.db.close()
    new = tmp_path / "new"
    vault = EphemeralVault()

    def code() -> str:
        with pytest.raises(GenbaError) as caught:
            recovery.recover(lost.folder, pair[0], vault, new, FakeClock())
        assert vault.get(DATABASE_KEY) is None
        return caught.value.code

    database, sealed = lost.folder / recovery.DATABASE_NAME, lost.folder / recovery.SEALED_NAME
    whole = database.read_bytes()
    database.write_bytes(whole[:4096] + bytes(8192) + whole[12288:])
    assert code() in ("store.damaged", "store.disk_error")
    assert not (new / recovery.DATABASE_NAME).exists()
    database.unlink()
    assert code() == "recovery.no_database"
    database.write_bytes(whole)
    recovery.write_sealed(lost.folder, pair[1], recovery.Secrets(bytes(32), "s", "c"))
    assert code() == "store.wrong_key"
    sealed.write_bytes(sealing.seal(pair[1], b'{"database_key": "00", "station_id": "s", "client_secret": "c"}'))
    assert code() == "recovery.not_sealed"
    sealed.write_bytes(sealing.seal(pair[1], b"nonsense"))
    assert code() == "recovery.not_sealed"
    sealed.unlink()
    assert code() == "recovery.no_file"
    recovery.write_sealed(lost.folder, pair[1], recovery.Secrets(KEY, "s", "c"))
    new.mkdir(exist_ok=True)
    (new / recovery.DATABASE_NAME).write_bytes(b"somebody's")
    assert code() == "recovery.target_not_empty"
    assert (new / recovery.DATABASE_NAME).read_bytes() == b"somebody's"


def test_a_chain_that_was_altered_is_not_recovered(lost: Lost, pair: Pair, tmp_path: Path) -> None:
    lost.db.close()
    connection = driver.open_bare(lost.folder / recovery.DATABASE_NAME, KEY)
    sql = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'event_no_update'").fetchone()[0]
    connection.execute("DROP TRIGGER event_no_update")
    connection.execute("UPDATE event SET hash = zeroblob(32) WHERE seq = 2")
    connection.execute(sql)
    connection.close()
    with pytest.raises(StorageTrouble) as caught:
        recovery.recover(lost.folder, pair[0], EphemeralVault(), tmp_path / "new", FakeClock())
    assert (caught.value.code, caught.value.values) == ("store.tampered", {"seq": 2})


def test_a_changed_secret_is_sealed_at_once(lost: Lost, pair: Pair) -> None:
    lost.db.close()
    path = recovery.write_sealed(lost.folder, pair[1], recovery.Secrets(KEY, "station-1", "new secret"))
    assert recovery.read_sealed(lost.folder, pair[0]).client_secret == "new secret"
    assert b"new secret" not in path.read_bytes()
    assert not list(lost.folder.glob("*.new"))
