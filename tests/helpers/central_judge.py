"""Looks into the centre's own database file with plain SQL: what it holds, whatever anybody says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
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


def judge(
    told: Sequence[str],
    held: Sequence[Mapping[str, Any]],
    status: Mapping[str, Any],
    *,
    at_least: Mapping[str, int],
    at_most: Mapping[str, int],
    cut_short: int,
) -> None:
    """Nothing lost, nothing doubled, whatever was killed.

    `told`: ids that a gate announced as stored. `held`: the centre's events. `status`: the station's, all sent.
    `at_least`, `at_most`: touches by card (`felica:…`). `cut_short`: how often a gate was killed: each time, one touch
    may be stored and not announced any more.
    """
    ids = [str(event["id"]) for event in held]
    assert len(told) == len(set(told)), "an id was announced twice"
    assert len(ids) == len(set(ids)), "the centre holds an id twice"
    missing = set(told) - set(ids)
    assert not missing, f"announced as stored, and not at the centre: {missing}"
    strangers = set(ids) - set(told)
    assert len(strangers) <= cut_short, f"never announced: {strangers}; gates killed: {cut_short}"
    assert sorted(event["seq"] for event in held) == list(range(1, len(held) + 1)), "a hole in the order"
    assert (status["pending"], status["rejected"]) == (0, 0), status
    assert status["accepted"] == len(held) == status["chain_head"]["seq"], status
    times = Counter(str(event["payload"]["card_key"]) for event in held)
    for card in {*times, *at_least}:
        least, most = at_least.get(card, 0), at_most.get(card, 0)
        assert least <= times[card] <= most, f"{card}: {times[card]} times at the centre, not {least} to {most}"


def _rows(centre_data: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(dbapi2.connect(f"file:{centre_data / 'central.db'}?mode=ro", uri=True)) as connection:
        return list(connection.execute(query).fetchall())
