"""A package comes in pieces: into a `.part` file that a later try goes on with, in place once its hash is right."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from app.errors import EnvironmentTrouble, InputRefused
from app.files import make_private, sync_folder
from app.update.port import NotThere, Offer, Source, Stopped, Stopping

SPARE_BYTES = 500 << 20
"""What stays free for the records beside a package and what is unpacked of it."""


def fetch(source: Source, place: str, offer: Offer, target: Path, stopped: Stopped) -> None:
    """The package at `target`, whole and with the hash that was signed; the pieces of a broken try are used.

    `place`: path in the source. Raises InputRefused `update.tampered`, EnvironmentTrouble (`update.no_room`,
    `update.not_whole`, those of the source), Stopping; then `target` is as it was.
    """
    if is_whole(target, offer):
        return
    part = target.with_name(target.name + ".part")
    try:
        make_private(target.parent)
        begun = part.stat().st_size if part.exists() else 0
        if shutil.disk_usage(target.parent).free < offer.size - begun + SPARE_BYTES:
            raise EnvironmentTrouble("update.no_room", str(target.parent))
        if begun > offer.size:
            part.unlink()
            begun = 0
        _read(source, place, offer, part, begun, stopped)
        if begun and not is_whole(part, offer):  # the pieces were of another file
            part.unlink(missing_ok=True)
            _read(source, place, offer, part, 0, stopped)
        if part.stat().st_size < offer.size:
            raise EnvironmentTrouble("update.not_whole", source.name)
        if not is_whole(part, offer):
            part.unlink()
            raise InputRefused("update.tampered", offer.name)
        part.replace(target)
        sync_folder(target.parent)
    except NotThere as exc:
        raise EnvironmentTrouble("update.package_missing", f"{source.name}: {offer.name}") from exc
    except OSError as exc:
        raise EnvironmentTrouble("update.disk", str(target.parent), why=exc.strerror or "") from exc


def is_whole(file: Path, offer: Offer) -> bool:
    """Whether a file has the size and the hash that were signed. OSError but for one that is not there."""
    try:
        with file.open("rb") as opened:
            if os.fstat(opened.fileno()).st_size != offer.size:
                return False
            return hashlib.file_digest(opened, "sha256").hexdigest() == offer.sha256
    except FileNotFoundError:
        return False


def _read(source: Source, place: str, offer: Offer, part: Path, begin: int, stopped: Stopped) -> None:
    """Never more than the signed size, wherever it comes from."""
    if begin == offer.size:
        return
    with part.open("r+b" if part.exists() else "w+b") as file:
        file.truncate(begin)
        for at, piece in source.read(place, begin):
            if stopped():
                raise Stopping
            if at == 0 and begin:  # the source began anew
                file.truncate(0)
                begin = 0
            if at + len(piece) > offer.size:
                file.truncate(0)
                raise InputRefused("update.tampered", offer.name)
            file.seek(at)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
