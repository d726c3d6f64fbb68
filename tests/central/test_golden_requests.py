"""Recorded requests of version 1 are answered for ever: stations in the field cannot all be renewed on one day.

The recordings are those that hold the client (`tests/golden/wire/requests.json`); only names that a centre gives out
(station, site, code, secret, token, cursor) are put in.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from app import codec
from app.domain.events import GENESIS, next_hash
from tests.central.world import SITE, World

REQUESTS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "golden" / "wire" / "requests.json").read_text("utf-8")
)


class Replay:
    """Plays recordings to a centre as one station."""

    def __init__(self, world: World) -> None:
        self.world = world
        # a line break in a reader's name is there to try the client's bytes; a centre takes none
        self.names = {"site-1": SITE, "ABCD-EFGH-JKLM": world.code(SITE), "ゲート\\n1": "ゲート 1"}
        self.token = ""

    def play(self, call: str) -> httpx.Response:
        recorded = REQUESTS[call]
        query = {name: value for name, value in recorded["query"].items() if name != "cursor"}
        headers = {k: v for k, v in recorded["headers"].items() if k not in ("authorization", "if-none-match")}
        answer = self.world.call(
            recorded["method"],
            self._named(recorded["path"]),
            token=self.token if "authorization" in recorded["headers"] else "",
            params=query,
            headers={**headers, "Accept-Encoding": "identity"},
            content=self._body(recorded),
        )
        assert answer.status_code in (200, 201, 204), (call, answer.text)
        return answer

    def enrol(self) -> None:
        """The first two recordings: become a station, get a token."""
        who = self.play("enrol").json()
        self.names |= {"st-1": who["station_id"], "s3cret-value": who["client_secret"]}
        self.token = self.play("token").json()["access_token"]

    def _named(self, text: str) -> str:
        for recorded, given in self.names.items():
            text = text.replace(recorded, given)
        return text

    def _body(self, recorded: dict[str, Any]) -> bytes:
        body = recorded["body"]
        if isinstance(body, str):
            return self._named(body).encode()
        made = json.loads(self._named(json.dumps(body, ensure_ascii=False)))
        if "chain_end" in made:
            made["chain_end"]["hash"] = next_hash(GENESIS, codec.canonical(made["events"][0])).hex()
        return zstandard.compress(json.dumps(made, ensure_ascii=False).encode())


@pytest.fixture
def replay(world: World) -> Replay:
    made = Replay(world)
    made.enrol()
    return made


def test_a_recorded_batch_is_taken_and_the_chain_fits(replay: Replay) -> None:
    answer = replay.play("batch").json()
    assert [(r["id"], r["verdict"]) for r in answer["results"]] == [
        (e["id"], "accepted") for e in REQUESTS["batch"]["body"]["events"]
    ]
    assert answer["chain_state"] == "ok"
    assert [r["verdict"] for r in replay.play("batch").json()["results"]] == ["duplicate"]


@pytest.mark.parametrize("call", sorted(set(REQUESTS) - {"enrol", "token", "batch"}))
def test_every_other_recorded_request_is_answered(replay: Replay, call: str) -> None:
    answer = replay.play(call)
    if call != "heartbeat":
        assert {"items", "cursor", "more"} <= answer.json().keys()


def test_fields_of_a_newer_station_are_ignored(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = json.loads(json.dumps(REQUESTS["batch"]))
    newer["body"]["unknown"] = {"deep": [1]}
    newer["body"]["chain_end"]["unknown"] = 1
    monkeypatch.setitem(REQUESTS, "batch", newer)
    assert [r["verdict"] for r in replay.play("batch").json()["results"]] == ["accepted"]
