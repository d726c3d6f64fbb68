"""A built program as another version: every byte is the build's but the version's number, where its Python reads it."""

from __future__ import annotations

import marshal
import re
import shutil
import zlib
from pathlib import Path

from PyInstaller.archive.readers import CArchiveReader

from app.version import VERSION

_HEADER = 8
"""Bytes of an archive of modules before the place of its table."""


def other_version(folder: Path, target: Path, version: str) -> Path:
    """A copy of a built program's folder that is `version` in every respect but its file properties.

    `version`: as long as the real one. The module `app.version` inside the programs is packed anew with it, and put in
    the place of the old one, which is as long.
    """
    shutil.copytree(folder, target)
    for program in target.glob("genba-touch*.exe"):
        _patch(program, version)
    return target


def _patch(program: Path, version: str) -> None:
    archive = CArchiveReader(str(program))
    place = next(entry[0] for name, entry in archive.toc.items() if name.endswith(".pyz"))
    begin = archive._start_offset + place
    whole = bytearray(program.read_bytes())
    table = begin + int.from_bytes(whole[begin + _HEADER : begin + _HEADER + 4])
    modules = dict(marshal.loads(whole[table:]))  # noqa: S302 -- our own build
    _, offset, length = modules["app.version"]
    packed = whole[begin + offset : begin + offset + length]
    code, times = re.subn(re.escape(VERSION.encode()), version.encode(), zlib.decompress(packed))
    again = [zlib.compress(code, level) for level in range(10)]
    fitting = next((one for one in again if len(one) == length), None)
    assert times == 1, "the version does not stand in the program once"
    assert fitting is not None, f"no packing of it has {length} bytes: {[len(one) for one in again]}"
    whole[begin + offset : begin + offset + length] = fitting
    program.write_bytes(whole)
