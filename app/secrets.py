"""Secrets: the only importer of `keyring`, and PIN verifiers.

The database key and the client secret live in the operating system's keyring and nowhere else. `keyring` itself takes
whatever backend it finds, plain-text files and one that forgets among them: here a backend is
accepted by its class alone, and what was written is read back.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import stat
import sys
import uuid
from pathlib import Path
from typing import Any, Protocol

from app import codec
from app.errors import EnvironmentTrouble, InputRefused
from app.files import PRIVATE_FILE, write_private

SERVICE = "genba-touch"
DATABASE_KEY = "database-key"
CLIENT_SECRET = "client-secret"  # noqa: S105 - a name
NEXT_SECRET = "next-client-secret"  # noqa: S105 - a name
"""A client secret that has been made and does not yet stand in the place of the old one."""
ENROLMENT_CODE = "enrolment-code"
"""A code that was given and not yet answered: a first start that was cut off goes on with it."""
IMPORT_KEY = "import-key"
"""Private half (X25519) of the key that phones seal their files to."""
DROP_KEYS = "drop-keys"
"""Private halves (Ed25519, X25519) of the keys with which letters are carried to the centre."""
INSTALLATION_ID = "installation-id"
"""Name of the file with a data folder's own name."""


class Vault(Protocol):
    """Where secrets are kept. Any thread, but a keyring may ask its user and block: not the window's."""

    def get(self, name: str) -> bytes | None:
        """None: not there. Raises EnvironmentTrouble."""

    def require(self, name: str) -> bytes:
        """Raises EnvironmentTrouble, `keyring.lost` when it is not there."""

    def set(self, name: str, secret: bytes) -> None:
        """Keep or replace; on return it was read back. Raises EnvironmentTrouble."""


def new_database_key() -> bytes:
    """32 random bytes."""
    return os.urandom(32)


def new_client_secret() -> str:
    """32 random bytes as base64url, 43 characters."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def installation_id(folder: Path) -> str:
    """This data folder's own name (a UUID), made at the first call: it names its secrets and enrols the station.

    It moves with the folder. Raises EnvironmentTrouble `keyring.folder`.
    """
    path = folder / INSTALLATION_ID
    try:
        if not path.exists():
            write_private(path, str(uuid.uuid4()).encode())
        return str(uuid.UUID(path.read_text(encoding="ascii").strip()))
    except (OSError, ValueError) as exc:
        raise EnvironmentTrouble("keyring.folder", str(path)) from exc


class SecretVault:
    """The operating system's keyring: Windows vault, macOS Keychain or SecretService, nothing else."""

    def __init__(self, name: str) -> None:
        """`name`: the data folder's (`installation_id`). Opens nothing yet."""
        self._name = name

    def get(self, name: str) -> bytes | None:
        """Raises EnvironmentTrouble: `keyring.missing`, `refused_backend`, `locked`, `failed`, `damaged`."""
        text = self._ask(lambda backend: backend.get_password(SERVICE, self._user(name)))
        if text is None:
            return None
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as exc:
            raise EnvironmentTrouble("keyring.damaged", name) from exc

    def require(self, name: str) -> bytes:
        """Raises EnvironmentTrouble `keyring.lost` when it is not there: then recovery is the way."""
        return _there(self.get(name), name)

    def set(self, name: str, secret: bytes) -> None:
        """As `get`, and `keyring.not_kept` when something else comes back."""
        text = base64.b64encode(secret).decode()
        self._ask(lambda backend: backend.set_password(SERVICE, self._user(name), text))
        back = self.get(name)
        if back is None or not hmac.compare_digest(back, secret):
            raise EnvironmentTrouble("keyring.not_kept", name)

    def delete(self, name: str) -> None:
        """Forget it; nothing happens when it is not there."""
        if self.get(name) is not None:
            self._ask(lambda backend: backend.delete_password(SERVICE, self._user(name)))

    def _user(self, name: str) -> str:
        return f"{self._name}:{name}"

    def _ask(self, question: Any) -> Any:
        import keyring.errors

        try:
            return question(accepted_backend())
        except keyring.errors.NoKeyringError as exc:
            raise EnvironmentTrouble("keyring.missing") from exc
        except (keyring.errors.KeyringLocked, keyring.errors.InitError) as exc:
            raise EnvironmentTrouble("keyring.locked") from exc
        except EnvironmentTrouble:
            raise
        except Exception as exc:
            # the backends let their libraries' own errors through (jeepney, secretstorage, pywintypes)
            locked = "lock" in type(exc).__name__.lower() or "prompt" in type(exc).__name__.lower()
            raise EnvironmentTrouble("keyring.locked" if locked else "keyring.failed", type(exc).__name__) from exc


