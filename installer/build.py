"""Builds the program with its own Python inside, for the platform it runs on: `python -m installer.build`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from installer import licences
from installer.contents import ROOT

WINDOWS = sys.platform == "win32"
PLATFORM = "windows-x86_64" if WINDOWS else "linux-x86_64"
NAME = "genba-touch"
PROGRAM = f"{NAME}.exe" if WINDOWS else NAME
EPOCH = 1_767_225_600
"""2026-01-01 UTC: the time that files of a build carry where nobody names one (SOURCE_DATE_EPOCH)."""


def build(out: Path, work: Path) -> Path:
    """Make `out/genba-touch/` anew, whole and proven or not at all: PyInstaller, licences, self-test.

    `work`: for what is not finished. Returns the folder; its `licences/contents.json` says what is in it. Raises
    SystemExit when a step fails.
    """
    shutil.rmtree(work, ignore_errors=True)
    folder = work / "dist" / NAME
    # the same hashes, the same order, the same times: the same files (docs/packaging.md)
    fixed = {"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", str(EPOCH))}
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"]
    command += ["--distpath", str(folder.parent), "--workpath", str(work), str(ROOT / "installer" / "genba-touch.spec")]
    if subprocess.call(command, cwd=ROOT, env={**os.environ, **fixed}) != 0:
        raise SystemExit("The build failed; the lines above say why.")
    _strip(folder)
    contents = json.loads((work / NAME / "contents.json").read_text("utf-8"))
    licences.put(folder, contents)
    shutil.copyfile(work / NAME / "contents.json", folder / licences.FOLDER / "contents.json")
    prove(folder)
    shutil.rmtree(out / NAME, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    shutil.move(folder, out / NAME)
    return out / NAME


def _strip(folder: Path) -> None:
    """Leave out what only debuggers read: a quarter of the size on Linux. Code and symbols stay as they are."""
    if WINDOWS:
        return
    for file in sorted(folder.rglob("*.so*")):
        if not file.is_symlink() and b".debug_info" in file.read_bytes():
            subprocess.run(["strip", "--strip-debug", str(file)], check=True)


def prove(folder: Path) -> None:
    """Run the built program's own self-test, without any environment. Raises SystemExit when it fails."""
    code = subprocess.call([str(folder / PROGRAM), "--self-test", "--no-keyring"], env=bare_environment())
    if code != 0:
        raise SystemExit(f"The built program does not work: its self-test ended with {code}; the lines above say why.")


def bare_environment() -> dict[str, str]:
    """None; Windows cannot start a program without two of its own names."""
    return {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP") if WINDOWS and name in os.environ}


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m installer.build", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / PLATFORM, help="genba-touch/ is made in here")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / PLATFORM)
    args = parser.parse_args(arguments)
    start = time.monotonic()
    folder = build(args.out.resolve(), args.work.resolve())
    size = sum(file.stat().st_size for file in folder.rglob("*") if not file.is_symlink())
    print(f"{folder}: {size / 1e6:.0f} MB, {time.monotonic() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
