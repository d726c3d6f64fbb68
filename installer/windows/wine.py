"""Windows programs on Linux: a Windows of their own under wine, which lasts as long as a `with` block.

What runs here has passed wine 8, which is not Windows: it has no PC/SC service, no USB, and takes more care of nothing
than Windows does (docs/packaging.md).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import IO

from installer.windows.dlls import COMPILER, READER, STUBS, compile_c, exports, forwarding

ABSENT_DLLS: dict[str, tuple[str, ...]] = {"icuuc": (), "bcryptprimitives": ("-ladvapi32",)}
"""DLLs of Windows 10 that wine 8 lacks and the program's libraries load, with what their stand-ins are linked to."""
_POOR_DLL, _RICHER = "cfgmgr32", "setupapi"
_KEPT = ("PATH", "USER", "LANG", "LC_ALL", "TMPDIR")
_OURS = ",".join([*ABSENT_DLLS, _POOR_DLL])
# without netprofm Qt cannot ask whether there is a network: in wine 8 that question is never answered
_OVERRIDES = f"{_OURS}=n,b;mscoree,mshtml,netprofm=;winemenubuilder.exe=d"
_CJK_FONTS = Path("/usr/share/fonts/opentype/noto")


def missing() -> str | None:
    """What running Windows programs lacks here; None when it can be done."""
    if not sys.platform.startswith("linux"):
        return "wine is a thing of Linux"
    lacking = [name for name in ("wine", "wineserver", "Xvfb", COMPILER, READER) if shutil.which(name) is None]
    return f"not installed: {', '.join(lacking)}" if lacking else None


def windows_path(path: Path) -> str:
    """A path of this machine as programs under wine see it."""
    return str(PureWindowsPath("Z:/", *path.absolute().parts[1:]))


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that ended: exit code, and what it printed."""

    code: int
    out: str
    err: str


class _Printed(threading.Thread):
    """Takes what comes out of a pipe. It may never end: what a program starts inherits the pipe and may outlive it."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(name="printed by wine", daemon=True)
        self._pipe = pipe
        self._bytes = bytearray()
        self.start()

    def run(self) -> None:
        while part := os.read(self._pipe.fileno(), 65536):
            self._bytes += part
        self._pipe.close()

    def text(self) -> str:
        """All until now."""
        return self._bytes.decode("utf-8", errors="replace").replace("\r\n", "\n")


class Running:
    """A program that was started, on three pipes: a Windows Python dies at its start when one is a file or missing."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], cwd: Path | None) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=cwd,
        )
        stdin, out, err = self.process.stdin, self.process.stdout, self.process.stderr
        if stdin is None or out is None or err is None:
            raise RuntimeError("no pipes")
        self._stdin = stdin
        self._out, self._err = _Printed(out), _Printed(err)

    def printed(self) -> str:
        """What came on stdout by now."""
        return self._out.text()

    def complained(self) -> str:
        """What came on stderr by now."""
        return self._err.text()

    def kill(self) -> None:
        """SIGKILL: what Windows calls TerminateProcess, with no last word from the program."""
        self.process.kill()
        self.process.wait()
        self._close()

    def end(self, limit: float, stdin: bytes = b"") -> Ended:
        """Hand over stdin and wait. One that takes longer than `limit` seconds is killed: subprocess.TimeoutExpired."""
        try:
            with suppress(BrokenPipeError):
                self._stdin.write(stdin)
            self._close()
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        for thread in (self._out, self._err):
            thread.join(1)
        return Ended(self.process.returncode, self.printed(), self.complained())

    def _close(self) -> None:
        with suppress(BrokenPipeError):
            self._stdin.close()


@dataclass(frozen=True, slots=True)
class Wine:
    """A running Windows, for any thread. Paths among a command's words become Windows' own."""

    prefix: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def system32(self) -> Path:
        """Windows' own programs and DLLs."""
        return self.prefix / "drive_c" / "windows" / "system32"

    def start(self, *command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Running:
        """Start a program."""
        words = [windows_path(word) if isinstance(word, Path) else word for word in command]
        return Running(["wine", *words], {**self.environment, **(env or {})}, cwd)

    def run(
        self,
        *command: str | Path,
        limit: float,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Ended:
        """Run a program to its end, as `Running.end` does."""
        return self.start(*command, env=env, cwd=cwd).end(limit, stdin)


@contextmanager
def windows(prefix: Path) -> Iterator[Wine]:
    """Windows 10 with its disk in `prefix` (made when it is not there), a screen of its own and Japanese fonts.

    Ends every program in it. Raises RuntimeError where wine cannot be run; CalledProcessError.
    """
    lack = missing()
    if lack:
        raise RuntimeError(lack)
    with _screen() as display:
        environment = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "HOME": str(prefix.absolute()),
            "WINEPREFIX": str(prefix.absolute()),
            "WINEDEBUG": os.environ.get("WINEDEBUG", "-all"),
            "WINEDLLOVERRIDES": _OVERRIDES,
            "DISPLAY": display,
        }
        wine = Wine(prefix.absolute(), environment)
        prefix.mkdir(parents=True, exist_ok=True)
        # stays when the last program ends: the next one starts at once, and pipes do not hang
        subprocess.run(["wineserver", "-p"], env=environment, check=True)
        try:
            if not (prefix / "ready").exists():
                _furnish(wine)
            yield wine
        finally:
            subprocess.run(["wineserver", "-k"], env=environment, check=False)
            subprocess.run(["wineserver", "-w"], env=environment, check=False, timeout=30)


def _furnish(wine: Wine) -> None:
    """First start: Windows' folders, its version, what wine lacks of it, and fonts."""
    # nobody manages windows on our screen: wine would wait two seconds for that with every window
    unmanaged = ("reg", "add", r"HKCU\Software\Wine\X11 Driver", "/v", "Managed", "/d", "N", "/f")
    for command in (("wineboot", "-i"), ("winecfg", "-v", "win10"), unmanaged):
        ended = wine.run(*command, limit=180)
        if ended.code:
            raise RuntimeError(f"{command[0]}: exit {ended.code}\n{ended.err}")
    for name, libraries in ABSENT_DLLS.items():
        compile_c(STUBS / f"{name}.c", wine.system32 / f"{name}.dll", *libraries)
    poor = wine.system32 / f"{_POOR_DLL}.dll"
    names = exports(poor)
    poor.unlink()
    forwarding(STUBS / f"{_POOR_DLL}.c", poor, names, _RICHER, wine.prefix)
    fonts = wine.prefix / "drive_c" / "windows" / "Fonts"
    for font in sorted(_CJK_FONTS.glob("NotoSansCJK-*.ttc")):
        (fonts / font.name).symlink_to(font)
    (wine.prefix / "ready").touch()


@contextmanager
def _screen() -> Iterator[str]:
    """An X server in memory on a free number; gives its display."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=(write,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as told:
            number = told.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(20)


def main(words: Sequence[str]) -> int:
    """`python -m installer.windows.wine PREFIX SECONDS PROGRAM [WORD …]`: for a look by hand."""
    prefix, limit, *command = words
    with windows(Path(prefix)) as wine:
        ended = wine.run(*command, limit=float(limit))
    sys.stdout.write(ended.out)
    sys.stderr.write(ended.err)
    return ended.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
