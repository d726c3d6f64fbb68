"""The peers' programs, installed from npm and PyPI by their ordinary clients into a folder under the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ANKI, POUCH = "anki==26.9.3", ("pouchdb@9.0.0", "pouchdb-server@4.2.0")


class NotToBeHad(Exception):
    """Why a peer is left out: a program is missing here, or its registry did not answer."""


def cache() -> Path:
    """Where they are kept between runs."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "genba-touch-bench"


def anki() -> Path:
    """The Python that can import anki. Raises NotToBeHad."""
    folder = cache() / ANKI.replace("==", "-")
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not _works(str(python), "-c", "import anki.collection"):
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        _run("PyPI", [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", ANKI], folder)
    return python


def pouch() -> tuple[str, Path]:
    """Node and the folder `node_modules` with pouchdb and its server. Raises NotToBeHad."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotToBeHad("node or npm is not installed (Debian: nodejs npm)")
    folder = cache() / "-".join(POUCH).replace("@", "-")
    modules = folder / "node_modules"
    done = folder / "done"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _run("npm", [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *POUCH], folder)
        done.touch()
    return node, modules


def _works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _run(registry: str, command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        raise NotToBeHad(f"{registry} did not answer within 5 minutes") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1][:200]
        raise NotToBeHad(f"{registry}: {last}")
