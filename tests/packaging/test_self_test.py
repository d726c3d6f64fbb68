"""`genba-touch --self-test`: all well where all is there, and what is taken away is named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import datafile, messages
from app.cli import main
from app.resources import resource
from app.store import driver
from app.wiring.self_test import libraries, run, shipped, stored
from app.wiring.self_test.check import Finding, Result, Step, carry_out
from installer import contents
from tests.helpers.keyring_session import KeyringSession, bare_environment, missing

RESOURCES = resource()


def self_test(*words: str, env: dict[str, str]) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code, and each check's finding."""
    command = [sys.executable, "-m", "app", "--language", "en", "--self-test", "--json", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    told = json.loads(done.stdout)
    assert told["ok"] == (done.returncode == 0)
    return done.returncode, {one["check"]: one for one in told["checks"]}


def look_at(name: str) -> Finding:
    return carry_out(next(step for step in run.STEPS if step.name == name), "en")


@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_all_is_well_with_a_real_keyring(tmp_path: Path) -> None:
    with KeyringSession(tmp_path) as session:
        code, found = self_test(env=session.environment)
    assert {name: one for name, one in found.items() if one["result"] != "ok"} == {}
    assert code == 0
    assert set(found) == {step.name for step in run.STEPS} | {"commands"}
    assert found["keyring"]["detail"] == "set, get, delete"


def test_a_pc_without_a_keyring_is_told_apart_from_a_broken_program(tmp_path: Path) -> None:
    code, found = self_test("--only", "keyring", "--only", "sounds", env=bare_environment(tmp_path))
    assert (code, found["keyring"]["result"], found["sounds"]["result"]) == (6, "not_here", "ok")
    code, found = self_test("--only", "keyring", "--no-keyring", env=bare_environment(tmp_path))
    assert (code, found["keyring"]["result"]) == (0, "skipped")


@pytest.mark.parametrize(
    ("check", "module"),
    [
        ("readers", "nfc.clf.rcs380"),
        ("readers", "usb1"),
        ("pcsc", "smartcard.scard"),
        ("libraries", "openpyxl.writer.excel"),
        ("keyring_backend", "secretstorage"),
        ("certificates", "certifi"),
    ],
)
def test_a_module_that_is_missing_is_named(check: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    finding = look_at(check)
    assert finding.result is Result.FAILED
    assert module in finding.detail


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The resources in a folder of their own, found as in a built program."""
    shutil.copytree(RESOURCES, tmp_path / "resources")
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    caches = (messages.catalogue, datafile._validator)
    for cache in caches:
        cache.cache_clear()
    yield tmp_path / "resources"
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize(
    ("check", "file"),
    [
        ("messages", "messages/en.office.toml"),
        ("sounds", "sounds/alarm.wav"),
        ("icons", "icons/genba-touch.ico"),
        ("schemas", "schemas/site-file.schema.json"),
        ("profiles", "card_profiles/sample-uid.toml"),
        ("formats", "import_formats/phone-calls.toml"),
        ("udev", "udev/70-genba-touch-pasori.rules"),
    ],
)
def test_a_file_that_is_missing_is_named(check: str, file: str, copied: Path) -> None:
    assert look_at(check).result is Result.OK
    messages.catalogue.cache_clear()
    datafile._validator.cache_clear()
    (copied / file).unlink()
    finding = look_at(check)
    assert finding.result is Result.FAILED
    assert file in finding.detail


def test_missing_sentences_do_not_silence_it(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copied / "messages" / "en.toml").unlink()
    assert main.run(["--language", "en", "--self-test", "--only", "messages"]) == 7
    assert capsys.readouterr().out == (
        "× messages self_test.messages: Missing: messages/en.toml\nself_test.incomplete\n"
    )


def test_a_sound_that_is_cut_off_is_found(copied: Path) -> None:
    (copied / "sounds" / "bad.wav").write_bytes(b"RIFF")
    assert look_at("sounds").result is Result.FAILED


def test_every_file_that_is_shipped_is_looked_at() -> None:
    looked_at = {
        *(f"messages/{language}{ending}" for language in messages.LANGUAGES for ending in messages.FILES),
        *(f"sounds/{name}.wav" for name in shipped.SOUNDS),
        *(f"icons/{name}" for name in shipped.ICONS),
        *(f"schemas/{name}.schema.json" for name in shipped.SCHEMAS),
        *(f"card_profiles/{name}.toml" for name in shipped.PROFILES),
        *(f"import_formats/{name}.toml" for name in shipped.FORMATS),
        f"udev/{shipped.UDEV}",
    }
    files = [Path(source) for source, _ in contents.data_files()]
    assert looked_at == {f.relative_to(RESOURCES).as_posix() for f in files if f.is_relative_to(RESOURCES)}


def test_a_database_that_is_not_encrypted_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLCipher without a key writes what SQLite writes."""

    def without_key(path: Path, _key: bytes) -> object:
        return driver.MODULE.connect(str(path), isolation_level=None, check_same_thread=False)

    monkeypatch.setattr(driver, "open_bare", without_key)
    finding = carry_out(Step("cipher", stored.cipher), "en")
    assert finding.result is Result.FAILED
    assert "encryption" in finding.detail


def test_qt_that_ends_the_process_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does where the plugin that draws is missing."""
    monkeypatch.setattr(run, "DRAWN_BY", "missing")
    (finding,) = run._made_apart(["qt_plugins", "qt_fonts"], "en")
    assert (finding.check, finding.result) == ("qt_plugins", Result.FAILED)
    assert "no Qt platform plugin" in finding.detail


def test_what_a_gate_pc_does_without_is_the_same_for_build_and_self_test() -> None:
    skipped = {name for name in contents.NOT_OURS if name.startswith("app.")}
    assert all(name.startswith(libraries.TO_PC_ONLY) for name in skipped)


def test_a_program_without_a_console_has_no_streams_and_does_not_stumble() -> None:
    code = (
        "import sys, os; sys.stdin = sys.stdout = sys.stderr = None; from app.cli.main import run;"
        "os._exit(run(['formats', 'list']) * 10 + run(['formats', 'check', 'no such file']))"
    )
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ), timeout=60).returncode == 3
