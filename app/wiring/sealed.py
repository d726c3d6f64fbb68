"""`recovery.sealed`: a station's secrets for the day its keyring is lost, written anew whenever one changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from app import recovery, sealing
from app.errors import StorageTrouble
from app.secrets import DATABASE_KEY, DROP_KEYS, IMPORT_KEY
from app.settings import DataDir, Settings
from app.store.folder import FolderLock
from app.wiring.station import AnyVault

_LOCK = "secrets.lock"
_PATIENCE_S = 10.0


def seal(
    data: DataDir,
    settings: Settings,
    vault: AnyVault,
    station_id: str,
    client_secret: str,
    import_key: bytes | None = None,
) -> bool:
    """Write it with this client secret, and this import key in place of the keyring's; False: the site has no recovery
    key. Raises InputRefused, EnvironmentTrouble."""
    if not settings.recovery_public_key:
        return False
    imports = import_key or vault.get(IMPORT_KEY)
    keys = recovery.Secrets(vault.require(DATABASE_KEY), station_id, client_secret, imports, vault.get(DROP_KEYS))
    recovery.write_sealed(data.root, sealing.public_key(settings.recovery_public_key.encode()), keys)
    return True


@contextmanager
def changing(data: DataDir) -> Iterator[None]:
    """For who changes a secret and seals: `phones key` may run beside a gate that changes its client secret.

    Raises StorageTrouble `store.in_use` when somebody else takes longer than any of it can.
    """
    lock = FolderLock(data.root / _LOCK)
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            lock.take()
            break
        except StorageTrouble:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    try:
        yield
    finally:
        lock.release()
