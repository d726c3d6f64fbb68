"""Builds two times, in two places and at two times, and compares file by file: `python -m installer.twice`."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from installer.build import NAME
from installer.contents import ROOT

SOURCES = ("app", "installer", "resources", "pyproject.toml", "LICENSE", "LICENSES", "THIRD_PARTY.md")


def fingerprints(folder: Path) -> dict[str, str]:
    """What each file of a build is: SHA-256 and mode, of a link where it leads to. By its path in the folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            found[name] = f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mode & 0o777:o}"
    return found


def differences(one: Path, other: Path) -> list[str]:
    """A line for every file that is only in one folder, or not the same in both; for the latter with the first byte."""
    first, second = fingerprints(one), fingerprints(other)
    lines = [f"only in {one if name in first else other}: {name}" for name in sorted(first.keys() ^ second.keys())]
    for name in sorted(first.keys() & second.keys()):
        if first[name] != second[name]:
            lines.append(f"differs: {name}: {_where(one / name, other / name)}")
    return lines


def _where(one: Path, other: Path) -> str:
    if one.is_symlink() or other.is_symlink():
        return "a link"
    first, second = one.read_bytes(), other.read_bytes()
    pairs = enumerate(zip(first, second, strict=False))
    place = next((n for n, (a, b) in pairs if a != b), min(len(first), len(second)))
    if first == second:
        return f"mode {one.stat().st_mode & 0o777:o} and {other.stat().st_mode & 0o777:o}"
    around = slice(max(0, place - 16), place + 16)
    return f"from byte {place} on ({first[around]!r} and {second[around]!r}), {len(first)} and {len(second)} bytes"


def main(arguments: Sequence[str] | None = None) -> int:
    """0: the two are the same in every file."""
    parser = argparse.ArgumentParser(prog="python -m installer.twice", description=__doc__)
    parser.add_argument("--against", type=Path, metavar="DIR", help="a build that is there already, in place of one")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="genba-touch-twice-") as folder:
        first, second = Path(folder) / "one", Path(folder) / "another place"
        _copy(ROOT, first)
        _copy(first, second)
        one = args.against.resolve() if args.against else _build(first)
        time.sleep(1)  # not in the same second
        other = _build(second)
        found = differences(one, other)
        count = len(fingerprints(other))
    print("\n".join(found) if found else f"The two builds are the same: {count} files.", flush=True)
    return 1 if found else 0


def _copy(source: Path, target: Path) -> None:
    """What a build is made from: the sources alone, so that no edit and no leftover gets in between."""
    for name in SOURCES:
        path = source / name
        if path.is_dir():
            shutil.copytree(
                path, target / name, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile
            )
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / name)


def _build(source: Path) -> Path:
    command = [sys.executable, "-m", "installer.build", "--out", "out", "--work", "work"]
    subprocess.run(command, cwd=source, check=True)
    return source / "out" / NAME


if __name__ == "__main__":
    sys.exit(main())
