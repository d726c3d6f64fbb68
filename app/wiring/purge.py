"""Taking this account's station off this PC: its data folder and its keys. Nothing brings them back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.errors import EnvironmentTrouble, GenbaError, InputRefused
from app.files import DATABASE_NAME, write_private
from app.recovery import SEALED_NAME
from app.secrets import (
    CLIENT_SECRET,
    DATABASE_KEY,
    DROP_KEYS,
    ENROLMENT_CODE,
    IMPORT_KEY,
    INSTALLATION_ID,
    NEXT_SECRET,
    SecretVault,
    installation_id,
)
from app.settings import PROVISIONING_FILE, SETTINGS_FILE, START_LOCK, STATION_FILE, DataDir
from app.store import rescue
from app.store.closing import MOVED
from app.store.copies import copies
from app.store.folder import FolderLock
from app.wiring import accounts, duties
from app.wiring.setup import CA_FILE
from app.wiring.station import AnyVault, open_station, vault_of

SECRETS = (DATABASE_KEY, CLIENT_SECRET, NEXT_SECRET, ENROLMENT_CODE, IMPORT_KEY, DROP_KEYS)
BEGUN = "purge.unfinished"
_LOCK = f"{DATABASE_NAME}.lock"
_FILES = (SETTINGS_FILE, STATION_FILE, PROVISIONING_FILE, CA_FILE, INSTALLATION_ID, SEALED_NAME)
_OURS = (
    *("backups", "card_profiles", "crashes", "import_formats", "logs", "trust", "update", rescue.FOLDER),
    *(f"{name}{part}" for name in _FILES for part in ("", ".new")),
    *(f"{DATABASE_NAME}*", "first-start.unfinished*", "move-in.unfinished*", "rejoin-first*", f"{BEGUN}.new"),
    *(START_LOCK, "secrets.lock", ".doctor"),
)
"""What this program makes in a data folder. One that `--data-dir` names may hold other things: they stay."""
_MARKS = (SETTINGS_FILE, STATION_FILE, INSTALLATION_ID, DATABASE_NAME, BEGUN)


@dataclass(frozen=True, slots=True)
class Purged:
    """What was deleted. `left`: names in the folder that are not this program's, so the folder stays."""

    folder: str
    deleted: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def purge(data: DataDir, *, force: bool = False) -> Purged:
    """Delete this account's data folder and its entries in the keyring.

    `force`: also when records have not reached the centre, or when nobody can know. Raises InputRefused
    (`purge.unsent`, `purge.unknown`, `purge.copies`), StorageTrouble `store.in_use`, EnvironmentTrouble (no keyring, a
    file that somebody holds). The keys go first; what was cut off is finished by the next call.
    """
    root = data.root
    if not data.holds(root) or not any((root / name).exists() for name in _MARKS):
        return Purged(str(root))
    begun, lock = root / BEGUN, FolderLock.beside(data.database)
    check = not force
    if check:
        _check_sent(data)
    with _said(root):
        lock.take()
    try:
        if check:
            _check_sent(data)  # a gate may have run in between
        vault, key_file = _vault(data)
        held = [name for name in SECRETS if vault is not None and vault.get(name) is not None]
        with _said(begun):
            write_private(begun, b"")
        for name in held:
            assert vault is not None  # noqa: S101 - it gave their names
            vault.delete(name)
        deleted = [_delete(path) for path in _found(root, key_file)]
    finally:
        lock.release()
    for last in (root / _LOCK, begun):
        with _said(last):
            last.unlink(missing_ok=True)
    left = tuple(sorted(path.name for path in root.iterdir()))
    if not left:
        with _said(root):
            root.rmdir()
    accounts.remove_mark()
    return Purged(str(root), tuple(deleted), tuple(held), left)


def _check_sent(data: DataDir) -> None:
    """Raises InputRefused unless the centre has every record of this folder."""
    if data.identity() is None and set(data.root.glob(f"{DATABASE_NAME}*")) <= {data.root / _LOCK}:
        return  # never enrolled: nothing was recorded
    try:
        with open_station(data, look=True) as station:
            counts = station.outbox.counts()
            moved = (MOVED,) == duties.standing(station.db)
            alone = [copy.path for copy in copies(station.db, data.kept_aside()) if not copy.spare]
    except (GenbaError, OSError) as trouble:
        if (data.root / BEGUN).exists():
            return  # an earlier purge has asked, and got so far that nobody records here any more
        why = trouble.code if isinstance(trouble, GenbaError) else str(trouble.strerror)
        raise InputRefused("purge.unknown", str(data.database), why=why) from trouble
    if missing := counts.pending + counts.rejected + counts.conflict:
        raise InputRefused("purge.moved" if moved else "purge.unsent", str(data.database), count=missing)
    if alone:
        raise InputRefused("purge.copies", str(alone[0]), count=len(alone))


def _vault(data: DataDir) -> tuple[AnyVault | None, Path | None]:
    """Where this folder's secrets are, if anywhere; and the file that the settings name for them."""
    settings = None
    with suppress(InputRefused):  # none, or damaged
        settings = data.settings()
    if settings is not None and settings.key_file:
        return vault_of(data, settings), data.root / settings.key_file
    if (data.root / INSTALLATION_ID).exists():
        return SecretVault(installation_id(data.root)), None
    return None, None


def _found(root: Path, key_file: Path | None) -> list[Path]:
    """What there is to delete."""
    paths = {path for pattern in _OURS for path in root.glob(pattern)} - {root / _LOCK}
    if key_file is not None:
        paths |= {one for one in (key_file, key_file.with_name(f"{key_file.name}.new")) if one.exists()}
    return sorted(paths)


def _delete(path: Path) -> str:
    with _said(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return str(path)


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Raises EnvironmentTrouble `purge.cannot_delete` for what the system refuses."""
    try:
        yield
    except OSError as exc:
        raise EnvironmentTrouble("purge.cannot_delete", str(path), why=exc.strerror or "") from exc
