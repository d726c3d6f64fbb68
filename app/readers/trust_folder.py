"""The files of a site's trust in its cards: `trust/roots/*.pem`, `trust/crls/*.{pem,crl}` in the data folder.

Read again whenever a file has changed, so that a running gate takes a new revocation list from its next card on. Public
data, all of it: no secret lies on a gate PC.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from app.clock import Clock
from app.errors import EnvironmentTrouble, InputRefused
from app.files import make_private, write_private
from app.readers.certificate import CardKey
from app.readers.secure import Note
from app.readers.trust import (
    REFUSE_AFTER_DAYS,
    WARN_AFTER,
    Anchors,
    Crl,
    Root,
    crl_der,
    read_crl,
    read_roots,
    root_pem,
)

log = logging.getLogger(__name__)

LARGEST = 16 * 1024 * 1024
"""Bytes of a file; a revocation list of 100,000 cards has four million."""
Found = TypeVar("Found")
_Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that cannot be used."""

    path: Path
    code: str
    """Message code."""

    @property
    def harmless(self) -> bool:
        """The list of a root that was taken away after a change of CA."""
        return self.code == "cards.crl_foreign"


@dataclass(frozen=True, slots=True)
class Contents:
    """What lies in the folder. `held`: whether there is any file for a root, usable or not."""

    anchors: Anchors
    broken: tuple[Broken, ...]
    held: bool


class TrustFolder:
    """Implements `piv.Judge`. Any thread. `refuse_days`: days past its next update a revocation list still counts."""

    def __init__(self, folder: Path, clock: Clock, *, refuse_days: int = REFUSE_AFTER_DAYS) -> None:
        self.folder = folder
        self._clock = clock
        self._refuse_after = timedelta(days=refuse_days)
        self._lock = threading.Lock()
        self._stamp: _Stamp | None = None
        self._contents = Contents(Anchors(), (), held=False)

    @property
    def active(self) -> bool:
        """Whether the site has a root. One that cannot be read counts: cards are refused, not taken by their number."""
        return self.contents().held

    def check(self, certificate: bytes, guid: bytes, note: Note) -> CardKey:
        """See `piv.Judge.check`."""
        anchors = self.contents().anchors
        return anchors.check(certificate, guid, self._clock.now(), note, refuse_after=self._refuse_after)

    def contents(self) -> Contents:
        """What is there now."""
        with self._lock:
            files = list(self._files())
            stamp = tuple(files)
            if stamp != self._stamp:
                self._contents = _read([Path(name) for name, _time, _size in files])
                self._stamp = stamp
                for broken in self._contents.broken:
                    log.log(
                        logging.INFO if broken.harmless else logging.WARNING,
                        "secure cards: %s: %s",
                        broken.path.name,
                        broken.code,
                    )
            return self._contents

    def trouble(self) -> tuple[str, ...]:
        """Message codes of what a person must see to, for the gate's standing warnings."""
        contents, now = self.contents(), self._clock.now()
        codes = ["health.secure_trust_broken"] if any(not b.harmless for b in contents.broken) else []
        if contents.anchors.roots and not any(root.in_time(now) for root in contents.anchors.roots):
            codes.append("health.secure_root_expired")
        codes += [self.state_of(contents.anchors.crl_of(r), now) for r in contents.anchors.roots if r.in_time(now)]
        return tuple(dict.fromkeys(code for code in codes if code))

    def state_of(self, crl: Crl | None, now: datetime) -> str:
        """Message code of what is wrong with a root's revocation list; empty when nothing is."""
        if crl is None:
            return "health.secure_no_crl"
        if now > crl.next_update + self._refuse_after:
            return "health.secure_crl_too_old"
        return "health.secure_crl_old" if now > crl.next_update + WARN_AFTER else ""

    def import_root(self, file: Path) -> list[Root]:
        """Take a root (or several in one file) in. Raises InputRefused `cards.root_*`, EnvironmentTrouble."""
        roots = _named(file, read_roots)
        for root in roots:
            if not root.in_time(self._clock.now()):
                raise InputRefused("cards.root_expired", str(file))
        for root in roots:
            self._write("roots", f"{_slug(root.name)}-{root.fingerprint[:8]}.pem", root_pem(root))
        return roots

    def import_crl(self, file: Path) -> Crl:
        """Take a revocation list in; it replaces its root's older one. Raises InputRefused `cards.crl_*`,
        `cards.root_missing`; EnvironmentTrouble."""
        anchors = self.contents().anchors
        if not anchors.roots:
            raise InputRefused("cards.root_missing", str(self.folder / "roots"))
        crl = _named(file, partial(read_crl, roots=anchors.roots))
        if self.state_of(crl, self._clock.now()) == "health.secure_crl_too_old":
            raise InputRefused("cards.crl_expired", str(file))
        present = anchors.crl_of(crl.root)
        if present is not None and present.this_update > crl.this_update:
            raise InputRefused("cards.crl_older", str(file))
        self._write("crls", f"{_slug(crl.root.name)}-{crl.root.fingerprint[:8]}.crl", crl_der(crl))
        return crl

    def _files(self) -> Iterator[tuple[str, int, int]]:
        for folder, endings in (("roots", (".pem",)), ("crls", (".pem", ".crl"))):
            try:
                paths = sorted((self.folder / folder).iterdir())
            except FileNotFoundError:
                continue
            except OSError:  # it is there and closed to us: nothing falls back, and reading it says why
                paths = [self.folder / folder / "closed.pem"]
            for path in paths:
                if path.suffix.lower() in endings:
                    yield (str(path), *_state(path))

    def _write(self, kind: str, name: str, data: bytes) -> None:
        try:
            for folder in (self.folder.parent, self.folder, self.folder / kind):
                make_private(folder)
            write_private(self.folder / kind / name, data)
        except OSError as exc:
            raise EnvironmentTrouble("cards.cannot_write", str(self.folder), why=exc.strerror or "") from exc


def _read(files: list[Path]) -> Contents:
    """One bad file costs itself, not the others."""
    roots: list[Root] = []
    crls: list[Crl] = []
    broken: list[Broken] = []
    for path in files:
        try:
            if path.parent.name == "roots":
                roots += _named(path, read_roots)
            else:
                crls.append(_named(path, partial(read_crl, roots=roots)))
        except InputRefused as refused:
            broken.append(Broken(path, refused.code))
    unique = {root.fingerprint: root for root in roots}
    kept = tuple(root for root in roots if unique[root.fingerprint] is root)
    own = [replace(crl, root=unique[crl.root.fingerprint]) for crl in crls]
    return Contents(Anchors(kept, tuple(own)), tuple(broken), held=any(p.parent.name == "roots" for p in files))


def _state(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:  # taken away in this moment, or not ours to look at: reading it will say so
        return 0, -1
    return state.st_mtime_ns, state.st_size


def _named(file: Path, read: Callable[[bytes], Found]) -> Found:
    """What is in a file; a refusal names it."""
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST)
        return read(data)
    except OSError as exc:
        raise InputRefused("file.missing", str(file), why=exc.strerror or "") from exc
    except InputRefused as refused:
        raise InputRefused(refused.code, str(file), **refused.values) from refused


def _slug(name: str) -> str:
    """A name fit for a file."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:40] or "ca"
