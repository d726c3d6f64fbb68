"""A disk that is full before the program starts is said to be full, and not to be broken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.namespace import PATH, way_in

ROOT = Path(__file__).resolve().parent.parent.parent
STEPS = """
import subprocess, sys
from pathlib import Path
from app.clock import SystemClock
from app.errors import StorageTrouble
from app.store.database import Database
disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=True)
file, key = disk / "data" / "gate.db", bytes(32)
Database.open(file, key, SystemClock()).close()
with open(disk / "full", "wb", buffering=0) as filler:
    for size in (4096, 1):
        try:
            while True:
                filler.write(bytes(size))
        except OSError:
            pass
for way in (Database.look, Database.open):
    try:
        way(file, key, SystemClock())
    except StorageTrouble as trouble:
        print(trouble.code)
(disk / "full").unlink()
Database.open(file, key, SystemClock()).close()
print("opened")
"""


@pytest.mark.skipif(way_in() is None, reason="no namespace of its own to be had")
def test_a_disk_that_is_full_already(tmp_path: Path) -> None:
    command = [*(way_in() or ()), sys.executable, "-c", STEPS, str(tmp_path)]
    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PATH": PATH}, capture_output=True, text=True, timeout=60
    )
    assert ran.stdout.split() == ["store.disk_full", "store.disk_full", "opened"], ran.stdout + ran.stderr
