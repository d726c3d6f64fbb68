"""What a PC takes from a signed list, and what it refuses: over a real web server and from a folder."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.errors import EnvironmentTrouble, InputRefused
from app.update import plan
from app.update.publish import Repository
from app.update.state import Memory
from tests.helpers.fake_clock import FakeClock
from tests.helpers.station_rig import genba_touch
from tests.update.bench import Shop, days, pc, served

Address = Callable[[Shop], str]


@pytest.fixture(params=["folder", "file", "http"])
def address(request: pytest.FixtureRequest) -> Iterator[Address]:
    with ExitStack() as stack:

        def where(shop: Shop) -> str:
            match request.param:
                case "http":
                    return stack.enter_context(served(shop.folder)).url
                case "file":
                    return shop.folder.as_uri()
            return str(shop.folder)

        yield where


def refused(updates: plan.Any, code: str) -> None:
    with pytest.raises(InputRefused) as caught:
        updates.download()
    assert caught.value.code == code
    assert not list((updates.folder / "packages").glob("*")), "nothing that could be run is left"
    assert Memory.of(updates.folder).state.error == code


def test_a_newer_version_is_found_fetched_and_ready(tmp_path: Path, address: Address) -> None:
    shop = Shop(tmp_path)
    updates = pc(shop, tmp_path, address=address(shop))
    assert updates.check() is None
    file = shop.publish("0.2.0")
    shop.publish("0.1.9")
    found = updates.check()
    assert found is not None
    assert found.version == "0.2.0"
    assert updates.ready() is None
    assert updates.download() == found
    assert updates.package(found).read_bytes() == file.read_bytes()
    shutil.rmtree(shop.folder)
    assert updates.ready() == found, "judged once more without the source"


def test_a_pc_that_makes_no_links_gets_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """wine says that it made one and made none; tuf keeps its root behind one."""
    monkeypatch.setattr("os.symlink", lambda *_: None)
    shop = Shop(tmp_path)
    shop.publish("0.2.0")
    updates = pc(shop, tmp_path)
    found = updates.download()
    assert found is not None
    assert updates.ready() == found


def test_a_package_that_was_changed_is_refused(tmp_path: Path, address: Address) -> None:
    shop = Shop(tmp_path)
    shop.publish("0.2.0")
    content = bytearray(shop.lying().read_bytes())
    content[1000] ^= 1
    shop.lying().write_bytes(content)
    refused(pc(shop, tmp_path, address=address(shop)), "update.tampered")


def test_a_list_that_was_changed_is_refused(tmp_path: Path, address: Address) -> None:
    shop = Shop(tmp_path)
    shop.publish("0.2.0", percent=10)
    shop.edit("2.targets.json", b'"percent": 10', b'"percent": 99')
    refused(pc(shop, tmp_path, address=address(shop)), "update.not_signed")


def test_a_page_in_between_is_no_list(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish("0.2.0")
    (shop.folder / "metadata" / "timestamp.json").write_text("<html>ログインしてください</html>", encoding="utf-8")
    refused(pc(shop, tmp_path), "update.not_signed")


def test_an_old_list_is_refused(tmp_path: Path) -> None:
    """What somebody kept and serves for ever ('freeze')."""
    shop = Shop(tmp_path, datetime.now(UTC) - days(31))
    shop.publish("0.2.0")
    updates = pc(shop, tmp_path)
    refused(updates, "update.expired")
    Repository(shop.folder, datetime.now(UTC)).refresh(shop.keys)
    assert updates.check() is not None


@pytest.mark.parametrize("known_from", ["centre", "memory"])
def test_a_clock_that_was_set_back_does_not_make_a_list_good(tmp_path: Path, known_from: str) -> None:
    """tuf asks this machine's clock, for which the list has ten days to go; the PC knows better."""
    shop = Shop(tmp_path)
    shop.publish("0.2.0")
    clock = FakeClock(datetime.now(UTC))
    updates = pc(shop, tmp_path, clock=clock)
    if known_from == "centre":
        clock.skew = round(-days(31).total_seconds() * 1000)
    else:
        memory = Memory.of(updates.folder)
        memory.state.newest = (datetime.now(UTC) + days(31)).isoformat()
        memory.save()
    refused(updates, "update.expired")


