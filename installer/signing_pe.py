"""Which files Windows would run, and whether they bear a signature: read from the file's own head."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_HEAD, _OPTIONS = 512, 24
"""Bytes of the head that are read, and where its second part begins."""
_WIDE = 0x20B
"""PE32+ (64 bits); the other is PE32."""
_SECURITY = 4
"""Number of the entry for certificates in the table of directories."""


def programs(folder: Path) -> Iterator[Path]:
    """Every program and library for Windows in a folder, whatever its name ends with, in order of names. OSError."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and is_program(file):
            yield file


def is_program(file: Path) -> bool:
    """Whether it is a PE file. OSError."""
    return _security_entry(file) is not None


def is_signed(file: Path) -> bool:
    """Whether it has a signature at all, right or wrong. OSError."""
    return bool(_security_entry(file))


def _security_entry(file: Path) -> int | None:
    """Bytes of signature that the head speaks of; None: no PE file."""
    with file.open("rb") as stream:
        dos = stream.read(64)
        if dos[:2] != b"MZ" or len(dos) < 64:
            return None
        stream.seek(struct.unpack_from("<I", dos, 60)[0])
        head = stream.read(_HEAD)
    if head[:4] != b"PE\0\0":
        return None
    try:
        (magic,) = struct.unpack_from("<H", head, _OPTIONS)
        table = _OPTIONS + (112 if magic == _WIDE else 96)
        (count,) = struct.unpack_from("<I", head, table - 4)
        size: int = struct.unpack_from("<I", head, table + 8 * _SECURITY + 4)[0]
    except struct.error:
        return None
    return size if count > _SECURITY else 0
