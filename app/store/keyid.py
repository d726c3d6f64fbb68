"""Which key a database was made with, without telling the key: a wrong key and a damaged file look alike to SQLCipher.

The file `<database>.keyid` beside it holds HMAC-SHA256 of a fixed text under the (random, 32-byte) key.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from app.files import write_private

_TEXT = b"genba-touch key id v1"


def key_id(key: bytes) -> str:
    """Hex of 32 bytes; says whether two keys are the same, and nothing else."""
    return hmac.new(key, _TEXT, hashlib.sha256).hexdigest()


def _beside(database: Path) -> Path:
    return database.with_name(database.name + ".keyid")


def has_key_id(database: Path) -> bool:
    """Whether a database was ever finished here."""
    return _beside(database).exists()


def write_key_id(database: Path, key: bytes) -> None:
    """Raises OSError."""
    write_private(_beside(database), key_id(key).encode())


def is_key_of(database: Path, key: bytes) -> bool:
    """Whether the database was made with this key. False when the file is gone: a wrong key is likelier."""
    try:
        kept = _beside(database).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return False
    return hmac.compare_digest(kept, key_id(key))
