"""Version 1 on the wire, recorded once and held for ever: what a station asks, and the answers it must understand.

The recordings were written by hand from docs/contract.md. A recorded request that changes is another version of the
contract; a recorded answer that is no longer read would cut off every station in the field.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import codec
from app.sync.http import CentreClient
from app.sync.trouble import AuthFailed, BadRequest, Busy, Forbidden, UpgradeNeeded
from app.sync.wire import ChainEnd, EnrolRequest, Heartbeat, ReaderReport
from tests.helpers.tiny_centre import Reply, Seen, TinyCentre
from tests.sync.conftest import draft

GOLDEN = Path(__file__).parent.parent / "golden" / "wire"
REQUESTS: dict[str, dict[str, Any]] = json.loads((GOLDEN / "requests.json").read_text("utf-8"))
ANSWERS: dict[str, dict[str, Any]] = json.loads((GOLDEN / "answers.json").read_text("utf-8"))
HELD = ("content-type", "content-encoding", "accept", "accept-encoding", "if-none-match", "authorization")

CALLS: dict[str, Callable[[CentreClient], object]] = {
    "enrol": lambda c: c.enrol(EnrolRequest("ABCD-EFGH-JKLM", "inst-1", "第1ゲート", "9.9")),
    "token": lambda c: c.sites(None),
    "batch": lambda c: c.push([codec.canonical(draft(1).numbered(1).as_wire())], ChainEnd(1, "0" * 64)),
    "sites": lambda c: c.sites("c 1", 'W/"e1"'),
    "roster": lambda c: c.roster("site-1", None),
    "events": lambda c: c.events("site-1", ("entry", "approval"), "c2"),
    "work_records": lambda c: c.work_records("site-1", "2026-11", "c3"),
    "heartbeat": lambda c: c.heartbeat(
        Heartbeat("9.9", 3, 1, "2026-11-20T09:00:01.000+09:00", -4, [ReaderReport("pcsc:x", "リーダー A", "ready")])
    ),
}


def as_recorded(seen: Seen) -> dict[str, Any]:
    text = seen.body.decode()
    return {
        "method": seen.method,
        "path": seen.path,
        "query": seen.query,
        "headers": {name: seen.headers[name] for name in HELD if name in seen.headers},
        "body": text if seen.path == "/v1/token" or not text else json.loads(text),
    }


def play(centre: TinyCentre, client: CentreClient, call: str) -> tuple[Seen, object]:
    """Make a call to a centre that says nothing but what was recorded; the request it saw, and what the call gave."""
    path = "/v1/token" if call == "token" else REQUESTS[call]["path"]

    def say(seen: Seen) -> Reply | None:
        if seen.path == path:
            return _reply(ANSWERS[call])
        return _reply(ANSWERS["sites"]) if call == "token" else None

    centre.before = say
    result = CALLS[call](client)
    (seen,) = (one for one in centre.seen if one.path == path)
    return seen, result


@pytest.mark.parametrize("call", CALLS)
def test_a_request_is_as_recorded(centre: TinyCentre, client: CentreClient, call: str) -> None:
    seen, _ = play(centre, client, call)
    assert as_recorded(seen) == REQUESTS[call]


@pytest.mark.parametrize("call", CALLS)
def test_an_answer_of_a_newer_centre_is_understood(centre: TinyCentre, client: CentreClient, call: str) -> None:
    """Each recorded answer has fields that this version does not know, at every level."""
    assert ANSWERS[call]["status"] == 204 or "unknown" in ANSWERS[call]["body"]
    _, result = play(centre, client, call)
    assert (result is None) == (call == "heartbeat")


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (401, "token_invalid", AuthFailed),
        (403, "station_revoked", Forbidden),
        (404, "not_found", BadRequest),
        (426, "upgrade_needed", UpgradeNeeded),
        (429, "busy", Busy),
        (503, "storage_unavailable", Busy),
    ],
)
def test_a_recorded_problem_is_understood(
    centre: TinyCentre, client: CentreClient, status: int, code: str, trouble: type[Exception]
) -> None:
    problem = ANSWERS["problem"]["body"] | {"status": status, "code": code}
    body = json.dumps(problem).encode()
    refusal = Reply(status, body, {"Content-Type": "application/problem+json"})
    centre.before = lambda seen: None if seen.path == "/v1/token" else refusal
    with pytest.raises(trouble):
        client.roster("site-1", None)


def _reply(recorded: dict[str, Any]) -> Reply:
    if recorded["status"] == 204:
        return Reply(204)
    return Reply.of(recorded["body"], recorded["status"], **recorded.get("headers", {}))
