"""Putting a version in, and the older one back: the records are copied before, and never go back unnoticed.

Going back over a change of the database's schema puts the copy of before in place. What was recorded since then is in
the centre, or the way back is refused; and the copy becomes a new station (`rejoin`) before it records, because its
next numbers are taken (ADR 6). Where nothing was recorded since, the copy simply goes on.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.clock import Clock, SystemClock
from app.domain.events import JST
from app.domain.outbox import OutboxState
from app.errors import EnvironmentTrouble, GenbaError, InputRefused, StorageTrouble
from app.files import write_private
from app.secrets import DATABASE_KEY
from app.settings import KEPT_ASIDE, DataDir
from app.store import backup
from app.store.folder import FolderLock
from app.store.opening import revision
from app.store.put_back import put_back
from app.update import folders, schedule, setup_exe
from app.update.download import is_whole
from app.update.installed import Installed, Kind, clean_environment, find
from app.update.port import Offer
from app.update.state import FILE, Applied, Memory
from app.version import VERSION
from app.wiring import duties
from app.wiring.station import Station, open_station, vault_of
from app.wiring.updates import alone, may_put_in, updates_of

log = logging.getLogger(__name__)

GIVE_UP = 2
"""Starts of a new version that did not come to open the records, before the older one is put back."""

_MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class Done:
    """`program`: what runs from now on, where versions lie side by side; None: set-up has begun, on its own."""

    version: str
    program: Path | None
    backup: str
    rejoin: bool = False
    """The copy that was put in place has to become a new station first."""

    def as_json(self) -> dict[str, Any]:
        return {"version": self.version, "backup": self.backup, "rejoin": self.rejoin, "running": self.program is None}


def apply(
    data: DataDir,
    *,
    clock: Clock | None = None,
    installed: Installed | None = None,
    then_start: bool = False,
    without_way_back: bool = False,
) -> Done:
    """Put in what is ready; gate and office of this folder are closed. Raises GenbaErrors; then all is as it was.

    `then_start`: Windows' set-up opens the window afterwards. `without_way_back`: though the running version's package
    is not here.
    """
    time, here = clock or SystemClock(), installed or find()
    _check_rights(here)
    updates = updates_of(data, time, here)
    offer = updates.ready()
    if offer is None:
        raise InputRefused("update.nothing_ready", str(data.updates))
    package = updates.package(offer)
    if here.kind is Kind.FOLDERS:
        folders.prove(folders.unpack(package, here.folder, offer.version), offer.version)
    elif not without_way_back:
        kept = Memory.of(data.updates).state.kept
        if kept is None or kept.version != VERSION or not is_whole(updates.package(kept), kept):
            raise InputRefused("update.no_way_back", VERSION)
    with alone(data.updates):
        memory = Memory.of(data.updates)
        before = memory.state.applied
        memory.state.applied = _backed_up(data, time, offer)
        memory.state.left = ""
        memory.save()
        try:
            program = _put_in(here, package, offer, then_start=then_start)
        except GenbaError:
            memory.state.applied = before
            memory.save()
            raise
        log.info("update: %s is put in after %s", offer.version, VERSION)
        return Done(offer.version, program, memory.state.applied.backup)


def back(
    data: DataDir,
    *,
    clock: Clock | None = None,
    installed: Installed | None = None,
    leave_rejected: bool = False,
    by_itself: bool = False,
) -> Done:
    """Put the version of before in again. May be repeated after a break. Raises GenbaErrors: `update.no_update`,
    `update.back_unsent` (nothing was changed) …

    `leave_rejected`: what the centre rejected since stays in the file that is kept aside, and nowhere else.
    `by_itself`: nobody is there who could `rejoin` (`update.used_since`).
    """
    time, here = clock or SystemClock(), installed or find()
    _check_rights(here)
    signed = updates_of(data, time, here).signed_kept() if here.kind is Kind.SETUP_MACHINE else None
    with alone(data.updates):
        memory = Memory.of(data.updates)
        applied, kept = memory.state.applied, signed or memory.state.kept
        if applied is None or applied.stage == "returned" or applied.to_version != VERSION:
            raise InputRefused("update.no_update", VERSION)
        package = data.updates / "packages" / (kept.name if kept else "-")
        if here.kind is Kind.FOLDERS:
            if not folders.has_previous(here.folder, applied.from_version):
                raise InputRefused("update.no_way_back", applied.from_version)
        elif (
            kept is None
            or (here.kind is Kind.SETUP_MACHINE and signed is None)
            or kept.version != applied.from_version
            or not is_whole(package, kept)
        ):
            raise InputRefused("update.no_way_back", applied.from_version)
        rejoin = _records_back(data, time, memory, leave_rejected=leave_rejected, by_itself=by_itself)
        memory.state.left, memory.state.ready = applied.to_version, None
        memory.save()
        program = _put_in(here, package, kept, back=True)
        if program is not None:
            applied.stage = "returned"
            memory.save()
        log.warning("update: %s is put back after %s", applied.from_version, VERSION)
        return Done(applied.from_version, program, applied.backup, rejoin)


def at_start(data: DataDir, arguments: Sequence[str], *, installed: Installed | None = None) -> bool:
    """Before gate or office open: outside the rush a version that is ready goes in, or one that twice did not come to
    open the records goes out. Whether this process has to end, because set-up waits for it. Never raises: what goes
    wrong is logged, and the gate opens as it is. On Linux the other version takes this process's place.
    """
    here, clock = installed or find(), SystemClock()
    if not may_put_in(here) or not (data.updates / FILE).exists():
        return False
    try:
        if not data.settings().update_url or data.unfinished.exists():
            return False  # nobody would note that the records were opened
        if not _counted(data):
            if here.kind is not Kind.FOLDERS:  # the gate would stay shut until a set-up has run
                log.error("update: %s did not open the records; 'update back' puts the older one back", VERSION)
                return False
            done = back(data, clock=clock, installed=here, by_itself=True)
        elif not schedule.in_rush(clock.now()) and _is_due(data):
            try:
                done = apply(data, clock=clock, installed=here, then_start=True)
            except InputRefused as refusal:
                _note_failed(data, refusal.code)
                raise
        else:
            return False
    except (GenbaError, OSError) as error:
        log.warning("update at the start: %s", error)
        return False
    except Exception:  # a file of updates that nobody foresaw: the gate has to open all the same
        log.exception("update at the start")
        return False
    if done.program is None:
        return True
    os.execve(done.program, [str(done.program), *arguments], clean_environment())  # noqa: S606 -- the proven program


def _counted(data: DataDir) -> bool:
    """Count a start of a version that is not proven yet; False: it had its chances."""
    with alone(data.updates):
        memory = Memory.of(data.updates)
        applied = memory.state.applied
        if applied is None or applied.stage != "begun" or applied.to_version != VERSION:
            return True
        if applied.starts >= GIVE_UP:
            return False
        applied.starts += 1
        memory.save()
        return True


def _is_due(data: DataDir) -> bool:
    """Something is ready that was not tried before: what failed once is for a person to begin again."""
    state = Memory.of(data.updates).state
    tried = state.applied.to_version if state.applied and state.applied.from_version == VERSION else None
    return state.ready is not None and state.ready.version not in (tried, state.failed, VERSION)


def _note_failed(data: DataDir, code: str) -> None:
    """A version that is no good here would keep every start waiting for its self-test."""
    if code not in ("update.not_sound", "update.not_a_program"):
        return
    with alone(data.updates):
        memory = Memory.of(data.updates)
        memory.state.failed = memory.state.ready.version if memory.state.ready else ""
        memory.save()


def _check_rights(here: Installed) -> None:
    if here.kind is Kind.SOURCE:
        raise InputRefused("update.from_source", str(here.folder))
    if not may_put_in(here):
        raise EnvironmentTrouble("update.it_must_install", str(here.folder))
    if here.kind is Kind.FOLDERS and folders.others_running(here.folder):
        raise EnvironmentTrouble("update.close_first", str(here.folder))


def _put_in(
    here: Installed, package: Path, offer: Offer | None, *, back: bool = False, then_start: bool = False
) -> Path | None:
    if here.kind is Kind.FOLDERS:
        return folders.take_previous(here.folder) if back else folders.take_next(here.folder)
    if here.kind is Kind.SETUP_MACHINE and offer is not None:
        package = setup_exe.staged(package, offer, here)
    setup_exe.start(setup_exe.command(package, here, back=back, then_start=then_start))
    return None


def _opened(data: DataDir, clock: Clock) -> Station:
    try:
        station = open_station(data, clock=clock, rejoining=True)
    except StorageTrouble as exc:
        if exc.code == "store.in_use":
            raise EnvironmentTrouble("update.close_first", str(data.root)) from exc
        raise
    try:
        duties.refuse_closed(station)  # a copy of before would not know of it, and record beside the other PC
    except BaseException:
        station.close()
        raise
    return station


def _backed_up(data: DataDir, clock: Clock, offer: Offer) -> Applied:
    """A checked copy of the records of this moment. A PC that was never set up has none."""
    now = clock.now()
    at = now.isoformat(timespec="seconds")
    if data.identity() is None:
        return Applied(VERSION, offer.version, at, "", 0, "", "")
    stamp = now.astimezone(JST).strftime("%Y%m%dT%H%M%S")
    target = data.root / backup.FOLDER / f"{data.database.stem}-before-update-{offer.version}-{stamp}.db"
    with _opened(data, clock) as station:
        backup.verified_copy(station.db.path, station.db.connect_to, target)
        seq, digest = station.events.chain_head()
        return Applied(VERSION, offer.version, at, str(target), seq, digest.hex(), station.db.schema_version)


def _records_back(data: DataDir, clock: Clock, memory: Memory, *, leave_rejected: bool, by_itself: bool) -> bool:
    """Make the records such that the older version opens them; whether they have to rejoin."""
    applied = memory.state.applied
    if applied is None or not applied.backup:
        return False
    if FolderLock.beside(data.database).held():
        raise EnvironmentTrouble("update.close_first", str(data.root))
    key = vault_of(data, data.settings()).require(DATABASE_KEY)
    broken_off = applied.stage == "back" and not data.database.exists()
    was, marked = applied.stage, data.rejoin_first.exists()
    if not broken_off:
        if revision(data.database, key) == applied.schema:
            applied.stage = "back"
            return data.rejoin_first.exists()
        if _recorded_since(data, clock, applied, leave_rejected=leave_rejected):
            if by_itself:
                raise InputRefused("update.used_since", applied.to_version)
            _mark(data)
    applied.stage = "back"
    memory.save()
    stamp = clock.now().astimezone(JST).strftime("%Y%m%dT%H%M%S")
    begun = sorted(data.updates.glob(f"{KEPT_ASIDE}{applied.to_version}-*")) if broken_off else []
    aside = (
        begun[-1] if begun else data.updates / f"{KEPT_ASIDE}{applied.to_version}-{stamp}"
    )  # a log goes to its database
    try:
        put_back(data.database, Path(applied.backup), key, (applied.seq, bytes.fromhex(applied.hash)), aside)
    except GenbaError:
        if data.database.exists() and revision(data.database, key) != applied.schema:  # as it was: the gate may go on
            if not marked:
                data.rejoin_first.unlink(missing_ok=True)
            applied.stage = was
            memory.save()
        raise
    return data.rejoin_first.exists()


def _recorded_since(data: DataDir, clock: Clock, applied: Applied, *, leave_rejected: bool) -> bool:
    """Whether the copy lacks records; those are all in the centre. Raises InputRefused otherwise."""
    with _opened(data, clock) as station:
        seq, digest = station.events.chain_head()
        if (seq, digest.hex()) == (applied.seq, applied.hash):
            return False
        if seq < applied.seq or station.outbox.chain_hash(applied.seq).hex() != applied.hash:
            raise InputRefused("update.other_history", applied.backup)
        counts = station.outbox.counts()
        since = [
            one
            for one, verdict in station.outbox.needing_look(_MANY)
            if one > applied.seq and not (leave_rejected and verdict.state == OutboxState.REJECTED)
        ]
        if counts.pending or since:
            raise InputRefused("update.back_unsent", str(data.root), waiting=counts.pending, rejected=len(since))
    return True


def _mark(data: DataDir) -> None:
    """Before anything is moved: from here on only `rejoin` makes a station of this folder again."""
    try:
        write_private(data.rejoin_first, b"")
    except OSError as exc:
        raise EnvironmentTrouble("settings.folder", str(data.root), why=exc.strerror or "") from exc