def test_what_is_ready_does_not_go_in_when_its_list_is_too_old(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish("0.2.0")
    clock = FakeClock(datetime.now(UTC))
    updates = pc(shop, tmp_path, clock=clock)
    updates.download()
    clock.forward(days(31).total_seconds())
    with pytest.raises(InputRefused, match=r"update\.expired"):
        updates.ready()


def test_a_package_changed_on_this_pc_does_not_go_in(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish("0.2.0")
    updates = pc(shop, tmp_path)
    found = updates.download()
    assert found is not None
    with updates.package(found).open("r+b") as file:
        file.write(b"other")
    with pytest.raises(InputRefused, match=r"update\.tampered"):
        updates.ready()


@pytest.mark.parametrize("what", ["all", "snapshot"])
def test_a_list_that_goes_back_is_refused(tmp_path: Path, what: str) -> None:
    shop = Shop(tmp_path)
    shop.publish("0.2.0")
    old = tmp_path / "old"
    shutil.copytree(shop.folder, old)
    shop.publish("0.3.0")
    updates = pc(shop, tmp_path)
    assert updates.check() is not None
    if what == "snapshot":  # newer by number, over older packages: by whoever has the online key alone
        for _ in range(3):
            Repository(old, shop.now).refresh(shop.keys)
    shutil.rmtree(shop.folder)
    shutil.copytree(old, shop.folder)
    refused(updates, "update.rolled_back")


def test_another_list_s_root_is_refused(tmp_path: Path) -> None:
    shop, other = Shop(tmp_path), Shop(tmp_path / "other")
    shop.publish("0.2.0")
    refused(pc(shop, tmp_path, root=other.root), "update.not_signed")
    with pytest.raises(InputRefused, match=r"update\.root"):
        pc(shop, tmp_path, root=b"{}").check()


def test_only_what_is_meant_for_this_pc(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish("0.9.0", channel="early")
    exe = tmp_path / "genba-touch-0.8.0-setup.exe"
    exe.write_bytes(b"MZ" + bytes(100))
    shop.publish("0.8.0", file=exe, platform="windows-x86_64")
    shop.publish("0.1.0")
    shop.publish("0.0.9")
    shop.publish("0.7.0", minimum="0.2.0")
    shop.publish("0.6.0", percent=0)
    assert pc(shop, tmp_path).check() is None
    early = pc(shop, tmp_path, channel="early").check()
    assert early is not None
    assert early.version == "0.9.0"
    newer = pc(shop, tmp_path, version="0.2.0").check()
    assert newer is not None
    assert newer.version == "0.7.0"


def test_stages_grow_and_are_not_always_the_same_pcs() -> None:
    stations = [f"station-{n}" for n in range(2000)]
    for percent in (1, 10, 50):
        share = sum(plan.place(one, "0.2.0") < percent for one in stations) / len(stations)
        assert abs(share * 100 - percent) < max(1.0, percent / 4)
    first = {one for one in stations if plan.place(one, "0.2.0") < 10}
    later = {one for one in stations if plan.place(one, "0.3.0") < 10}
    assert len(first & later) < len(first) / 2


def test_a_withdrawn_version_does_not_go_in(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish("0.2.0")
    updates = pc(shop, tmp_path)
    assert updates.download() is not None
    shop.repository.set_percent(shop.keys, channel="stable", version="0.2.0", percent=0)
    assert updates.download() is None
    assert updates.ready() is None
    assert not list((updates.folder / "packages").glob("*"))


def test_pcs_follow_a_new_root_and_no_stranger_s(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    updates = pc(shop, tmp_path)
    assert updates.check() is None
    new = shop.new_keys("keys-2")
    shop.repository.rotate_root(shop.keys, new)
    with pytest.raises(InputRefused, match=r"update_repo\.wrong_key"):
        shop.publish("0.2.0")
    shop.keys = new
    shop.publish("0.2.0")
    assert updates.check() is not None
    assert pc(shop, tmp_path / "installed later").check() is not None
    stranger = shop.new_keys("stranger")
    with pytest.raises(InputRefused, match=r"update_repo\.wrong_key"):
        shop.repository.rotate_root(stranger, stranger)
    shop.repository.rotate_root(new, shop.new_keys("keys-3"))
    shop.edit("3.root.json", b'"version": 3', b'"version": 4')
    refused(updates, "update.not_signed")


def test_a_source_that_is_not_there_is_the_machine_s_trouble(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish("0.2.0")
    for where, code in (
        (str(tmp_path / "no share"), "update.folder_missing"),
        (str(tmp_path), "update.no_list"),
        ("http://127.0.0.1:9", "update.unreachable"),
    ):
        with pytest.raises(EnvironmentTrouble) as caught:
            pc(shop, tmp_path, address=where).check()
        assert caught.value.code == code
    with served(shop.folder) as web:
        with pytest.raises(EnvironmentTrouble, match=r"update\.unreachable"):
            pc(shop, tmp_path, address=web.url, proxy="http://127.0.0.1:9").check()
        assert not web.asked, "nothing goes past the proxy"
    (next((shop.folder / "metadata").glob("2.snapshot.json"))).unlink()  # a copy that is not complete yet
    with pytest.raises(EnvironmentTrouble, match=r"update\.no_list"):
        pc(shop, tmp_path).check()


def test_a_key_never_gets_an_empty_passphrase(tmp_path: Path) -> None:
    words = ["update-repo", "new", str(tmp_path / "list"), "--keys", str(tmp_path / "keys"), "--passphrase"]
    done = subprocess.run(genba_touch(tmp_path / "data", *words), input="\n", text=True, capture_output=True)
    assert done.returncode == 3, done.stderr
    assert not list(tmp_path.rglob("*.pem"))
