"""Shared by the reader tests: the repository root is importable, and a real pcscd."""

from __future__ import annotations

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
def bench() -> Iterator[vpcd_bench.Bench]:
    """A real pcscd with an emulated reader of two slots; on our own machines its absence is a failure."""
    lacking = vpcd_bench.missing()
    if lacking is not None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have the real PC/SC stack: {lacking}")
        pytest.skip(lacking)
    with vpcd_bench.Bench() as started:
        yield started
