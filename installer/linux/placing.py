"""Putting a package's files in place the same way every time: modes, times, order, compression."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from installer.build import EPOCH
from installer.contents import ROOT

FILES = Path(__file__).resolve().parent / "files"
RESOURCES = ROOT / "resources"
RULES = RESOURCES / "udev" / "70-genba-touch-pasori.rules"
ICONS = {"256x256": RESOURCES / "icons" / "genba-touch.png", "scalable": RESOURCES / "icons" / "genba-touch.svg"}
DESKTOP = FILES / "genba-touch.desktop"
UNIT = FILES / "genba-touch-kiosk.service"
LEVEL = 6
"""How hard xz tries, 0 to 9."""
EXECUTABLE, PLAIN = 0o755, 0o644


@dataclass(frozen=True, slots=True)
class Company:
    """What one company's package has besides: its settings, and IT's public key. None: without."""

    provisioning: Path | None = None
    it_key: Path | None = None

    def files(self) -> dict[str, Path]:
        """Its files by the names under which the program looks for them."""
        named = {"it-key.pem": self.it_key, "provisioning.toml": self.provisioning}
        return {name: file for name, file in named.items() if file is not None}


def epoch() -> int:
    """The time that every file carries, in seconds (SOURCE_DATE_EPOCH)."""
    return int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH))


def put(source: Path, target: Path) -> None:
    """Copy a file, or a folder with its links as they are."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copyfile(source, target)


def settle(root: Path) -> None:
    """Modes and times: folders and what can be run 0755, all else 0644; links have none of their own."""
    for path in walk(root):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(EXECUTABLE if runs else PLAIN)
        os.utime(path, (epoch(), epoch()), follow_symlinks=False)


def walk(root: Path) -> Iterator[Path]:
    """Everything under a folder and the folder itself, inner things first, in order of names."""
    for path in sorted(root.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from walk(path)
        else:
            yield path
    yield root
