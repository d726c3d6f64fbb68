"""Puts the licence of everything that is in a build into its folder `licences/`.

From each distribution's own files; where it brings none, from `licence_texts/`, whose texts somebody has looked up.
What has neither stops the build: nothing is passed on without its licence.
"""

from __future__ import annotations

import re
import shutil
import sysconfig
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from installer.contents import ROOT

FOLDER = "licences"
TEXTS = ROOT / "installer" / "licence_texts"
LOOKED_UP = {
    "pyserial": ("pyserial.txt",),
    # LGPL 3 is written as an addition to GPL 3
    "pyside6-essentials": ("LGPL-3.0.txt", "GPL-3.0.txt"),
    "shiboken6": ("LGPL-3.0.txt", "GPL-3.0.txt"),
}
"""Distributions whose wheels bring no licence text; by canonical name."""
CARRIED = {"sqlcipher3": ("SQLCipher.txt",)}
"""Texts beside a distribution's own, of what is compiled into it."""
_FILE = re.compile(r"(licen[cs]e|copying|notice|authors)[^/]*$", re.I)
_COMMON = re.compile(r"/usr/share/common-licenses/([\w.-]*\w)")
_DEBIAN, _COMMON_FOLDER = Path("/usr/share/doc"), Path("/usr/share/common-licenses")


def put(folder: Path, contents: dict[str, Any]) -> None:
    """Make `folder/licences/`. `contents`: what `delivered.described` says. Raises SystemExit naming what has none."""
    target = folder / FOLDER
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in (ROOT / "LICENSE", ROOT / "THIRD_PARTY.md", ROOT / "LICENSES" / "EUPL-1.2.txt"):
        shutil.copyfile(file, target / file.name)
    lacking = [one["name"] for one in contents["distributions"] if not _of_distribution(one, target / "packages")]
    lacking += _of_system(contents["system"], target / "system")
    if not _copy(_python_files(), target / f"Python-{contents['python']}"):
        lacking.append("Python")
    if lacking:
        raise SystemExit(
            f"No licence text for {', '.join(lacking)}: look it up, put it into {TEXTS} and name it in licences.py"
        )


def _of_distribution(one: dict[str, str], target: Path) -> bool:
    name = re.sub(r"[-_.]+", "-", one["name"]).lower()
    distribution = metadata.distribution(one["name"])
    listed = [Path(str(distribution.locate_file(file))) for file in distribution.files or () if _is_licence(str(file))]
    looked_up = [] if listed else [TEXTS / text for text in LOOKED_UP.get(name, ())]
    beside = [TEXTS / text for text in CARRIED.get(name, ())]
    return _copy([*listed, *looked_up], target / f"{one['name']}-{one['version']}") and (
        not beside or _copy(beside, target / f"{one['name']}-{one['version']}")
    )


def _is_licence(file: str) -> bool:
    return ".dist-info/" in file.replace("\\", "/") and _FILE.search(file) is not None


def _of_system(packages: Iterable[dict[str, str]], target: Path) -> list[str]:
    """Debian's and Ubuntu's; gives the names of those without. Texts that they refer to come along."""
    lacking, common = [], set()
    for package in packages:
        name = package["name"]
        file = _DEBIAN / name / "copyright"
        if not file.is_file():
            lacking.append(name)
            continue
        target.mkdir(exist_ok=True)
        shutil.copyfile(file, target / f"{name}.txt")
        common |= set(_COMMON.findall(file.read_text("utf-8", errors="replace")))
    _copy([path for one in sorted(common) if (path := _COMMON_FOLDER / one).is_file()], target / "common-licenses")
    return lacking


def _python_files() -> list[Path]:
    paths = sysconfig.get_paths()
    own = (Path(paths["stdlib"]) / "LICENSE.txt", Path(sysconfig.get_config_var("installed_base")) / "LICENSE.txt")
    return [next((file for file in own if file.is_file()), TEXTS / "Python.txt")]


def _copy(files: list[Path], target: Path) -> bool:
    """Side by side; of two with one name the second gets its folder's name in front."""
    for file in files:
        target.mkdir(parents=True, exist_ok=True)
        place = target / file.name
        shutil.copyfile(file, place if not place.exists() else target / f"{file.parent.name}-{file.name}")
    return bool(files)
