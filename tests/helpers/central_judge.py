"""Looks into the centre's own database file with plain SQL: what it holds, whatever anybody says."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2


def centre_events(centre_data: Path) -> list[dict[str, Any]]:
    """Every event that the centre took, in the order of receipt."""
    return [json.loads(row[0]) for row in _rows(centre_data, "SELECT body FROM event ORDER BY receipt")]


def centre_rejected(centre_data: Path) -> list[tuple[str, str]]:
    """(id, code) of every event that it refused."""
    return [(row[0], row[1]) for row in _rows(centre_data, "SELECT id, code FROM rejected_event ORDER BY seq")]


def centre_records(centre_data: Path) -> list[tuple[str, str, str]]:
    """(worker, work day, site) of every work record that stands."""
    query = "SELECT worker_id, work_day, site_id FROM work_record WHERE events <> '[]' ORDER BY 1, 2, 3"
    return [(row[0], row[1], row[2]) for row in _rows(centre_data, query)]


def _rows(centre_data: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(dbapi2.connect(f"file:{centre_data / 'central.db'}?mode=ro", uri=True)) as connection:
        return list(connection.execute(query).fetchall())
