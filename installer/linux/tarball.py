"""The package for one user without an administrator: a folder with the program and `install.sh`, as .tar.xz."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from app.version import VERSION
from installer.linux import needs, placing
from installer.linux.placing import Company

NAME = "genba-touch"
SCRIPT = Path(__file__).resolve().parent / "install.sh"


def name_of(version: str = VERSION) -> str:
    """The folder inside; with .tar.xz the file's name."""
    return f"{NAME}-{version}-linux-x86_64"


def make(program: Path, out: Path, company: Company, *, version: str = VERSION) -> Path:
    """Write the archive of a built program into `out`; the same input gives the same bytes. Raises SystemExit.

    `version`: another version, for trying upgrades.
    """
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{name_of(version)}.tar.xz"
    with tempfile.TemporaryDirectory(dir=out) as folder:
        common = begin(program, Path(folder) / "common.tar.xz", version=version)
        files = Path(folder) / "company"
        files.mkdir()
        for name, source in company.files().items():
            placing.put(source, files / name)
        finish(common, files, file, version=version)
    return file


def begin(program: Path, target: Path, *, version: str = VERSION) -> Path:
    """What the archives of all companies have in common: compressed once, and no whole archive yet. Its path."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        root = Path(folder) / name_of(version)
        placing.put(program, root / NAME)
        (root / NAME / "VERSION").write_text(f"{version}\n", "ascii")
        for source in (placing.RULES, placing.UNIT, placing.DESKTOP, *placing.ICONS.values()):
            placing.put(source, root / "share" / source.name)
        packages = (name.partition(" (")[0].rpartition(" | ")[2] for name in needs.depends(program))
        (root / "share" / "packages.txt").write_text(" ".join(packages) + "\n", "ascii")
        placing.put(SCRIPT, root / SCRIPT.name)
        (root / SCRIPT.name).chmod(placing.EXECUTABLE)
        placing.settle(root)
        tar = Path(folder) / "common.tar"
        with tarfile.open(tar, "w", format=tarfile.GNU_FORMAT) as archive:
            archive.add(root, root.name, filter=_anonymous)  # in order of names
            end = archive.offset
        os.truncate(tar, end)  # the mark of its end comes with the company's part
        _compress(tar, target)
    return target


def finish(common: Path, files: Path, target: Path, *, version: str = VERSION) -> None:
    """A company's whole archive: the common part, and the folder's files beside install.sh. xz reads on and on."""
    placing.settle(files)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        rest = Path(folder) / "rest.tar"
        with tarfile.open(rest, "w", format=tarfile.GNU_FORMAT) as archive:
            for path in sorted(files.iterdir()):
                archive.add(path, f"{name_of(version)}/{path.name}", filter=_anonymous)
        end = Path(folder) / "rest.tar.xz"
        _compress(rest, end)
        with target.open("wb") as whole:
            for part in (common, end):
                with part.open("rb") as stream:
                    shutil.copyfileobj(stream, whole)


def _compress(tar: Path, target: Path) -> None:
    """Always with two threads, since their number changes the bytes. Raises SystemExit."""
    with target.open("wb") as out:
        code = subprocess.call(["xz", f"-{placing.LEVEL}", "--threads=2", "--stdout", str(tar)], stdout=out)
    if code != 0:
        raise SystemExit(f"xz failed with {code}")


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
