"""The program as it is delivered, built here: it works alone, lacks what it should, notices what is taken from it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from installer import build, sbom
from installer.contents import ROOT
from tests.helpers.keyring_session import KeyringSession, missing

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a build; its own self-test has passed without any environment."""
    folder = tmp_path_factory.mktemp("build")
    return build.build(folder / "out", folder / "work")


def run(program: Path, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program / build.PROGRAM, *words], env=env or {}, capture_output=True, text=True, timeout=180, cwd="/"
    )


@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_every_check_passes_with_a_real_keyring(program: Path, tmp_path: Path) -> None:
    with KeyringSession(tmp_path) as session:
        done = run(program, "--self-test", "--json", env={**session.environment, "PATH": "/usr/bin"})
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert {one["result"] for one in told["checks"]} == {"ok"}


@pytest.mark.parametrize("command", ["central", "demo"])
def test_what_a_gate_pc_does_not_have_says_so(program: Path, command: str) -> None:
    done = run(program, "--language", "en", command, "--help")
    assert done.returncode == 2
    assert done.stderr.startswith("The installed program does not have this command")


def test_nothing_of_the_workshop_is_in_it(program: Path) -> None:
    """Neither tools and tests nor the centre, nor the place where it was made."""
    told = json.loads((program / "licences" / "contents.json").read_text("utf-8"))
    names = {one["name"].lower() for one in told["distributions"]}
    assert {"pyside6_essentials", "sqlcipher3", "nfcpy", "pyscard", "tuf"} <= names
    assert not {"pytest", "litestar", "uvicorn", "psycopg", "cyclonedx-bom", "lxml", "hypothesis"} & names
    files = [path for path in program.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in files if "qml" in path.name.lower() or "gtk" in path.name.lower()]
    places = [str(place).encode() for place in (ROOT, program.parent.parent)]
    assert not [(path, place) for path in files for place in places if place in path.read_bytes()]
    assert not [path for path in program.rglob("*") if path.is_symlink() and not path.exists()]


def test_everything_in_it_has_its_licence_and_its_line(program: Path, tmp_path: Path) -> None:
    told = json.loads((program / "licences" / "contents.json").read_text("utf-8"))
    for kind in ("distributions", "system"):
        assert told[kind]
    packages = {path.name for path in (program / "licences" / "packages").iterdir()}
    assert packages == {f"{one['name']}-{one['version']}" for one in told["distributions"]}
    out = tmp_path / "list.cdx.json"
    assert sbom.main([str(program), "--out", str(out)]) == 0
    listed = json.loads(out.read_text("utf-8"))
    names = [one["name"] for one in listed["components"]]
    assert {one["name"] for kind in ("distributions", "system") for one in told[kind]} < set(names)
    assert len(names) == len(told["distributions"]) + len(told["system"]) + 4 + len(told["openssl"])


@pytest.mark.parametrize(
    ("file", "check"),
    [
        ("resources/sounds/alarm.wav", "sounds"),
        ("nfc/clf/rcs380.py", "readers"),
        ("app/store/migrations/versions/0003_phones_and_imports.py", "migrations"),
        ("PySide6/Qt/translations/qtbase_ja.qm", "qt_translation"),
        ("PySide6/Qt/plugins/platforms/libqoffscreen.so", "qt_plugins"),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "qt_plugins"),
        ("certifi/cacert.pem", "certificates"),
    ],
)
def test_it_notices_what_is_taken_from_it(program: Path, tmp_path: Path, file: str, check: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(program, copy, symlinks=True, copy_function=os.link)
    (copy / "_internal" / file).unlink()
    done = run(copy, "--self-test", "--no-keyring", "--json")
    assert done.returncode == 7, done.stderr
    wrong = [one for one in json.loads(done.stdout)["checks"] if one["result"] == "failed"]
    assert check in [one["check"] for one in wrong]


def test_it_is_built_twice_in_two_places_to_the_same_bytes() -> None:
    done = subprocess.run([sys.executable, "-m", "installer.twice"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "The two builds are the same" in done.stdout
