"""What belongs into a build and what does not: the one list, read by `genba-touch.spec` on every platform."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

Entry = tuple[str, str, str]
"""PyInstaller's: name in the build, the file it comes from (of a SYMLINK: its target), kind."""

PRODUCT = "現場タッチ"
COMPANY = "Genba Touch project"
"""Shown by Windows in a program's properties; a signature names its signer by itself."""

NOT_OURS = (
    # a gate PC is no centre, and shows no made-up site
    *("app.central", "app.cli.centre", "app.cli.centre_admin", "app.cli.centre_chain", "app.cli.centre_url"),
    *("app.wiring.centre", "app.wiring.centre_admin", "app.wiring.centre_chain", "app.demo", "app.cli.demo"),
    *("installer", "tests"),
    # parts of Python and of libraries that nothing here calls
    *("tkinter", "_tkinter", "sqlite3", "_sqlite3", "pydoc", "pydoc_data", "lib2to3", "ensurepip", "idlelib"),
    *("zstandard._cffi", "zstandard.backend_cffi", "sqlalchemy.testing", "nfc.clf.udp.__main__"),
)
"""Modules that the build must not have, beside all of `undelivered`."""

BY_NAME = ("nfc.clf", "nfc.tag", "keyring.backends")
"""Packages whose modules are imported by names that are put together when running."""

REPLACEABLE = ("smartcard", "usb1", "libusb1", "nfc")
"""Packages under licences that want them replaceable (LGPL, EUPL): they lie in the build as files, not in the archive.

PySide6's modules are libraries, and so are files anyway.
"""

QT_PLUGINS = (
    *("platforms/*qxcb.*", "platforms/*qwayland.*", "platforms/*qoffscreen.*", "platforms/*qminimal.*"),
    *("platforms/qwindows.*", "styles/*", "xcbglintegrations/*", "wayland-shell-integration/*xdg-shell.*"),
    *("wayland-decoration-client/*bradient.*", "wayland-graphics-integration-client/*qt-plugin-wayland-egl.*"),
    *("platforminputcontexts/*compose*", "platforminputcontexts/*ibus*", "platformthemes/*xdgdesktopportal.*"),
    *("networkinformation/*", "imageformats/*qico.*", "imageformats/*qjpeg.*"),
)
"""Qt's plugins that stay; all others go (GTK, PDF, SVG, QML, virtual keyboard, embedded screens, databases, TLS)."""

LOADED_BY_NAME = ("libusb-1.0.dll",)
"""Libraries that are looked up when running (ctypes), so that nobody's imports tell of them."""

LEFT_TO_SYSTEM = ("libstdc++.so.6", "libgcc_s.so.1", "libexpat.so.1")
"""Every Linux has them, and the build machine's own ask for its own C library or a newer one."""


def data_files() -> list[tuple[str, str]]:
    """Our own files that are no code, each with its folder in the build (PyInstaller's `datas`)."""
    from PyInstaller.utils.hooks import collect_data_files

    found: list[tuple[str, str]] = [
        (str(path), path.relative_to(ROOT).parent.as_posix())
        for path in sorted((ROOT / "resources").rglob("*"))
        if path.is_file() and path.suffix not in (".py", ".pyc") and path.name != "central-api.openapi.json"
    ]
    # Alembic reads its steps as files
    steps = sorted((ROOT / "app" / "store" / "migrations").rglob("*.py"))
    found += [(str(path), path.relative_to(ROOT).parent.as_posix()) for path in steps]
    found += collect_data_files("holidays", includes=["locale/*/LC_MESSAGES/JP.mo"])
    return found


def delivered() -> set[str]:
    """Names of the distributions that the program needs on this platform, by what pyproject.toml and they declare."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found: set[tuple[str, str]] = set()
    new = {wish for line in project["dependencies"] for wish in _wishes(line, "")}
    while new:
        found |= new
        needs = ((line, extra) for name, extra in new for line in metadata.requires(name) or ())
        new = {wish for line, extra in needs for wish in _wishes(line, extra)} - found
    return {name for name, _ in found}


def _wishes(line: str, extra: str) -> Iterator[tuple[str, str]]:
    wanted = Requirement(line)
    if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
        yield from ((canonicalize_name(wanted.name), one) for one in ("", *wanted.extras))


def undelivered() -> set[str]:
    """Top modules in this environment that no delivered distribution brings: the centre's, the tests', the tools'."""
    wanted = delivered() | {"genba-touch"}
    return {
        module
        for module, names in metadata.packages_distributions().items()
        if module.isidentifier() and not any(canonicalize_name(name) in wanted for name in names)
    }


def left_out(module: str, out: Iterable[str]) -> bool:
    """Whether a module is one of `out`, or inside of one."""
    return any(module == name or module.startswith(f"{name}.") for name in out)


def stays(name: str) -> bool:
    """Whether a file of this name in the build (with '/') is wanted there; of libraries see `needed`."""
    path = PurePosixPath(name)
    if "PySide6" in path.parts and "plugins" in path.parts:
        return any(fnmatch("/".join(path.parts[-2:]), pattern) for pattern in QT_PLUGINS)
    if path.suffix == ".qm":
        return path.name == "qtbase_ja.qm"
    if path.name in LEFT_TO_SYSTEM:
        return False
    return path.name != "opengl32sw.dll"  # 20 MB that draw 3D without a graphics card; nothing here is 3D


def trimmed(entries: Iterable[Entry]) -> list[Entry]:
    """Those of PyInstaller's entries that stay, and of the libraries among them those that something needs."""
    kept = [entry for entry in entries if stays(entry[0].replace("\\", "/"))]
    libraries = {PurePosixPath(e[0].replace("\\", "/")).name.lower(): e for e in kept if _is_library(e)}
    reached = set(_needed(kept, libraries))
    return [entry for entry in kept if _target(entry) not in libraries or _target(entry) in reached]


def _is_library(entry: Entry) -> bool:
    """Not an extension module and not a plugin: a library that is there for others' sake."""
    path = PurePosixPath(entry[0].replace("\\", "/"))
    return entry[2] == "BINARY" and "plugins" not in path.parts and path.name.lower() not in LOADED_BY_NAME


def _target(entry: Entry) -> str:
    return PurePosixPath((entry[1] if entry[2] == "SYMLINK" else entry[0]).replace("\\", "/")).name.lower()


def _needed(entries: Iterable[Entry], libraries: dict[str, Entry]) -> set[str]:
    """Names of the libraries that extension modules, plugins and Python itself load, and the libraries they load."""
    from PyInstaller.depend.bindepend import get_imports, get_python_library_path

    first = [entry[1] for entry in entries if entry[2] in ("EXTENSION", "BINARY") and not _is_library(entry)]
    python = get_python_library_path()
    rest, reached = [*first, *([python] if python else [])], set()
    if python:
        reached.add(Path(python).name.lower())
    while rest:
        names = {PurePosixPath(name.replace("\\", "/")).name.lower() for name, _ in get_imports(rest.pop())}
        new = (names & libraries.keys()) - reached
        reached |= new
        rest += [libraries[name][1] for name in sorted(new)]
    return reached
