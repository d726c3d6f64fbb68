"""The signed list of packages, verified by python-tuf. With `publish.py` the only file that imports it.

What tuf does not see is added: it judges expiry by the PC's clock alone, so a clock that was set back would let an old
list live on. Here a list must be good at `moment` too, the latest time this PC has reason to believe in.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import Updater
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from app.errors import EnvironmentTrouble, InputRefused
from app.files import make_private
from app.update.download import fetch
from app.update.plan import offer_of
from app.update.port import NotThere, Offer, Source, Stopped, Stopping

log = logging.getLogger(__name__)

METADATA, TARGETS = "metadata", "targets"
_MAX_METADATA = 5_000_000


class Signed:
    """The list as `source` has it, checked against `root` (bytes of a TUF root) and what `folder` remembers.

    One thread. `folder` is this object's own. Every method raises InputRefused when something is not as it was signed:
    `update.expired`, `update.rolled_back`, `update.not_signed`, `update.root`; EnvironmentTrouble; Stopping.
    """

    def __init__(self, folder: Path, root: bytes, source: Source, moment: datetime, stopped: Stopped) -> None:
        self._folder = folder
        self._source = source
        self._stopped = stopped
        try:
            make_private(folder)
            with _told(source.name):
                self._updater = Updater(
                    str(folder),
                    METADATA,
                    fetcher=_Fetcher(source, stopped),
                    config=UpdaterConfig(targets_max_length=_MAX_METADATA),
                    bootstrap=root,
                )
        except OSError as exc:
            raise EnvironmentTrouble("update.disk", str(folder), why=exc.strerror or "") from exc
        except InputRefused as exc:
            raise InputRefused("update.root", exc.where) from exc
        try:
            with _told(source.name):
                self._updater.refresh()
        except NotThere as exc:
            raise EnvironmentTrouble("update.no_list", source.name) from exc
        except OSError as exc:
            raise EnvironmentTrouble("update.disk", str(folder), why=exc.strerror or "") from exc
        self._not_expired(moment)

    def offers(self) -> list[Offer]:
        """Every package on the list that this program can make sense of."""
        found = []
        for path in self._read(Targets).signed.targets:
            target = self._target(path)
            try:
                offer = offer_of(path, target.length, target.hashes.get("sha256", ""), target.custom)
            except ValueError as exc:
                log.info("an entry of the update list is not understood: %s", exc)
                continue
            if offer is not None:
                found.append(offer)
        return found

    def download(self, offer: Offer, target: Path) -> None:
        """See `app.update.download.fetch`."""
        prefixed = next(p for p in self._target(offer.path).get_prefixed_paths() if f"/{offer.sha256}." in p)
        fetch(self._source, f"{TARGETS}/{prefixed}", offer, target, self._stopped)

    def _target(self, path: str) -> TargetFile:
        with _told(self._source.name):
            found = self._updater.get_targetinfo(path)
        if found is None:
            raise InputRefused("update.not_signed", path)
        return found

    def _read(self, kind: type[Any]) -> Metadata[Any]:
        """What tuf has just verified and keeps. Its `root.json` is a link, which not every Windows makes."""
        file = self._folder / f"{kind.type}.json"
        if kind is Root:
            history = self._folder.glob(f"root_history/*.{Root.type}.json")
            file = max(history, key=lambda one: int(one.name.partition(".")[0]))
        with _told(self._source.name):
            return Metadata[Any].from_file(str(file))

    def _not_expired(self, moment: datetime) -> None:
        for kind in (Root, Timestamp, Snapshot, Targets):
            signed = self._read(kind).signed
            if signed.is_expired(moment):
                raise InputRefused("update.expired", self._source.name, until=signed.expires.date().isoformat())


class Remembered:
    """A `Source` of what was verified last: the list is judged once more, without a network."""

    name = "-"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str, offset: int = 0) -> Iterator[tuple[int, bytes]]:
        """Of metadata alone, under the names that tuf asks for (VERSION.ROLE.json)."""
        role = path.rpartition("/")[2].removesuffix(".json").rpartition(".")[2]
        try:
            if role == Root.type:
                raise FileNotFoundError  # every root that is known is in tuf's own history
            yield 0, (self._folder / f"{role}.json").read_bytes()
        except FileNotFoundError as exc:
            raise NotThere(path) from exc

    def close(self) -> None:
        """Nothing is held."""


class _Fetcher(FetcherInterface):
    """tuf's way to the source. Paths instead of URLs."""

    def __init__(self, source: Source, stopped: Stopped) -> None:
        self._source = source
        self._stopped = stopped

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            for _, piece in self._source.read(url):
                if self._stopped():
                    raise Stopping
                yield piece
        except NotThere as exc:
            if url.endswith(f".{Root.type}.json"):
                raise exceptions.DownloadHTTPError("not there", 404) from exc
            raise


@contextmanager
def _told(where: str) -> Iterator[None]:
    """tuf's errors in our words."""
    try:
        yield
    except exceptions.ExpiredMetadataError as exc:
        raise InputRefused("update.expired", where, until="") from exc
    except exceptions.BadVersionNumberError as exc:
        raise InputRefused("update.rolled_back", where) from exc
    except (exceptions.RepositoryError, exceptions.DownloadLengthMismatchError, ValueError) as exc:
        log.info("update list: %s", exc)
        raise InputRefused("update.not_signed", where) from exc
    except exceptions.DownloadError as exc:
        raise EnvironmentTrouble("update.no_list", where) from exc
