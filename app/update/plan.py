"""Which package is this PC's: pure rules over what the signed list says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.update.port import Offer

CUSTOM = "genba-touch"
"""Name under which the signed list says what a package is."""
CHANNEL = re.compile(r"[a-z0-9_-]{1,40}")
PLATFORMS = {"windows-x86_64": ".exe", "linux-x86_64": ".tar.xz"}
"""What a package runs on, and how its file's name ends."""
_VERSION = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")
_SHA256 = re.compile(r"[0-9a-f]{64}")

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Me:
    """This PC. `station_id`: '' before it was enrolled."""

    station_id: str
    version: str
    platform: str
    channel: str


def version_of(text: str) -> Version:
    """'1.2.3' as numbers. Raises ValueError."""
    found = _VERSION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[1]), int(found[2]), int(found[3])


def place(station_id: str, version: str) -> int:
    """A station's place in the stages of a version, 0 to 99: the same whenever it is asked, and another one for the
    next version, so that the same PC is not always the first."""
    digest = hashlib.sha256(f"{version}\n{station_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100


def offer_of(path: str, size: int, sha256: str, custom: object) -> Offer | None:
    """A package as the signed list names it; None for one that is none of ours. Raises ValueError when it is
    malformed."""
    said = custom.get(CUSTOM) if isinstance(custom, Mapping) else None
    if not isinstance(said, Mapping):
        return None
    channel, platform, version = _text(said, "channel"), _text(said, "platform"), _text(said, "version")
    minimum, percent = said.get("minimum", "0.0.0"), said.get("percent")
    version_of(version)
    version_of(str(minimum))
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{path}: no sha256")
    head, _, name = path.partition("/")
    if head != channel or not CHANNEL.fullmatch(channel) or "/" in name or "\\" in name or name in ("", ".", ".."):
        raise ValueError(f"{path}: not {channel}/NAME")
    if not isinstance(percent, int) or isinstance(percent, bool) or not 0 <= percent <= 100:
        raise ValueError(f"{path}: percent {percent!r}")
    return Offer(path, name, version, platform, channel, percent, str(minimum), size, sha256)


def choose(offers: Iterable[Offer], me: Me) -> Offer | None:
    """The newest package that this PC may have now; None: nothing newer. Never an older version."""
    mine = version_of(me.version)
    fit = [
        one
        for one in offers
        if _suits(one, me)
        and version_of(one.version) > mine
        and version_of(one.minimum) <= mine
        and place(me.station_id, one.version) < one.percent
    ]
    return max(fit, key=lambda one: version_of(one.version), default=None)


def way_back(offers: Iterable[Offer], me: Me) -> Offer | None:
    """The package of the version that runs now, whatever its stage; None when the list has it no more."""
    return next((one for one in offers if _suits(one, me) and one.version == me.version), None)


def _suits(offer: Offer, me: Me) -> bool:
    return offer.channel == me.channel and offer.platform == me.platform


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name}: {value!r}")
    return value
