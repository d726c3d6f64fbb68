"""How loud a standing warning is: what refuses people or loses records shouts, what can wait whispers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.gate.health import HealthFacts, warnings
from app.gate.news import WarningLevel
from app.store.backup import DiskSpace, SpaceLevel

NOW = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


def levels(*trouble: str) -> list[tuple[str, WarningLevel]]:
    facts = HealthFacts(NOW, 0, None, DiskSpace(10**12, 10**12, SpaceLevel.OK), False, 5, NOW, trouble)
    return [(warning.code, warning.level) for warning in warnings(facts)]


@pytest.mark.parametrize(
    ("code", "level"),
    [
        ("health.secure_crl_old", WarningLevel.WHISPER),
        ("health.secure_crl_too_old", WarningLevel.SHOUT),
        ("health.secure_no_crl", WarningLevel.SHOUT),
        ("health.secure_root_expired", WarningLevel.SHOUT),
        ("health.secure_trust_broken", WarningLevel.SHOUT),
        ("health.secure_only_unproven", WarningLevel.SHOUT),
        ("health.backup_failed", WarningLevel.SHOUT),
        ("sync.chain_broken", WarningLevel.SHOUT),
    ],
)
def test_trouble_is_as_loud_as_what_it_does_to_people(code: str, level: WarningLevel) -> None:
    assert levels(code) == [(code, level)]


def test_the_loudest_comes_first() -> None:
    told = levels("health.secure_crl_old", "health.backup_failed")
    assert told == [("health.backup_failed", WarningLevel.SHOUT), ("health.secure_crl_old", WarningLevel.WHISPER)]
