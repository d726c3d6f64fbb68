"""SQLCipher's code of a single page, without SQLCipher: whether an image is what was written, and in its place.

SQLCipher 4 with a raw key (zetetic.net/sqlcipher/design): HMAC-SHA512 over the encrypted page with its IV and the
page's number; the code's key is two rounds of PBKDF2 over the key, its salt the file's first 16 bytes, each XOR 0x3A.
Used to choose among guesses alone: should a later SQLCipher do otherwise, no guess fits, and nothing is taken.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

_SALT = 16
_CODE = 64


def page_code(database: Path, key: bytes) -> Callable[[bytes, int], bool]:
    """`check(image, number)` for pages of this file. OSError."""
    with database.open("rb") as file:
        salt = file.read(_SALT)
    own = hashlib.pbkdf2_hmac("sha512", key, bytes(byte ^ 0x3A for byte in salt), 2, 32)

    def check(image: bytes, number: int) -> bool:
        covered = image[_SALT if number == 1 else 0 : -_CODE] + number.to_bytes(4, "little")
        return hmac.compare_digest(hmac.digest(own, covered, "sha512"), image[-_CODE:])

    return check
