"""Broken chains and odd times at a centre, from the command line."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from app import codec
from app.central import incidents as chain_incidents
from app.central.database import CentralDatabase
from app.central.oddities import odd_events
from app.clock import SystemClock
from app.wiring.centre_admin import act


def incidents(url: str) -> dict[str, Any]:
    """`{incidents: […], odd_events: […]}`, see app.central.incidents and app.central.oddities."""
    with closing(CentralDatabase.open(url, new=False)) as db:
        return {
            "incidents": codec.plain(chain_incidents.incidents(db)),
            "odd_events": codec.plain(odd_events(db)),
        }


def close_incident(url: str, incident_id: str, reason: str) -> None:
    """Close an incident. Raises InputRefused without a reason, and for one that is not open."""
    with closing(CentralDatabase.open(url, new=False)) as db:
        chain_incidents.close_incident(db, SystemClock(), incident_id, act(reason))
