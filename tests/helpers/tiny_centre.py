"""A second, tiny centre that judges the client: written from docs/contract.md alone, importing nothing of `app`.

It keeps everything in memory, writes down what it finds wrong in `wrongs`, and misbehaves when told to
(`before`, `after`). Real sockets, HTTP/1.1 with keep-alive, port 0.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import zstandard

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)")
EVENT_FIELDS = {"id", "seq", "type", "site_id", "occurred_at", "recorded_at", "payload"}
TYPES = {"touch", "refusal", "entry", "approval", "correction", "card_binding", "roster_change", "headcount"}


def jcs(value: Any) -> bytes:
    """RFC 8785 for what an event may hold (no floats)."""
    if value is None or value is True or value is False:
        return {None: b"null", True: b"true", False: b"false"}[value]
    if isinstance(value, int):
        return str(value).encode()
    if isinstance(value, str):
        short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
        marks = [short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value]
        return ('"' + "".join(marks) + '"').encode()
    if isinstance(value, list):
        return b"[" + b",".join(jcs(v) for v in value) + b"]"
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: k.encode("utf-16-be"))
        return b"{" + b",".join(jcs(k) + b":" + jcs(value[k]) for k in keys) + b"}"
    raise TypeError(f"no canonical form: {value!r}")


@dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    body: bytes


@dataclass
class Reply:
    """An answer. `drop`: close the connection instead; `cut`: send only half of it; `delay`: seconds before."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: bool = False
    delay: float = 0.0
    drip: float = 0.0

    @classmethod
    def of(cls, value: Any, status: int = 200, **headers: str) -> Reply:
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})

    @classmethod
    def problem(cls, status: int, code: str = "", **headers: str) -> Reply:
        doc = {"type": "about:blank", "title": code or "no", "status": status, "code": code}
        return cls(status, json.dumps(doc).encode(), {"Content-Type": "application/problem+json", **headers})


Before = Callable[[Seen], Reply | None]
After = Callable[[Seen, Reply], Reply]


