"""What a station knows about itself: `settings.toml` (from provisioning) and `station.json` (from enrolment).

No secret is in either: the keys live in the OS keyring (`app.secrets`), under the folder's own installation id.
"""

from __future__ import annotations

import platform
import stat
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs
import tomli_w

from app import codec, datafile
from app.errors import EnvironmentTrouble, InputRefused
from app.files import DATABASE_NAME, make_private, write_private

SETTINGS_FILE = "settings.toml"
STATION_FILE = "station.json"
START_LOCK = "start.lock"
"""Held by the one program of a data folder that a person has started."""
KEPT_ASIDE = "records-of-"
"""How the names of folders begin in which an update that was taken back keeps the newer records."""
PROVISIONING_FILE = "provisioning.toml"
"""Name under which a first start looks for its file."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a station; field names are those of `provisioning.toml`."""

    centre_url: str
    """https://…, or file:///… of the folder in which letters are carried (docs/file-drop.md)."""
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
    card_profiles: tuple[str, ...] = ()
    """Names of the card profiles in force, in the order in which they are tried."""
    company: str | None = None
    """Whose PC this is, in words."""
    support_contact: str | None = None
    """Whom to call, in words."""
    update_url: str | None = None
    """Where new versions lie: https://…, file:///… or a folder's path (docs/updates.md). None: nowhere."""
    update_channel: str | None = None
    """Which versions are meant for this PC; None: 'stable'."""
    centre_key: str | None = None
    """The centre's public keys for carried letters."""
    second_account: bool = False
    """Whether this account may become a station beside another account's on this PC."""
    crl_refuse_days: int = 30
    """Days past its next update for which a revocation list of secure cards still counts."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this station is, from enrolment."""

    station_id: str
    site_ids: tuple[str, ...] = ()
    role: str = ""
    """'gate' or 'office', as the enrolment code made it; '' when it was not told."""


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
        return self.root / DATABASE_NAME

    @property
    def sealed(self) -> Path:
        """The keys, sealed to the site's recovery public key."""
        return self.root / "recovery.sealed"

    @property
    def backups(self) -> Path:
        """Daily verified copies."""
        return self.root / "backups"

    @property
    def card_profiles(self) -> Path:
        """Card profiles of this office (docs/card-profiles.md)."""
        return self.root / "card_profiles"

    @property
    def logs(self) -> Path:
        """Log files, one a day and part of the program (app.logs)."""
        return self.root / "logs"

    @property
    def crashes(self) -> Path:
        """Reports of crashes and faults (app.crash)."""
        return self.root / "crashes"

    @property
    def trust(self) -> Path:
        """The site's own roots and revocation lists for secure cards (docs/secure-cards.md)."""
        return self.root / "trust"

    @property
    def updates(self) -> Path:
        """New versions of the program, and what is remembered of them (docs/updates.md)."""
        return self.root / "update"

    def kept_aside(self) -> list[Path]:
        """Folders with the records of a newer version that was taken out again, oldest first."""
        return sorted(self.updates.glob(f"{KEPT_ASIDE}*"))

    @property
    def rejoin_first(self) -> Path:
        """There when an older copy of the records was put in place: nothing is recorded before `rejoin`."""
        return self.root / "rejoin-first"

    @property
    def unfinished(self) -> Path:
        """There from the first start's beginning until the roster has come."""
        return self.root / "first-start.unfinished"

    def create(self) -> None:
        """Make the folder. Raises EnvironmentTrouble when that is not allowed, InputRefused when it is a file."""
        self.holds(self.root)
        try:
            make_private(self.root)
        except OSError as exc:
            raise EnvironmentTrouble("settings.folder", str(self.root), why=exc.strerror or "") from exc

    def holds(self, path: Path) -> bool:
        """Whether a file or folder of this one is there (readable or not).

        Raises EnvironmentTrouble `store.no_access` when this user may not know (another user's folder), InputRefused
        `settings.file_as_folder` when the data folder is a file.
        """
        try:
            if stat.S_ISREG(self.root.stat().st_mode):
                raise InputRefused("settings.file_as_folder", str(self.root))
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as exc:
            raise EnvironmentTrouble("store.no_access", str(self.root)) from exc
        return True

    def has_settings(self) -> bool:
        """Whether the settings' file is there (readable or not). Raises as `holds` does."""
        return self.holds(self.root / SETTINGS_FILE)

    def settings(self) -> Settings:
        """Read the settings. Raises InputRefused (`settings.missing` when there is none), and as `holds` does."""
        path = self.root / SETTINGS_FILE
        if not self.holds(path):
            raise InputRefused("settings.missing", str(path))
        return from_provisioning(datafile.load(path, "provisioning"))

    def identity(self) -> Identity | None:
        """Read who this station is; None before it was enrolled. Raises InputRefused when damaged, and as `holds`."""
        path = self.root / STATION_FILE
        if not self.holds(path):
            return None
        try:
            return codec.decode(path.read_bytes(), Identity)
        except (codec.DecodeError, OSError) as exc:
            raise InputRefused("file.invalid", str(path), why=str(exc)) from exc

    def save_settings(self, settings: Settings) -> None:
        """Write the settings whole (atomic)."""
        values = {k: v for k, v in asdict(settings).items() if v is not None and v != ()}
        values["readers"] = list(settings.readers)
        _write(self.root / SETTINGS_FILE, tomli_w.dumps(values).encode())

    def save_identity(self, identity: Identity) -> None:
        """Write who this station is (atomic)."""
        _write(self.root / STATION_FILE, codec.encode(identity) + b"\n")


def from_provisioning(values: dict[str, Any]) -> Settings:
    """Settings from the checked content of a provisioning file (its enrolment code is not kept)."""
    kept = {k: v for k, v in values.items() if k != "enrolment_code"}
    return codec.convert(kept, Settings)


def provisioning_text(values: Mapping[str, Any]) -> str:
    """A provisioning file's text; the same values, written for people."""
    return tomli_w.dumps(values, multiline_strings=True)


def machine_folders() -> tuple[Path, ...]:
    """Where an installer puts this PC's files: beside the program, then the machine's folder for settings."""
    beside = (Path(sys.executable).resolve().parent,) if getattr(sys, "frozen", False) else ()
    return (*beside, Path(platformdirs.site_config_dir("genba-touch", appauthor=False)))


def accounts_folder() -> Path:
    """Where accounts of this PC leave their mark (app.wiring.accounts): an installer makes it, and all may write there.

    Not a machine folder: nothing that is trusted is read from here.
    """
    state = Path("/var/lib/genba-touch")
    machine = state if platform.system() == "Linux" else machine_folders()[-1]
    return machine / "accounts"


def desktop_folder() -> Path:
    """Where a person finds a file that was made for him: the desktop, else the documents, else his own folder."""
    places = (platformdirs.user_desktop_path(), platformdirs.user_documents_path())
    return next((place for place in places if place.is_dir()), Path.home())


def _write(path: Path, data: bytes) -> None:
    """Raises EnvironmentTrouble (`settings.folder`)."""
    try:
        write_private(path, data)
    except OSError as exc:
        raise EnvironmentTrouble("settings.folder", str(path), why=exc.strerror or "") from exc
