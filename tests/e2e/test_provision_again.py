"""Promise: what a break in provisioning left behind is taken up again, and no use of the code is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.errors import EnvironmentTrouble, GenbaError, InputRefused, StorageTrouble
from app.settings import DataDir
from app.wiring import setup as wiring
from app.wiring.station import open_station
from tests.helpers.station_rig import Centre
from tests.helpers.tiny_site import tiny_site


def test_a_break_after_enrolment_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    centre = Centre(tmp_path, tiny_site())
    request.addfinalizer(centre.close)
    file = centre.write_provisioning('key_file = "keys.json"\n')
    data = DataDir.at(tmp_path / "station")

    def cut(_: Any) -> tuple[dict[str, Any], GenbaError | None]:
        return {}, EnvironmentTrouble("sync.offline_cut", "here")

    monkeypatch.setattr(wiring, "sync_once", cut)
    with pytest.raises(EnvironmentTrouble, match="offline_cut"):
        wiring.provision(data, file)
    identity = data.identity()
    assert identity is not None
    monkeypatch.undo()
    done = wiring.provision(data, file)
    assert (done["station_id"], done["workers"]) == (identity.station_id, 5)
    with pytest.raises(InputRefused, match="already_enrolled"):
        wiring.provision(data, file)


def test_lost_settings_come_back_from_the_file(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    centre = Centre(tmp_path, tiny_site())
    request.addfinalizer(centre.close)
    file = centre.write_provisioning('key_file = "keys.json"\n')
    data = DataDir.at(tmp_path / "station")
    first = wiring.provision(data, file)
    (data.root / "settings.toml").unlink()
    assert wiring.provision(data, file)["station_id"] == first["station_id"]
    with pytest.raises(InputRefused, match="already_enrolled"):
        wiring.provision(data, file)


def test_a_lost_database_is_no_second_beginning(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    centre = Centre(tmp_path, tiny_site())
    request.addfinalizer(centre.close)
    file = centre.write_provisioning('key_file = "keys.json"\n')
    data = DataDir.at(tmp_path / "station")
    wiring.provision(data, file)
    for path in data.root.glob("genba-touch.db*"):
        path.unlink()
    with pytest.raises(StorageTrouble, match=r"store\.lost"):
        open_station(data)
    assert not data.database.exists()


def test_a_reader_that_is_none_is_refused_before_anything_is_done(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    centre = Centre(tmp_path, tiny_site())
    request.addfinalizer(centre.close)
    data = DataDir.at(tmp_path / "station")
    for lines, where in (('readers = ["pcsc", "bogus"]\n', "$.readers[1]"),):
        with pytest.raises(InputRefused) as caught:
            wiring.provision(data, centre.write_provisioning(f'key_file = "keys.json"\n{lines}'))
        assert caught.value.where.endswith(where)
    with pytest.raises(InputRefused, match="enrol_shape"):
        wiring.provision(data, centre.write_provisioning('key_file = "keys.json"\n'), "ABCD")
    assert not data.root.exists(), "nothing was changed"