class TinyCentre:
    """One station, `st-1` with the secret `s3cret-value`. Use as a context manager."""

    station_id = "st-1"
    secret = "s3cret-value"

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.wrongs: list[str] = []
        self.seen: list[Seen] = []
        self.before: Before = lambda seen: None
        self.after: After = lambda seen, reply: reply
        self.verdict: Callable[[dict[str, Any]], tuple[str, str | None]] = lambda event: ("accepted", None)
        self.events: dict[str, bytes] = {}
        self.refused: dict[str, bytes] = {}
        self.by_seq: dict[int, bytes] = {}
        self.taken_times: dict[str, int] = {}
        self.head, self.head_hash = 0, bytes(32)
        self.claims: dict[int, str] = {}
        self.broken = False
        self.tokens: dict[str, float] = {}
        self.expires_in = 3600
        self.date_offset = 0.0
        self.request_ids: set[str] = set()
        self.logs: dict[str, list[dict[str, Any]]] = {"/v1/sites": []}
        self.page_size = 3
        self.beats: list[dict[str, Any]] = []
        self.codes = {"ABCD-EFGH-JKLM": "ok", "USED-UPUP-UPU8": "code_used_up", "AAAA-BBBB-CCCJ": "code_expired"}
        self.stop = threading.Event()
        centre = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            timeout = 20

            def log_message(self, *args: object) -> None:
                pass

            def date_time_string(self, timestamp: float | None = None) -> str:
                return formatdate(time() + centre.date_offset, usegmt=True)

            def _any(self) -> None:
                try:
                    centre.handle(self)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = _any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self.server.request_queue_size = 50
        self.server.daemon_threads = True
        self.server.server_bind()
        self.server.server_activate()
        self.server.handle_error = lambda *args: None  # type: ignore[method-assign]
        self.port = int(self.server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), name="tiny-centre")

    def __enter__(self) -> TinyCentre:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop.set()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    # --- one request

    def handle(self, http: BaseHTTPRequestHandler) -> None:
        length = int(http.headers.get("Content-Length") or 0)
        raw = http.rfile.read(length)
        if len(raw) < length:
            http.close_connection = True
            return
        parts = urlsplit(http.path)
        headers = {k.lower(): v for k, v in http.headers.items()}
        body = raw
        if headers.get("content-encoding") == "zstd":
            body = zstandard.ZstdDecompressor().decompress(raw)
        query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
        seen = Seen(http.command, parts.path, query, headers, raw, body)
        with self.lock:
            self.seen.append(seen)
            self.check_headers(seen)
        reply = self.before(seen)
        if reply is None:
            with self.lock:
                reply = self.route(seen)
            reply = self.after(seen, reply)
        if reply.delay:
            self.stop.wait(reply.delay)
        if reply.drop:
            http.close_connection = True
            http.connection.shutdown(socket.SHUT_RDWR)
            return
        out, more = reply.body, dict(reply.headers)
        if out and "Content-Encoding" not in more and re.search(r"zstd(?!;q=0)", headers.get("accept-encoding", "")):
            out = zstandard.ZstdCompressor().compress(out)
            more["Content-Encoding"] = "zstd"
        http.send_response(reply.status)
        for name, value in more.items():
            http.send_header(name, value)
        if reply.status not in (204, 304):
            http.send_header("Content-Length", str(len(out)))
        http.end_headers()
        if reply.cut:
            http.wfile.write(out[: len(out) // 2])
            http.close_connection = True
        elif reply.drip:
            for i in range(len(out)):
                http.wfile.write(out[i : i + 1])
                if self.stop.wait(reply.drip):
                    break
        else:
            http.wfile.write(out)

    def wrong(self, what: str) -> None:
        self.wrongs.append(what)

    def check_headers(self, seen: Seen) -> None:
        headers = seen.headers
        if not re.fullmatch(r"genba-touch/\S+", headers.get("user-agent", "")):
            self.wrong("user-agent")
        request_id = headers.get("x-request-id", "")
        if not UUID.fullmatch(request_id) or request_id in self.request_ids:
            self.wrong("x-request-id")
        self.request_ids.add(request_id)
        if "zstd" not in headers.get("accept-encoding", ""):
            self.wrong("accept-encoding")
        if "cookie" in headers:
            self.wrong("a cookie")
        if seen.method == "POST":
            form = seen.path == "/v1/token"
            kind = "application/x-www-form-urlencoded" if form else "application/json"
            if headers.get("content-type") != kind or (not form and headers.get("content-encoding") != "zstd"):
                self.wrong(f"content type or encoding of {seen.path}")

    def route(self, seen: Seen) -> Reply:
        if seen.path == "/v1/stations/enrol":
            return self.enrol(seen)
        if seen.path == "/v1/token":
            return self.token(seen)
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0.0) < time():
            return Reply.problem(401, "token_invalid")
        if seen.path == "/v1/events/batch":
            return self.batch(seen)
        if seen.path == f"/v1/stations/{self.station_id}/heartbeat":
            self.beats.append(json.loads(seen.body))
            return Reply(204)
        if seen.path.endswith("/events") and "types" not in seen.query:
            self.wrong("no types")
        if seen.path.endswith("/work-records") and not re.fullmatch(r"\d{4}-\d\d", seen.query.get("month", "")):
            self.wrong("no month")
        if seen.path in self.logs:
            return self.page(seen)
        return Reply.problem(404, "not_found")

    def enrol(self, seen: Seen) -> Reply:
        asked = json.loads(seen.body)
        if set(asked) != {"enrolment_code", "installation_id", "station_name", "app_version"}:
            self.wrong("enrol fields")
        state = self.codes.get(asked["enrolment_code"], "code_unknown")
        if state != "ok":
            return Reply.problem(409, state)
        answer = {"station_id": self.station_id, "client_secret": self.secret, "site_ids": ["site-1"], "new": 1}
        return Reply.of(answer, 201)

    def token(self, seen: Seen) -> Reply:
        form = {k: v[0] for k, v in parse_qs(seen.body.decode()).items()}
        if form.get("grant_type") != "client_credentials":
            self.wrong("grant_type")
        if (form.get("client_id"), form.get("client_secret")) != (self.station_id, self.secret):
            return Reply.problem(401, "invalid_client")
        token = f"token-{len(self.tokens)}-of-much-worth"
        self.tokens[token] = time() + self.expires_in
        return Reply.of({"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in})

    def page(self, seen: Seen) -> Reply:
        """The ETag is the version of the whole list: a client that sends it too early misses pages."""
        log = self.logs[seen.path]
        etag = f'"v{len(log)}"'
        if seen.headers.get("if-none-match") == etag:
            return Reply(304, headers={"ETag": etag})
        start = int(seen.query["cursor"].removeprefix("c&/")) if "cursor" in seen.query else 0
        end = min(len(log), start + self.page_size)
        page = {"items": log[start:end], "cursor": f"c&/{end}", "more": end < len(log), "unknown": [1.5]}
        return Reply.of(page, ETag=etag)

    # --- events

    def batch(self, seen: Seen) -> Reply:
        text = seen.body.decode()
        whole = json.loads(text)
        if set(whole) - {"station_id", "events", "chain_end"} or whole.get("station_id") != self.station_id:
            self.wrong("batch fields")
        events = whole["events"]
        if not 1 <= len(events) <= 1000:
            self.wrong(f"{len(events)} events")
        if len({e["id"] for e in events}) != len(events):
            self.wrong("an id twice in one batch")
        at, decoder = text.index('"events":[') + len('"events":['), json.JSONDecoder()
        results = []
        for event in events:
            _, stop = decoder.raw_decode(text, at)
            sent = text[at:stop].encode()
            at = stop + 1
            self.check_event(event, sent)
            results.append(self.take(event, sent))
        self.advance()
        end = whole.get("chain_end")
        if end is None or end["seq"] != max(e["seq"] for e in events) or not re.fullmatch("[0-9a-f]{64}", end["hash"]):
            self.wrong(f"chain_end {end}")
        else:
            self.claims[end["seq"]] = end["hash"]
            self.check_claims()
        state = "broken" if self.broken else "waiting" if self.by_seq and max(self.by_seq) > self.head else "ok"
        answer = {
            "results": results,
            "chain_head": {"seq": self.head, "hash": self.head_hash.hex()},
            "chain_state": state,
            "server_time": "2026-11-21T08:00:00.000+09:00",
        }
        return Reply.of(answer)

    def check_event(self, event: dict[str, Any], sent: bytes) -> None:
        try:
            if jcs(event) != sent:
                self.wrong(f"not canonical: {sent[:80]!r}")
        except TypeError as exc:
            self.wrong(str(exc))
        if set(event) != EVENT_FIELDS or not UUID7.fullmatch(event["id"]) or event["type"] not in TYPES:
            self.wrong(f"event {event}")
        if type(event["seq"]) is not int or event["seq"] < 1 or not isinstance(event["payload"], dict):
            self.wrong(f"seq or payload of {event['id']}")
        if not (MOMENT.fullmatch(event["occurred_at"]) and MOMENT.fullmatch(event["recorded_at"])):
            self.wrong(f"times of {event['id']}")

    def take(self, event: dict[str, Any], sent: bytes) -> dict[str, Any]:
        held = self.events.get(event["id"])
        if held is not None:
            verdict = "duplicate" if held == sent else "conflict"
            return {"id": event["id"], "verdict": verdict, **({} if held == sent else {"code": "payload_differs"})}
        if self.by_seq.get(event["seq"], sent) != sent:
            self.broken = True
            return {"id": event["id"], "verdict": "conflict", "code": "seq_reused"}
        self.by_seq[event["seq"]] = sent
        verdict, code = self.verdict(event)
        if verdict == "accepted":
            self.events[event["id"]] = sent
            self.taken_times[event["id"]] = self.taken_times.get(event["id"], 0) + 1
        else:
            self.refused[event["id"]] = sent
        return {"id": event["id"], "verdict": verdict, **({"code": code, "detail": "see there"} if code else {})}

    def advance(self) -> None:
        while (body := self.by_seq.get(self.head + 1)) is not None:
            self.head_hash = hashlib.sha256(self.head_hash + body).digest()
            self.head += 1
            self.check_claims()

    def check_claims(self) -> None:
        claimed = self.claims.pop(self.head, None)
        if claimed is not None and claimed != self.head_hash.hex():
            self.broken = True
            self.wrong(f"chain differs at {self.head}")

    # --- for tests

    def calls(self, path_end: str) -> list[Seen]:
        with self.lock:
            return [seen for seen in self.seen if seen.path.endswith(path_end)]

    def forget_tokens(self) -> None:
        with self.lock:
            self.tokens.clear()
