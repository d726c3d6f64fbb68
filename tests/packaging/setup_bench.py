"""A Windows under wine in which set-ups are run as IT runs them, and a small program to install."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from installer.windows import nsis
from installer.windows.dlls import compile_c
from installer.windows.wine import Running, Wine, windows, windows_path

HERE = Path(__file__).resolve().parent
KEY, UNINSTALL = r"Software\genba-touch", r"Software\Microsoft\Windows\CurrentVersion\Uninstall\genba-touch"
SHORTCUT, OFFICE = "現場タッチ.lnk", "現場タッチ（事務所）.lnk"
_MENU = Path("AppData/Roaming/Microsoft/Windows/Start Menu/Programs")
_COMMON_MENU = Path("ProgramData/Microsoft/Windows/Start Menu/Programs")


@dataclass
class Bench:
    """One Windows. Each test takes its program away again."""

    wine: Wine
    work: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def drive(self) -> Path:
        return self.wine.prefix / "drive_c"

    @property
    def user(self) -> Path:
        """The account's profile folder."""
        users = self.drive / "users"
        return next(path for path in users.iterdir() if path.name != "Public")

    @property
    def machine(self) -> Path:
        """Where a set-up for all users installs."""
        return self.drive / "Program Files" / "genba-touch"

    @property
    def own(self) -> Path:
        """Where a set-up for one user installs."""
        return self.user / "AppData/Local/Programs/genba-touch"

    @property
    def data(self) -> Path:
        """The account's data folder."""
        return self.user / "AppData/Local/genba-touch"

    @property
    def temporary(self) -> Path:
        """%TEMP%, as wine has it."""
        return self.user / "Temp"

    @property
    def log(self) -> Path:
        return self.work / "setup.log"

    def menu(self, *, common: bool) -> Path:
        return self.drive / _COMMON_MENU if common else self.user / _MENU

    def shortcuts(self, *, common: bool) -> set[str]:
        menu = self.menu(common=common)
        return {path.relative_to(menu).as_posix() for path in menu.rglob("現場タッチ*.lnk")}

    def program(self, name: str = "program", **files: str) -> Path:
        """A program's folder: two programs and `_internal` with these files."""
        folder = self.work / name
        (folder / "_internal").mkdir(parents=True, exist_ok=True)
        if not (folder / "genba-touch.exe").exists():
            compile_c(HERE / "standin.c", folder / "genba-touch.exe")
            (folder / "genba-touchw.exe").write_bytes((folder / "genba-touch.exe").read_bytes())
        for file, text in {"code": name, **files}.items():
            (folder / "_internal" / f"{file}.txt").write_text(text, encoding="utf-8")
        return folder

    def make(self, program: Path, version: str = "0.1.0", **wanted: object) -> Path:
        """A set-up of it."""
        out = self.work / f"out-{next(self._numbers)}"
        return nsis.make(nsis.Wanted(program, out, version, **wanted))  # type: ignore[arg-type]

    def run(self, setup: Path | str, switches: str, *, log: bool = True, limit: float = 120) -> int:
        """The exit code of a command line, taken literally."""
        with_log = f"/LOG={windows_path(self.log)} " if log else ""
        program = windows_path(setup) if isinstance(setup, Path) else setup
        return int(self._launch(f'"{program}" {with_log}{switches}', limit=limit))

    def _launch(self, line: str, *words: str, limit: float = 120) -> str:
        launch = self.work / "launch.exe"
        if not launch.exists():
            compile_c(HERE / "launch.c", launch)
        file = self.work / f"line-{next(self._numbers)}"
        file.write_bytes(line.encode("utf-16-le"))
        return self.wine.run(launch, file, *words, limit=limit).out.strip()

    def uninstall(self, folder: Path, switches: str = "/S", *, log: bool = True) -> int:
        """Its exit code; uninstall.exe itself stays, since it is not copied away first."""
        end = f" _?={self.inside(folder)}"
        return self.run(self.inside(folder / "uninstall.exe"), switches + end, log=log)

    def inside(self, path: Path) -> str:
        """A path on drive C as Windows names it."""
        return str(PureWindowsPath("C:/", *path.relative_to(self.drive).parts))

    def registry(self, root: str, key: str) -> dict[str, str]:
        """The values of a key; {} when it is not there."""
        file = self.work / f"values-{next(self._numbers)}.reg"
        if self.wine.run("reg", "export", f"{root}\\{key}", file, "/y", limit=60).code:
            return {}
        found = re.findall(r'^"(.*?)"=(?:"(.*)"|dword:(.*))$', file.read_text(encoding="utf-16"), re.M)
        return {name: text.replace("\\\\", "\\").replace('\\"', '"') or number for name, text, number in found}

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-16") if self.log.exists() else ""

    def start(self, program: Path, *words: str) -> Running:
        """Start a stand-in that runs, and wait until it does."""
        inside = self.inside(program) if program.is_relative_to(self.drive) else program
        started = self.wine.start(inside, *words)
        until = time.monotonic() + 30
        while "running" not in started.printed():
            assert time.monotonic() < until, started.complained()
            time.sleep(0.1)
        return started


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """With a Windows of its own in `folder`."""
    work = folder / "work"
    work.mkdir(parents=True)
    with windows(folder / "wine") as wine:
        yield Bench(wine, work)
