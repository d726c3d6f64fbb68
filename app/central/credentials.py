"""Secrets, tokens and enrolment codes: how they are made, and the only form in which they are kept.

Client secrets and tokens are 256 random bits. No dictionary reaches them, so one SHA-256 is right: a slow hash
guards what people choose, and would only make every request slow here. Enrolment codes are typed by people and
have 55 random bits; they run out and expire, and are stretched by PBKDF2 (about 10 ms, at enrolment alone) so that a
stolen database does not give them away either. Both hashes have no salt: they are looked up by their value.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata

from app.domain.enrolment_code import ALPHABET, LENGTH, check_letter, grouped

_CODE_ROUNDS = 20_000


def new_secret() -> str:
    """A client secret or an access token: 43 characters, 256 bits."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> bytes:
    """What is kept of a client secret or token; 32 bytes."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def new_code() -> str:
    """An enrolment code in groups of four, the last letter its check letter: `ABCD-EFGH-JKLM`."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return grouped(letters + check_letter(letters))


def code_hash(typed: str) -> bytes | None:
    """What is kept of an enrolment code; 32 bytes. Width, case, blanks and hyphens do not matter.

    None for what cannot be a code.
    """
    plain = unicodedata.normalize("NFKC", typed).upper()
    letters = "".join(c for c in plain if not c.isspace() and unicodedata.category(c) != "Pd" and c not in "ー−")
    if len(letters) != LENGTH or any(c not in ALPHABET for c in letters):
        return None
    return hashlib.pbkdf2_hmac("sha256", letters.encode(), b"genba-touch enrolment code", _CODE_ROUNDS)
