"""SQLite's write-ahead log read without SQLite: whole, cut by a power failure, or damaged, and what is left of it.

Layout and checksums: sqlite.org/fileformat2.html, "The Write-Ahead Log". The checksums are over the (encrypted) page
images, so no key is needed. SQLite takes a log up to the first frame that does not fit and is silent about the rest,
which is right for a power cut alone. What tells damage from a cut: with `synchronous=FULL` a transaction begins after
the one before it was synced. So a bad frame is a cut only while nothing follows the transaction that it is in.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

PAGE = 4096
"""SQLCipher's page size, which is never changed here."""
HEADER = 32
FRAME = 24 + PAGE
SECTOR = 512
_MAGIC = 0x377F0682
_VERSION = 3007000
_MASK = 0xFFFFFFFF
_WORDS = 2 + PAGE // 4
"""32-bit words under a frame's checksum: page number, size after commit, page."""

Sum = tuple[int, int]
_NO_WORD = (-1, 0)
"""In the place of a wrong word: all are right, the checksum is not."""


@dataclass(slots=True)
class Frame:
    """One page image in the log."""

    page: int
    commit: int
    """Pages of the database after this commit; 0 inside a transaction."""
    salts: bytes
    stored: Sum
    counted: Sum
    chained: bool
    """Whether it follows the frame before it."""
    mended: tuple[int, int] | None = None
    """Word and its true value, where a single word of it is wrong and the checksum says which."""
    guesses: list[tuple[int, int]] = field(default_factory=list)
    """Where several words could be the wrong one: each with the value it would have."""
    known: bool = False
    """Not `chained`, yet what was written is known: by `mended`, or because only the checksum itself was hit."""
    altered: bool = False
    """It was written whole and is not as it was written: no power cut does that."""
    good: bool = False
    """Its page, commit mark and image (with `mended`) are what was written in the log's present generation."""


@dataclass(slots=True)
class Log:
    """What a walk over the file found. Frames are counted from 0."""

    path: Path
    header_fits: bool = False
    salts: bytes = b""
    order: str = "<"
    frames: list[Frame] = field(default_factory=list)
    taken: int = 0
    """Frames that SQLite would take: to the last commit before the first frame that does not fit."""
    synced: int = 0
    """Frames that SQLite's index beside the log knows of. It is written after each sync; 0 where there is none."""

    @property
    def damaged(self) -> bool:
        """Whether something is wrong that a power cut cannot have done. False for a log that is merely cut."""
        if not self.header_fits:
            return bool(self.frames)  # the header is synced before the first frame
        return self.synced > self.taken or any(
            (frame.altered and not self._may_be_torn(n))
            or (self._committed(n) and n + 1 < len(self.frames) and self.frames[n + 1].chained)
            for n, frame in enumerate(self.frames[self.taken :], self.taken)
        )

    @property
    def last_commit(self) -> int:
        """The last frame that ends a transaction of the present generation, as far as one knows; -1: none."""
        said = (n for n in range(len(self.frames)) if self._committed(n))
        return max(self.synced - 1, max(said, default=-1))

    def complete_at(self, *, mend: bool) -> int:
        """The last commit whose state the log gives whole: the newest image of each page is good. -1: none.

        `mend`: frames with a single wrong word count, put right."""
        state: dict[int, bool] = {}
        found = -1
        for n, frame in enumerate(self.frames):
            good = frame.good and (mend or frame.mended is None)
            follows = n + 1 < len(self.frames) and self.frames[n + 1].chained
            if not good and not (frame.salts == self.salts and follows):
                break  # which page this was is not certain
            state[frame.page] = good
            if good and frame.commit and all(state.values()):
                found = n
        return found

    def _committed(self, n: int) -> bool:
        frame = self.frames[n]
        return bool(frame.commit) and (frame.good or (not _in_two_sectors(n) and frame.salts == self.salts))

    def _may_be_torn(self, n: int) -> bool:
        """Whether the one wrong word may be what a power cut left of the header's first half."""
        frame = self.frames[n]
        words = frame.guesses if frame.mended is None else [frame.mended]
        return _in_two_sectors(n) and any(place in (0, 1) for place, _ in words)


