"""Promise: a lost PC delivers what waits, then holds nobody's name any more; no record is ever deleted by that.

Real processes, killed at each step of the wipe; what is left is read page by page, free pages included.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from app.errors import StorageTrouble
from app.messages import say
from app.secrets import DATABASE_KEY, KeyFileVault, make_pin_verifier
from app.settings import DataDir
from app.store.backup import Backups
from app.store.database import Database
from app.store.meta import Meta
from app.store.phones import Phone, PhoneStore
from app.wiring import setup
from app.wiring.duties import Duties, finish_wiping
from app.wiring.imports import BOOK
from app.wiring.station import open_station, sync_once
from tests.e2e.test_rejoin import record
from tests.e2e.test_rotate_secret import killed
from tests.helpers.central_judge import centre_events
from tests.helpers.station_rig import Centre, Rig, ask, call
from tests.helpers.tiny_site import tiny_site

PIN = make_pin_verifier("4829")
SITE: dict[str, Any] = {
    **tiny_site(workers=40),
    "operators": [{"id": "op-1", "name": "印影 保", "roles": ["foreman"], "pin_verifier": PIN}],
}
CARD = SITE["cards"][0]["id"]
NUMBER = "09099990001"
PERSONAL = ("架空 7郎", "カクウ 7ロウ", "印影 保", PIN, NUMBER, "花子の電話")
STEPS = (
    "app.store.closing:close_for,app.store.wipe:wipe_database,app.store.database:Database.compact,"
    "app.store.copies:is_spare,app.store.wipe:drop_copies,pathlib:Path.unlink,"
    "app.sync.http:CentreClient.say_withdrawn"
)


def lose(centre: Centre, data: DataDir, *more: str) -> None:
    identity = data.identity()
    assert identity is not None
    call(centre.centre_data, "central", "lost-station", identity.station_id, "--reason", "stolen", *more)


def plain_pages(data: DataDir) -> bytes:
    """Every page of the database as it was before it was encrypted, whatever is in use of it; the log likewise must
    be empty. SQLCipher 4: AES-256-CBC under the raw key, the page's IV and HMAC in its last 80 bytes."""
    key = KeyFileVault(data.root / "keys.json").require(DATABASE_KEY)
    log = data.database.with_name(data.database.name + "-wal")
    assert not log.exists() or log.stat().st_size == 0
    raw, found = data.database.read_bytes(), []
    for at in range(0, len(raw), 4096):
        page = raw[at : at + 4096]
        body = page[16 if at == 0 else 0 : -80]
        cipher = Cipher(algorithms.AES256(key), modes.CBC(page[-80:-64])).decryptor()
        found.append(cipher.update(body) + cipher.finalize())
    return b"".join(found)


def holds(pages: bytes) -> list[str]:
    return [text for text in PERSONAL if text.encode() in pages]


def furnish(centre: Centre, data: DataDir) -> tuple[list[str], Path]:
    """A station that has worked: roster, sent and unsent touches, a phone, a phone book, copies. One of the copies
    holds a record that is nowhere else."""
    setup.provision(data, centre.write_provisioning('key_file = "keys.json"\nsupport_contact = "情報 内線 12"\n'))
    other = DataDir.at(data.root.with_name("other"))
    with open_station(data) as station:
        ids = record(station, centre.site_id, CARD, 3)
        assert sync_once(station)[1] is None
        Meta(station.db).set(BOOK, json.dumps({NUMBER: ["91000000000001", ""]}))
        now = station.clock.now()
        PhoneStore(station.db).put(Phone("F1", bytes(32), "花子の電話", None, None, False, now, "op-1"))
        Backups(station.db).now()
    shutil.copytree(data.root, other.root)
    with open_station(other) as station:
        record(station, centre.site_id, CARD, 1)
        shutil.copy(Backups(station.db).now(), data.backups / "genba-touch-2026-01-01.db")
    with open_station(data) as station:
        ids += record(station, centre.site_id, CARD, 2)
    return ids, data.backups / "genba-touch-2026-01-01.db"


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.timeout(300)
def test_killed_anywhere_it_sends_all_and_then_holds_nobody(centre: Centre, tmp_path: Path) -> None:
    data = DataDir.at(tmp_path / "data")
    ids, only_copy = furnish(centre, data)
    daily = next(copy for copy in data.backups.glob("*.db") if copy != only_copy)
    with open_station(data) as station:
        station.db.compact()  # for the judge: it needs everything in the file
    assert holds(plain_pages(data)) == list(PERSONAL), "the judge sees what is there"
    lose(centre, data)
    untouched = only_copy.read_bytes()
    for step in range(1, 60):
        code = killed(step, STEPS, data.root, "sync", "--once")
        assert only_copy.read_bytes() == untouched
        if code != -9:
            break
        status = json.loads(call(data.root, "status", "--json"))
        assert (status["pending"], status["chain_head"]["seq"]) == (0, len(ids))
    assert code == 5
    assert step > 10
    assert not daily.exists()
    assert {event["id"] for event in centre_events(centre.centre_data)} == set(ids)
    assert holds(plain_pages(data)) == []
    assert json.loads(call(data.root, "status", "--json"))["chain_head"]["seq"] == len(ids)
    doctor = ask(data.root, "doctor", "--quick", "--json")
    assert (doctor.returncode, json.loads(doctor.stdout)["first_failed"]) == (4, "in_service")
    state = json.loads(call(centre.centre_data, "central", "stations", "--json"))[0]
    assert state["withdrawn_at"] is not None
    for command in (("gate", "--headless"), ("sync", "--once"), ("rotate-secret",)):
        done = ask(data.root, *command)
        assert (done.returncode, done.stderr.splitlines()) == (5, [*sentence()]), command


