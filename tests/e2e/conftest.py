"""What several end-to-end tests begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.station_rig import Centre


@pytest.fixture
def centre(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Centre]:
    """A running centre with the module's `SITE`."""
    running = Centre(tmp_path, request.module.SITE)
    yield running
    running.close()
