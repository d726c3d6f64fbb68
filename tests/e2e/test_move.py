"""Promise: a station moves to another PC with what it has not sent, and never goes on in two places unnoticed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import CentreRefused, InputRefused, StorageTrouble
from app.files import DATABASE_NAME
from app.messages import say
from app.secrets import CLIENT_SECRET, KeyFileVault
from app.settings import DataDir, Settings
from app.store import closing
from app.sync.http import CentreClient
from app.wiring import moving, phones, setup
from app.wiring.station import open_station, sync_once
from tests.e2e.test_rejoin import record
from tests.helpers import keyring_session
from tests.helpers.central_judge import centre_events
from tests.helpers.keyring_session import KeyringSession
from tests.helpers.station_rig import ROOT, Centre, ask, call, genba_touch
from tests.helpers.tiny_site import tiny_site

SITE = tiny_site(workers=2)
CARD = SITE["cards"][0]["id"]
CA = "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n"


@pytest.fixture
def old(centre: Centre, tmp_path: Path) -> DataDir:
    """A station with sent and unsent touches, and with everything that a folder may hold."""
    data, safe = DataDir.at(tmp_path / "old"), tmp_path / "safe"
    setup.make_recovery_key(safe)
    public = (safe / "recovery-public.pem").read_text(encoding="ascii")
    setup.provision(
        data, centre.write_provisioning(f'key_file = "keys.json"\nrecovery_public_key = """\n{public}"""\n')
    )
    with open_station(data) as station:
        record(station, centre.site_id, CARD, 3)
        assert sync_once(station)[1] is None
        record(station, centre.site_id, CARD, 2)
        (data.root / "company-ca.pem").write_text(CA)
        data.save_settings(replace(station.settings, ca_file=str(data.root / "company-ca.pem")))
    phones.station_key(data)
    for name in ("trust/site.pem", "card_profiles/own.toml", "formats/clock.toml"):
        (data.root / name).parent.mkdir(exist_ok=True)
        (data.root / name).write_text(name)
    return data


def goes_on(data: DataDir, centre: Centre) -> None:
    """Everything came along, and what was unsent arrives."""
    settings = data.settings()
    assert settings.ca_file == str(data.root / "company-ca.pem")
    assert Path(settings.ca_file).read_text() == CA
    for name in ("trust/site.pem", "card_profiles/own.toml", "formats/clock.toml"):
        assert (data.root / name).read_text() == name
    data.save_settings(_without_ca(settings))  # it is none, and http here
    with open_station(data) as station:
        assert station.outbox.counts().pending == 2
        record(station, centre.site_id, CARD, 1)
        result, error = sync_once(station)
        assert error is None, str(error)
        assert (result["pending"], result["rejected"], result["chain_state"]) == (0, 0, "ok")
    assert len(centre_events(centre.centre_data)) == 6


def _without_ca(settings: Settings) -> Settings:
    return replace(settings, ca_file=None)


def code_refused(data: DataDir) -> str:
    data.save_settings(_without_ca(data.settings()))
    with open_station(data) as station:
        error = sync_once(station)[1]
    return error.code if error else ""


def test_a_station_moves(centre: Centre, old: DataDir, tmp_path: Path) -> None:
    new, file = DataDir.at(tmp_path / "new"), tmp_path / "move.genba"
    key = phones.station_key(old)["key"]
    twin = DataDir.at(tmp_path / "twin")
    shutil.copytree(old.root, twin.root)  # somebody's copy of the folder
    shown = call(old.root, "move-out", str(file))
    code = re.findall(r"^    (\S+-\S+)$", shown, re.M)
    assert len(code) == 1, shown
    assert "2 件" in shown
    assert file.read_bytes().count(KeyFileVault(old.root / "keys.json").require(CLIENT_SECRET)) == 0
    for command in (("gate", "--headless"), ("sync", "--once"), ("import", "x.csv")):
        done = ask(old.root, *command)
        assert done.returncode == 3, done.stderr
        assert str(file) in done.stderr, "it says where everything went"
    done = ask(old.root, "doctor", "--quick", "--json")
    assert (done.returncode, json.loads(done.stdout)["first_failed"]) == (4, "in_service")
    assert "ほかの PC へ移されました" in ask(old.root, "purge", "--yes").stderr
    with open_station(old, rejoining=True) as station, pytest.raises(StorageTrouble, match=r"station\.moved"):
        record(station, centre.site_id, CARD, 1)

    assert move_in(new, file, "AAAA-BBBB-CCCC-DDDD-EEEE") == 3
    assert new.identity() is None
    assert move_in(new, file, code[0].lower().replace("-", " ")) == 0
    assert phones.station_key(new)["key"] == key, "phones' files are still opened"
    goes_on(new, centre)
    old.save_settings(_without_ca(old.settings()))
    with pytest.raises(InputRefused, match=r"move\.already_in"):
        moving.take_back(old)
    assert code_refused(twin) == "sync.auth_failed", "the copy cannot go on beside it"
    assert len(centre_events(centre.centre_data)) == 6
    setup.rejoin(old, centre.issue_code())
    with open_station(old) as station:
        record(station, centre.site_id, CARD, 1)
        assert sync_once(station)[1] is None, "under another name it may"


def move_in(new: DataDir, file: Path, code: str) -> int:
    done = subprocess.run(
        genba_touch(new.root, "move-in", str(file)), cwd=ROOT, input=f"{code}\n", text=True, capture_output=True
    )
    return done.returncode


def test_a_move_is_taken_back_and_then_the_file_is_void(centre: Centre, old: DataDir, tmp_path: Path) -> None:
    old.save_settings(_without_ca(old.settings()))
    new, file = DataDir.at(tmp_path / "new"), tmp_path / "move.genba"
    with pytest.raises(InputRefused, match=r"move\.not_moved"):
        moving.take_back(old)
    code = moving.move_out(old, file)["code"]
    again = moving.move_out(old, tmp_path / "again.genba")["code"]
    assert again != code
    centre.kill_centre()
    assert ask(old.root, "move-out", "--undo").returncode == 4, "nobody knows now"
    assert ask(old.root, "gate", "--headless").returncode == 3
    centre.start_centre()
    call(old.root, "move-out", "--undo")
    moving.move_in(file, code, new)
    assert code_refused(new) == "sync.auth_failed"
    with open_station(old) as station:
        record(station, centre.site_id, CARD, 1)
        assert sync_once(station)[1] is None
    assert len(centre_events(centre.centre_data)) == 6


def test_an_altered_file_moves_nothing(centre: Centre, old: DataDir, tmp_path: Path) -> None:
    file, evil = tmp_path / "move.genba", tmp_path / "evil.genba"
    code = moving.move_out(old, file)["code"]
    with pytest.raises(InputRefused, match=r"move\.file_exists"):
        moving.move_out(old, file)
    with zipfile.ZipFile(file) as bundle:
        parts = {name: bundle.read(name) for name in bundle.namelist()}
    for name, data in parts.items():
        with zipfile.ZipFile(evil, "w") as bundle:
            for other, held in parts.items():
                bundle.writestr(other, b"x" + data[1:] if other == name else held)
        with pytest.raises(InputRefused, match=r"move\.(damaged|wrong_code|no_bundle)"):
            moving.move_in(evil, code, DataDir.at(tmp_path / "new"))
    evil.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InputRefused, match=r"move\.no_bundle"):
        moving.move_in(evil, code, DataDir.at(tmp_path / "new"))
    assert not (tmp_path / "new" / DATABASE_NAME).exists()
    with pytest.raises(InputRefused, match=r"recovery\.target_not_empty"):
        moving.move_in(file, code, old)


def test_no_secret_leaves_in_the_clear(centre: Centre, old: DataDir, tmp_path: Path) -> None:
    """A file of keys in a folder of its own, the sheet of the first start; and files of a PC whose clock stood at 0."""
    (old.root / "keys").mkdir()
    (old.root / "keys.json").rename(old.root / "keys" / "own.json")
    old.save_settings(replace(old.settings(), key_file="keys/own.json"))
    (old.root / "provisioning.toml").write_text('enrolment_code = "AAAA-BBBB-CCCC"')
    os.utime(old.root / "trust" / "site.pem", (0, 0))
    moving.move_out(old, tmp_path / "move.genba")
    with zipfile.ZipFile(tmp_path / "move.genba") as bundle:
        names = [name for name in bundle.namelist() if name.startswith("files/")]
    assert sorted(names) == [
        "files/card_profiles/own.toml", "files/company-ca.pem", "files/formats/clock.toml", "files/genba-touch.db",
        "files/genba-touch.db.keyid", "files/trust/site.pem",
    ]  # fmt: skip


def test_who_moves_in_shuts_the_other_out_before_it_delivers(
    centre: Centre, old: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the power could fail in between, the old PC be taken back, and one number be given to two touches."""
    old.save_settings(_without_ca(old.settings()))
    new, file = DataDir.at(tmp_path / "new"), tmp_path / "move.genba"
    moving.move_in(file, moving.move_out(old, file)["code"], new)
    calls: list[str] = []
    for name in ("name_next_secret", "push"):
        monkeypatch.setattr(CentreClient, name, noted(calls, name, getattr(CentreClient, name)))
    with open_station(new) as station:
        assert sync_once(station)[1] is None
    assert calls[:2] == ["name_next_secret", "push"]


