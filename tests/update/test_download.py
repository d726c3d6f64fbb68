"""A package that comes in pieces: the line breaks, the program is killed, somebody adds to it."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from app.errors import EnvironmentTrouble, InputRefused
from app.settings import DataDir, Identity, Settings
from app.update import download
from app.update.installed import Kind
from app.update.port import Stopping
from app.update.service import Updates
from tests.helpers.station_rig import PATIENCE_S, ROOT, call, genba_touch
from tests.update.bench import Shop, machine, pc, served


def part_of(updates: Updates) -> Path:
    (part,) = (updates.folder / "packages").iterdir()
    assert part.suffix == ".part"
    return part


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on_where_it_was(tmp_path: Path, ranges: bool) -> None:
    shop = Shop(tmp_path)
    file = shop.publish("0.2.0")
    with served(shop.folder) as web:
        updates = pc(shop, tmp_path, address=web.url)
        web.cut_after, web.ranges = 100_000, ranges
        with pytest.raises(EnvironmentTrouble, match=r"update\.unreachable"):
            updates.download()
        assert updates.ready() is None
        here = part_of(updates).stat().st_size
        assert 0 < here <= 100_000
        found = updates.download()
        assert found is not None
        assert web.asked[-1][1] == f"bytes={here}-"
        assert updates.package(found).read_bytes() == file.read_bytes()


def test_pieces_of_another_file_are_thrown_away(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    file = shop.publish("0.2.0")
    updates = pc(shop, tmp_path)
    packages = updates.folder / "packages"
    packages.mkdir(parents=True)
    for wrong in (b"another", b"x" * (file.stat().st_size + 5), b"x" * file.stat().st_size):
        (packages / f"{file.name}.part").write_bytes(wrong)
        found = updates.download()
        assert found is not None
        assert updates.package(found).read_bytes() == file.read_bytes()
        updates.package(found).unlink()


def test_a_server_cannot_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(tmp_path)
    shop.publish("0.2.0")
    with served(shop.folder) as web:
        web.longer = 50_000_000
        updates = pc(shop, tmp_path, address=web.url)
        with pytest.raises(InputRefused, match=r"update\.tampered"):
            updates.download()
        assert part_of(updates).stat().st_size == 0
    monkeypatch.setattr(download, "SPARE_BYTES", 1 << 60)
    with pytest.raises(EnvironmentTrouble, match=r"update\.no_room"):
        pc(shop, tmp_path).download()


def test_a_touch_breaks_it_off_at_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish("0.2.0")
    with served(shop.folder) as web:
        web.drip_s = 0.05
        updates = pc(shop, tmp_path, address=web.url)
        pieces = iter(range(1000))
        with pytest.raises(Stopping):
            updates.download(lambda: next(pieces) > 8)
        begun = part_of(updates).stat().st_size
        web.drip_s = 0.0
        assert updates.download() is not None
        assert web.asked[-1][1] == f"bytes={begun}-"


def test_windows_gets_the_way_back_too(tmp_path: Path) -> None:
    """A set-up replaces the program in its place: the running version's package has to be here before."""
    shop = Shop(tmp_path)
    old, new = shop.publish("0.1.0", percent=0), shop.publish("0.2.0")
    updates = pc(shop, tmp_path, kind=Kind.SETUP_USER)
    updates.download()
    assert {file.name for file in (updates.folder / "packages").iterdir()} == {old.name, new.name}


def test_a_killed_download_goes_on(tmp_path: Path) -> None:
    """The command as IT would run it, SIGKILLed in the middle."""
    shop = Shop(tmp_path)
    file = shop.publish("0.2.0", file=shop.package("0.2.0", 2_000_000))
    data = DataDir.at(tmp_path / "データ フォルダー")
    data.create()
    with served(shop.folder) as web:
        data.save_settings(Settings("https://centre.invalid", "第1ゲート", update_url=web.url))
        data.save_identity(Identity("station-1"))
        env = machine(tmp_path, shop.root)
        web.drip_s = 0.05
        loading = subprocess.Popen(genba_touch(data.root, "update", "download"), cwd=ROOT, env=env)
        part = data.updates / "packages" / f"{file.name}.part"
        until = time.monotonic() + PATIENCE_S
        while not (part.exists() and part.stat().st_size > 200_000):
            assert time.monotonic() < until
            assert loading.poll() is None
            time.sleep(0.02)
        loading.kill()
        loading.wait()
        web.drip_s = 0.0
        assert json.loads(call(data.root, "update", "status", "--json", env=env))["ready"] is None
        assert json.loads(call(data.root, "update", "check", "--json", env=env)) == {"version": "0.2.0"}
        assert json.loads(call(data.root, "update", "download", "--json", env=env)) == {"version": "0.2.0"}
        assert web.asked[-1][1].startswith("bytes=")
        assert (data.updates / "packages" / file.name).read_bytes() == file.read_bytes()
        assert json.loads(call(data.root, "update", "status", "--json", env=env))["ready"] == "0.2.0"
        call(data.root, "update", "apply", code=3, env=env)
        call(data.root, "update", "back", code=3, env=env)
        call(data.root, "update", "check", code=3)  # no root: nothing to check a signature with
