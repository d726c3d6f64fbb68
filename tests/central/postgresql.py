"""A private PostgreSQL for the tests: its own cluster in a temporary folder, a Unix socket, no TCP port."""

from __future__ import annotations

import glob
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

MISSING = "no PostgreSQL server binaries (Debian: postgresql); SQLite alone was tested"
PATIENCE_S = 60.0


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`, the newest first; None when there is none."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4]), reverse=True)
    on_path = shutil.which("initdb")
    candidates = [Path(p).parent for p in [*found, *([on_path] if on_path else [])]]
    return next((folder for folder in candidates if (folder / "postgres").exists()), None)


def _account() -> str | None:
    """Whom to run it as: initdb refuses root. None: the tests' own user."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Cluster:
    """One running server."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self._bin = folder
        self._user = _account()
        self._home = Path(tempfile.mkdtemp(prefix="gpg"))
        self._numbers = itertools.count()
        if self._user is not None:
            shutil.chown(self._home, self._user)
        data = self._home / "data"
        self._run(["initdb", "-D", str(data), "-U", "genba", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
        log = (self._home / "log").open("wb")
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._home),
            "fsync": "on" if durable else "off",
            "max_connections": "200",
            "autovacuum": "on" if durable else "off",  # as where it serves
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(folder / "postgres"), "-D", str(data), *options]
        self._process = subprocess.Popen(command, stdout=log, stderr=log, user=self._user, cwd=self._home)
        log.close()
        self._admin = self._connect()

    def database(self) -> str:
        """URL of a place without tables: a schema of its own, since a database costs 8 MB of files to make."""
        name = f"t{next(self._numbers)}"
        self._admin.execute(f"CREATE SCHEMA {name}")
        return f"postgresql+psycopg://genba@/postgres?host={self._home}&options=-csearch_path%3D{name}"

    def pids(self) -> list[int]:
        """The server's processes so far (those of connections to come are children of the first one)."""
        first = self._process.pid
        return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text("ascii").split())]

    def stop(self) -> None:
        """Immediate shutdown (what it holds is thrown away), folder removed."""
        self._admin.close()
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(PATIENCE_S)
        shutil.rmtree(self._home)

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(
            [str(self._bin / command[0]), *command[1:]], capture_output=True, text=True, user=self._user, cwd=self._home
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return psycopg.connect(host=str(self._home), user="genba", dbname="postgres", autocommit=True)
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise AssertionError((self._home / "log").read_text()) from None
                time.sleep(0.05)
