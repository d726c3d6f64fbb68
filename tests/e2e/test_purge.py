"""Promise: purging takes away all of this account's station and nothing else, and no record that exists only here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import keyring_session
from tests.helpers.keyring_session import KeyringSession
from tests.helpers.station_rig import Centre, Lines, ask, call, genba_touch
from tests.helpers.tiny_site import tiny_site

SITE = tiny_site(workers=2)
KEYS = [str(card["id"]) for card in SITE["cards"]]
LOOK = """
import sys, secretstorage
bus = secretstorage.dbus_init()
found = secretstorage.search_items(bus, {"service": "genba-touch"})
print(" ".join(sorted(item.get_attributes()["username"].partition(":")[2] for item in found)))
bus.close()
"""


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a session with a real keyring."""
    lacking = keyring_session.missing()
    if lacking is not None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have a keyring: {lacking}")
        pytest.skip(lacking)
    with KeyringSession(tmp_path / "user") as session:
        yield session.environment


def kept(environment: dict[str, str]) -> str:
    """Names of this program's secrets in the keyring."""
    done = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def touch(data: Path, folder: Path, environment: dict[str, str]) -> Lines:
    """A gate that has recorded two touches and goes on."""
    script = folder / "cards.jsonl"
    script.write_text("".join(json.dumps({"after_s": 0.1, "card": card, "hold_s": 0.1}) + "\n" for card in KEYS))
    command = genba_touch(data, "gate", "--headless", "--json-lines", "--reader", f"scripted:{script}")
    gate = Lines(command, env=environment)
    gate.wait(lambda _: sum(item["event"] == "touch" for item in gate.items) == len(KEYS))
    return gate


def refused(data: Path, environment: dict[str, str], *more: str) -> str:
    """The first line of what it says; everything is still there."""
    before = {path: path.stat().st_mtime_ns for path in data.iterdir()}, kept(environment)
    done = ask(data, "purge", *more, env=environment)
    assert done.returncode in (3, 4), done.stdout
    assert before[1] == kept(environment)
    assert set(before[0]) == set(data.iterdir())
    return done.stderr.splitlines()[0]


def test_nothing_that_exists_only_here_is_purged(centre: Centre, tmp_path: Path, keyring: dict[str, str]) -> None:
    data = tmp_path / "station"
    call(data, "provision", str(centre.write_provisioning("")), env=keyring)
    (data / "holiday.jpg").write_bytes(b"somebody's")
    assert "database-key" in kept(keyring)
    assert "--yes" in refused(data, keyring)
    centre.kill_centre()
    gate = touch(data, tmp_path, keyring)
    assert "すでに動いています" in refused(data, keyring, "--yes", "--force")
    assert "2 件" in refused(data, keyring, "--yes")
    assert gate.terminate() == 0
    assert "2 件" in refused(data, keyring, "--yes")
    (data / "station.json").rename(data / "away")
    assert "確かめられません" in refused(data, keyring, "--yes")
    (data / "away").rename(data / "station.json")
    centre.start_centre()
    until = time.monotonic() + 30
    while json.loads(call(data, "sync", "--once", "--json", env=keyring))["pending"]:
        assert time.monotonic() < until
    done = json.loads(call(data, "purge", "--yes", "--json", env=keyring))
    assert (done["left"], [path.name for path in data.iterdir()]) == (["holiday.jpg"], ["holiday.jpg"])
    assert done["secrets"] == ["database-key", "client-secret"]
    assert kept(keyring) == ""
    again = json.loads(call(data, "purge", "--yes", "--json", env=keyring))
    assert (again["deleted"], again["secrets"]) == ([], [])


@pytest.mark.long
def test_by_force_and_after_being_cut_off(centre: Centre, tmp_path: Path, keyring: dict[str, str]) -> None:
    data, other = tmp_path / "station", tmp_path / "other"
    for folder in (data, other):
        call(folder, "provision", str(centre.write_provisioning("")), env=keyring)
    centre.kill_centre()
    assert touch(data, tmp_path, keyring).terminate() == 0
    (data / "purge.unfinished").touch()  # an earlier one has got so far
    (data / "station.json").unlink()
    call(data, "purge", "--yes", env=keyring)
    assert not data.exists()
    assert kept(keyring) == "client-secret database-key", "the other folder's are not ours"
    assert touch(other, tmp_path, keyring).terminate() == 0
    call(other, "purge", "--yes", "--force", env=keyring)
    assert not other.exists()
    assert kept(keyring) == ""
