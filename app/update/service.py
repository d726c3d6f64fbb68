"""Looking, fetching, and what is ready: everything short of putting it in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.clock import Clock
from app.errors import EnvironmentTrouble, GenbaError, InputRefused
from app.update import plan
from app.update.download import is_whole
from app.update.installed import Installed, Kind
from app.update.metadata import Remembered, Signed
from app.update.plan import Me
from app.update.port import Offer, Source, Stopped
from app.update.state import Memory

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Updates:
    """One PC's updates. `folder`: its own; `root`: TUF root; `source`: opens where IT lays them; `alone`: a lock that
    keeps another process out (`update.busy`). One thread at a time. Raises InputRefused, EnvironmentTrouble."""

    folder: Path
    root: bytes
    source: Callable[[], Source]
    me: Me
    installed: Installed
    clock: Clock
    alone: Callable[[], AbstractContextManager[None]]

    def check(self, stopped: Stopped = lambda: False) -> Offer | None:
        """The version that this PC may have, as the source says now; None: nothing newer."""
        with self._looking(stopped) as (_, memory, offers):
            chosen = self._chosen(memory, offers)
            memory.state.found = chosen.version if chosen else ""
            return chosen

    def download(self, stopped: Stopped = lambda: False) -> Offer | None:
        """Look, and fetch what is due with the way back: then it is ready. None: nothing newer.

        What was ready and is not offered any more is not ready any more.
        """
        with self._looking(stopped) as (signed, memory, offers):
            chosen = self._chosen(memory, offers)
            memory.state.found = chosen.version if chosen else ""
            if memory.state.ready != chosen:
                memory.state.ready = None
            if chosen is not None:
                self._fetch_way_back(signed, memory, offers)
                signed.download(chosen, self.package(chosen))
                memory.state.ready = chosen
            self._tidy(memory)
            return chosen

    def ready(self) -> Offer | None:
        """What is here, whole, and good by the list as it was seen last and by today's date; None: nothing.

        Asks no network. Raises InputRefused `update.expired` …
        """
        with self.alone():
            memory = Memory.of(self.folder)
            wanted = memory.state.ready
            if wanted is None or plan.version_of(wanted.version) <= plan.version_of(self.me.version):
                return None
            signed = self._signed(memory, Remembered(self._metadata), lambda: False)
            if self._chosen(memory, signed.offers()) != wanted:
                return None
            if not is_whole(self.package(wanted), wanted):
                raise InputRefused("update.tampered", wanted.name)
            return wanted

    def signed_kept(self) -> Offer | None:
        """The way back, as the list that was seen last has it: what is remembered of it is in a file that anybody with
        this account may write. None: there is none on it. Asks no network. Raises InputRefused `update.expired` …"""
        with self.alone():
            memory = Memory.of(self.folder)
            kept = memory.state.kept
            signed = self._signed(memory, Remembered(self._metadata), lambda: False)
            fit = (one for one in signed.offers() if kept and (one.path, one.version) == (kept.path, kept.version))
            return next(fit, None)

    def package(self, offer: Offer) -> Path:
        """Where a package lies once it is here."""
        return self.folder / "packages" / offer.name

    @property
    def _metadata(self) -> Path:
        return self.folder / "metadata"

    def _signed(self, memory: Memory, source: Source, stopped: Stopped) -> Signed:
        moment = memory.moment(self.clock.now(), self.clock.skew_ms())
        signed = Signed(self._metadata, self.root, source, moment, stopped)
        memory.state.newest = moment.isoformat()
        return signed

    @contextmanager
    def _looking(self, stopped: Stopped) -> Iterator[tuple[Signed, Memory, list[Offer]]]:
        """The source's list; what came of it is kept."""
        with self.alone():
            memory = Memory.of(self.folder)
            source = self.source()
            try:
                signed = self._signed(memory, source, stopped)
                yield signed, memory, signed.offers()
                memory.state.checked_at, memory.state.error = self.clock.now().isoformat(timespec="seconds"), ""
            except GenbaError as error:
                memory.state.error = error.code
                raise
            finally:
                source.close()
                with suppress(EnvironmentTrouble):  # what went wrong first is what is said
                    memory.save()

    def _chosen(self, memory: Memory, offers: list[Offer]) -> Offer | None:
        return plan.choose((one for one in offers if one.version != memory.state.left), self.me)

    def _fetch_way_back(self, signed: Signed, memory: Memory, offers: list[Offer]) -> None:
        """The running version's package; a folder beside the others is its own way back."""
        if self.installed.kind is Kind.FOLDERS:
            return
        found = plan.way_back(offers, self.me)
        if found is None:
            log.info("the update list has no package of the running version %s", self.me.version)
            return
        signed.download(found, self.package(found))
        memory.state.kept = found

    def _tidy(self, memory: Memory) -> None:
        """Packages that are neither ready nor the way back."""
        wanted = {offer.name for offer in (memory.state.ready, memory.state.kept) if offer is not None}
        for file in (self.folder / "packages").glob("*"):
            if file.name.removesuffix(".part") not in wanted:
                file.unlink(missing_ok=True)
