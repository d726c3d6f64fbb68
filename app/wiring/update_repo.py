"""IT's side of updates: keys that are asked for, and the folder that is published."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from app import signing
from app.clock import SystemClock
from app.update.port import Offer
from app.update.publish import KEYS, ONLINE_DAYS, Keys, Repository, make_keys

__all__ = ["ONLINE_DAYS", "Ask", "Offer", "add", "create", "offers", "percent", "refresh", "rotate", "withdraw"]

Ask = Callable[[str], str]
"""Asks a person for the passphrase of a key by its name."""
RELEASE = ("release", "online")


def create(folder: Path, keys: Path, passphrase: Callable[[str], str | None]) -> Path:
    """A new repository with three new key pairs in `keys` (those that are there are taken); its root's file.

    `passphrase`: for a new key by its name, None for none. Raises InputRefused, EnvironmentTrouble.
    """
    for name in KEYS:
        if not (keys / f"{name}.pem").exists():
            make_keys(keys, name, passphrase(name))
    return _at(folder).create(_opened(keys, KEYS, lambda name: passphrase(name) or ""))


def add(
    folder: Path,
    keys: Path,
    ask: Ask,
    file: Path,
    *,
    channel: str,
    version: str,
    platform: str,
    percent: int,
    minimum: str,
) -> None:
    """Put a package on the list. Raises as `app.update.publish`."""
    _at(folder).add(
        _opened(keys, RELEASE, ask),
        file,
        channel=channel,
        version=version,
        platform=platform,
        percent=percent,
        minimum=minimum,
    )


def percent(folder: Path, keys: Path, ask: Ask, *, channel: str, version: str, value: int) -> int:
    """Another share of the stations; how many packages it was."""
    return _at(folder).set_percent(_opened(keys, RELEASE, ask), channel=channel, version=version, percent=value)


def withdraw(folder: Path, keys: Path, ask: Ask, *, channel: str, version: str) -> int:
    """Take a version off the list; how many packages it was."""
    return _at(folder).withdraw(_opened(keys, RELEASE, ask), channel=channel, version=version)


def refresh(folder: Path, keys: Path, ask: Ask, days: int) -> datetime:
    """Good for so many days more; until when."""
    return _at(folder).refresh(_opened(keys, ("online",), ask), days)


def rotate(folder: Path, old: Path, new: Path, ask: Ask, passphrase: Callable[[str], str | None]) -> Path:
    """The next root, with the keys in `new` (made where they are missing); its file for installers."""
    for name in KEYS:
        if not (new / f"{name}.pem").exists():
            make_keys(new, name, passphrase(name))
    return _at(folder).rotate_root(_opened(old, ("root",), ask), _opened(new, KEYS, ask))


def offers(folder: Path) -> list[Offer]:
    """What is on the list."""
    return _at(folder).offers()


def _at(folder: Path) -> Repository:
    return Repository(folder, SystemClock().now())


def _opened(folder: Path, names: Iterable[str], ask: Ask) -> Keys:
    private = {}
    for name in names:
        file = folder / f"{name}-private.pem"
        secret = ask(name) if signing.needs_passphrase(file) else None
        private[name] = signing.private_key(file, secret)
    return Keys(folder, private)