def accepted_backend() -> Any:
    """The keyring to use. Raises EnvironmentTrouble: `keyring.missing`, `keyring.refused_backend`."""
    # here and not at the top: 9 MB that a station with a key file never needs
    import keyring
    import keyring.errors
    from keyring.backends import SecretService, Windows, chainer, macOS

    try:
        chosen: Any = keyring.get_keyring()
        candidates = chosen.backends if type(chosen) is chainer.ChainerBackend else [chosen]
    except (keyring.errors.KeyringError, OSError, RuntimeError) as exc:
        raise EnvironmentTrouble("keyring.missing") from exc
    # the class itself: a subclass may do anything
    for backend in candidates:
        if type(backend) in (Windows.WinVaultKeyring, macOS.Keyring, SecretService.Keyring):
            return backend
    first = type(candidates[0] if candidates else chosen)
    if first.__module__.startswith("keyring.backends.fail") or not candidates:
        raise EnvironmentTrouble("keyring.missing")
    raise EnvironmentTrouble("keyring.refused_backend", f"{first.__module__}.{first.__qualname__}")


class KeyFileVault:
    """A file in place of a keyring, only where the settings say so: whoever reads it has the keys."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, name: str) -> bytes | None:
        """Raises EnvironmentTrouble `keyring.key_file_open` (others may read it), `key_file_damaged`, `failed`."""
        return self._read().get(name)

    def require(self, name: str) -> bytes:
        """Raises EnvironmentTrouble `keyring.lost` when it is not there: then recovery is the way."""
        return _there(self.get(name), name)

    def set(self, name: str, secret: bytes) -> None:
        """As `get`."""
        self._put({**self._read(), name: secret})
        if self._read().get(name) != secret:
            raise EnvironmentTrouble("keyring.not_kept", name)

    def delete(self, name: str) -> None:
        """Forget it; nothing happens when it is not there."""
        secrets = self._read()
        if secrets.pop(name, None) is not None:
            self._put(secrets)

    def _put(self, secrets: dict[str, bytes]) -> None:
        text = codec.encode({key: base64.b64encode(value).decode() for key, value in secrets.items()})
        try:
            write_private(self._path, text)
        except OSError as exc:
            raise EnvironmentTrouble("keyring.failed", str(self._path)) from exc

    def _read(self) -> dict[str, bytes]:
        try:
            if sys.platform != "win32" and self._path.exists():
                state = self._path.stat()
                if stat.S_IMODE(state.st_mode) & ~PRIVATE_FILE or state.st_uid != os.getuid():
                    raise EnvironmentTrouble("keyring.key_file_open", str(self._path))
            text = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as exc:
            raise EnvironmentTrouble("keyring.failed", str(self._path)) from exc
        try:
            kept = codec.decode(text, dict[str, str])
            return {key: base64.b64decode(value, validate=True) for key, value in kept.items()}
        except (codec.DecodeError, binascii.Error) as exc:
            raise EnvironmentTrouble("keyring.key_file_damaged", str(self._path)) from exc


class EphemeralVault:
    """Memory of this process: for the demo's throw-away folder, where losing the key is the point."""

    def __init__(self) -> None:
        self._secrets: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        """Never fails."""
        return self._secrets.get(name)

    def require(self, name: str) -> bytes:
        """Raises EnvironmentTrouble `keyring.lost` when it is not there: then recovery is the way."""
        return _there(self.get(name), name)

    def set(self, name: str, secret: bytes) -> None:
        """Never fails."""
        self._secrets[name] = secret


def _there(secret: bytes | None, name: str) -> bytes:
    if secret is None:
        raise EnvironmentTrouble("keyring.lost", name)
    return secret


_SCRYPT = (1 << 14, 8, 1)
"""n, r, p: 16 MiB and some 40 ms on a gate PC, for each try."""
_SCRYPT_MOST = (1 << 16, 8, 4)
"""What a verifier from a roster may cost: 64 MiB."""


def make_pin_verifier(pin: str) -> str:
    """`scrypt$n$r$p$salt$hash`. Raises InputRefused `pin.too_short` under 4 characters."""
    if len(pin) < 4:
        raise InputRefused("pin.too_short")
    salt = os.urandom(16)
    derived = _scrypt(pin, salt, *_SCRYPT)
    return "$".join(("scrypt", *map(str, _SCRYPT), _b64(salt), _b64(derived)))


def check_pin(verifier: str, pin: str) -> bool:
    """Whether the PIN is the verifier's. False for a verifier of another form; takes the same time for any PIN."""
    try:
        kind, n, r, p, salt, derived = verifier.split("$")
        cost = int(n), int(r), int(p)
        wanted = base64.b64decode(derived, validate=True)
        within = all(1 <= number <= most for number, most in zip(cost, _SCRYPT_MOST, strict=True))
        if kind != "scrypt" or len(wanted) != 32 or not within:
            return False
        return hmac.compare_digest(_scrypt(pin, base64.b64decode(salt, validate=True), *cost), wanted)
    except (ValueError, binascii.Error):
        return False


def _scrypt(pin: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=n, r=r, p=p, maxmem=1 << 29, dklen=32)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
