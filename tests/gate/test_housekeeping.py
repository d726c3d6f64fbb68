"""The daily backup runs by itself, and its failure is said and mended by itself."""

from __future__ import annotations

import threading
from pathlib import Path

from app.errors import StorageTrouble
from app.gate.housekeeping import Housekeeping
from app.store.backup import Backups
from tests.gate.conftest import Bench

CARD = "felica:0140000000000001"


def test_a_verified_copy_is_made_without_asking(bench: Bench) -> None:
    bench.card(CARD)
    made = threading.Event()

    class Told(Backups):
        def daily(self) -> Path | None:
            path = super().daily()
            made.set()
            return path

    backups = Told(bench.db)
    keeper = Housekeeping(backups, first_after_s=0.01)
    keeper.start()
    assert made.wait(20)
    keeper.stop()
    assert [path.name for path in backups.list()] == ["genba-touch-2026-11-20.db"]
    assert keeper.trouble() == ()


def test_a_failed_copy_is_said_until_one_succeeds(bench: Bench, expected_logs: list[str]) -> None:
    expected_logs.append("backup: store.disk_full")
    tries = threading.Semaphore(0)
    fail = [True]

    class Sick(Backups):
        def daily(self) -> Path | None:
            tries.release()
            if fail[0]:
                raise StorageTrouble("store.disk_full", "disk")
            return None

    keeper = Housekeeping(Sick(bench.db), first_after_s=0.01, every_s=0.01)
    keeper.start()
    for _ in range(3):
        assert tries.acquire(timeout=10)
    assert keeper.trouble() == ("health.backup_failed",)
    fail[0] = False
    for _ in range(3):
        assert tries.acquire(timeout=10)
    keeper.stop()
    assert keeper.trouble() == ()
