"""What is the same for every call: zstd, limits, request ids, `Date`, problems; and the whole over a real socket."""

from __future__ import annotations

import json
import logging
import re
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from app.central.envelope import MAX_BODY
from app.central.refusals import CODES
from app.central.schema import SCHEMA_VERSION
from app.central.server import CentralServer
from app.errors import EnvironmentTrouble
from tests.central.test_enrolment import problem
from tests.central.world import World, in_threads

PACK = zstandard.ZstdCompressor().compress
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """SQLite alone: nothing here depends on the database."""
    return f"sqlite:///{tmp_path / 'central.db'}"


def post(world: World, content: bytes, **headers: str) -> httpx.Response:
    """A batch with these bytes."""
    token = world.station().access_token
    return world.call("POST", "/v1/events/batch", token=token, content=content, headers={**JSON, **headers})


def test_bodies_travel_packed_both_ways(world: World) -> None:
    station = world.station()
    body = json.dumps({"station_id": station.id, "events": [station.touch() for _ in range(20)]}).encode()
    headers = {**JSON, "Content-Encoding": "zstd", "Accept-Encoding": "gzip, zstd;q=0.5"}
    answer = world.call("POST", "/v1/events/batch", token=station.access_token, content=PACK(body), headers=headers)
    assert answer.headers["content-encoding"] == "zstd"
    assert len(answer.json()["results"]) == 20  # httpx unpacks
    assert int(answer.headers["content-length"]) < len(answer.content)


@pytest.mark.parametrize("accept", ["identity", "gzip", "zstd;q=0", ""])
def test_an_answer_is_packed_only_when_asked(world: World, accept: str) -> None:
    answer = world.call("GET", "/v1/openapi.json", headers={"Accept-Encoding": accept})
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"


def test_two_frames_are_one_body(world: World) -> None:
    answer = post(world, PACK(b'{"station_id":') + PACK(b'"x","events":[]}'), **{"Content-Encoding": "zstd"})
    assert problem(answer) == (403, "station_mismatch")


@pytest.mark.parametrize("size", [MAX_BODY + 1, 2_000_000_000])
def test_a_bomb_is_refused_before_it_unfolds(world: World, size: int) -> None:
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    chunk = bytes(1 << 20)
    parts = [packer.compress(chunk) for _ in range(min(size, 300 << 20) >> 20)]
    bomb = b"".join([*parts, packer.compress(b" " * (MAX_BODY + 1)), packer.flush()])
    assert len(bomb) < 1 << 20
    assert problem(post(world, bomb, **{"Content-Encoding": "zstd"})) == (413, "too_large")


def test_too_large_without_packing(world: World) -> None:
    assert problem(post(world, b" " * (MAX_BODY + 1))) == (413, "too_large")
    assert problem(post(world, b" " * MAX_BODY)) == (400, "not_json")


def test_not_what_it_says_it_is(world: World) -> None:
    assert problem(post(world, b"{}", **{"Content-Encoding": "zstd"})) == (400, "bad_encoding")
    assert problem(post(world, PACK(b"{}" * 100)[:-5], **{"Content-Encoding": "zstd"}))[0] == 400
    answer = post(world, b"{}", **{"Content-Encoding": "gzip"})
    assert problem(answer) == (415, "unsupported_encoding")
    assert answer.headers["accept-encoding"] == "zstd"
    assert problem(post(world, b"{}", **{"Content-Type": "text/plain"})) == (415, "unsupported_media_type")
    assert problem(post(world, b"{}", **{"Content-Type": "application/json; charset=utf-8"}))[0] == 422


def test_unknown_addresses_and_methods(world: World) -> None:
    for path in ("/", "/v1", "/v1/nope", "/v1/sites/x/y", "/schema"):
        assert problem(world.call("GET", path)) == (404, "not_found")
    assert problem(world.call("DELETE", "/v1/sites")) == (405, "method_not_allowed")
    assert problem(world.call("GET", "/v1/events/batch")) == (405, "method_not_allowed")


def test_request_ids_come_back(world: World) -> None:
    for path in ("/healthz", "/nope"):
        assert world.call("GET", path, headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
        for odd in ("", "a b", "x" * 129):
            answer = world.call("GET", path, headers={"X-Request-ID": odd})
            assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])


def test_date_is_the_centres_clock(world: World) -> None:
    for path in ("/healthz", "/nope"):
        assert world.call("GET", path).headers.get_list("date") == ["Sat, 21 Nov 2026 01:00:00 GMT"]


def test_a_fault_is_logged_and_its_insides_are_hidden(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("app.central.calls.authenticate", broken)
    with caplog.at_level(logging.ERROR):
        answer = world.call("GET", "/v1/sites", headers={"X-Request-ID": "r-1"})
    assert problem(answer) == (500, "internal")
    assert "secret" not in answer.text
    assert "r-1" in caplog.text
    assert "the secret inside" in caplog.text


def test_healthz(world: World) -> None:
    assert world.call("GET", "/healthz").json() == {"status": "ok", "schema": SCHEMA_VERSION}


def test_every_code_belongs_to_one_status() -> None:
    assert all(400 <= status < 600 and title for status, title in CODES.values())


def test_over_a_real_socket(world: World) -> None:
    server = CentralServer(world.app)
    server.start()
    try:
        station = world.station()
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {station.access_token}"}) as client:
            for path in ("/healthz", "/nope", "/v1/sites"):
                answer = client.get(path)
                assert answer.headers.get_list("date") == ["Sat, 21 Nov 2026 01:00:00 GMT"]
                assert "server" not in answer.headers
            body = {"station_id": station.id, "events": [station.touch() for _ in range(3)]}
            packed = PACK(json.dumps(body).encode())
            answer = client.post("/v1/events/batch", content=packed, headers={**JSON, "Content-Encoding": "zstd"})
            assert [r["verdict"] for r in answer.json()["results"]] == ["accepted"] * 3
            etag = client.get("/v1/sites").headers["etag"]
            assert client.get("/v1/sites", headers={"If-None-Match": etag}).status_code == 304
            beat = {"app_version": "1", "pending": 0, "rejected": 0, "oldest_pending_at": None, "skew_ms": None}
            assert client.post(f"/v1/stations/{station.id}/heartbeat", json=beat).status_code == 204
            assert problem(client.post("/v1/token", content=(b" " * 65536 for _ in range(200)))) == (413, "too_large")

        def many(_: int) -> set[int]:
            with httpx.Client(base_url=server.url) as client:
                return {client.get("/healthz").status_code for _ in range(5)}

        assert in_threads(8, many) == [{200}] * 8
    finally:
        server.stop()
        server.stop()


def test_an_address_in_use(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(EnvironmentTrouble, match="cannot_listen"):
            CentralServer(world.app, "127.0.0.1", taken.getsockname()[1]).start()
