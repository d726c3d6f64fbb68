"""Where the centre is, and how long it may take."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.errors import InputRefused


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. A call may take `base` + body / `bytes_per_s` + events × `per_event`, at most `longest`."""

    connect: float = 6.0
    base: float = 15.0
    bytes_per_s: float = 8_000.0
    per_event: float = 0.02
    longest: float = 180.0

    def whole(self, body_bytes: int, events: int = 0) -> float:
        """For one whole call."""
        return min(self.longest, self.base + body_bytes / self.bytes_per_s + events * self.per_event)


@dataclass(frozen=True, slots=True)
class Address:
    """A checked base address. `path` has no slash at its end; `local`: this machine."""

    scheme: str
    host: str
    port: int
    path: str
    local: bool

    @property
    def netloc(self) -> str:
        """Host and port as an address has them; the port only when it is not the scheme's."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"{self.scheme}://{self.netloc}{self.path}"


def checked(base_url: str) -> Address:
    """An https address, or http on this machine alone: the secret goes over it. Raises InputRefused."""
    try:
        parts = urlsplit(base_url.strip())
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except ValueError:
        raise InputRefused("sync.address") from None
    odd = parts.username is not None or parts.query or parts.fragment or not parts.path.isascii()
    if parts.scheme not in ("http", "https") or not host or odd:
        raise InputRefused("sync.address", host)
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if parts.scheme == "http" and not local:
        raise InputRefused("sync.address_not_secret", host)
    default = 443 if parts.scheme == "https" else 80
    return Address(parts.scheme, host, port or default, parts.path.rstrip("/"), local)
