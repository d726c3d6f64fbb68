"""Promise: a station that changes its secret is never locked out, wherever it is cut off.

Real processes: the centre, `rotate-secret` killed at each of its steps, the keyring of a D-Bus session.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from app import recovery, sealing
from app.secrets import CLIENT_SECRET, NEXT_SECRET, KeyFileVault
from app.settings import DataDir
from tests.helpers import keyring_session
from tests.helpers.keyring_session import KeyringSession
from tests.helpers.station_rig import PATIENCE_S, ROOT, Centre, ask, call
from tests.helpers.tiny_site import tiny_site

SITE = tiny_site(workers=1)
STEPS = (
    "app.secrets:KeyFileVault.set,app.secrets:SecretVault.set,app.secrets:KeyFileVault.delete,"
    "app.secrets:SecretVault.delete,app.sync.http:CentreClient.name_next_secret,"
    "app.sync.http:CentreClient.sign_in,app.recovery:write_sealed"
)


def killed(step: int, names: str, data: Path, *command: str, env: Mapping[str, str] | None = None) -> int:
    """Exit code of a command that is killed at a step."""
    line = [sys.executable, "-m", "tests.helpers.killed", str(step), names, "--data-dir", str(data), *command]
    done = subprocess.run(
        line, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode in (-9, 0, 3, 4, 5), done.stderr
    return done.returncode


def provisioned(centre: Centre, data: Path, safe: Path, settings: str, env: Mapping[str, str] | None = None) -> None:
    call(data, "recovery-key", str(safe))
    public = (safe / "recovery-public.pem").read_text(encoding="ascii")
    file = centre.write_provisioning(f'{settings}recovery_public_key = """\n{public}"""\n')
    call(data, "provision", str(file), env=env)


def sealed_secret(data: Path, safe: Path) -> str:
    key = sealing.private_key((safe / "recovery-private.pem").read_bytes())
    return recovery.read_sealed(data, key).client_secret


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.timeout(300)
def test_killed_at_any_step_the_station_goes_on(centre: Centre, tmp_path: Path) -> None:
    data, safe = tmp_path / "data", tmp_path / "safe"
    provisioned(centre, data, safe, 'key_file = "keys.json"\n')
    vault = KeyFileVault(data / "keys.json")
    secrets = {vault.require(CLIENT_SECRET)}
    for step in range(1, 40):
        code = killed(step, STEPS, data, "rotate-secret")
        call(data, "sync", "--once")
        assert vault.get(NEXT_SECRET) is None, f"step {step}: what was cut off was brought to its end"
        assert sealed_secret(data, safe) == vault.require(CLIENT_SECRET).decode()
        secrets.add(vault.require(CLIENT_SECRET))
        if code == 0:
            break
        assert code == -9
    assert step >= 12, "every step was cut once"
    assert len(secrets) >= step - 1, "only before the first is kept nothing has changed"


def test_without_a_network_nothing_is_given_up(centre: Centre, tmp_path: Path) -> None:
    data, safe = tmp_path / "data", tmp_path / "safe"
    provisioned(centre, data, safe, 'key_file = "keys.json"\n')
    vault = KeyFileVault(data / "keys.json")
    first = vault.require(CLIENT_SECRET)
    centre.kill_centre()
    for _ in range(2):
        assert ask(data, "rotate-secret").returncode == 4
    assert vault.require(CLIENT_SECRET) == first
    centre.start_centre()
    call(data, "rotate-secret")
    second = vault.require(CLIENT_SECRET)
    assert second != first
    call(data, "sync", "--once")
    assert vault.require(CLIENT_SECRET) == second, "and nothing changes by itself"
    call(data, "rotate-secret")
    assert vault.require(CLIENT_SECRET) not in (first, second)


def test_the_centre_asks_and_the_next_contact_does_it(centre: Centre, tmp_path: Path) -> None:
    data, safe = tmp_path / "data", tmp_path / "safe"
    provisioned(centre, data, safe, 'key_file = "keys.json"\n')
    identity = DataDir.at(data).identity()
    assert identity is not None
    vault = KeyFileVault(data / "keys.json")
    first = vault.require(CLIENT_SECRET)
    call(centre.centre_data, "central", "rotate-secret", identity.station_id, "--reason", "yearly")
    call(data, "sync", "--once")
    second = vault.require(CLIENT_SECRET)
    assert second != first
    assert sealed_secret(data, safe) == second.decode()
    call(data, "sync", "--once")
    assert vault.require(CLIENT_SECRET) == second, "asked once, done once"


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.timeout(300)
def test_in_a_real_keyring(centre: Centre, tmp_path: Path) -> None:
    lacking = keyring_session.missing()
    if lacking is not None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have a keyring: {lacking}")
        pytest.skip(lacking)
    data, safe = tmp_path / "data", tmp_path / "safe"
    with KeyringSession(tmp_path / "user") as session:
        env = session.environment
        provisioned(centre, data, safe, "", env)
        first = sealed_secret(data, safe)
        for step in (2, 4, 6, 8):  # each goes on where the one before was cut off
            assert killed(step, STEPS, data, "rotate-secret", env=env) in (-9, 0)
        assert json.loads(call(data, "sync", "--once", "--json", env=env))["last_error"] is None
        assert killed(0, STEPS, data, "rotate-secret", env=env) == 0
        assert sealed_secret(data, safe) != first
        call(data, "sync", "--once", env=env)
