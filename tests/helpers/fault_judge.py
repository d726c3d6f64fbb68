"""Judges a station and the centre by plain SQL on copies of their database files; nothing of `app` is imported.

What a gate said on its screen ("recorded") comes from outside; everything else is read where it lies.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlcipher3 import dbapi2


@dataclass
class Held:
    """A database's events. `station` and `centre` use the fields they have."""

    ids: list[str] = field(default_factory=list)
    body: dict[str, bytes] = field(default_factory=dict)
    seqs: list[int] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def cards(self) -> Counter[str]:
        """How often each card was stored."""
        return Counter(str(json.loads(body)["payload"].get("card_key")) for body in self.body.values())


@contextmanager
def copy_of(database: Path, key: bytes | None = None) -> Iterator[Any]:
    """A connection to a copy of a database and its WAL: what a process finds that starts now."""
    with tempfile.TemporaryDirectory(prefix="genba-judge-") as folder:
        for name in (database.name, f"{database.name}-wal"):
            if (database.parent / name).exists():
                shutil.copyfile(database.parent / name, Path(folder) / name)
        with closing(dbapi2.connect(str(Path(folder) / database.name))) as connection:
            if key is not None:
                connection.execute("PRAGMA cipher_log_level=NONE")
                connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
            yield connection


def station_holds(database: Path, key: bytes) -> Held:
    """A station's events in order; `wrong`: what SQLite's own check and the chain of hashes say against the file."""
    held = Held()
    with copy_of(database, key) as sql:
        for (said,) in sql.execute("PRAGMA integrity_check").fetchall():
            if said != "ok":
                held.wrong.append(f"integrity_check: {said}")
        link = bytes(32)
        query = "SELECT e.seq, e.id, e.body, e.hash, o.state FROM event e LEFT JOIN outbox o USING (seq) ORDER BY seq"
        for seq, id_, body, stored, state in sql.execute(query).fetchall():
            link = hashlib.sha256(link + body).digest()
            if link != stored:
                held.wrong.append(f"the chain breaks at {seq}")
                link = stored
            if state is None:
                held.wrong.append(f"{seq} has no place in the outbox")
            held.ids.append(id_)
            held.seqs.append(seq)
            held.body[id_] = body
            held.states[id_] = state
    return held


def centre_holds(database: Path, station_id: str) -> Held:
    """What the centre holds of a station, in the order of seq."""
    held = Held()
    with copy_of(database) as sql:
        for (said,) in sql.execute("PRAGMA integrity_check").fetchall():
            if said != "ok":
                held.wrong.append(f"the centre's integrity_check: {said}")
        rows = sql.execute(
            "SELECT seq, id, body FROM event WHERE station_id = ? ORDER BY seq", (station_id,)
        ).fetchall()
        for seq, id_, body in rows:
            held.ids.append(id_)
            held.seqs.append(seq)
            held.body[id_] = bytes(body)
        broken = sql.execute("SELECT chain_broken FROM station WHERE id = ?", (station_id,)).fetchone()
        if broken is None or broken[0]:
            held.wrong.append("the centre says that the chain is broken")
    return held


def at_any_time(shown: Counter[str], station: Held, centre: Held, presented: Mapping[str, int]) -> list[str]:
    """What is wrong, whatever happens at the moment: acknowledged ⊆ centre ⊆ stored, and shown ⊆ stored, each once.

    `shown`: how often each id was announced as recorded. `presented`: how often each card was held out at most.
    """
    wrong = [*station.wrong, *centre.wrong]
    wrong += [f"lost: {id_} was shown as recorded and is not stored" for id_ in set(shown) - set(station.ids)]
    wrong += [f"doubled: {id_} was shown {times} times" for id_, times in shown.items() if times > 1]
    acknowledged = {id_ for id_, state in station.states.items() if state == "accepted"}
    wrong += [f"lost: {id_} is acknowledged and not at the centre" for id_ in acknowledged - set(centre.ids)]
    refused = {id_ for id_, state in station.states.items() if state not in ("accepted", "waiting")}
    wrong += [f"refused: {id_} is {station.states[id_]}" for id_ in refused]
    for who, held in (("station", station), ("centre", centre)):
        wrong += [f"doubled: the {who} holds {id_} {n} times" for id_, n in Counter(held.ids).items() if n > 1]
        wrong += [f"doubled: the {who} holds seq {seq} {n} times" for seq, n in Counter(held.seqs).items() if n > 1]
    wrong += [f"invented: {id_} is at the centre alone" for id_ in set(centre.ids) - set(station.ids)]
    both = set(centre.ids) & set(station.ids)
    wrong += [f"altered: {id_} differs at the centre" for id_ in both if centre.body[id_] != station.body[id_]]
    wrong += [
        f"doubled: {card} was held out {presented.get(card, 0)} times and stored {times} times"
        for card, times in station.cards().items()
        if times > presented.get(card, 0)
    ]
    if station.seqs != list(range(1, len(station.seqs) + 1)):
        wrong.append("the station's order has a hole")
    return wrong


def when_drained(station: Held, centre: Held) -> list[str]:
    """What is wrong once the faults are over and nothing waits."""
    wrong = [f"waits for ever: {id_}" for id_, state in station.states.items() if state != "accepted"]
    waiting = {id_ for id_, state in station.states.items() if state == "waiting"}
    wrong += [f"lost: {id_} never reached the centre" for id_ in set(station.ids) - set(centre.ids) - waiting]
    if centre.seqs != list(range(1, len(station.seqs) + 1)):
        wrong.append("the centre's order has a hole")
    return wrong


def records_are_right(database: Path) -> list[str]:
    """Work records against touches, worked out anew (`compare_records`)."""
    with copy_of(database) as sql:
        query = "SELECT body, received_at FROM event ORDER BY receipt"
        events = [(json.loads(row[0]), str(row[1])) for row in sql.execute(query).fetchall()]
        rows = sql.execute("SELECT worker_id, work_day, site_id, events FROM work_record").fetchall()
    return compare_records(events, {(row[0], row[1], row[2]): set(json.loads(row[3])) for row in rows})


def compare_records(
    events: Iterable[tuple[Mapping[str, Any], str]], found: Mapping[tuple[str, str, str], set[str]]
) -> list[str]:
    """Where records (worker, day, site → ids that count) are not one for each worker, day and site with a touch.

    `events`: with the moment of receipt. Suppressed touches do not count, nor those of a day that cannot be: before
    2000, or later than the day after the receipt (Japan's time). Only for a centre that got nothing but touches.
    """
    wanted: dict[tuple[str, str, str], set[str]] = {}
    for event, received_at in events:
        touch = event["payload"]
        received = datetime.fromisoformat(received_at).astimezone(ZoneInfo("Asia/Tokyo")).date()
        possible = "2000-01-01" <= touch["work_day"] <= (received + timedelta(days=1)).isoformat()
        if event["type"] == "touch" and touch.get("worker_id") and not touch.get("suppressed_by") and possible:
            wanted.setdefault((touch["worker_id"], touch["work_day"], event["site_id"]), set()).add(event["id"])
    return [
        f"work record {key}: {len(found.get(key, ()))} touches, not {len(wanted.get(key, ()))}"
        for key in {*wanted, *found}
        if wanted.get(key, set()) != found.get(key, set())
    ]
