"""The set-up of one company after the other: a thin one around the common set-up, with the company's files inside."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from app import signing as keys
from app.files import PRIVATE_FOLDER, sync_folder
from app.settings import DataDir
from app.version import VERSION
from app.wiring import placing
from app.wiring.provision_batch import Written
from installer import signing
from installer.contents import COMPANY as PUBLISHER
from installer.contents import ROOT
from installer.linux import tarball
from installer.signing import Signer
from installer.windows import nsis

SUMMARY = "summary.csv"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """A line of the summary. `code`: 'issued', 'given' or 'to be typed'; never the code itself."""

    company: str
    station_name: str
    file: str
    size: int
    sha256: str
    signed_by: str
    code: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Common:
    """What all companies have in common, made once. `linux`: the beginning of every archive (`tarball.begin`)."""

    base: Path
    version: str = VERSION
    signer: Signer | None = None
    it_key: bytes | None = None
    linux: Path | None = None


def make_all(common: Common, rows: Sequence[Written], folder: Path, out: Path, tell: Tell) -> list[Made]:
    """Every company's files into `out`, which must not be there: all or none. `folder`: the provisioning files.

    Raises GenbaError, NotSigned, SystemExit, OSError; then `out` is not there.
    """
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=PRIVATE_FOLDER)
    made: list[Made] = []
    try:
        for number, row in enumerate(rows, 1):
            start = time.monotonic()
            for one in _one(common, row, folder / row.file, unfinished):
                by = f", signed by {one.signed_by}" if one.signed_by else ""
                took = f"{one.size / 1e6:.1f} MB{by}, {time.monotonic() - start:.1f} s"
                tell(f"[{number}/{len(rows)}] {row.company or row.station_name}: {one.file}, {took}")
                made.append(one)
        (unfinished / SUMMARY).write_bytes(summary(made))
        os.rename(unfinished, out)
        sync_folder(out.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return made


def _one(common: Common, row: Written, provisioning: Path, out: Path) -> list[Made]:
    name = row.file.removesuffix(".toml")
    with tempfile.TemporaryDirectory() as work:
        files = _brought(provisioning, Path(work) / "brought", common.it_key)
        setup = out / f"genba-touch-{common.version}-{name}-setup.exe"
        _wrap(common, files, row.company or row.station_name, setup)
        made = [(setup, common.signer.sign(setup).signer if common.signer else "")]
        if common.linux is not None:
            archive = out / f"genba-touch-{common.version}-{name}-linux-x86_64.tar.xz"
            tarball.finish(common.linux, files, archive, version=common.version)
            made.append((archive, ""))
    about = row.company, row.station_name
    code = row.code, row.expires_at
    return [Made(*about, file.name, file.stat().st_size, signing.digest(file), by, *code) for file, by in made]


def _brought(provisioning: Path, folder: Path, it_key: bytes | None) -> Path:
    """A folder with what this company's PCs have beside the program. Raises GenbaError for what it would refuse."""
    folder.mkdir()
    pinned = folder / keys.PUBLIC_NAME if it_key else None
    if pinned and it_key:
        pinned.write_bytes(it_key)
    placing.place(provisioning, folder, DataDir.at(folder / "none"), pinned)
    return folder


def _wrap(common: Common, files: Path, company: str, target: Path) -> None:
    """One company's set-up, not signed yet. Raises SystemExit with what makensis says."""
    texts = {
        "VERSION": common.version,
        "OUT": str(target.absolute()),
        "BASE": str(common.base.absolute()),
        "BROUGHT": str(files.absolute()),
        "COMPANY": company,
        "PUBLISHER": PUBLISHER,
        "ICON": str(ROOT / "resources" / "icons" / "genba-touch.ico"),
    }
    with tempfile.TemporaryDirectory() as work:
        lines = [f'!addincludedir "{nsis.HERE}"', *(nsis.define(name, text) for name, text in texts.items())]
        (Path(work) / "settings.nsh").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
        command = ["makensis", "-V2", "-WX", "-NOCD", "-INPUTCHARSET", "UTF8", str(nsis.HERE / "company.nsi")]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"makensis ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def summary(made: Sequence[Made]) -> bytes:
    """The summary as a table that Excel opens; it holds no code."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [field.name for field in fields(Made)])
    writer.writeheader()
    writer.writerows(asdict(one) for one in made)
    return b"\xef\xbb\xbf" + out.getvalue().encode()
