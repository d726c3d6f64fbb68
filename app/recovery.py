"""When a PC dies or its keyring is lost: the data folder and the private key in the safe bring everything back.

`recovery.sealed` beside the database holds the database key, the station id, the client secret and the keys for phones'
files and for carried letters, sealed to the site's recovery key. It is written at enrolment and again whenever a secret
changes.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from app import codec, sealing
from app.clock import Clock
from app.errors import InputRefused, StorageTrouble
from app.files import DATABASE_NAME, PRIVATE_FILE, make_private, write_private
from app.secrets import CLIENT_SECRET, DATABASE_KEY, DROP_KEYS, IMPORT_KEY, Vault
from app.store.database import Database
from app.store.events import EventLog
from app.store.troubles import trouble

SEALED_NAME = "recovery.sealed"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a station cannot do without. `database_key`: 32 bytes."""

    database_key: bytes
    station_id: str
    client_secret: str
    import_key: bytes | None = None
    """What phones' files are opened with; None: never made."""
    drop_keys: bytes | None = None
    """What letters to the centre are signed with, and its answers opened; None: none are carried."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """An open database in its new place (the caller closes it), and whose it is."""

    database: Database
    station_id: str
    last_seq: int
    pending: int
    """Events that still wait to be sent."""


@dataclass(frozen=True, slots=True)
class _Packed:
    database_key: str
    station_id: str
    client_secret: str
    import_key: str = ""
    drop_keys: str = ""


def write_sealed(folder: Path, public_key: sealing.PublicKey, secrets: Secrets) -> Path:
    """Put `recovery.sealed` in place at once: a reader finds the old or the new one. Raises StorageTrouble."""
    file = folder / SEALED_NAME
    imports = secrets.import_key.hex() if secrets.import_key else ""
    drop = secrets.drop_keys.hex() if secrets.drop_keys else ""
    packed = _Packed(secrets.database_key.hex(), secrets.station_id, secrets.client_secret, imports, drop)
    sealed = sealing.seal(public_key, codec.encode(packed))
    try:
        write_private(file, sealed)
    except OSError as exc:
        raise trouble(exc, file) or exc from exc
    return file


def read_sealed(folder: Path, private_key: sealing.PrivateKey) -> Secrets:
    """The secrets of a data folder. Raises InputRefused: `recovery.no_file` and those of `sealing.unseal`."""
    file = folder / SEALED_NAME
    try:
        sealed = file.read_bytes()
    except OSError as exc:
        raise InputRefused("recovery.no_file", str(file)) from exc
    payload = sealing.unseal(private_key, sealed)
    try:
        packed = codec.decode(payload, _Packed)
        key, imports = bytes.fromhex(packed.database_key), bytes.fromhex(packed.import_key)
        drop = bytes.fromhex(packed.drop_keys)
    except ValueError as exc:
        raise InputRefused("recovery.not_sealed", str(file)) from exc
    if len(key) != _KEY_BYTES:
        raise InputRefused("recovery.not_sealed", str(file))
    return Secrets(key, packed.station_id, packed.client_secret, imports or None, drop or None)


def recover(
    folder: Path, private_key: sealing.PrivateKey, new_vault: Vault, new_folder: Path, clock: Clock
) -> Recovered:
    """Copy a data folder's database, open it, check its whole chain, and keep its secrets in `new_vault`.

    What was never sent comes along and still waits. The old folder is not changed (it may be read-only), and its PC
    must not run any more: two programs with one station's chain would break it. Raises InputRefused
    (`recovery.target_not_empty`, `recovery.no_database`, those of `read_sealed`), StorageTrouble, and the vault's
    EnvironmentTrouble; then what was copied is gone again.
    """
    secrets = read_sealed(folder, private_key)
    old, new = folder / DATABASE_NAME, new_folder / DATABASE_NAME
    if new.exists():
        raise InputRefused("recovery.target_not_empty", str(new_folder))
    if not old.exists():
        raise InputRefused("recovery.no_database", str(old))
    # what was committed last may still be in the -wal; the -shm is made anew
    names = (DATABASE_NAME, f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}.keyid", SEALED_NAME)
    try:
        make_private(new_folder)
        for name in names:
            if (folder / name).exists():
                shutil.copyfile(folder / name, new_folder / name)
                (new_folder / name).chmod(PRIVATE_FILE)
        return _checked(new, secrets, new_vault, clock)
    except BaseException as exc:
        for name in names:
            (new_folder / name).unlink(missing_ok=True)
        if isinstance(exc, OSError):
            raise trouble(exc, new) or exc from exc
        raise


def _checked(new: Path, secrets: Secrets, vault: Vault, clock: Clock) -> Recovered:
    database = Database.open(new, secrets.database_key, clock)
    try:
        log = EventLog(database)
        broken = log.verify_chain()
        if broken is not None:
            raise StorageTrouble("store.tampered", str(new), seq=broken)
        counts = log.counts()
        vault.set(DATABASE_KEY, secrets.database_key)
        vault.set(CLIENT_SECRET, secrets.client_secret.encode())
        if secrets.import_key is not None:
            vault.set(IMPORT_KEY, secrets.import_key)
        if secrets.drop_keys is not None:
            vault.set(DROP_KEYS, secrets.drop_keys)
    except BaseException:
        database.close()
        raise
    return Recovered(database, secrets.station_id, counts.events, counts.pending)
