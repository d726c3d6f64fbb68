"""What whoever runs the centre does from the command line, beside serving it."""

from __future__ import annotations

import getpass
import socket
from contextlib import closing
from datetime import date
from typing import Any

from app import codec
from app.central import administration, audit, erasure, overview, station_life
from app.central import retention as keeping
from app.central.audit import Act
from app.central.database import CentralDatabase
from app.central.enrolment import create_client as create
from app.clock import SystemClock

PAGE = 500


def act(reason: str) -> Act:
    """An act of the person at this command line. Raises InputRefused without a reason."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        user = "?"
    return Act(f"{user}@{socket.gethostname()}", reason)


def stations(url: str) -> list[dict[str, Any]]:
    """Every station, see app.central.overview."""
    found: list[dict[str, Any]] = []
    with closing(CentralDatabase.open(url, new=False)) as db:
        after: str | None = ""
        while after is not None:
            page = overview.stations(db, SystemClock(), after, PAGE)
            found += codec.plain(page.stations)
            after = page.next
    return found


def revoke_station(url: str, station_id: str, reason: str) -> None:
    """Take a station out of service. Raises InputRefused."""
    with closing(CentralDatabase.open(url, new=False)) as db:
        administration.revoke_station(db, SystemClock(), station_id, act(reason))


def rotate_secret(url: str, station_id: str, reason: str) -> None:
    """Have a station change its secret at its next contact. Raises InputRefused."""
    with closing(CentralDatabase.open(url, new=False)) as db:
        station_life.ask_rotation(db, SystemClock(), station_id, act(reason))


def mark_lost(url: str, station_id: str, reason: str, *, found: bool) -> None:
    """A station's PC is lost, or found again. Raises InputRefused."""
    with closing(CentralDatabase.open(url, new=False)) as db:
        station_life.mark_lost(db, SystemClock(), station_id, act(reason), found=found)


def move_station(url: str, station_id: str, site_id: str, reason: str) -> list[str]:
    """Give a station to a site; the sites it left. Raises InputRefused."""
    with closing(CentralDatabase.open(url, new=False)) as db:
        return administration.move_station(db, SystemClock(), station_id, site_id, act(reason))


def close_site(url: str, site_id: str, last_day: date, reason: str, *, withdraw: bool) -> None:
    """Close a site after a work day. Raises InputRefused."""
    with closing(CentralDatabase.open(url, new=False)) as db:
        administration.close_site(db, SystemClock(), site_id, last_day, act(reason), withdraw=withdraw)


def create_client(url: str, kind: str, name: str, reason: str) -> dict[str, Any]:
    """An administrator's or a viewer's id and secret."""
    with closing(CentralDatabase.open(url)) as db:
        plain: dict[str, Any] = codec.plain(create(db, SystemClock(), name, kind, act(reason)))
    return plain


def erase_person(url: str, worker_id: str, reason: str, *, dry_run: bool) -> dict[str, Any]:
    """Erase a person; what was found and done. Raises InputRefused."""
    with closing(CentralDatabase.open(url, new=False)) as db:
        done = erasure.erase_person(db, SystemClock(), worker_id, act(reason), dry_run=dry_run)
    plain: dict[str, Any] = codec.plain(done)
    return plain


def retention(url: str, months: int, reason: str, *, dry_run: bool) -> list[dict[str, Any]]:
    """Erase everybody whose last work is older than so many months; what was done for each. Raises InputRefused."""
    with closing(CentralDatabase.open(url, new=False)) as db:
        plain: list[dict[str, Any]] = codec.plain(
            keeping.retention(db, SystemClock(), months, act(reason), dry_run=dry_run)
        )
    return plain


def audit_rows(url: str, last: int) -> list[dict[str, Any]]:
    """The newest rows of the audit trail."""
    with closing(CentralDatabase.open(url, new=False)) as db:
        plain: list[dict[str, Any]] = codec.plain(audit.rows(db, last))
    return plain
