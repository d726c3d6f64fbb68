"""A station that moves to another PC: one encrypted file out of the old one, which records nothing from then on.

The file is a ZIP: the database as it is (encrypted), the folder's other files, and one sealed part with the secrets and
the SHA-256 of every other part. It is sealed to a code of 100 random bits that is on the old PC's screen alone. Which
PC is in contact with the centre first changes the secret there: the other one's is good for nothing then.
"""

from __future__ import annotations

import hashlib
import os
import secrets as dice
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from app import codec, sealing
from app.clock import SystemClock
from app.domain.enrolment_code import ALPHABET, grouped
from app.errors import EnvironmentTrouble, InputRefused, StorageTrouble
from app.files import DATABASE_NAME, make_private, sync_folder, write_private
from app.secrets import (
    CLIENT_SECRET,
    DATABASE_KEY,
    DROP_KEYS,
    IMPORT_KEY,
    INSTALLATION_ID,
    SecretVault,
    installation_id,
)
from app.settings import DataDir, Identity, from_provisioning
from app.store import closing
from app.store.closing import MOVED, WITHDRAWN
from app.store.database import Database
from app.store.events import EventLog
from app.store.meta import Meta
from app.store.outbox import Outbox
from app.sync.http import CentreClient
from app.sync.trouble import AuthFailed
from app.wiring import accounts, bring
from app.wiring.duties import ROTATE_FIRST, rotate, withdrawn
from app.wiring.sealed import seal
from app.wiring.station import Station, open_station, vault_of

_SEALED, _SALT, _FILES = "sealed", "salt", "files/"
_SECRETS = (DATABASE_KEY, CLIENT_SECRET, IMPORT_KEY, DROP_KEYS)
_BEGUN = "move-in.unfinished"
_CODE_LETTERS = 20
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Manifest:
    settings: dict[str, Any]
    station: Identity
    installation_id: str
    secrets: dict[str, str] = field(repr=False)
    files: dict[str, str] = field(default_factory=dict)


def move_out(data: DataDir, file: Path) -> dict[str, Any]:
    """Close this folder and write its file; `{code, pending, file}`. The code is nowhere but in this answer.

    May be called again (a stick that was lost, or the code): whoever moves in first, with whichever file, shuts the
    others out. Raises InputRefused `move.file_exists`, GenbaErrors.
    """
    if file.exists():
        raise InputRefused("move.file_exists", str(file))
    with open_station(data, rejoining=True) as station:
        found = closing.closing(station.db)
        if found is not None and found.code == WITHDRAWN:
            raise withdrawn(station)
        waiting = station.outbox.counts().pending
        at = station.clock.now().astimezone().strftime("%Y-%m-%d %H:%M")
        closing.close_for(station.db, MOVED, f"{file} ({at})")
        code = grouped("".join(dice.choice(ALPHABET) for _ in range(_CODE_LETTERS)))
        try:
            if not station.db.compact():  # with an empty log the file is all there is
                raise StorageTrouble("store.busy", str(data.database))
            _write(station, file, code)
            with zipfile.ZipFile(file) as bundle:
                _check(bundle, _manifest(bundle, code, file), file)
        except BaseException as exc:
            if found is None:
                closing.reopen(station.db)
            if isinstance(exc, FileExistsError):  # somebody else's, from this very moment
                raise InputRefused("move.file_exists", str(file)) from exc
            with suppress(OSError):
                file.unlink(missing_ok=True)
            if isinstance(exc, OSError):
                raise EnvironmentTrouble("move.cannot_write", str(file), why=exc.strerror or "") from exc
            raise
    return {"code": code, "pending": waiting, "file": str(file)}


def take_back(data: DataDir) -> None:
    """Undo `move_out`, as long as the other PC has not been in contact with the centre: its file is void then.

    Raises InputRefused `move.not_moved`, `move.already_in`, `rotate.carried`; the troubles of sync: without the centre
    nobody knows.
    """
    with open_station(data, rejoining=True) as station:
        found = closing.closing(station.db)
        if found is None or found.code != MOVED:
            raise InputRefused("move.not_moved", str(data.root))
        client = station.client()
        try:
            if not isinstance(client, CentreClient):
                raise InputRefused("rotate.carried", station.settings.centre_url)
            rotate(station, client)
        except AuthFailed as exc:
            raise InputRefused("move.already_in", found.detail) from exc
        finally:
            client.close()
        closing.reopen(station.db)


