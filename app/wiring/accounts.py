"""Whose account has this PC's station: data and keys belong to one account, the program to all.

Every account that enrols leaves a mark where an installer made a folder for them, so that another one is told instead
of becoming a second station in silence. The mark is a help and no lock: whoever may write there may leave a wrong one.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from app import codec
from app.errors import InputRefused
from app.files import write_carried
from app.settings import Settings, accounts_folder
from app.wiring import running

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mark:
    """What an account has left."""

    account: str
    station_name: str


def leave_mark(settings: Settings) -> None:
    """This account has enrolled. Where that cannot be written, nothing is lost but the hint to others."""
    folder = accounts_folder()
    if not folder.is_dir():
        return  # no installer has made it
    mark = Mark(running.account(), settings.station_name)
    try:
        write_carried(folder / _name(mark.account), codec.encode(mark) + b"\n")
    except OSError as exc:
        log.warning("no mark for other accounts: %s", exc.strerror)


def remove_mark() -> None:
    """This account has the station no more."""
    try:
        (accounts_folder() / _name(running.account())).unlink(missing_ok=True)
    except OSError as exc:
        log.warning("the mark for other accounts stays: %s", exc.strerror)


def other() -> Mark | None:
    """The mark of another account; None when there is none, or when this one has left its own too."""
    own = _name(running.account())
    try:
        files = sorted(accounts_folder().glob("*.json"))
    except OSError:
        return None
    if any(file.name == own for file in files):
        return None
    for file in files:
        try:
            return codec.decode(file.read_bytes(), Mark)
        except (codec.DecodeError, OSError):
            log.warning("a mark that cannot be read: %s", file.name)
    return None


def check_only_one() -> None:
    """Raises InputRefused `first_start.other_account` when another account has this PC's station."""
    mark = other()
    if mark is not None:
        raise InputRefused("first_start.other_account", account=mark.account, station=mark.station_name)


def _name(account: str) -> str:
    return hashlib.sha256(account.casefold().encode()).hexdigest()[:16] + ".json"
