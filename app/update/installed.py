"""How this program came onto this PC, and so who may change it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PROGRAM = "genba-touch"
"""The program's file on Linux."""
VERSION_FILE = "VERSION"
"""Lies beside it where `install.sh` has put it."""


class Kind(StrEnum):
    """`FOLDERS`: Linux, put there by `install.sh` for one user; `SETUP_…`: Windows' set-up, for one user or for all;
    `PACKAGE`: a system's package, or a folder nobody knows; `SOURCE`: no built program."""

    FOLDERS = "folders"
    SETUP_USER = "setup_user"
    SETUP_MACHINE = "setup_machine"
    PACKAGE = "package"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Installed:
    """`folder`: where the program lies."""

    kind: Kind
    folder: Path


def find() -> Installed:
    """What this very program is."""
    return found(Path(sys.executable), frozen=bool(getattr(sys, "frozen", False)), windows=sys.platform == "win32")


def found(executable: Path, *, frozen: bool, windows: bool) -> Installed:
    """`executable`: the running program's file."""
    folder = executable.resolve().parent
    if not frozen:
        return Installed(Kind.SOURCE, folder)
    if windows:
        shared = [os.environ.get(name) for name in ("ProgramFiles", "ProgramW6432", "ProgramFiles(x86)")]
        below = any(one and folder.is_relative_to(Path(one).resolve()) for one in shared)
        return Installed(Kind.SETUP_MACHINE if below else Kind.SETUP_USER, folder)
    ours = (folder / VERSION_FILE).is_file() and os.access(folder.parent, os.W_OK)
    return Installed(Kind.FOLDERS if ours else Kind.PACKAGE, folder)


def this_platform() -> str:
    """'windows-x86_64', 'linux-x86_64' …, as packages name it."""
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    return f"{system}-{machine}"


def clean_environment() -> dict[str, str]:
    """This process's environment without what a built program's own start put there: another version inherits it."""
    left = {k: v for k, v in os.environ.items() if not k.startswith(("_PYI_", "_MEIPASS"))}
    if getattr(sys, "frozen", False):
        before = left.pop("LD_LIBRARY_PATH_ORIG", None)
        left.pop("LD_LIBRARY_PATH", None)
        if before is not None:
            left["LD_LIBRARY_PATH"] = before
    return {**left, "PYINSTALLER_RESET_ENVIRONMENT": "1"}
