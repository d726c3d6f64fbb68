"""`signing.toml`: with what set-ups and packages are signed. No secret stands in it; see `passphrase`."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import datafile, signing
from app.errors import EnvironmentTrouble
from app.secrets import SecretVault

SCHEMA = Path(__file__).resolve().parent / "schemas" / "signing.schema.json"
CONFIG_ENV = "GENBA_SIGNING_CONFIG"
"""Environment variable with the path of `signing.toml`, for steps that another program calls (makensis)."""
PATHS = ("file", "certificates", "roots", "timestamp_roots", "private_key")
"""Fields that name a file, from the folder of `signing.toml` on."""
PASSPHRASE = "passphrase"  # noqa: S105 - a name


class NotSigned(Exception):
    """A file could not be signed, or its signature is not what it must be; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Authenticode:
    """How Windows files are signed; fields are those of the file's table `[authenticode]`, paths whole."""

    key: str
    file: Path | None = None
    certificates: Path | None = None
    module: str = ""
    engine: str = ""
    object: str = ""
    thumbprint: str = ""
    command: tuple[str, ...] = ()
    passphrase_env: str = "GENBA_SIGNING_PASSPHRASE"  # noqa: S105 - a name
    timestamp_url: str = ""
    roots: Path | None = None
    timestamp_roots: Path | None = None

    @property
    def locked(self) -> bool:
        """Whether the key wants a passphrase or a PIN from us. Raises NotSigned when there is no such file."""
        if self.key == "pem":
            return b"ENCRYPTED" in _bytes(self.file)
        return self.key in ("pkcs12", "pkcs11")

    @property
    def name(self) -> str:
        """Which key it is, as the keyring names its passphrase."""
        return self.object or str(self.file)


@dataclass(frozen=True, slots=True)
class Release:
    """The key that signs the list of checksums: Ed25519, PEM."""

    private_key: Path
    passphrase_env: str = "GENBA_RELEASE_PASSPHRASE"  # noqa: S105 - a name


@dataclass(frozen=True, slots=True)
class Config:
    """What a `signing.toml` says."""

    path: Path
    authenticode: Authenticode | None = None
    release: Release | None = None


def load(path: Path) -> Config:
    """Raises InputRefused with the place of what is wrong."""
    values = datafile.load(path, SCHEMA)
    folder = path.resolve().parent
    authenticode, release = values.get("authenticode"), values.get("release")
    return Config(
        path.resolve(),
        Authenticode(**_whole(authenticode, folder)) if authenticode else None,
        Release(**_whole(release, folder)) if release else None,
    )


def _whole(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The table with whole paths."""
    found = {name: folder / value if name in PATHS else value for name, value in table.items()}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


def vault(name: str) -> SecretVault:
    """The place in the OS keyring for one key's passphrase."""
    return SecretVault(f"signing:{name}")


def passphrase(variable: str, name: str, ask: Callable[[str], str] = getpass.getpass) -> str:
    """From the environment, else from the OS keyring, else from whoever sits there. Never from a command line.

    Raises NotSigned when nobody can be asked.
    """
    given = os.environ.get(variable)
    if given is not None:
        return given
    try:
        kept = vault(name).get(PASSPHRASE)
    except EnvironmentTrouble:
        kept = None  # a build machine without a keyring
    if kept is not None:
        return kept.decode()
    if not sys.stdin.isatty():
        raise NotSigned(
            f"{name}: its passphrase is neither in the variable {variable} nor in the keyring, and nobody is there to "
            "be asked. Set the variable, or keep it with: python -m installer.signing passphrase"
        )
    return ask(f"Passphrase or PIN of {name}: ")


def release_key(release: Release) -> signing.PrivateKey:
    """Raises InputRefused for a file that is no such key, NotSigned without its passphrase."""
    file = release.private_key
    locked = signing.needs_passphrase(file)
    return signing.private_key(file, passphrase(release.passphrase_env, str(file)) if locked else None)


def locked_keys(config: Config) -> list[str]:
    """Names of the keys that want a passphrase or a PIN. Raises NotSigned, InputRefused."""
    windows, release = config.authenticode, config.release
    found = [windows.name] if windows and windows.locked else []
    return found + ([str(release.private_key)] if release and signing.needs_passphrase(release.private_key) else [])


def _bytes(file: Path | None) -> bytes:
    try:
        return file.read_bytes() if file else b""
    except OSError as exc:
        raise NotSigned(f"{file}: {exc.strerror}. Please correct signing.toml") from exc
