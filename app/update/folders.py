"""Linux, a user's own: the version before and the next one lie beside the program, and change places with it."""

from __future__ import annotations

import ctypes
import os
import posixpath
import shutil
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

from app.errors import EnvironmentTrouble, InputRefused
from app.files import sync_folder
from app.update.installed import PROGRAM, VERSION_FILE, clean_environment

PROVE_S = 300.0
BESIDE = ("*.pem", "provisioning.toml", "update-root.json")
"""What IT put beside the program, and the next version needs too."""
_SOUND = (0, 6)
"""Of a self-test: all is well, or sound with something missing that this PC can be given at any time."""
_AT_CWD, _EXCHANGE = -100, 2


def unpack(archive: Path, folder: Path, version: str) -> Path:
    """The archive's program beside `folder`, whole or not at all. Raises InputRefused `update.not_a_program`,
    EnvironmentTrouble."""
    target, part = _beside(folder, "next"), _beside(folder, "part")
    try:
        for old in (part, target):
            shutil.rmtree(old, ignore_errors=True)
        with tarfile.open(archive) as opened:
            # Pythons before 3.11.4 know no filter: `_tame` is one for all of them
            trusted = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
            opened.extractall(part, members=_tame(opened), **trusted)  # type: ignore[arg-type]  # noqa: S202
        programs = [f for f in part.rglob(PROGRAM) if f.is_file() and os.access(f, os.X_OK)]
        program = min(programs, key=lambda file: len(file.parts), default=None)
        if program is None or version_in(program.parent) != version:
            raise InputRefused("update.not_a_program", archive.name)
        for kept in (file for pattern in BESIDE for file in folder.glob(pattern)):
            shutil.copy2(kept, program.parent / kept.name)
        _sync_all(program.parent)
        program.parent.rename(target)
        sync_folder(target.parent)
    except tarfile.TarError as exc:
        raise InputRefused("update.not_a_program", archive.name) from exc
    except OSError as exc:
        raise EnvironmentTrouble("update.disk", str(folder.parent), why=exc.strerror or "") from exc
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def prove(folder: Path, version: str) -> None:
    """Let a version look at itself before it is anybody's. Raises InputRefused `update.not_sound`."""
    command = [str(folder / PROGRAM), "--self-test", "--no-keyring"]
    try:
        done = subprocess.run(  # noqa: S603 -- the program that was just verified
            command,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROVE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise InputRefused("update.not_sound", version, why=type(exc).__name__) from exc
    if done.returncode not in _SOUND:
        raise InputRefused("update.not_sound", version, why=f"self-test: {done.returncode}")


def has_previous(folder: Path, version: str) -> bool:
    """Whether this version lies beside the program as the one before."""
    return version_in(_beside(folder, "previous")) == version


def take_next(folder: Path) -> Path:
    """The version that was unpacked becomes the program, and what it was the one before; the program's file.

    A power cut leaves one or the other. Raises EnvironmentTrouble.
    """
    previous = _beside(folder, "previous")
    try:
        shutil.rmtree(previous, ignore_errors=True)
        _beside(folder, "next").rename(previous)
    except OSError as exc:
        raise EnvironmentTrouble("update.disk", str(folder), why=exc.strerror or "") from exc
    return take_previous(folder)


def take_previous(folder: Path) -> Path:
    """Program and version before change places in one step, which the kernel alone can do; the program's file.

    Raises EnvironmentTrouble.
    """
    library = ctypes.CDLL(None, use_errno=True)
    try:
        if library.renameat2(
            _AT_CWD, os.fsencode(_beside(folder, "previous")), _AT_CWD, os.fsencode(folder), _EXCHANGE
        ):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        sync_folder(folder.parent)
    except (OSError, AttributeError) as exc:
        raise EnvironmentTrouble("update.disk", str(folder), why=getattr(exc, "strerror", None) or "") from exc
    return folder / PROGRAM


def others_running(folder: Path) -> bool:
    """Whether another process of this user runs this program: it would load the rest of itself from another version."""
    own = os.getpid()
    for exe in Path("/proc").glob("[0-9]*/exe"):
        try:
            if int(exe.parent.name) != own and exe.readlink() == folder / PROGRAM:
                return True
        except OSError:
            continue  # it has ended, or is another user's
    return False


def version_in(folder: Path) -> str | None:
    """The version of the program in a folder; None: there is none."""
    try:
        text = (folder / VERSION_FILE).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if os.access(folder / PROGRAM, os.X_OK) else None


def _tame(archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """What is in it, when it is plain files, folders and links among them alone. Raises tarfile.TarError."""
    members = archive.getmembers()
    links = {posixpath.normpath(member.name) for member in members if member.issym()}
    for member in members:
        name = posixpath.normpath(member.name)
        above = {str(folder) for folder in PurePosixPath(name).parents}
        target = (
            posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname)) if member.issym() else name
        )
        if not (member.isreg() or member.isdir() or member.issym()) or above & links:
            raise tarfile.TarError(member.name)
        if any(path.startswith(("/", "..")) for path in (name, target)):
            raise tarfile.TarError(member.name)
        member.mode &= 0o755
    return members


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f"{folder.name}.{what}")


def _sync_all(folder: Path) -> None:
    """Files first, so that no name ever stands for a version that a power cut left empty."""
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
