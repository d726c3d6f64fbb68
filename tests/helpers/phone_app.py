"""A phone app that writes files as docs/phone-file.md says, with the libraries of a stranger and none of ours."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def fingerprint(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


class PhoneApp:
    """`station`: what `phones key` printed. Lines are `touch`'s, in order, numbered from `first`."""

    def __init__(self, station: str, site: str, private: bytes | None = None) -> None:
        self.station = bytes.fromhex(station.removeprefix("x25519:"))
        self.site = site
        self.private = Ed25519PrivateKey.from_private_bytes(private) if private else Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes_raw()
        self.id = fingerprint(self.public)
        self.key = f"ed25519:{self.public.hex()}"

    def file(self, touches: list[dict[str, Any]], first: int = 1, **header: Any) -> bytes:
        """A whole file. `header`: fields that differ."""
        head = {
            "format": "genba-touch-phone/1",
            "phone": self.id,
            "site": self.site,
            "key": fingerprint(self.station),
            "made_at": "2026-11-20T07:00:00.000+09:00",
            "count": len(touches),
            "first": first,
            "last": first + len(touches) - 1,
        }
        lines = [head | header, *({"number": n} | touch for n, touch in enumerate(touches, first))]
        return self.seal(self.sign("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()))

    def sign(self, body: bytes) -> bytes:
        signature = base64.b64encode(self.private.sign(body)).decode()
        return body + json.dumps({"signature": signature}).encode() + b"\n"

    def seal(self, text: bytes) -> bytes:
        sealed = SUITE.encrypt(text, X25519PublicKey.from_public_bytes(self.station), b"genba-touch phone v1")
        return f"genba-touch-phone/1 {fingerprint(self.station)} {len(sealed)}\n".encode() + sealed
