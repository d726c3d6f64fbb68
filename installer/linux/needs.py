"""What a Linux build needs of the system, read from its own files: libraries, and how new the C libraries must be."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

_SONAME = re.compile(r"\(NEEDED\)\s+Shared library: \[(.+)\]")
_VERSION = re.compile(r"\b(GLIBC|GLIBCXX)_([0-9.]+)\b")

PACKAGES = {
    **dict.fromkeys(("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"), "libc6"),
    **dict.fromkeys(("libresolv.so.2", "libutil.so.1", "ld-linux-x86-64.so.2"), "libc6"),
    "libstdc++.so.6": "libstdc++6",
    "libgcc_s.so.1": "libgcc-s1",
    "libz.so.1": "zlib1g",
    "libexpat.so.1": "libexpat1",
    "libffi.so.8": "libffi8",
    "libuuid.so.1": "libuuid1",
    "libbz2.so.1.0": "libbz2-1.0",
    "liblzma.so.5": "liblzma5",
    "libzstd.so.1": "libzstd1",
    **dict.fromkeys(("libssl.so.3", "libcrypto.so.3"), "libssl3t64 | libssl3"),
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdrm.so.2": "libdrm2",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    **dict.fromkeys(
        ("libglib-2.0.so.0", "libgio-2.0.so.0", "libgobject-2.0.so.0", "libgthread-2.0.so.0", "libgmodule-2.0.so.0"),
        "libglib2.0-0t64 | libglib2.0-0",
    ),
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libsystemd.so.0": "libsystemd0",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb.so.1": "libxcb1",
    "libxcb-util.so.1": "libxcb-util1",
    **{
        f"libxcb-{name}.so.{number}": f"libxcb-{name}{number}"
        for name, number in {
            "cursor": 0, "glx": 0, "icccm": 4, "image": 0, "keysyms": 1, "randr": 0, "render": 0, "render-util": 0,
            "shape": 0, "shm": 0, "sync": 1, "xfixes": 0, "xkb": 1,
        }.items()
    },
}  # fmt: skip
"""Debian's and Ubuntu's package of each library that a build may leave to the system."""
BY_NAME = {
    "libpcsclite1": "pyscard opens it when a reader is looked for, and it must fit the PC's own pcscd",
    "libusb-1.0-0": "the PaSoRi's driver opens it when running",
    "fontconfig-config": "fontconfig, in the build, reads which fonts there are from it",
    "xkb-data": "xkbcommon reads the keyboards from it",
    "ca-certificates": "whom a connection to the centre trusts",
}
"""Needed, though no library of the build names it."""
LIBSTDCXX = {"3.4.28": "9", "3.4.29": "11", "3.4.30": "12", "3.4.31": "13", "3.4.32": "13.2", "3.4.33": "14"}
"""The libstdc++6 that brought a version of its symbols."""


def depends(folder: Path) -> list[str]:
    """The `Depends:` of a package of this folder, sorted. Raises SystemExit for a library nobody knows a package of."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and _is_elf(file)]
    inside = {path.name for path in folder.rglob("*")}
    wanted: dict[str, Path] = {}
    newest: dict[str, tuple[int, ...]] = {}
    for file in files:
        text = _readelf(file)
        for name in _SONAME.findall(text):
            wanted.setdefault(name, file)
        if file.is_symlink():
            continue
        for family, version in _VERSION.findall(text):
            number = tuple(int(part) for part in version.split("."))
            newest[family] = max(newest.get(family, number), number)
    outside = {name: file for name, file in wanted.items() if name not in inside}
    unknown = [f"{name} (for {file})" for name, file in outside.items() if name not in PACKAGES]
    if unknown:
        raise SystemExit(
            f"No Debian package is known for {', '.join(unknown)}: please add it to installer/linux/needs.py"
        )
    versions = {"libc6": _dotted(newest["GLIBC"])}
    if "libstdc++.so.6" in outside and "GLIBCXX" in newest:
        versions["libstdc++6"] = LIBSTDCXX.get(_dotted(newest["GLIBCXX"]), "")
    packages = {PACKAGES[name] for name in outside} | set(BY_NAME)
    return sorted(f"{name} (>= {versions[name]})" if versions.get(name) else name for name in packages)


def _is_elf(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def _readelf(file: Path) -> str:
    """What a file needs and of which version. Raises SystemExit without binutils."""
    try:
        return subprocess.run(
            ["readelf", "--wide", "--dynamic", "--version-info", str(file)],
            capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"},
        ).stdout  # fmt: skip
    except FileNotFoundError as exc:
        raise SystemExit("readelf is missing: please install Debian's package binutils") from exc


def _dotted(number: Iterable[int]) -> str:
    return ".".join(map(str, number))
