"""Updates of this PC: where they come from, what is this PC's, and the watch beside a running gate."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.clock import Clock, SystemClock
from app.errors import EnvironmentTrouble, GenbaError, InputRefused, StorageTrouble
from app.files import make_private
from app.settings import DataDir, Settings, machine_folders
from app.store.folder import FolderLock
from app.sync import tls
from app.sync.address import checked
from app.sync.drop_folder import folder_of
from app.update import folders, setup_exe
from app.update.installed import Installed, Kind, find, this_platform
from app.update.plan import Me
from app.update.port import Source, Stopped
from app.update.source import FolderSource
from app.update.state import Memory
from app.update.watch import UpdateWatch
from app.version import VERSION
from app.wiring.station import USER_AGENT, Station

if TYPE_CHECKING:
    from app.update.service import Updates

log = logging.getLogger(__name__)

ROOT_FILE = "update-root.json"
CHANNEL = "stable"


def updates_of(data: DataDir, clock: Clock | None = None, installed: Installed | None = None) -> Updates:
    """Raises InputRefused: `update.no_address`, `update.no_root`, those of the settings."""
    from app.update.service import Updates  # brings tuf, which a gate without updates need not load

    settings, identity = data.settings(), data.identity()
    root = _root()
    address = settings.update_url
    if not address:
        raise InputRefused("update.no_address", str(data.root))
    me = Me(identity.station_id if identity else "", VERSION, this_platform(), settings.update_channel or CHANNEL)
    return Updates(
        data.updates,
        root,
        lambda: source_of(address, settings),
        me,
        installed or find(),
        clock or SystemClock(),
        lambda: alone(data.updates),
    )


def source_of(address: str, settings: Settings) -> Source:
    """A URL, file:///…, or a folder's path, UNC too. Raises InputRefused."""
    if address.startswith(("https://", "http://")):
        from app.update.http import HttpSource

        known = checked(address)
        trust = tls.trust(settings.ca_file)
        return HttpSource(known.url, known.netloc, trust, USER_AGENT, settings.proxy, local=known.local)
    return FolderSource(folder_of(address) if address.startswith("file:") else Path(address))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No other process looks for updates meanwhile. Raises EnvironmentTrouble `update.busy`, `update.disk`."""
    lock = FolderLock(folder / "lock")
    try:
        make_private(folder)
        lock.take()
    except StorageTrouble as exc:
        raise EnvironmentTrouble("update.busy", str(folder)) from exc
    except OSError as exc:
        raise EnvironmentTrouble("update.disk", str(folder), why=exc.strerror or "") from exc
    try:
        yield
    finally:
        lock.release()


def may_put_in(installed: Installed) -> bool:
    """Whether this user's program may change itself; otherwise IT installs what was found."""
    return installed.kind in (Kind.FOLDERS, Kind.SETUP_USER, Kind.SETUP_MACHINE) and setup_exe.has_rights(installed)


def watch_of(station: Station, *, installed: Installed | None = None) -> UpdateWatch | None:
    """The watch of an open station; None where IT has named no address."""
    if not station.settings.update_url:
        return None
    here = installed or find()

    def look(stopped: Stopped) -> object:
        updates = updates_of(station.data, station.clock, here)
        return updates.download(stopped) if may_put_in(here) else updates.check(stopped)

    return UpdateWatch(look, lambda: note_opened(station.data), station.clock, station.identity.station_id)


def note_opened(data: DataDir) -> None:
    """This version has opened the records: an update that led to it is proven, a way back that led to it is done."""
    with alone(data.updates):
        memory = Memory.of(data.updates)
        applied = memory.state.applied
        if applied is None or applied.stage in ("proven", "returned"):
            return
        if applied.stage == "begun" and applied.to_version == VERSION:
            applied.stage, memory.state.ready = "proven", None
        elif applied.stage == "back" and applied.from_version == VERSION:
            applied.stage = "returned"
        else:
            return
        memory.save()


def status(data: DataDir, installed: Installed | None = None) -> dict[str, Any]:
    """What `update status --json` prints (docs/updates.md). Asks nobody. Raises InputRefused, EnvironmentTrouble."""
    settings, state = data.settings(), Memory.of(data.updates).state
    here = installed or find()
    applied = state.applied
    return {
        "version": VERSION,
        "address": settings.update_url,
        "channel": settings.update_channel or CHANNEL,
        "installed": here.kind.value,
        "can_put_in": may_put_in(here),
        "found": state.found if state.found not in ("", VERSION, state.left) else None,
        "ready": state.ready.version if state.ready and state.ready.version != VERSION else None,
        "way_back": _way_back(state.kept, here, applied),
        "checked_at": state.checked_at or None,
        "last_error": state.error or None,
        "last_update": None
        if applied is None
        else {"from": applied.from_version, "to": applied.to_version, "at": applied.at, "stage": applied.stage},
    }


def note(data: DataDir) -> tuple[str, dict[str, Any]] | None:
    """What somebody who looks after this PC should know: message code and values. None: nothing. Never raises."""
    try:
        said = status(data)
    except GenbaError:
        return None
    last = said["last_update"]
    if said["ready"] and said["can_put_in"]:
        failed = last is not None and (last["to"], last["stage"]) == (said["ready"], "begun")
        return "update.did_not_go_in" if failed else "update.is_ready", {"version": said["ready"]}
    if said["found"] and not said["can_put_in"]:
        return "update.it_installs", {"version": said["found"]}
    if said["last_error"] in ("update.expired", "update.rolled_back", "update.not_signed", "update.tampered"):
        return str(said["last_error"]), {"until": "…"}
    return None


def _way_back(kept: Any, here: Installed, applied: Any) -> str | None:
    if applied is None or applied.to_version != VERSION:
        return None
    if here.kind is Kind.FOLDERS:
        return applied.from_version if folders.has_previous(here.folder, applied.from_version) else None
    return applied.from_version if kept is not None and kept.version == applied.from_version else None


def _root(places: Callable[[], tuple[Path, ...]] = machine_folders) -> bytes:
    found = next((place / ROOT_FILE for place in places() if (place / ROOT_FILE).exists()), None)
    if found is None:
        raise InputRefused("update.no_root", str(places()[0] / ROOT_FILE))
    try:
        return found.read_bytes()
    except OSError as exc:
        raise InputRefused("file.missing", str(found), why=exc.strerror or "") from exc
