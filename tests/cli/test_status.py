"""`status` as a person hears it: everything in sentences, what needs somebody with its remedy."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.cli import status_words
from app.demo.office_pictures import NOW, make_station
from app.settings import DataDir
from app.ui.gallery_data import GalleryClock
from app.wiring.station import open_station


@pytest.fixture(scope="module")
def status(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of a real station that has never been at its centre."""
    data, clock = DataDir.at(tmp_path_factory.mktemp("status") / "station"), GalleryClock(NOW)
    make_station(data, clock)
    with open_station(data, look=True, clock=clock) as station:
        return station.status()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_line_is_a_sentence_and_no_field_of_a_program(status: dict[str, Any], language: str) -> None:
    worse = status | {
        "rejected": 3,
        "last_error": "sync.offline_dns",
        "last_sync_at": "2026-11-20T07:40:00+00:00",
        "chain_broken": True,
        "readers": [{"reader": "pcsc:1", "label": "PaSoRi", "condition": "ready"}],
    }
    for one in (status, worse, status | {"pending": 0, "last_error": "sync.never_heard_of"}):
        said = list(status_words.lines(one, language))
        assert len(said) >= 6
        for line in said:
            assert not re.match(r"[a-z_]+: ", line), line
            assert "{" not in line
            assert "None" not in line


def test_what_waits_and_what_was_refused_comes_with_what_to_do(status: dict[str, Any]) -> None:
    said = "\n".join(status_words.lines(status | {"rejected": 3}, "ja"))
    assert f"送信待ちが {status['pending']} 件あります(一番古いものは 2026/11/20 07:" in said
    assert "受け付けなかったものが 3 件" in said
    assert "→ genba-touch rejected" in said
    assert "16:40" in "\n".join(status_words.lines(status | {"last_sync_at": "2026-11-20T07:40:00+00:00"}, "ja"))
