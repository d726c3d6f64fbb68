"""The large made-up data, small: what comes out is a station's folder like any other, and the same each time."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import SystemClock
from app.codec import decode
from app.demo import crowd, dataset
from app.domain import ids
from app.domain.events import JST
from app.domain.roster import ROSTER_KINDS
from app.domain.site import Site
from app.domain.verdict import LastTouch
from app.domain.work_records import derive
from app.secrets import DATABASE_KEY, KeyFileVault
from app.settings import DataDir
from app.store.database import Database
from app.store.events import EventLog
from app.store.outbox import Outbox
from app.store.roster import RosterStore

SMALL = ["--workers", "20", "--companies", "5", "--touches", "2000", "--years", "1", "--until", "2026-11-20"]


def make(out: Path, *more: str) -> DataDir:
    assert dataset.main(["big", "--out", str(out), *SMALL, *more]) == 0
    return DataDir.at(out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    return make(tmp_path_factory.mktemp("dataset") / "big")


def look(data: DataDir) -> Database:
    settings = data.settings()
    assert settings.key_file is not None
    vault = KeyFileVault(data.root / settings.key_file)
    return Database.look(data.database, vault.require(DATABASE_KEY), SystemClock())


def bodies(db: Database) -> list[dict[str, Any]]:
    with db.looking() as connection:
        return [decode(body, dict) for (body,) in connection.execute("SELECT body FROM event ORDER BY seq")]


def test_a_station_like_any_other(folder: DataDir) -> None:
    assert folder.settings().site_id == crowd.SITE_ID
    identity = folder.identity()
    assert identity is not None
    assert identity.site_ids == (crowd.SITE_ID,)
    with look(folder) as db:
        log, rosters = EventLog(db), RosterStore(db)
        assert log.verify_chain() is None
        assert log.chain_head()[0] == 2000
        assert [site.id for site in rosters.sites()] == [crowd.SITE_ID]
        roster = rosters.load(crowd.SITE_ID)
        assert (len(roster.workers), len(roster.cards), len(roster.companies)) == (20, 20, 5)
        assert {roster.tier(company) for company in roster.companies} == {0, 1, 2, 3}
        assert all(ids.card_key(key) == key and ids.unusable_card(key) is None for key in roster.cards)


def test_all_but_the_last_day_is_sent(folder: DataDir) -> None:
    with look(folder) as db:
        days = [body["payload"]["work_day"] for body in bodies(db)]
        waiting, counts = Outbox(db).next_batch(10_000, 10**9), Outbox(db).counts()
    assert days[-1] == "2026-11-20"
    assert [one.seq for one in waiting] == [seq for seq, day in enumerate(days, 1) if day == days[-1]]
    assert (counts.pending, counts.accepted) == (len(waiting), 2000 - len(waiting))
    assert 0 < len(waiting) < 50


def test_ids_and_times_rise_together(folder: DataDir) -> None:
    with look(folder) as db:
        events = bodies(db)
    for one in events:
        at = datetime.fromisoformat(one["occurred_at"])
        assert int(one["id"].replace("-", "")[:12], 16) == round(at.timestamp() * 1000)
        assert one["id"][14] == "7"
        assert one["id"][19] in "89ab"
        assert at.astimezone(JST).date().isoformat() == one["payload"]["work_day"]
    assert all(one["id"] < other["id"] for one, other in itertools.pairwise(events))


def test_the_patterns_are_plausible(folder: DataDir) -> None:
    with look(folder) as db:
        events, counts = bodies(db), EventLog(db).counts()
    by_id = {one["id"]: one for one in events}
    weekdays = Counter(date.fromisoformat(one["payload"]["work_day"]).weekday() for one in events)
    assert weekdays[6] == 0
    assert weekdays[5] < min(weekdays[day] for day in range(5))
    assert {one["payload"]["reader"] for one in events} == set(crowd.READERS)
    doubles = [one for one in events if "suppressed_by" in one["payload"]]
    assert len(doubles) == counts.suppressed
    assert 10 < len(doubles) < 120
    for one in doubles:
        first = by_id[one["payload"]["suppressed_by"]]
        gap = datetime.fromisoformat(one["occurred_at"]) - datetime.fromisoformat(first["occurred_at"])
        assert timedelta(0) < gap < timedelta(seconds=crowd.SUPPRESS_SECONDS)
        assert one["payload"]["card_key"] == first["payload"]["card_key"]
        assert "suppressed_by" not in first["payload"]
    unknown = [one for one in events if "worker_id" not in one["payload"]]
    assert len(unknown) < 40
    ins, outs = (sum(one["payload"]["direction"] == way for one in events) for way in ("in", "out"))
    assert outs < ins < outs * 1.3


def test_the_gate_and_the_records_work_on_it(folder: DataDir) -> None:
    with look(folder) as db:
        log, roster = EventLog(db), RosterStore(db).load(crowd.SITE_ID)
        last = next(one for one in reversed(bodies(db)) if "worker_id" in one["payload"])
        worker = last["payload"]["worker_id"]
        records = derive(log.month_facts(worker, "2026-11", crowd.SITE_ID), roster)
        assert isinstance(log.last_unsuppressed(last["payload"]["card_key"]), LastTouch)
    assert {record.worker_id for record in records} == {worker}
    assert records[-1].work_day == "2026-11-20"
    assert all(record.company_id and record.occupation and record.role for record in records)


def test_the_same_numbers_make_the_same_chain(tmp_path: Path, folder: DataDir) -> None:
    heads = []
    for data in (folder, make(tmp_path / "again"), make(tmp_path / "other", "--seed", "2")):
        with look(data) as db:
            heads.append(EventLog(db).chain_head())
    assert heads[0] == heads[1]
    assert heads[0] != heads[2]


@pytest.mark.parametrize("touches", [1, 7, 240, 90_001])
def test_exactly_as_many_as_asked_for(touches: int) -> None:
    scale = crowd.Scale(20, 5, touches, 1, date(2026, 11, 20), 1)
    days = list(crowd.days_of_touches(scale))
    assert sum(len(day) for _, day in days) == touches
    assert all(day == sorted(day, key=lambda touch: touch.at_ms) for _, day in days)
    assert all(day[one.first].worker == one.worker for _, day in days for one in day if one.first is not None)


def test_items_are_the_domain_s_own() -> None:
    items = crowd.site_items(crowd.Scale(20, 5, 100, 1, date(2026, 11, 20), 1))
    for item in items:
        shape = Site if item["kind"] == "site" else ROSTER_KINDS[item["kind"]]
        assert set(item) - {"kind"} <= {field.name for field in fields(shape)}


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(SystemExit):
        dataset.main(["big", "--out", str(tmp_path), *SMALL])
    assert "not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