def _in_two_sectors(n: int) -> bool:
    """Whether a frame's header lies in two: half of it may then be an older frame's."""
    return (HEADER + n * FRAME) % SECTOR > SECTOR - 24


def beside(database: Path) -> Path:
    """Where SQLite keeps a database's log."""
    return database.with_name(database.name + "-wal")


def walk(path: Path) -> Log:
    """Read the whole log: some 0.1 ms a frame of 4 KiB. A missing or empty file is a sound log. OSError."""
    log = Log(path)
    try:
        file = path.open("rb")
    except FileNotFoundError:
        log.header_fits = True
        return log
    with file:
        header = file.read(HEADER)
        if len(header) < HEADER:
            log.header_fits = True  # never synced, so nothing follows it
            return log
        magic, version, page = struct.unpack(">3I", header[:12])
        log.order = ">" if magic == _MAGIC | 1 else "<"
        seed = _Seed(struct.unpack(">2I", header[24:]), checksum(header[:24], (0, 0), log.order))
        log.header_fits = magic & ~1 == _MAGIC and version == _VERSION and page == PAGE and seed.stored == seed.counted
        _read_frames(log, file, seed)
    log.salts = header[16:24] if log.header_fits else _likely_salts(log.frames)
    _judge(log)
    log.synced = _synced(path.with_name(path.name.removesuffix("-wal") + "-shm"), log.salts)
    return log


class _Seed(NamedTuple):
    stored: Sum
    counted: Sum


def checksum(data: bytes, seed: Sum, order: str = "<") -> Sum:
    """SQLite's, over whole pairs of 32-bit words. `order`: '<' or '>', how the words lie in the file."""
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    one, two = seed
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & _MASK
        two = (two + second + one) & _MASK
    return one, two


def _read_frames(log: Log, file: BinaryIO, before: _Seed) -> None:
    while len(raw := file.read(FRAME)) == FRAME:
        page, commit = struct.unpack(">2I", raw[:8])
        stored: Sum = struct.unpack(">2I", raw[16:24])
        covered = raw[:8] + raw[24:]
        counted = checksum(covered, before.stored, log.order)
        frame = Frame(page, commit, raw[8:16], stored, counted, counted == stored)
        if not frame.chained and before.counted != before.stored:
            # perhaps it was the checksum before this one that was hit
            other = checksum(covered, before.counted, log.order)
            if other == stored:
                frame.counted, frame.chained = other, True
                if log.frames:
                    log.frames[-1].altered = log.frames[-1].known = True
                    log.frames[-1].mended = None
        if not frame.chained:
            _mend(frame, covered, log.order)
        log.frames.append(frame)
        before = _Seed(stored, frame.counted)


def _mend(frame: Frame, covered: bytes, order: str) -> None:
    """Find the one word that is wrong, if it is one: 64 bits of checksum say which and what it was.

    Chance takes other damage for this once in four million times; the page's own code (SQLCipher's) then says no.
    """
    off = ((frame.stored[0] - frame.counted[0]) & _MASK, (frame.stored[1] - frame.counted[1]) & _MASK)
    # half of the checksum fits: the other half may be what is wrong
    found = [_NO_WORD] if 0 in off else []
    for place, (one, two) in enumerate(_weights()):
        odd, of = (one, off[0]) if one & 1 else (two, off[1])
        change = of * pow(odd, -1, 1 << 32) & _MASK
        if (change * one & _MASK, change * two & _MASK) == off:
            word: int = struct.unpack_from(f"{order}I", covered, place * 4)[0]
            found.append((place, (word + change) & _MASK))
    frame.altered = bool(found)
    if len(found) != 1:
        frame.guesses = found  # a change in a word's highest bits has the same sums in several places
        return
    _mended(frame, found[0], order)


def _mended(frame: Frame, change: tuple[int, int], order: str) -> None:
    frame.known, frame.mended = True, None if change == _NO_WORD else change
    place, true = change
    if 0 <= place < 2:
        value = _turned(true, order)
        frame.page, frame.commit = (value, frame.commit) if place == 0 else (frame.page, value)


