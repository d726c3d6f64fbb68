"""A command brings what it needs and no more: `sync` runs on gates of little memory (docs/benchmarks.md)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.cli.main import build_parser

HEAVY = ("litestar", "uvicorn", "cryptography", "keyring", "alembic", "PySide6", "rich", "app.central", "app.gate")
FAMILIES = ("gate", "office", "provision", "status", "sync", "doctor", "import", "cards", "profile", "central", "demo")
FAMILIES += ("update", "update-repo", "self-test", "support-bundle", "move-out", "start")


def test_sync_loads_nothing_heavy() -> None:
    look = (
        "import sys; from app.cli.main import build_parser; build_parser(['--data-dir', 'central', 'sync', '--once']);"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_loads_no_command() -> None:
    look = (
        "import sys; from app.cli.main import run\ntry: run(['--version'])\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith(('app.wiring.gate', 'app.cli.gate', 'alembic'))])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=True)
    said, loaded = done.stdout.splitlines()
    assert said.startswith("genba-touch ")
    assert loaded == "[]"


@pytest.mark.parametrize("command", FAMILIES)
def test_a_command_is_found_without_the_others(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Also behind options with values, and by the whole parser."""
    for arguments in ([command], ["--language", "en", "--data-dir=x", command], []):
        with pytest.raises(SystemExit) as ended:
            build_parser(arguments).parse_args(["--data-dir", "x", command, "--help"])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: genba-touch {command}")
