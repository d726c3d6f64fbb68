"""Putting a version in and the older one back: on a real tree, over real records, with a real centre."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.pool import NullPool

from app.errors import EnvironmentTrouble, InputRefused, StorageTrouble
from app.secrets import DATABASE_KEY
from app.settings import DataDir
from app.store import migrate, opening, schema
from app.store import put_back as putting
from app.store.database import Database
from app.store.engine import make_engine
from app.update.installed import Installed, Kind, found
from app.update.state import Memory
from app.wiring import moving, setup, update_apply, updates
from app.wiring.station import open_station, sync_once, vault_of
from tests.e2e.test_rejoin import record
from tests.helpers.central_judge import centre_events
from tests.helpers.station_rig import ROOT, Centre, call
from tests.helpers.tiny_site import tiny_site
from tests.update.bench import PLATFORM, Shop

SITE = tiny_site(workers=3)
PROGRAM = '#!/bin/sh\n[ "$1" = --self-test ] && exit {self_test}\necho "genba-touch {version} $*"\n'


def program(version: str, self_test: int = 0) -> dict[str, bytes]:
    """A program so small that it can be read, and real enough to run."""
    text = PROGRAM.format(version=version, self_test=self_test)
    return {"genba-touch": text.encode(), "VERSION": f"{version}\n".encode()}


def archive(shop: Shop, version: str, *, self_test: int = 0) -> Path:
    """As `installer.linux` packs one."""
    top = f"genba-touch-{version}-{PLATFORM}"
    file = shop.home / f"{top}.tar.xz"
    with tarfile.open(file, "w:xz") as packed:
        for name, content in {**program(version, self_test), "_internal/file": b"1"}.items():
            member = tarfile.TarInfo(f"{top}/genba-touch/{name}")
            member.mode, member.size = (0o755 if name == "genba-touch" else 0o644), len(content)
            packed.addfile(member, io.BytesIO(content))
    return file


class Bench:
    """A PC of an enrolled station with version 0.1.0 in its user's folder, and IT's list with 0.2.0."""

    def __init__(self, tmp_path: Path, centre: Centre, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.shop = Shop(tmp_path)
        self.centre = centre
        self._before = len(centre_events(centre.centre_data))
        self.data = DataDir.at(tmp_path / "現場 データ")
        setup.provision(self.data, centre.write_provisioning('key_file = "keys.json"\n', code))
        self.data.save_settings(replace(self.data.settings(), update_url=str(self.shop.folder)))
        self.folder = tmp_path / "lib" / "genba-touch"
        self.folder.mkdir(parents=True)
        for name, content in program("0.1.0").items():
            (self.folder / name).write_bytes(content)
        (self.folder / "genba-touch").chmod(0o755)
        (self.folder / "it-key.pem").write_text("IT's")
        self.here = Installed(Kind.FOLDERS, self.folder)
        monkeypatch.setattr(updates, "_root", lambda: self.shop.root)

    def run(self, version: str) -> None:
        """This process is that version from now on."""
        for module in (updates, update_apply):
            self._patch.setattr(module, "VERSION", version)

    def fetched(self, version: str = "0.2.0", *, self_test: int = 0) -> None:
        self.shop.publish(version, file=archive(self.shop, version, self_test=self_test))
        assert updates.updates_of(self.data, installed=self.here).download() is not None

    def updated(self) -> update_apply.Done:
        """0.2.0 is in and has opened the records."""
        self.fetched()
        done = update_apply.apply(self.data, installed=self.here)
        self.run("0.2.0")
        updates.note_opened(self.data)
        return done

    def says(self) -> str:
        """What runs when the program is called."""
        return subprocess.run([self.folder / "genba-touch"], capture_output=True, text=True, check=True).stdout.strip()

    def record(self, count: int) -> list[str]:
        with open_station(self.data) as station:
            return record(station, self.centre.site_id, SITE["cards"][0]["id"], count)

    def deliver(self) -> None:
        with open_station(self.data) as station:
            result, error = sync_once(station)
            assert error is None, str(error)
            assert (result["pending"], result["rejected"], result["chain_state"]) == (0, 0, "ok")

    def held(self) -> list[str]:
        """Ids that the centre has taken since this bench was made."""
        return [str(event["id"]) for event in centre_events(self.centre.centre_data)[self._before :]]

    def older_schema(self) -> str:
        """As if 0.1.0 had known an older schema: the copy of before is in that, and the state says so."""
        older = schema.REVISIONS[-2]
        memory = Memory.of(self.data.updates)
        assert memory.state.applied is not None
        engine = make_engine(Path(memory.state.applied.backup), self.key, NullPool, foreign_keys=False)
        migrate.downgrade(engine, older)
        engine.dispose()
        memory.state.applied.schema = older
        memory.save()
        return older

    @property
    def key(self) -> bytes:
        return vault_of(self.data, self.data.settings()).require(DATABASE_KEY)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Centre, str]]:
    """One for all benches, and a code that is good for all."""
    made = Centre(tmp_path_factory.mktemp("centre"), SITE)
    answer = call(made.centre_data, "central", "issue-code", "--site", made.site_id, "--uses", "50", "--json")
    yield made, json.loads(answer)["enrolment_code"]
    made.close()


@pytest.fixture
def bench(tmp_path: Path, centre: tuple[Centre, str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, *centre, monkeypatch)


@pytest.fixture
def expected_logs() -> list[str]:
    return ["is put back after"]


def test_a_version_goes_in_after_a_copy_and_comes_out_again(bench: Bench) -> None:
    ids = bench.record(3)
    done = bench.updated()
    assert done.program == bench.folder / "genba-touch"
    assert bench.says() == "genba-touch 0.2.0"
    assert (bench.folder / "it-key.pem").read_text() == "IT's"
    with Database.look(Path(done.backup), bench.key, update_apply.SystemClock()) as copy, copy.read() as rows:
        assert [r[0] for r in rows.exec_driver_sql("SELECT id FROM event ORDER BY seq")] == ids
    said = updates.status(bench.data, bench.here)
    assert (said["version"], said["way_back"], said["ready"]) == ("0.2.0", "0.1.0", None)
    assert said["last_update"]["stage"] == "proven"

    after = bench.record(2)
    back = update_apply.back(bench.data, installed=bench.here)
    assert (back.version, back.rejoin) == ("0.1.0", False)
    assert bench.says() == "genba-touch 0.1.0"
    bench.run("0.1.0")
    bench.deliver()
    assert bench.held() == ids + after
    assert updates.updates_of(bench.data, installed=bench.here).download() is None, "what was put back stays out"
    bench.fetched("0.3.0")
    with pytest.raises(InputRefused, match=r"update\.no_update"):
        update_apply.back(bench.data, installed=bench.here)


def test_nothing_goes_in_that_does_not_run_here_or_while_the_gate_is_open(bench: Bench) -> None:
    bench.record(1)
    bench.fetched(self_test=1)
    with pytest.raises(InputRefused, match=r"update\.not_sound"):
        update_apply.apply(bench.data, installed=bench.here)
    bench.fetched("0.3.0")
    with open_station(bench.data), pytest.raises(EnvironmentTrouble, match=r"update\.close_first"):
        update_apply.apply(bench.data, installed=bench.here)
    with pytest.raises(EnvironmentTrouble, match=r"update\.it_must_install"):
        update_apply.apply(bench.data, installed=Installed(Kind.PACKAGE, bench.folder))
    assert bench.says() == "genba-touch 0.1.0"
    assert Memory.of(bench.data.updates).state.applied is None


def test_no_copy_no_update(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.fetched()

    def full(*_: object) -> None:
        raise StorageTrouble("store.no_room_for_backup", "here")

    monkeypatch.setattr(update_apply.backup, "verified_copy", full)
    with pytest.raises(StorageTrouble):
        update_apply.apply(bench.data, installed=bench.here)
    assert bench.says() == "genba-touch 0.1.0"


def test_back_over_a_new_schema_when_nothing_was_recorded_since(bench: Bench) -> None:
    """The usual way: the new version is no good and nobody has used it. Nothing has to be sent, nobody enrols."""
    sent = bench.record(2)
    bench.deliver()
    waiting = bench.record(2)
    bench.updated()
    older = bench.older_schema()
    done = update_apply.back(bench.data, installed=bench.here)
    assert done.rejoin is False
    assert bench.says() == "genba-touch 0.1.0"
    assert opening.revision(bench.data.database, bench.key) == older
    bench.run("0.1.0")
    more = bench.record(1)
    bench.deliver()
    assert bench.held() == sent + waiting + more


def test_back_over_a_new_schema_loses_nothing_and_sends_nothing_twice(bench: Bench) -> None:
    first = bench.record(2)
    bench.deliver()
    first += bench.record(2)  # waits in the copy, and is delivered after it
    bench.updated()
    bench.older_schema()
    since = bench.record(3)
    with pytest.raises(InputRefused, match=r"update\.back_unsent") as refused:
        update_apply.back(bench.data, installed=bench.here)
    assert refused.value.values["waiting"] == 5
    assert bench.says() == "genba-touch 0.2.0"
    assert opening.revision(bench.data.database, bench.key) == schema.HEAD
    assert not bench.data.rejoin_first.exists()

    bench.deliver()
    done = update_apply.back(bench.data, installed=bench.here)
    assert done.rejoin is True
    assert bench.says() == "genba-touch 0.1.0"
    bench.run("0.1.0")
    for attempt in (lambda: bench.record(1), bench.deliver):
        with pytest.raises(InputRefused, match=r"settings\.rejoin_first"):
            attempt()
    (aside,) = bench.data.updates.glob("records-of-0.2.0-*")
    with (
        Database.look(aside / bench.data.database.name, bench.key, update_apply.SystemClock()) as kept,
        kept.read() as rows,
    ):
        assert [r[0] for r in rows.exec_driver_sql("SELECT id FROM event ORDER BY seq")] == first + since

    setup.rejoin(bench.data, bench.centre.issue_code())
    later = bench.record(2)
    bench.deliver()
    assert sorted(bench.held()) == sorted(first + since + later), "each touch once, under its own id"


def test_a_way_back_that_was_broken_off_is_gone_to_its_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power fails between taking the newer records away and putting the copy in their place."""
    bench.record(2)
    bench.updated()
    bench.older_schema()
    bench.record(1)
    bench.deliver()

    def cut(_: Path) -> None:
        raise SystemExit

    with monkeypatch.context() as power:
        power.setattr(putting, "sync_folder", cut)
        with pytest.raises(SystemExit):
            update_apply.back(bench.data, installed=bench.here)
    assert not bench.data.database.exists()
    assert bench.says() == "genba-touch 0.2.0"
    for opened in (open_station, lambda data: open_station(data, rejoining=True)):
        with pytest.raises((InputRefused, StorageTrouble)):
            opened(bench.data)
    assert update_apply.back(bench.data, installed=bench.here).rejoin is True
    assert bench.says() == "genba-touch 0.1.0"
    bench.run("0.1.0")
    setup.rejoin(bench.data, bench.centre.issue_code())
    bench.record(1)
    bench.deliver()


