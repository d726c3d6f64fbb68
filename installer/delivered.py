"""What went into a build: distributions, the operating system's libraries, Python, Qt, SQLite. Written by the spec."""

from __future__ import annotations

import platform
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

_PRAGMAS = ("cipher_version", "cipher_provider_version")

Entry = Sequence[str]
"""PyInstaller's: name in the build, the file it comes from, kind."""


def described(entries: Iterable[Entry]) -> dict[str, Any]:
    """`{platform, python, openssl[], qt, sqlcipher, sqlite, distributions[], system[]}` of what PyInstaller took in."""
    from cryptography.hazmat.backends.openssl import backend
    from PySide6.QtCore import qVersion
    from sqlcipher3 import dbapi2  # type: ignore[import-untyped]

    sources = {str(Path(entry[1])) for entry in entries if len(entry) > 1 and entry[1]}
    connection = dbapi2.connect(":memory:")
    connection.execute("PRAGMA key = 'any'")  # the provider is there from then on
    cipher, provider = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS)
    connection.close()
    distributions, owned = _distributions(sources)
    return {
        "platform": f"{'windows' if sys.platform == 'win32' else sys.platform}-x86_64",
        "python": platform.python_version(),
        "openssl": sorted({_second(ssl.OPENSSL_VERSION), _second(backend.openssl_version_text()), _second(provider)}),
        "qt": qVersion(),
        "sqlcipher": cipher.split()[0],
        "sqlite": dbapi2.sqlite_version,
        "distributions": distributions,
        "system": _system(sources - owned),
    }


def _second(text: str) -> str:
    """The version in 'OpenSSL 3.5.2 5 Aug 2025'; Python, cryptography and SQLCipher each bring one of their own."""
    return text.split()[1]


def _distributions(sources: set[str]) -> tuple[list[dict[str, str]], set[str]]:
    """Every distribution that has a file among the sources, and those files. Not this program's own."""
    found, owned = [], set()
    for distribution in metadata.distributions():
        files = {str(distribution.locate_file(file)) for file in distribution.files or ()} & sources
        if files and distribution.name != "genba-touch":
            found.append({"name": distribution.name, "version": distribution.version})
            owned |= files
    return sorted(found, key=lambda one: one["name"].lower()), owned


def _system(sources: set[str]) -> list[dict[str, str]]:
    """Packages of Debian's or Ubuntu's that libraries were taken from; elsewhere none."""
    if not sys.platform.startswith("linux"):
        return []
    inside = (sysconfig.get_paths()["stdlib"], str(Path(__file__).resolve().parent.parent))
    paths = sorted(source for source in sources if ".so" in Path(source).name and not source.startswith(inside))
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        name = _package(path)
        if name and name not in found:
            version = _tell("dpkg-query", "-W", "-f=${Version}", name)
            short, _, arch = name.partition(":")
            purl = f"pkg:deb/{_distro()}/{short}@{version.replace(':', '%3A').replace('+', '%2B')}?arch={arch}"
            found[name] = {"name": short, "version": version, "purl": purl}
    return [found[name] for name in sorted(found)]


def _distro() -> str:
    return platform.freedesktop_os_release().get("ID", "linux")


def _package(path: str) -> str:
    """'' for a file of no package."""
    # a package names its files by the old places too: /lib is /usr/lib today
    for one in (path, path.removeprefix("/usr"), str(Path(path).resolve()), str(Path(path).resolve())[4:]):
        told = _tell("dpkg-query", "-S", one)
        if told:
            return told.partition(": ")[0].partition(",")[0]
    return ""


def _tell(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