def noted(calls: list[str], name: str, call: Any) -> Any:
    def run(*args: Any, **more: Any) -> Any:
        calls.append(name)
        return call(*args, **more)

    return run


def test_two_folders_of_one_account_do_not_share_its_keyring(centre: Centre, tmp_path: Path) -> None:
    """Purging the old one would delete the new one's key."""
    if (lacking := keyring_session.missing()) is not None:
        pytest.skip(lacking)
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "move.genba"
    with KeyringSession(tmp_path / "user") as session:
        env = session.environment
        call(old, "provision", str(centre.write_provisioning("")), env=env)
        out = json.loads(call(old, "move-out", str(file), "--json", env=env))
        done = subprocess.run(
            genba_touch(new, "move-in", str(file)), cwd=ROOT, env=env, input=out["code"], text=True, capture_output=True
        )
    assert (done.returncode, done.stderr.splitlines()[0]) == (3, say("move.same_account", "ja").title)
    assert not new.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a full disk")
def test_where_it_cannot_be_written_nothing_has_changed(centre: Centre, old: DataDir) -> None:
    done = ask(old.root, "move-out", "/dev/full/move.genba")
    assert done.returncode == 4, done.stderr
    with open_station(old) as station:
        assert closing.closing(station.db) is None
        record(station, centre.site_id, CARD, 1)