def move_in(file: Path, code: str, data: DataDir) -> dict[str, Any]:
    """Set this PC up from the file of another one; `{station_id, station_name, last_seq, pending}`.

    What was cut off is done again from the start. Raises InputRefused `move.no_bundle`, `move.wrong_code`,
    `move.damaged`, `move.same_account`, `recovery.target_not_empty`; StorageTrouble, EnvironmentTrouble.
    """
    begun = data.root / _BEGUN
    if data.identity() is not None or (data.database.exists() and not begun.exists()):
        raise InputRefused("recovery.target_not_empty", str(data.root))
    try:
        with zipfile.ZipFile(file) as bundle:
            manifest = _manifest(bundle, code, file)
            _check(bundle, manifest, file)
            _check_account(manifest, begun)
            data.create()
            write_private(begun, b"")
            for name in manifest.files:
                _unpack(bundle, name, data.root)
        write_private(data.root / INSTALLATION_ID, manifest.installation_id.encode())
    except zipfile.BadZipFile as exc:
        raise InputRefused("move.no_bundle", str(file)) from exc
    except OSError as exc:
        raise EnvironmentTrouble("move.cannot_read", exc.filename or str(file), why=exc.strerror or "") from exc
    settings = bring.moved(from_provisioning(manifest.settings), data.root, frozenset(manifest.files))
    vault = vault_of(data, settings)
    held = {name: bytes.fromhex(value) for name, value in manifest.secrets.items()}
    with Database.open(data.database, held[DATABASE_KEY], SystemClock()) as db:
        log = EventLog(db)
        broken = log.verify_chain()
        if broken is not None:
            raise StorageTrouble("store.tampered", str(data.database), seq=broken)
        for name, value in held.items():
            vault.set(name, value)
        seal(data, settings, vault, manifest.station.station_id, held[CLIENT_SECRET].decode())
        Meta(db).set(ROTATE_FIRST, "1")
        closing.reopen(db)
        last, pending = log.chain_head()[0], Outbox(db).counts().pending
    data.save_settings(settings)
    data.save_identity(manifest.station)
    begun.unlink()
    accounts.leave_mark(settings)
    return {
        "station_id": manifest.station.station_id,
        "station_name": settings.station_name,
        "last_seq": last,
        "pending": pending,
    }


def _write(station: Station, file: Path, code: str) -> None:
    data, vault = station.data, station.vault
    names = [path.as_posix() for path in bring.others(data, station.settings)]
    names += [name for name in (DATABASE_NAME, f"{DATABASE_NAME}.keyid") if (data.root / name).exists()]
    salt = os.urandom(16)
    kept = {name: value.hex() for name in _SECRETS if (value := vault.get(name)) is not None}
    digests = {name: _digest((data.root / name).open("rb")) for name in names}
    manifest = _Manifest(codec.plain(station.settings), station.identity, installation_id(data.root), kept, digests)
    public = sealing.key_of_code(_plain(code), salt).public_key()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, strict_timestamps=False) as bundle:
            bundle.writestr(_SALT, salt)
            bundle.writestr(_SEALED, sealing.seal(public, codec.encode(manifest)))
            for name in names:
                bundle.write(data.root / name, _FILES + name)
        out.flush()
        os.fsync(out.fileno())
    with suppress(OSError):  # a stick's file system may not know how
        sync_folder(file.parent)


def _manifest(bundle: zipfile.ZipFile, code: str, file: Path) -> _Manifest:
    try:
        salt, sealed = bundle.read(_SALT), bundle.read(_SEALED)
        return codec.decode(sealing.unseal(sealing.key_of_code(_plain(code), salt), sealed), _Manifest)
    except (KeyError, codec.DecodeError) as exc:
        raise InputRefused("move.no_bundle", str(file)) from exc
    except zipfile.BadZipFile as exc:
        raise InputRefused("move.damaged", str(file)) from exc
    except InputRefused as exc:
        wrong = exc.code == "recovery.other_key"
        raise InputRefused("move.wrong_code" if wrong else "move.damaged", str(file)) from exc


def _check(bundle: zipfile.ZipFile, manifest: _Manifest, file: Path) -> None:
    """Every part as it was put in, and none that leads out of the folder. Raises InputRefused `move.damaged`."""
    for name, digest in manifest.files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
            raise InputRefused("move.damaged", f"{file}: {name}")
        try:
            same = _digest(bundle.open(_FILES + name)) == digest
        except (KeyError, zipfile.BadZipFile) as exc:
            raise InputRefused("move.damaged", f"{file}: {name}") from exc
        if not same:
            raise InputRefused("move.damaged", f"{file}: {name}")


def _check_account(manifest: _Manifest, begun: Path) -> None:
    """Two folders of one account would share the entries in its keyring: purging the old one would shut the new one.

    Raises InputRefused `move.same_account`, EnvironmentTrouble.
    """
    if begun.exists() or manifest.settings.get("key_file"):
        return
    if SecretVault(manifest.installation_id).get(DATABASE_KEY) is not None:
        raise InputRefused("move.same_account", str(begun.parent))


def _unpack(bundle: zipfile.ZipFile, name: str, root: Path) -> None:
    target = root / name
    for folder in reversed(target.relative_to(root).parents[:-1]):
        make_private(root / folder)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with bundle.open(_FILES + name) as source, os.fdopen(descriptor, "wb") as out:
        while part := source.read(_CHUNK):
            out.write(part)
        out.flush()
        os.fsync(out.fileno())


def _digest(file: Any) -> str:
    digest = hashlib.sha256()
    with file:
        while part := file.read(_CHUNK):
            digest.update(part)
    return digest.hexdigest()


def _plain(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter in ALPHABET)
