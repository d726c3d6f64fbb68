"""Two gates of one site agree: counts of the day and of the month, bound cards, and the answer to an entry."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.domain.assurance import Assurance
from app.domain.events import JST, Draft, EventType, rfc3339
from app.domain.verdict import Outcome
from app.gate.news import Announcement, Today
from app.readers.port import CardSeen
from app.readers.specs import parse_spec
from app.settings import DataDir
from app.sync.schedule import Pace
from app.wiring import setup
from app.wiring.gate import GateRun, new_event_id, open_gate
from tests.helpers.station_rig import Centre
from tests.helpers.tiny_site import tiny_site

PACE = Pace(first_delay=0.0, backoff_base=0.1, feed_every=0.3)
NEW_CARD = "felica:0199999999999999"


class Gate:
    """A gate with nobody at its reader but the test."""

    def __init__(self, centre: Centre, folder: Path) -> None:
        folder.mkdir()
        data = DataDir.at(folder / "data")
        setup.provision(data, centre.write_provisioning('key_file = "keys.json"\n'))
        nothing = folder / "nothing.jsonl"
        nothing.write_text('{"after_s": 600, "state": "ready"}\n', encoding="utf-8")
        self.run: GateRun = open_gate(data, reader_specs=[parse_spec(f"scripted:{nothing}")], pace=PACE)
        self.told: list[Announcement] = []
        self.today: list[Today] = []
        self.run.gate.listen(lambda news: self.told.append(news) if isinstance(news, Announcement) else None)
        self.run.gate.listen(lambda news: self.today.append(news) if isinstance(news, Today) else None)
        self.run.start()

    def card(self, key: str, at: datetime) -> Announcement:
        """Put a card on."""
        before = len(self.told)
        self.run.on_reader(CardSeen("test:1", key, Assurance.UID, at))
        self.run.gate.settle()
        assert len(self.told) == before + 1
        return self.told[-1]

    def present(self) -> int:
        """入場 N 人 as shown last."""
        return self.today[-1].present if self.today else -1


def soon(true: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def test_two_gates_agree(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    site = tiny_site(workers=4)
    site["operators"].append({"id": "op-1", "name": "架空 職長", "roles": ["foreman"], "pin_verifier": ""})
    centre = Centre(tmp_path, site)
    request.addfinalizer(centre.close)
    first, second = Gate(centre, tmp_path / "one"), Gate(centre, tmp_path / "two")
    request.addfinalizer(second.run.stop)
    request.addfinalizer(first.run.stop)
    now = first.run.station.clock.now()
    month = now.astimezone(JST).replace(day=1, hour=9, minute=0)
    card, worker = site["cards"][0]["id"], site["workers"][0]["id"]

    # the month: one day at each gate makes two days at both
    assert first.card(card, month).days_this_month == 1
    elsewhere = lambda: second.run.station.events.days_elsewhere(  # noqa: E731
        worker, f"{month:%Y-%m}", centre.site_id, ()
    )
    soon(lambda: bool(elsewhere()), "the first gate's record did not come down")
    assert second.card(card, month + timedelta(days=1)).days_this_month == 2
    # and the day itself is not counted twice
    assert second.card(card, month + timedelta(minutes=5)).days_this_month == 2

    # the day: who came in at the first is in at the second
    first.card(site["cards"][1]["id"], now)
    soon(lambda: first.present() >= 1 and second.present() == first.present(), "the gates count different people")

    # a card bound at one gate's PC is known there at once, and at the other when the feed brings it
    assert first.card(NEW_CARD, now).outcome is Outcome.UNKNOWN_CARD
    assert second.card(NEW_CARD, now).outcome is Outcome.UNKNOWN_CARD
    since, stamp = (now - timedelta(days=1)).astimezone(JST).date().isoformat(), rfc3339(now)
    binding = {"card_key": NEW_CARD, "worker_id": site["workers"][2]["id"], "valid_from": since, "by": "op-1"}
    draft = Draft(new_event_id(), EventType.CARD_BINDING, centre.site_id, stamp, stamp, binding)
    first.run.station.events.append(draft)
    first.run.engine.wake()
    later = now + timedelta(minutes=10)
    assert first.card(NEW_CARD, later).name == site["workers"][2]["name"]
    feed = lambda: second.run.gate.roster.cards.get(NEW_CARD)  # noqa: E731
    soon(lambda: feed() is not None, "the binding did not reach the other gate")
    assert second.card(NEW_CARD, later).name == site["workers"][2]["name"]
