"""Promise: a restored old copy that recorded on loses nothing, and nothing in it is sent under another id."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.domain.events import Draft, EventType, rfc3339
from app.errors import CentreRefused, InputRefused
from app.settings import DataDir
from app.store.meta import Meta
from app.wiring import setup
from app.wiring.gate import new_event_id
from app.wiring.station import CHAIN_BROKEN, Station, open_station, sync_once
from tests.helpers.central_judge import centre_events
from tests.helpers.station_rig import Centre
from tests.helpers.tiny_site import tiny_site


def record(station: Station, site_id: str, card: str, count: int) -> list[str]:
    """Touches of a card; their ids."""
    stamp = rfc3339(station.clock.now())
    payload = {
        "card_key": card,
        "direction": "in",
        "work_day": stamp[:10],
        "assurance": "uid",
        "reader": "test:1",
        "source": "card",
        "clock": {"skew_ms": 0, "suspect": False},
    }
    drafts = [Draft(new_event_id(), EventType.TOUCH, site_id, stamp, stamp, payload) for _ in range(count)]
    return [one.id for one in station.events.append_many(drafts)]


def test_a_restored_copy_goes_on(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    site = tiny_site(workers=3)
    centre = Centre(tmp_path, site)
    request.addfinalizer(centre.close)
    card = site["cards"][0]["id"]
    data, copy = DataDir.at(tmp_path / "data"), DataDir.at(tmp_path / "copy")
    setup.provision(data, centre.write_provisioning('key_file = "keys.json"\n'))
    with open_station(data) as station:
        ids = record(station, centre.site_id, card, 5)
        assert sync_once(station)[1] is None
        unsent_then = record(station, centre.site_id, card, 2)
    shutil.copytree(data.root, copy.root)
    with open_station(data) as station:
        after = record(station, centre.site_id, card, 3)
        assert sync_once(station)[1] is None  # and then this PC is lost

    with open_station(copy) as station:
        new = record(station, centre.site_id, card, 4)
        _, error = sync_once(station)
        assert error is not None
        assert error.code == "sync.chain_broken"
        counts = station.outbox.counts()
        assert (counts.accepted, counts.conflict) == (5 + 2 + 1, 3), "three seqs were used by what was lost"
        assert station.status()["chain_broken"] is True
    with pytest.raises(InputRefused):
        setup.rejoin(copy, "no code")
    with pytest.raises(CentreRefused):
        setup.rejoin(copy, "AAAA-BBBB-CCCJ")
    with open_station(copy) as station:
        assert station.outbox.counts().conflict == 3, "a refusal changes nothing"
        old_id = station.identity.station_id

    done = setup.rejoin(copy, centre.issue_code())
    assert (done["last_common_seq"], done["resent"]) == (5 + 2, 4)
    assert done["station_id"] != old_id
    with open_station(copy) as station:
        assert Meta(station.db).get(CHAIN_BROKEN) == "0"
        result, error = sync_once(station)
        assert error is None, str(error)
        assert (result["pending"], result["rejected"], result["chain_state"]) == (0, 0, "ok")
        new += record(station, centre.site_id, card, 2)
        result, error = sync_once(station)
        assert error is None, str(error)
        assert result["chain_state"] == "ok"
    there = [event["id"] for event in centre_events(centre.centre_data)]
    assert sorted(there) == sorted(ids + unsent_then + after + new), "each touch once, under its own id"
