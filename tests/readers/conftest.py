"""Shared by the reader tests: the repository root is importable, and an unexpected log record fails the test."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = str(Path(__file__).parents[2])
if _ROOT not in sys.path:  # `pytest` alone, unlike `python -m pytest`, leaves it out
    sys.path.insert(0, _ROOT)

from tests.helpers import vpcd_bench  # noqa: E402


@pytest.fixture
def expected_logs() -> list[str]:
    """Parts of log texts (WARNING and above) that this test provokes on purpose."""
    return []


@pytest.fixture(autouse=True)
def _no_unexpected_log(caplog: pytest.LogCaptureFixture, expected_logs: list[str]) -> Iterator[None]:
    yield
    records = [r for when in ("setup", "call") for r in caplog.get_records(when) if r.levelno >= logging.WARNING]
    unexpected = [r.getMessage() for r in records if not any(part in r.getMessage() for part in expected_logs)]
    assert not unexpected


@pytest.fixture
def bench() -> Iterator[vpcd_bench.Bench]:
    """A real pcscd with an emulated reader of two slots; on our own machines its absence is a failure."""
    lacking = vpcd_bench.missing()
    if lacking is not None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have the real PC/SC stack: {lacking}")
        pytest.skip(lacking)
    with vpcd_bench.Bench() as started:
        yield started
