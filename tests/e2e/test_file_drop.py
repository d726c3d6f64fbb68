"""Promise: a site without any network works by USB stick alone, and no touch is lost or counted twice on the way.

Everything through the command line, with a real keyring: enrolment by file, touches, trips, a lost keyring on the way.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_keyring_loss import touch
from tests.helpers import keyring_session
from tests.helpers.central_judge import centre_events, centre_records, judge
from tests.helpers.keyring_session import KeyringSession
from tests.helpers.station_rig import ask, call
from tests.helpers.tiny_site import SITE_ID, tiny_site

SITE = tiny_site()
KEYS = [str(card["id"]) for card in SITE["cards"]]


@pytest.fixture
def _keyring() -> None:
    lacking = keyring_session.missing()
    if lacking is not None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have a keyring: {lacking}")
        pytest.skip(lacking)


@pytest.mark.usefixtures("_keyring")
def test_a_site_without_a_network(tmp_path: Path) -> None:
    centre, station, stick, safe = (tmp_path / name for name in ("centre", "station", "stick", "safe"))
    stick.mkdir()
    site_file = tmp_path / "site.json"
    site_file.write_text(json.dumps(SITE, ensure_ascii=False), encoding="utf-8")
    call(centre, "central", "load-site", str(site_file))
    code = call(centre, "central", "issue-code", "--site", SITE_ID).strip()
    key = call(centre, "central", "drop-key", str(stick)).strip()
    call(tmp_path / "anywhere", "recovery-key", str(safe))
    public = (safe / "recovery-public.pem").read_text(encoding="ascii")
    lines = f'schema = 1\ncentre_url = "{stick.as_uri()}"\nstation_name = "山の現場"\nenrolment_code = "{code}"\n'
    provisioning = tmp_path / "provisioning.toml"
    recovery = f'recovery_public_key = """\n{public}"""\n'

    def take() -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = json.loads(call(centre, "central", "take-drop", str(stick), "--json"))
        return taken

    with KeyringSession(tmp_path / "user") as user:
        env = user.environment

        def sync(data: Path = station, code: int = 0) -> dict[str, Any]:
            said: dict[str, Any] = json.loads(call(data, "sync", "--once", "--json", code=code, env=env))
            return said

        provisioning.write_text(lines + recovery, encoding="utf-8")
        refused = ask(station, "provision", str(provisioning), env=env)
        assert refused.returncode == 3, "no centre_key"
        provisioning.write_text(lines + f'centre_key = "{key}"\n{recovery}', encoding="utf-8")
        first = ask(station, "provision", str(provisioning), env=env)
        assert first.returncode == 4
        assert first.stderr.splitlines()[0] == "この PC の登録の申し込みを USB メモリーに書き出しました"
        assert ask(station, "gate", "--headless", env=env).returncode == 3, "no gate before the centre's answer"
        assert [one["result"] for one in take()] == ["enrolled"]
        call(station, "provision", str(provisioning), env=env)

        told = touch(station, tmp_path, env, KEYS)
        said = sync()
        assert (said["accepted"], said["pending"], said["handed"], said["last_error"]) == (0, 5, 5, None)
        assert [(one["result"], one["accepted"]) for one in take()] == [("taken", 5)]
        said = sync()
        assert (said["accepted"], said["pending"], said["chain_state"]) == (5, 0, "ok")

        away = stick.rename(tmp_path / "away")
        told += touch(station, tmp_path, env, KEYS[:2])
        said = sync(code=4)
        assert (said["pending"], said["last_error"]) == (2, "sync.offline_drop_missing")
        checks = json.loads(ask(station, "doctor", "--json", env=env).stdout)["checks"]
        assert {one["check"]: one["code"] for one in checks}["centre"] == "sync.offline_drop_missing"
        away.rename(stick)
        assert sync()["handed"] == 2

    with KeyringSession(tmp_path / "new-user") as fresh:  # the PC's profile is gone, its letter is under way
        env = fresh.environment
        new = tmp_path / "new"
        call(new, "recover", str(station), "--private-key", str(safe / "recovery-private.pem"), env=env)
        assert [(one["result"], one["accepted"]) for one in take()] == [("taken", 2)]
        said = sync(new)
        assert (said["accepted"], said["pending"]) == (2, 0)
        status = json.loads(call(new, "status", "--json", env=env))
    once = dict.fromkeys(KEYS, 1) | dict.fromkeys(KEYS[:2], 2)
    judge(told, centre_events(centre), status, at_least=once, at_most=once, cut_short=0)
    assert len(centre_records(centre)) == 5
