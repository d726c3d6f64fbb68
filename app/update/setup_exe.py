"""Windows: the verified set-up, run without a question. It waits for this program's end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from app.errors import EnvironmentTrouble, InputRefused
from app.update.download import is_whole
from app.update.installed import Installed, Kind, clean_environment
from app.update.port import Offer


def command(setup: Path, installed: Installed, *, back: bool = False, then_start: bool = False) -> list[str]:
    """The call. `back`: to an older version, which set-up refuses otherwise; `then_start`: the window opens after."""
    scope = "/AllUsers" if installed.kind is Kind.SETUP_MACHINE else "/CurrentUser"
    flags = [*(("/ROLLBACK",) if back else ()), *(("/START",) if then_start else ())]
    return [str(setup), "/S", scope, f"/AFTER={os.getpid()}", *flags]


def staged(setup: Path, offer: Offer, installed: Installed) -> Path:
    """The set-up alone in a folder beside the program, where only an administrator writes, its hash compared there.

    One that runs with more rights than its folder's owner has must not be exchanged after it was verified, nor find
    somebody's libraries or keys beside it. Raises InputRefused `update.tampered`, EnvironmentTrouble.
    """
    folder = installed.folder.with_name(f"{installed.folder.name}.setup")
    copy = folder / offer.name
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        shutil.copyfile(setup, copy)
        if is_whole(copy, offer):
            return copy
        shutil.rmtree(folder)
    except OSError as exc:
        raise EnvironmentTrouble("update.disk", str(folder), why=exc.strerror or "") from exc
    raise InputRefused("update.tampered", offer.name)


def start(call: list[str]) -> None:
    """Begin it, on its own. Raises EnvironmentTrouble `update.setup_failed`."""
    flags = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    try:
        subprocess.Popen(  # noqa: S603 -- the set-up whose hash was just compared with the signed one
            call,
            env=clean_environment(),
            cwd=Path(call[0]).parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=flags,
            close_fds=True,
        )
    except OSError as exc:
        raise EnvironmentTrouble("update.setup_failed", call[0], why=exc.strerror or "") from exc


def has_rights(installed: Installed) -> bool:
    """Whether this user may change the program without being asked for a password."""
    if installed.kind is not Kind.SETUP_MACHINE:
        return True
    if sys.platform == "win32":
        import ctypes

        return bool(ctypes.windll.shell32.IsUserAnAdmin())
    return False
