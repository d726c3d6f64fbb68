"""A card profile from provisioning.toml to the centre: the worker whom the card names has his touch there."""

from __future__ import annotations

import json
from pathlib import Path

from tests.helpers import sample_card
from tests.helpers.central_judge import centre_events
from tests.helpers.station_rig import Rig, ask
from tests.helpers.tiny_site import tiny_site

WORKER = "91000000000002"
SETTINGS = 'card_profiles = ["sample-felica-digits"]\n'


def test_a_card_without_a_roster_card_is_its_worker_s(tmp_path: Path) -> None:
    site = tiny_site(workers=3, accepted=["open"])
    site["cards"] = []
    rig = Rig(tmp_path, site, station_settings=SETTINGS)
    try:
        gate = rig.start_gate()
        good = {"3E0B": sample_card.sample_blocks(worker=WORKER)}
        assert rig.touch(sample_card.IDM, blocks=good)
        told = gate.wait(lambda e: e["event"] == "touch")
        assert (told["worker_id"], told["assurance"], told["outcome"]) == (WORKER, "open", "recorded")
        wrong = {"3E0B": sample_card.sample_blocks(worker=WORKER, number=sample_card.WRONG_NUMBER)}
        assert rig.touch(sample_card.IDM, blocks=wrong)
        refused = gate.wait(lambda e: e["event"] == "touch" and e["outcome"] == "refused")
        assert (refused["worker_id"], refused["reasons"]) == (None, ["card_content"])
        rig.drained()
        assert gate.terminate() == 0
        arrived = centre_events(rig.centre_data)
        assert [(e["type"], e["payload"]["card_key"], e["payload"].get("worker_id")) for e in arrived] == [
            ("touch", sample_card.KEY, WORKER),
            ("refusal", f"felica:{sample_card.IDM}", None),
        ]
        # its file is spoilt: the gate says so and stays shut, rather than taking less than the office asked for
        folder = rig.station_data / "card_profiles"
        folder.mkdir()
        (folder / "sample-felica-digits.toml").write_text("schema = 2\n", encoding="utf-8")
        shut = ask(rig.station_data, "gate", "--headless", "--reader", rig.reader, "--seconds", "5")
        assert shut.returncode == 3
        assert "sample-felica-digits.toml: $" in shut.stderr
        checks = json.loads(ask(rig.station_data, "doctor", "--json").stdout)
        assert checks["first_failed"] == "settings"
    finally:
        rig.close()
