"""What a station knows about itself: `settings.toml` (from provisioning) and `station.json` (from enrolment).

No secret is in either: the keys live in the OS keyring (`app.secrets`).
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs
import tomli_w

from app import codec, datafile
from app.errors import EnvironmentTrouble, InputRefused

SETTINGS_FILE = "settings.toml"
STATION_FILE = "station.json"


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a station; field names are those of `provisioning.toml`."""

    centre_url: str
    station_name: str
    schema: int = 1
    site_id: str | None = None
    recovery_public_key: str | None = None
    readers: tuple[str, ...] = ()
    language: str = "ja"
    proxy: str | None = None
    ca_file: str | None = None
    key_file: str | None = None
    kiosk: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this station is. `installation_id` is made once; the rest comes from enrolment."""

    installation_id: str
    station_id: str | None = None
    site_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataDir:
    """The files of one station. `root` is created with mode 0700."""

    root: Path

    @classmethod
    def at(cls, path: Path | None) -> DataDir:
        """The folder given, or this user's own for the program."""
        root = path or Path(platformdirs.user_data_dir("genba-touch", appauthor=False))
        return cls(root.expanduser().resolve())

    @property
    def database(self) -> Path:
        """The encrypted database."""
        return self.root / "genba-touch.db"

    @property
    def sealed(self) -> Path:
        """The keys, sealed to the site's recovery public key."""
        return self.root / "recovery.sealed"

    @property
    def backups(self) -> Path:
        """Daily verified copies."""
        return self.root / "backups"

    @property
    def logs(self) -> Path:
        """Rotated log files."""
        return self.root / "logs"

    def create(self) -> None:
        """Make the folder. Raises EnvironmentTrouble when that is not allowed."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as exc:
            raise EnvironmentTrouble("settings.folder", str(self.root), why=exc.strerror or "") from exc

    def settings(self) -> Settings:
        """Read the settings. Raises InputRefused (`settings.missing` when there is none)."""
        path = self.root / SETTINGS_FILE
        if not path.exists():
            raise InputRefused("settings.missing", str(path))
        return from_provisioning(datafile.load(path, "provisioning"))

    def identity(self) -> Identity | None:
        """Read who this station is; None before its first start. Raises InputRefused when damaged."""
        path = self.root / STATION_FILE
        if not path.exists():
            return None
        try:
            return codec.decode(path.read_bytes(), Identity)
        except (codec.DecodeError, OSError) as exc:
            raise InputRefused("file.invalid", str(path), why=str(exc)) from exc

    def save_settings(self, settings: Settings) -> None:
        """Write the settings whole (atomic)."""
        values = {k: v for k, v in asdict(settings).items() if v is not None and v != ()}
        values["readers"] = list(settings.readers)
        write_atomic(self.root / SETTINGS_FILE, tomli_w.dumps(values).encode())

    def save_identity(self, identity: Identity) -> None:
        """Write who this station is (atomic)."""
        write_atomic(self.root / STATION_FILE, codec.encode(identity) + b"\n")


def from_provisioning(values: dict[str, Any]) -> Settings:
    """Settings from the checked content of a provisioning file (its enrolment code is not kept)."""
    kept = {k: v for k, v in values.items() if k != "enrolment_code"}
    return codec.convert(kept, Settings)


def write_atomic(path: Path, data: bytes) -> None:
    """Write a small file so that a power cut leaves the old or the new one. Mode 0600.

    Raises EnvironmentTrouble (`settings.folder`).
    """
    beside = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        if os.name == "posix":
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as exc:
        raise EnvironmentTrouble("settings.folder", str(path), why=exc.strerror or "") from exc
