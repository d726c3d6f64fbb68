"""A Windows build made on Linux, under wine, to be tried and not to be shipped: `python -m installer.windows.build`.

The recipe is the one of releases (`genba-touch.spec` through `installer.build`); the Python that runs it is a stand-in
(`python.py`), and so are parts of what goes into the build.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from installer.contents import ROOT
from installer.windows import python as windows_python
from installer.windows.wine import Ended, Wine, windows

OUT = ROOT / "dist" / "windows-x86_64"
WORK = ROOT / "build" / "windows-x86_64"
PROGRAM = "genba-touch.exe"
NOTICE_FILE = "TEST-BUILD.txt"
NOTICE = """TEST BUILD: NOT TO BE SHIPPED.

Made under wine with a Python put together from package registries, for tests alone. Nobody vouches for it.
"""
BUILD_S, SELF_TEST_S = 1800, 300
_NOISE = "Library not found: could not resolve 'api-ms-win-"  # Windows' own, which wine keeps in memory
_SOURCES = (
    *("app/**/*.py", "resources/**/*", "installer/*.py", "installer/*.spec", "installer/licence_texts/*"),
    *("THIRD_PARTY.md", "LICENSE*", "LICENSES/*", "pyproject.toml", "requirements.lock"),
)


def build(wine: Wine, out: Path, work: Path) -> Path:
    """Make `out/genba-touch/` anew. Returns it. Raises SystemExit when that fails."""
    _stamp(out).unlink(missing_ok=True)
    interpreter = windows_python.python() / "python.exe"
    sources = _sources()
    ended = wine.run(
        interpreter,
        *("-m", "installer.build", "--out", out, "--work", work),
        limit=BUILD_S,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT,
    )
    for line in (ended.out + ended.err).splitlines():
        if _NOISE not in line:
            print(line, flush=True)
    if ended.code:
        raise SystemExit(f"The Windows build failed with {ended.code}; the lines above say why.")
    folder = out / "genba-touch"
    (folder / NOTICE_FILE).write_text(NOTICE, "utf-8", newline="\r\n")
    _stamp(out).write_text(sources, "utf-8")
    return folder


def current(out: Path = OUT) -> Path | None:
    """The build in `out` if it was made from the sources as they are now."""
    stamp = _stamp(out)
    return out / "genba-touch" if stamp.exists() and stamp.read_text("utf-8") == _sources() else None


def self_test(wine: Wine, folder: Path) -> Ended:
    """The build's own self-test, with Windows' vault for secrets."""
    return wine.run(folder / PROGRAM, "--self-test", limit=SELF_TEST_S)


def _stamp(out: Path) -> Path:
    return out / "made-from.txt"


def _sources() -> str:
    """A hash of everything that goes into the build."""
    found = hashlib.sha256(windows_python.made_from().encode())
    for file in sorted(_source_files()):
        found.update(file.relative_to(ROOT).as_posix().encode() + b"\0")
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def _source_files() -> Iterator[Path]:
    for pattern in _SOURCES:
        yield from (file for file in ROOT.glob(pattern) if file.is_file())


def main(arguments: Sequence[str] | None = None) -> int:
    """Build if something has changed, and run the self-test."""
    parser = argparse.ArgumentParser(prog="python -m installer.windows.build", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT, help="genba-touch/ is made in here")
    parser.add_argument("--anew", action="store_true", help="even when nothing has changed")
    args = parser.parse_args(arguments)
    if sys.platform == "win32":
        from installer import build as native

        return native.main(["--out", str(args.out)])
    try:
        with tempfile.TemporaryDirectory(prefix="genba-wine-") as prefix, windows(Path(prefix)) as wine:
            return _made(wine, args.out.resolve(), anew=args.anew)
    except (RuntimeError, subprocess.SubprocessError) as exc:
        raise SystemExit(f"No Windows build: {exc}") from exc


def _made(wine: Wine, out: Path, *, anew: bool) -> int:
    start = time.monotonic()
    folder = None if anew else current(out)
    if folder is None:
        folder = build(wine, out, WORK)
        size = sum(file.stat().st_size for file in folder.rglob("*"))
        print(f"{folder}: {size / 1e6:.0f} MB, {time.monotonic() - start:.0f} s", flush=True)
    start = time.monotonic()
    ended = self_test(wine, folder)
    print(ended.out + ended.err)
    print(f"self-test under wine: exit {ended.code}, {time.monotonic() - start:.1f} s. {NOTICE.splitlines()[0]}")
    return ended.code


if __name__ == "__main__":
    sys.exit(main())
