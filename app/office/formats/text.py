"""Bytes of a file → text, whatever a device or an office's program made of it."""

from __future__ import annotations

import codecs
import hashlib
import io
from pathlib import Path
from typing import IO

from app.errors import InputRefused

MAX_BYTES = 512 << 20
HEAD = 1 << 16
_BLOCK = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROLS = bytes(set(range(32)) - {9, 10, 11, 12, 13, 26, 27})
_NAMES = {"utf-8": "utf-8-sig", "cp932": "cp932", "utf-16": "utf-16"}


def open_bytes(path: Path) -> io.BufferedReader:
    """Raises InputRefused `file.missing`, `import.empty`, `import.too_large`."""
    try:
        if not path.is_file():
            raise InputRefused("file.missing", str(path), why="not a file")
        size = path.stat().st_size
        if size == 0:
            raise InputRefused("import.empty", str(path))
        if size > MAX_BYTES:
            raise InputRefused("import.too_large", str(path), most=MAX_BYTES >> 20)
        return path.open("rb")
    except OSError as exc:
        raise InputRefused("file.missing", str(path), why=exc.strerror or "") from exc


def digest_of(path: Path) -> str:
    """SHA-256 of the whole file, hex. Raises InputRefused."""
    try:
        with open_bytes(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise InputRefused("file.missing", str(path), why=exc.strerror or "") from exc


def is_excel(path: Path) -> bool:
    """Whether it is a zip, as .xlsx are. The old .xls is refused: `import.old_excel`."""
    with open_bytes(path) as file:
        head = file.read(8)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputRefused("import.old_excel", str(path))
    return head.startswith(b"PK\x03\x04")


def encoding_of(path: Path, said: str = "auto") -> str:
    """Python's name of the file's encoding: its byte order mark's, else the one said, else the one that fits.

    Raises InputRefused `import.binary`.
    """
    with open_bytes(path) as file:
        head = file.read(HEAD)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        if said == "utf-16" or (said == "auto" and _is_bare_utf16(head)):
            return "utf-16-be" if head[::2].count(0) > head[1::2].count(0) else "utf-16-le"
        if head.translate(None, _CONTROLS) != head:
            raise InputRefused("import.binary", str(path))
        if said != "auto":
            return _NAMES[said]
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            block = head
            while block:
                decoder.decode(block)
                block = file.read(_BLOCK)
            # a character cut at the end is a half-written file, not another encoding
        except UnicodeDecodeError:
            return "cp932"
    return "utf-8-sig"


def _is_bare_utf16(head: bytes) -> bool:
    half = len(head) // 2
    return half > 1 and any(zeros > half * 0.4 > 3 * others for zeros, others in _zero_pairs(head))


def _zero_pairs(head: bytes) -> tuple[tuple[int, int], tuple[int, int]]:
    even, odd = head[::2].count(0), head[1::2].count(0)
    return (even, odd), (odd, even)


def open_text(path: Path, encoding: str) -> tuple[IO[str], io.FileIO]:
    """The text, and the raw file to see how far one is. What cannot be decoded becomes U+FFFD: that row's trouble."""
    raw = io.FileIO(path, "rb")
    buffered = io.BufferedReader(raw, 1 << 18)
    return io.TextIOWrapper(buffered, encoding, errors="replace", newline=""), raw