def test_windows_runs_the_set_up_that_was_verified(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which command, and that nothing runs without the way back. The set-up itself needs Windows."""
    started: list[list[str]] = []
    monkeypatch.setattr(update_apply.setup_exe, "start", started.append)
    here = Installed(Kind.SETUP_USER, bench.folder)
    bench.shop.publish("0.2.0", file=archive(bench.shop, "0.2.0"))
    assert updates.updates_of(bench.data, installed=here).download() is not None
    with pytest.raises(InputRefused, match=r"update\.no_way_back"):
        update_apply.apply(bench.data, installed=here)
    assert started == []
    bench.shop.publish("0.1.0", file=archive(bench.shop, "0.1.0"))
    updates.updates_of(bench.data, installed=here).download()
    done = update_apply.apply(bench.data, installed=here, then_start=True)
    assert done.program is None
    assert [Path(started[0][0]).name, *started[0][1:]] == [
        f"genba-touch-0.2.0-{PLATFORM}.tar.xz", "/S", "/CurrentUser", f"/AFTER={os.getpid()}", "/START",
    ]  # fmt: skip
    bench.run("0.2.0")
    updates.note_opened(bench.data)
    update_apply.back(bench.data, installed=here)
    assert [Path(started[1][0]).name, *started[1][1:]] == [
        f"genba-touch-0.1.0-{PLATFORM}.tar.xz", "/S", "/CurrentUser", f"/AFTER={os.getpid()}", "/ROLLBACK",
    ]  # fmt: skip
    bench.run("0.1.0")
    updates.note_opened(bench.data)
    assert updates.status(bench.data, here)["last_update"]["stage"] == "returned"


def test_with_more_rights_only_what_was_signed_runs_and_nothing_of_the_user_beside_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator's `update apply`: the account's own folder may hold whatever somebody has put there."""
    started: list[list[str]] = []
    monkeypatch.setattr(update_apply.setup_exe, "start", started.append)
    for module in (updates, update_apply):
        monkeypatch.setattr(module.setup_exe, "has_rights", lambda installed: True)
    here = Installed(Kind.SETUP_MACHINE, bench.folder)
    for version in ("0.1.0", "0.2.0"):
        bench.shop.publish(version, file=archive(bench.shop, version))
    assert updates.updates_of(bench.data, installed=here).download() is not None
    packages = bench.data.updates / "packages"
    (packages / "it-key.pem").write_text("somebody's, whom set-up would believe")
    update_apply.apply(bench.data, installed=here)
    ran = Path(started[0][0])
    assert ran.parent == bench.folder.with_name("genba-touch.setup")
    assert list(ran.parent.iterdir()) == [ran]
    assert ran.read_bytes() == (packages / ran.name).read_bytes()

    bench.run("0.2.0")
    updates.note_opened(bench.data)
    memory = Memory.of(bench.data.updates)
    kept = memory.state.kept
    assert kept is not None
    (packages / kept.name).write_bytes(b"evil")
    memory.state.kept = replace(kept, size=4, sha256=hashlib.sha256(b"evil").hexdigest())
    memory.save()
    with pytest.raises(InputRefused, match=r"update\.no_way_back"):
        update_apply.back(bench.data, installed=here)
    offer = replace(kept, sha256="0" * 64)
    with pytest.raises(InputRefused, match=r"update\.tampered"):
        update_apply.setup_exe.staged(packages / kept.name, offer, here)
    assert len(started) == 1


START = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from app.settings import DataDir
from app.update.installed import Installed, Kind
from app.wiring import update_apply, updates
now = datetime.fromisoformat(sys.argv[4])
class Clock(update_apply.SystemClock):
    def now(self): return now
update_apply.SystemClock = Clock
updates._root = lambda: Path(sys.argv[3]).read_bytes()
for module in (updates, update_apply): module.VERSION = sys.argv[5]
here = Installed(Kind.FOLDERS, Path(sys.argv[2]))
if not update_apply.at_start(DataDir.at(Path(sys.argv[1])), ["gate", "--kiosk"], installed=here):
    print("the gate opens")
"""


def started(bench: Bench, version: str, hour: str = "12:00") -> str:
    """What a start of the program at that hour in Japan comes to."""
    now = datetime.fromisoformat(f"{datetime.now(update_apply.JST).date()}T{hour}:00+09:00")
    words = [bench.data.root, bench.folder, bench.shop.folder / "update-root.json", now.isoformat(), version]
    command = [sys.executable, "-c", START, *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_it_goes_in_at_the_start_but_not_in_the_rush(bench: Bench) -> None:
    bench.fetched()
    assert started(bench, "0.1.0", "07:30") == "the gate opens"
    assert started(bench, "0.1.0", "17:00") == "the gate opens"
    assert started(bench, "0.1.0") == "genba-touch 0.2.0 gate --kiosk"
    assert started(bench, "0.2.0") == "the gate opens"


def test_a_version_that_twice_did_not_open_the_records_goes_out_by_itself(bench: Bench) -> None:
    bench.fetched()
    assert started(bench, "0.1.0").startswith("genba-touch 0.2.0")
    assert [started(bench, "0.2.0", "07:30") for _ in range(2)] == ["the gate opens"] * 2
    assert started(bench, "0.2.0", "07:30") == "genba-touch 0.1.0 gate --kiosk"
    assert started(bench, "0.1.0") == "the gate opens", "and does not come again"


def test_nothing_goes_back_by_itself_over_records_that_would_need_a_code(bench: Bench) -> None:
    bench.fetched()
    assert started(bench, "0.1.0").startswith("genba-touch 0.2.0")
    bench.older_schema()
    bench.record(1)
    bench.deliver()
    assert [started(bench, "0.2.0", "07:30") for _ in range(3)] == ["the gate opens"] * 3
    assert not bench.data.rejoin_first.exists()


def test_a_version_that_is_no_good_holds_up_one_start_alone(bench: Bench) -> None:
    bench.fetched(self_test=1)
    tried = bench.folder.with_name("genba-touch.next")
    assert started(bench, "0.1.0") == "the gate opens"
    before = tried.stat().st_ctime_ns
    assert started(bench, "0.1.0") == "the gate opens"
    assert tried.stat().st_ctime_ns == before, "it was not unpacked and tried again"
    bench.fetched("0.3.0")
    assert started(bench, "0.1.0") == "genba-touch 0.3.0 gate --kiosk"


@pytest.mark.parametrize("damage", ['{"found": 1}', '{"newest": "yesterday"}', "metadata"])
def test_whatever_became_of_the_files_of_updates_the_gate_opens(bench: Bench, damage: str) -> None:
    bench.fetched()
    if damage == "metadata":
        for file in (bench.data.updates / "metadata").rglob("*.json"):
            file.write_bytes(file.read_bytes()[:100])
    else:
        file = bench.data.updates / "state.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **json.loads(damage)}))
    assert started(bench, "0.1.0") == "the gate opens"


def test_a_station_that_has_moved_does_not_come_back_with_a_copy_of_before(bench: Bench, tmp_path: Path) -> None:
    """The copy knows nothing of the move: two PCs would record as one station."""
    bench.record(2)
    bench.deliver()
    bench.updated()
    bench.older_schema()
    moving.move_out(bench.data, tmp_path / "move.genba")
    with pytest.raises(InputRefused, match=r"station\.moved"):
        update_apply.back(bench.data, installed=bench.here)
    assert opening.revision(bench.data.database, bench.key) == schema.HEAD
    with pytest.raises(InputRefused, match=r"station\.moved"):
        bench.record(1)


def test_a_way_back_that_finds_no_copy_leaves_the_gate_as_it_was(bench: Bench) -> None:
    bench.record(2)
    done = bench.updated()
    bench.older_schema()
    bench.record(1)
    bench.deliver()
    Path(done.backup).write_bytes(b"damaged")
    with pytest.raises(StorageTrouble):
        update_apply.back(bench.data, installed=bench.here)
    bench.record(1)
    bench.deliver()


def test_a_log_is_kept_aside_with_its_database(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power fails between the two, and it goes on a second later: what the centre rejected may be in that log."""
    ids = bench.record(1)
    bench.updated()
    bench.older_schema()
    bench.deliver()
    rename, calls = Path.rename, []

    def cut(self: Path, target: Path) -> Path:
        calls.append(self.name)
        if len(calls) == 2:
            raise SystemExit
        return rename(self, target)

    with open_station(bench.data, look=True) as looking, monkeypatch.context() as power:
        assert looking.events.chain_head()[0] == 1  # who looks keeps the log there
        ids += bench.record(1)
        bench.deliver()
        power.setattr(Path, "rename", cut)
        with pytest.raises(SystemExit):
            update_apply.back(bench.data, installed=bench.here)
    assert calls == ["genba-touch.db", "genba-touch.db-wal"]
    time.sleep(1.1)
    assert update_apply.back(bench.data, installed=bench.here).rejoin is True
    (aside,) = bench.data.updates.glob("records-of-0.2.0-*")
    with Database.look(aside / bench.data.database.name, bench.key, update_apply.SystemClock()) as kept:
        with kept.read() as rows:
            assert [r[0] for r in rows.exec_driver_sql("SELECT id FROM event ORDER BY seq")] == ids


@pytest.mark.parametrize(("place", "kind"), [("lib/genba-touch", Kind.FOLDERS), ("usr/lib/other", Kind.PACKAGE)])
def test_how_it_is_installed(tmp_path: Path, place: str, kind: Kind) -> None:
    folder = tmp_path / place
    folder.mkdir(parents=True)
    if kind is Kind.FOLDERS:
        (folder / "VERSION").write_text("0.1.0\n")
    assert found(folder / "genba-touch", frozen=True, windows=False) == Installed(kind, folder.resolve())
    assert found(folder / "python", frozen=False, windows=False).kind is Kind.SOURCE
