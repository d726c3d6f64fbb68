"""What the gate's buttons make is accepted by the real centre: no event type of the gate is ever rejected."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from app.readers.specs import parse_spec
from app.settings import DataDir
from app.wiring.gate import DEMO_PACE, GateRun, open_gate
from tests.helpers.central_judge import centre_events, centre_records, centre_rejected
from tests.helpers.station_rig import Rig
from tests.helpers.tiny_site import tiny_site


def drained(run: GateRun) -> bool:
    """Whether everything was settled within a minute."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        run.gate.settle()
        if run.station.outbox.counts().pending == 0:
            return True
        time.sleep(0.1)
    return False


def test_every_button_of_the_gate_is_accepted(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    site = tiny_site(workers=4)
    site["cards"][1]["stopped"] = "lost"
    rig = Rig(tmp_path, site)
    request.addfinalizer(rig.close)
    script = tmp_path / "morning.jsonl"
    cards = [card["id"] for card in site["cards"]]
    lines = [
        f'{{"after_s": 0.05, "card": "{card}", "hold_s": 0.02}}'
        for card in [*cards, cards[0], "felica:0199999999999999"]
    ]
    script.write_text("\n".join(lines), encoding="utf-8")
    run = open_gate(DataDir.at(rig.station_data), reader_specs=[parse_spec(f"scripted:{script}")], pace=DEMO_PACE)
    try:
        run.start()
        run.gate.enter_forgotten(site["workers"][3]["id"])
        run.gate.enter_forgotten(site["workers"][3]["id"], "no_card")
        run.gate.set_headcount(site["companies"][1]["id"], 5)
        until = time.monotonic() + 30
        while run.station.events.counts().events < len(lines) + 3 and time.monotonic() < until:
            time.sleep(0.05)
        assert drained(run)
        counts = run.station.events.counts()
    finally:
        run.stop()
    assert centre_rejected(rig.centre_data) == []
    assert (counts.accepted, counts.rejected, counts.conflict) == (len(lines) + 3, 0, 0)
    types = sorted(event["type"] for event in centre_events(rig.centre_data))
    assert types == ["entry", "entry", "headcount", "refusal", *["touch"] * 5]
    workers = {worker for worker, _, _ in centre_records(rig.centre_data)}
    assert workers == {site["workers"][i]["id"] for i in (0, 2, 3)}, "no record of a refused card"