def test_recover_brings_everything_and_shuts_the_old_folder_out(centre: Centre, old: DataDir, tmp_path: Path) -> None:
    new = DataDir.at(tmp_path / "new")
    setup.recover(old.root, tmp_path / "safe" / "recovery-private.pem", new)
    goes_on(new, centre)
    assert code_refused(old) == "sync.auth_failed"
    setup.rejoin(old, centre.issue_code())
    with open_station(old) as station:
        assert sync_once(station)[1] is None
    assert len(centre_events(centre.centre_data)) == 6
    with pytest.raises(CentreRefused):
        setup.rejoin(new, "AAAA-BBBB-CCCJ")


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.timeout(300)
def test_killed_while_moving_in_it_is_begun_again(centre: Centre, old: DataDir, tmp_path: Path) -> None:
    new, file = DataDir.at(tmp_path / "new"), tmp_path / "move.genba"
    code = moving.move_out(old, file)["code"]
    steps = "app.wiring.moving:_unpack,app.secrets:KeyFileVault.set,app.settings:DataDir.save_settings"
    killed = 0
    for step in range(1, 60, 5):
        command = ["--data-dir", str(new.root), "move-in", str(file)]
        done = subprocess.run(
            [sys.executable, "-m", "tests.helpers.killed", str(step), steps, *command],
            cwd=ROOT, input=f"{code}\n".encode(), capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        if done.returncode != -9:
            break
        killed += 1
        assert new.identity() is None
    assert done.returncode == 0, done.stderr
    assert killed >= 3
    goes_on(new, centre)
