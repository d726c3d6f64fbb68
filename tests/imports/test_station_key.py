"""The key that phones seal their files to: kept in the vault, sealed beside the others."""

from __future__ import annotations

from pathlib import Path

from app import phone_seal, recovery, sealing
from app.secrets import CLIENT_SECRET, DATABASE_KEY, IMPORT_KEY, KeyFileVault
from app.settings import DataDir, Identity, Settings
from app.wiring.phones import station_key


def test_it_is_made_once_and_sealed_to_the_recovery_key(tmp_path: Path) -> None:
    private, public = sealing.make_key_pair(tmp_path / "safe")
    data = DataDir(tmp_path / "data")
    data.create()
    data.save_settings(
        Settings("https://x.example", "門", key_file="keys.json", recovery_public_key=public.read_text())
    )
    data.save_identity(Identity("station-1", ("90000000000001",)))
    vault = KeyFileVault(data.root / "keys.json")
    vault.set(DATABASE_KEY, b"d" * 32)
    vault.set(CLIENT_SECRET, b"secret")
    made = station_key(data)
    sealed = data.sealed.read_bytes()
    assert station_key(data) == made
    assert data.sealed.read_bytes() == sealed
    found = recovery.read_sealed(data.root, sealing.private_key(private.read_bytes()))
    assert found == recovery.Secrets(b"d" * 32, "station-1", "secret", vault.require(IMPORT_KEY))
    assert made["key"] == phone_seal.as_text(phone_seal.public_of(vault.require(IMPORT_KEY)))
    assert vault.require(IMPORT_KEY).hex() not in str(made)


def test_a_file_sealed_before_there_were_import_keys_still_opens(tmp_path: Path) -> None:
    private, public = sealing.make_key_pair(tmp_path)
    old = b'{"database_key": "' + b"00" * 32 + b'", "station_id": "s", "client_secret": "c"}'
    (tmp_path / recovery.SEALED_NAME).write_bytes(sealing.seal(sealing.public_key(public.read_bytes()), old))
    found = recovery.read_sealed(tmp_path, sealing.private_key(private.read_bytes()))
    assert found == recovery.Secrets(bytes(32), "s", "c", None)