def _turned(word: int, order: str) -> int:
    """A word under the checksum as the number it is in the file."""
    return int.from_bytes(struct.pack(f"{order}I", word), "big")


def settle_guesses(log: Log, is_page: Callable[[bytes, int], bool]) -> None:
    """Choose among `guesses` by a page's own code. `is_page(image, number)`: whether this is that page. OSError."""
    with log.path.open("rb") as file:
        for n, frame in enumerate(log.frames):
            if not frame.guesses or not frame.altered:
                continue
            file.seek(HEADER + n * FRAME + 24)
            raw = file.read(PAGE)
            fit = []
            for place, value in frame.guesses:
                number = _turned(value, log.order) if place == 0 else frame.page
                if is_page(_with(raw, (place, value), log.order), number):
                    fit.append((place, value))
            if len(fit) == 1:
                _mended(frame, fit[0], log.order)
                frame.good = True


def _with(raw: bytes, change: tuple[int, int] | None, order: str) -> bytes:
    image = bytearray(raw)
    if change is not None and change[0] >= 2:
        struct.pack_into(f"{order}I", image, (change[0] - 2) * 4, change[1])
    return bytes(image)


@cache
def _weights() -> list[Sum]:
    """What one more in a word adds to the two sums at the end, for each word of a frame."""
    found: list[Sum] = []
    first, second = (1, 1), (0, 1)  # in the last pair
    for _ in range(_WORDS // 2):
        found += [second, first]
        first, second = _one_pair_on(first), _one_pair_on(second)
    return found[::-1]


def _one_pair_on(sums: Sum) -> Sum:
    one = (sums[0] + sums[1]) & _MASK
    return one, (sums[1] + one) & _MASK


def _likely_salts(frames: list[Frame]) -> bytes:
    """The present generation's where the header does not say: a log is written from its beginning on."""
    return next((frame.salts for frame in frames[:4] if frame.chained), b"")


def _judge(log: Log) -> None:
    before = True
    sound = log.header_fits
    for n, frame in enumerate(log.frames):
        ours = frame.salts == log.salts
        if frame.chained and before and not ours:
            frame.altered = True
        frame.good = (frame.chained or frame.known) and (ours or before)
        frame.altered = frame.altered and (ours or before)
        before = frame.good
        sound = sound and frame.chained and ours and not frame.altered and frame.page > 0
        if sound and frame.commit:
            log.taken = n + 1


def _synced(index: Path, salts: bytes) -> int:
    """`mxFrame` of the index (sqlite.org/walformat.html), which has it twice and with a checksum; 0 for any other."""
    try:
        with index.open("rb") as file:
            head, again = file.read(48), file.read(48)
    except OSError:
        return 0  # none, or held by somebody on Windows
    order = "<" if sys.byteorder == "little" else ">"
    if len(again) < 48 or head != again or head[32:40] != salts:
        return 0
    if checksum(head[:40], (0, 0), order) != struct.unpack("=2I", head[40:]):
        return 0
    frames: int = struct.unpack("=I", head[16:20])[0]
    return frames


def rebuild(log: Log, last: int, target: Path, *, mend: bool) -> None:
    """Write a log with the state at commit `last` (see `complete_at`): the newest image of each page, in one commit.

    Not synced. OSError."""
    newest = {frame.page: n for n, frame in enumerate(log.frames[: last + 1])}
    size = log.frames[last].commit
    places = [n for page, n in sorted(newest.items()) if 0 < page <= size]
    salts = os.urandom(8)
    header = struct.pack(">4I", _MAGIC, _VERSION, PAGE, 0) + salts
    sums = checksum(header, (0, 0))
    with log.path.open("rb") as source, target.open("r+b") as file:
        file.write(header + struct.pack(">2I", *sums))
        for n in places:
            frame = log.frames[n]
            source.seek(HEADER + n * FRAME + 24)
            image = _with(source.read(PAGE), frame.mended if mend else None, log.order)
            head = struct.pack(">2I", frame.page, size if n == places[-1] else 0)
            sums = checksum(head + image, sums)
            file.write(head + salts + struct.pack(">2I", *sums) + image)
