"""Which of `requirements.lock` a Windows PC takes, and their installation on a machine that is none.

pip judges markers (`sys_platform == 'win32'`) by the Python it runs in, so the lock is read here.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
LOCK = ROOT / "requirements.lock"
WINDOWS = {name: str(value) for name, value in default_environment().items()} | {
    "os_name": "nt",
    "sys_platform": "win32",
    "platform_system": "Windows",
    "platform_machine": "AMD64",
    "platform_release": "10",
    "platform_version": "10",
}
_ONLY_SOURCE = "pydes"
"""Pure Python, on PyPI as source alone; nfcpy needs it."""
TARGET = ("--platform", "win_amd64", "--python-version", "3.11", "--implementation", "cp", "--only-binary", ":all:")
"""pip's words for a Windows PC with our Python."""


def lines(*more: str) -> dict[str, str]:
    """The lock's entries, hashes and all and without marker, that the program and `more` take on Windows.

    By canonical name. Raises RuntimeError when the lock lacks one.
    """
    locked = dict(_entries(LOCK.read_text("utf-8")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    open_ = list(_wanted([*project["dependencies"], *more]))
    done: set[tuple[str, frozenset[str]]] = set()
    while open_:
        one = open_.pop()
        if one in done:
            continue
        done.add(one)
        if one[0] not in locked:
            raise RuntimeError(f"requirements.lock has no {one[0]}: python3 dev.py lock")
        try:
            needs = metadata.requires(one[0]) or []
        except metadata.PackageNotFoundError:
            continue  # Windows' own three (pefile, pywin32-ctypes, colorama): they need nothing
        open_ += _wanted(needs, one[1])
    return {name: locked[name] for name in sorted({name for name, _ in done})}


def install(entries: dict[str, str], target: Path, work: Path) -> None:
    """Put the entries' wheels for Windows into `target`, each checked by its hash. Raises CalledProcessError."""
    source = work / "source.txt"
    source.write_text(entries[_ONLY_SOURCE], "utf-8")
    wheels = work / "wheels"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--require-hashes", "-w", wheels, "-r", source], check=True
    )
    rest = work / "wheels.txt"
    rest.write_text("\n".join(text for name, text in entries.items() if name != _ONLY_SOURCE), "utf-8")
    into: list[str | Path] = [*pip, "install", "--no-deps", "--no-compile", "--target", target, *TARGET]
    subprocess.run([*into, "--require-hashes", "-r", rest], check=True)
    subprocess.run([*into, *wheels.iterdir()], check=True)


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Name and entry of everything that may be for Windows."""
    for entry in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
        if entry.startswith("#") or not entry.strip():
            continue
        first, _, rest = entry.partition("\\\n")
        requirement = Requirement(first)
        if requirement.marker is None or requirement.marker.evaluate(WINDOWS):
            hashes = [line.strip(" \\") for line in rest.splitlines() if line.lstrip().startswith("--hash=")]
            pinned = " ".join([f"{requirement.name}{requirement.specifier}", *hashes])
            yield canonicalize_name(requirement.name), pinned + "\n"


def _wanted(needs: Iterable[str], extras: frozenset[str] = frozenset()) -> Iterator[tuple[str, frozenset[str]]]:
    """Names, with their extras, that these requirements ask for on Windows."""
    for text in needs:
        need = Requirement(text)
        asked = ({**WINDOWS, "extra": extra} for extra in (*extras, ""))
        if need.marker is None or any(need.marker.evaluate(environment) for environment in asked):
            yield canonicalize_name(need.name), frozenset(need.extras)