def sentence() -> tuple[str, str, str]:
    message = say("station.withdrawn", "ja")
    return message.title, "情報 内線 12", message.remedy


def test_nothing_is_recorded_from_the_moment_it_hears(centre: Centre, tmp_path: Path, expected_logs: list[str]) -> None:
    """And nothing is wiped while a record waits."""
    expected_logs.append("out of service")
    data = DataDir.at(tmp_path / "data")
    ids, _ = furnish(centre, data)
    lose(centre, data)
    with open_station(data) as station:
        client = station.client()
        duties = Duties(station, client)  # type: ignore[arg-type]
        assert duties.run()
        with pytest.raises(StorageTrouble, match=r"station\.withdrawn"):
            record(station, centre.site_id, CARD, 1)
        assert station.outbox.counts().pending == 2
        assert station.rosters.load(centre.site_id).workers
        lose(centre, data, "--found")
        client.close()
    with open_station(data) as station:
        assert sync_once(station)[1] is None, "found again before it was wiped"
        ids += record(station, centre.site_id, CARD, 1)
        assert sync_once(station)[1] is None
    assert {event["id"] for event in centre_events(centre.centre_data)} == set(ids)


def test_what_else_holds_people_goes_and_what_may_hold_a_record_stays(
    centre: Centre, tmp_path: Path, expected_logs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the disk is full until copies are gone: to write the database anew needs its size once more."""
    expected_logs.append("kept, for it may hold")
    data = DataDir.at(tmp_path / "data")
    _, only_copy = furnish(centre, data)
    with open_station(data) as station:
        assert sync_once(station)[1] is None
        shutil.copy(Backups(station.db).now(), data.root / "genba-touch.db.put-back")
    for name, copy in (("a", data.root / "genba-touch.db.put-back"), ("b", only_copy)):
        (data.updates / f"records-of-0.2.{name}").mkdir(parents=True)
        shutil.copy(copy, data.updates / f"records-of-0.2.{name}" / data.database.name)
    (data.root / "damaged-log" / "20260101T000000").mkdir(parents=True)  # cut off before it was noted what it is
    compact, tries = Database.compact, []

    def full_once(self: Database) -> bool:
        tries.append(len(list(data.backups.glob("*.db"))))
        if len(tries) == 1:
            raise StorageTrouble("store.disk_full", str(data.root))
        return compact(self)

    monkeypatch.setattr(Database, "compact", full_once)
    with open_station(data) as station:
        assert finish_wiping(station.db, data)
    assert tries[1] < tries[0], "room was made first"
    assert sorted(path.name for path in data.updates.iterdir()) == ["records-of-0.2.b"]
    assert list(data.backups.glob("*.db")) == [only_copy]
    assert not (data.root / "genba-touch.db.put-back").exists()
    assert (data.root / "damaged-log" / "20260101T000000").exists()


def test_a_running_gate_says_so_and_records_no_more(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    rig = Rig(tmp_path, SITE)
    request.addfinalizer(rig.close)
    gate = rig.start_gate()
    card = CARD.removeprefix("felica:")
    assert rig.touch(card)
    gate.wait(lambda e: e["event"] == "sync" and e["accepted"] == 1)
    lose(rig, DataDir.at(rig.station_data))
    rig.touch(SITE["cards"][1]["id"].removeprefix("felica:"))  # it has not heard of it yet
    gate.wait(lambda e: e["event"] == "sync" and e["accepted"] == 2)
    gate.wait(lambda e: e["event"] == "sync" and e["last_error"] in ("station.withdrawn", WITHDRAWN_BY_CENTRE))
    said = len(gate.items)
    rig.touch(SITE["cards"][2]["id"].removeprefix("felica:"))
    alarm = gate.wait(lambda e: e["event"] in ("alarm", "touch"), since=said)
    assert (alarm["event"], alarm["code"]) == ("alarm", "station.withdrawn")
    assert len(centre_events(rig.centre_data)) == 2
    gate.terminate()
    assert ask(rig.station_data, "gate", "--headless").returncode == 5


WITHDRAWN_BY_CENTRE = "sync.forbidden_station_revoked"
