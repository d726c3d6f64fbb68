"""What a heartbeat says of the PC arrives at the centre; one from an older program is as good."""

from __future__ import annotations

import json
from pathlib import Path

from app import codec
from app.store.backup import disk_space
from app.sync.wire import Heartbeat, PcReport
from app.version import VERSION
from tests.helpers.station_rig import Rig, call
from tests.helpers.tiny_site import tiny_site


def test_the_centre_lists_how_each_pc_is(tmp_path: Path) -> None:
    rig = Rig(tmp_path, tiny_site(workers=1))
    try:
        script = tmp_path / "cards.jsonl"
        script.write_text('{"after_s": 0.3, "card": "felica:0140000000000001"}', encoding="utf-8")
        call(rig.station_data, "gate", "--headless", "--reader", f"scripted:{script}", "--seconds", "2")
        crashes = rig.station_data / "crashes"
        for name, ended in (("1", True), ("2", False)):
            held = {"at": f"2026-01-0{name}T00:00:00+00:00", "kind": "x", "ended": ended}
            (crashes / f"crash-{name}.json").write_text(json.dumps(held))
        updates = rig.station_data / "update"
        updates.mkdir(exist_ok=True)
        (updates / "state.json").write_text('{"found": "9.9.9"}')
        call(rig.station_data, "sync", "--once")
        (station,) = json.loads(call(rig.centre_data, "central", "stations", "--json"))
        pc = station["pc"]
        assert station["app_version"] == VERSION
        assert pc["os"]
        assert pc["last_recorded_at"] > "2026-01-01"
        assert pc["crashed_at"].startswith("2026-01-01")
        assert pc["update"] == "found 9.9.9"
        assert abs(pc["disk_free_mb"] - disk_space(tmp_path).free // 1024**2) < 2000
        table = call(rig.centre_data, "central", "stations")
        assert "found 9.9.9" in table
    finally:
        rig.close()


def test_an_older_programs_is_read_and_nothing_is_sent_that_says_nothing() -> None:
    beat = Heartbeat("9.9", 3, 1, None, None, [])
    assert "pc" not in beat.as_sent()
    assert codec.decode(codec.encode(beat.as_sent()), Heartbeat) == beat
    full = Heartbeat("9.9", 3, 1, None, None, [], PcReport(os="x"))
    assert codec.decode(codec.encode(full.as_sent()), Heartbeat) == full
