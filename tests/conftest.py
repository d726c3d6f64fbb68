"""For every test: a log record at WARNING or above that nobody expects fails it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def expected_logs() -> list[str]:
    """Parts of log texts (WARNING and above) that a test provokes on purpose; override or append to it."""
    return []


@pytest.fixture(autouse=True)
def _no_unexpected_log(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, expected_logs: list[str]
) -> Iterator[None]:
    """A test that takes `caplog` itself judges its logs itself."""
    yield
    if "caplog" in inspect.signature(request.function).parameters:
        return
    records = [r for when in ("setup", "call") for r in caplog.get_records(when) if r.levelno >= logging.WARNING]
    unexpected = [r.getMessage() for r in records if not any(part in r.getMessage() for part in expected_logs)]
    assert not unexpected
