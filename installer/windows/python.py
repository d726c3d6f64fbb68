"""A CPython 3.11 for Windows (x64), put together from what the package registries have. For test builds only.

Releases are built on Windows with python.org's Python. What is made here must never reach a customer: its `python.exe`
and `python3.dll` are stand-ins, and its standard library is this machine's.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

from installer.windows import locked
from installer.windows.dlls import STUBS, compile_c, exports, forwarding

CACHE = Path("~/.cache/genba-touch").expanduser()
# a game engine's wheel, which carries the Python 3.11.9 that it packs games with
_CARRIER = "panda3d==1.10.16 --hash=sha256:37acfb92655c4226879f95c988e2ef1449a53c54486d6c1ebc00e2772429af82\n"
_CARRIED = "deploy_libs/"
_BESIDE = ("python311.dll", "vcruntime140.dll")
_LEFT_OUT = ("site-packages", "test", "lib-dynload", "idlelib", "ensurepip", "tkinter", "__pycache__", "config-*")


def python() -> Path:
    """The folder with `python.exe` and the program's libraries as `requirements.lock` has them, PyInstaller included.

    Made at the first call (15 s, downloads 170 MB) and kept in the cache. Raises RuntimeError, CalledProcessError.
    """
    if sys.version_info[:2] != (3, 11):
        raise RuntimeError("a Windows test build takes its standard library from here: run it with Python 3.11")
    folder = CACHE / f"windows-python-{hashlib.sha256(made_from().encode()).hexdigest()[:16]}"
    if folder.exists():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        work = Path(name)
        made = work / "python"
        _interpreter(made, work)
        locked.install(_libraries(), made / "Lib" / "site-packages", work)
        made.rename(folder)
    return folder


def made_from() -> str:
    """All that the folder's content hangs on, in words. Raises RuntimeError as `locked.lines` does."""
    own = [file.read_text("utf-8") for file in (Path(__file__), STUBS / "python.c", STUBS / "python3.c")]
    return "\n".join([sys.version, *_libraries().values(), *own])


def _libraries() -> dict[str, str]:
    return locked.lines("pyinstaller", "setuptools", "packaging")


def _interpreter(made: Path, work: Path) -> None:
    wheel = _download(work)
    (made / "DLLs").mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = entry.filename.removeprefix(_CARRIED).lower()
            if not entry.filename.startswith(_CARRIED) or name.startswith(("api-ms-", "tcl", "tk", "_tkinter")):
                continue
            (made / ("" if name in _BESIDE else "DLLs") / name).write_bytes(archive.read(entry))
    shutil.copytree(sysconfig.get_path("stdlib"), made / "Lib", ignore=shutil.ignore_patterns(*_LEFT_OUT))
    compile_c(STUBS / "python.c", made / "python.exe", made / "python311.dll")
    forwarding(STUBS / "python3.c", made / "python3.dll", exports(made / "python311.dll"), "python311", work)


def _download(work: Path) -> Path:
    wanted = work / "carrier.txt"
    wanted.write_text(_CARRIER, "utf-8")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "download", "--no-deps"]
    subprocess.run([*pip, *locked.TARGET, "--require-hashes", "-d", work, "-r", wanted], check=True)
    return next(work.glob("panda3d-*.whl"))


if __name__ == "__main__":
    print(python())
