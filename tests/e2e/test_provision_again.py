"""Promise: what a break in provisioning left behind is taken up again, and no use of the code is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.errors import EnvironmentTrouble, GenbaError, InputRefused
from app.settings import DataDir
from app.wiring import station as wiring
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
