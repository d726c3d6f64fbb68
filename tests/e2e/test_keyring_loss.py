"""Promise: a lost keyring loses no touch. The program says so, deletes nothing, and the recovery key brings all back.

A real gnome-keyring on a D-Bus session of its own stands for any PC's keyring.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from app.messages import say
from tests.helpers import keyring_session
from tests.helpers.central_judge import centre_events, judge
from tests.helpers.keyring_session import KeyringSession, bare_environment
from tests.helpers.station_rig import Centre, Lines, ask, call, genba_touch
from tests.helpers.tiny_site import tiny_site

CARDS = 6
SITE = tiny_site(workers=CARDS)
KEYS = [str(card["id"]) for card in SITE["cards"]]


@pytest.fixture
def _keyring() -> None:
    lacking = keyring_session.missing()
    if lacking is not None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have a keyring: {lacking}")
        pytest.skip(lacking)


@pytest.mark.usefixtures("_keyring")
def test_lost_keyring_loses_no_touch(centre: Centre, tmp_path: Path) -> None:
    safe, lost, new = tmp_path / "safe", tmp_path / "lost", tmp_path / "new"
    call(tmp_path / "anywhere", "recovery-key", str(safe))
    public = (safe / "recovery-public.pem").read_text(encoding="ascii")
    provisioning = centre.write_provisioning(f'recovery_public_key = """\n{public}"""\n')
    with KeyringSession(tmp_path / "old-user") as old:
        call(lost, "provision", str(provisioning), env=old.environment)
        centre.kill_centre()
        told = touch(lost, tmp_path, old.environment, KEYS)
        assert json.loads(call(lost, "status", "--json", env=old.environment))["pending"] == CARDS
        secrets = [path for path in lost.rglob("*") if path.is_file() and b"client_secret" in path.read_bytes()]
        assert secrets == []

    before = contents(lost)
    with KeyringSession(tmp_path / "new-user") as fresh:
        for language, *command in (
            ("ja", "gate", "--headless"),
            ("ja", "status"),
            ("en", "status", "--json"),
            ("en", "sync", "--once", "--json"),
        ):
            title, remedy = sentence("keyring.lost", language)
            done = ask(lost, "--language", language, *command, env=fresh.environment)
            assert (done.returncode, done.stdout) == (4, ""), command
            assert done.stderr.splitlines() == [title, "database-key", remedy]
        report = json.loads(call(lost, "doctor", "--json", code=4, env=fresh.environment))
        assert (report["ok"], report["first_failed"]) == (False, "keys")
        refused = ask(lost, "provision", str(provisioning), env=fresh.environment)
        assert (refused.returncode, refused.stderr.splitlines()[0]) == (4, sentence("keyring.lost")[0])
        assert contents(lost) == before, "something in the data folder was changed"

        stranger = tmp_path / "stranger"
        call(tmp_path / "anywhere", "recovery-key", str(stranger))
        wrong = ask(new, "recover", str(lost), "--private-key", str(stranger / "recovery-private.pem"))
        assert (wrong.returncode, wrong.stderr.splitlines()[1]) == (3, str(lost / "recovery.sealed"))
        assert not (new / "genba-touch.db").exists()

        key = str(safe / "recovery-private.pem")
        call(new, "recover", str(lost), "--private-key", key, env=fresh.environment)
        assert contents(lost) == before, "the old folder was changed"
        again = ask(new, "recover", str(lost), "--private-key", key, env=fresh.environment)
        assert (again.returncode, again.stderr.splitlines()[0]) == (3, sentence("recovery.target_not_empty")[0])

        centre.start_centre()
        sent = json.loads(call(new, "sync", "--once", "--json", env=fresh.environment))
        assert (sent["accepted"], sent["pending"], sent["rejected"]) == (CARDS, 0, 0)
        assert json.loads(call(new, "sync", "--once", "--json", env=fresh.environment))["accepted"] == 0

        told += touch(new, tmp_path, fresh.environment, KEYS[:1])  # and work goes on
        call(new, "sync", "--once", env=fresh.environment)
        status = json.loads(call(new, "status", "--json", env=fresh.environment))
    once = dict.fromkeys(KEYS, 1) | {KEYS[0]: 2}
    judge(told, centre_events(centre.centre_data), status, at_least=once, at_most=once, cut_short=0)


def test_without_keyring_nothing_is_half_done(centre: Centre, tmp_path: Path) -> None:
    data = tmp_path / "station"
    bare = bare_environment(tmp_path / "user")
    code = centre.issue_code()
    without = centre.write_provisioning("", code)
    plain = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}  # one that takes everything and keeps nothing
    for environment, what, language in (
        (bare, "keyring.missing", "ja"),
        (bare, "keyring.missing", "en"),
        ({**bare, **plain}, "keyring.refused_backend", "ja"),
    ):
        done = ask(data, "--language", language, "provision", str(without), "--json", env=environment)
        title, remedy = sentence(what, language)
        lines = done.stderr.splitlines()
        assert (done.returncode, done.stdout, lines[0], lines[-1]) == (4, "", title, remedy)
        assert set(contents(data)) <= {"installation-id"}
    assert "provision" in ask(data, "status", env=bare).stderr

    # the code was not used up by that, and the folder is good for a second try
    call(data, "provision", str(centre.write_provisioning('key_file = "keys.json"\n', code)), env=bare)
    assert json.loads(call(data, "status", "--json", env=bare))["pending"] == 0
    report = json.loads(ask(data, "doctor", "--json", env=bare).stdout)
    keys = next(check for check in report["checks"] if check["check"] == "keys")
    assert (keys["result"], keys["code"]) == ("warning", "doctor.key_file")
    assert keys["remedy"]


def touch(data: Path, folder: Path, environment: dict[str, str], cards: list[str]) -> list[str]:
    """A gate that reads these cards; the ids it announced."""
    script = folder / "cards.jsonl"
    script.write_text("".join(json.dumps({"after_s": 0.1, "card": card, "hold_s": 0.1}) + "\n" for card in cards))
    command = genba_touch(data, "gate", "--headless", "--json-lines", "--reader", f"scripted:{script}")
    gate = Lines(command, env=environment)
    try:
        gate.wait(lambda _: sum(item["event"] == "touch" for item in gate.items) == len(cards))
        assert gate.terminate() == 0
    finally:
        if gate.running:
            gate.kill()
    return [str(item["id"]) for item in gate.items if item["event"] == "touch"]


def contents(folder: Path) -> dict[str, str]:
    """Hash of every file by its path in the folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def sentence(code: str, language: str = "ja") -> tuple[str, str]:
    message = say(code, language)
    return message.title, message.remedy
