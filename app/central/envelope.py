"""What is the same for every call, as plain ASGI around the application: request ids, `Date`, zstd, limits, the log.

Outermost, so that it also holds for answers the framework makes itself (404, 405) and for faults in it.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import format_datetime
from typing import Any

import zstandard

from app import codec
from app.central.load import Allowance, Load
from app.central.refusals import Refused
from app.clock import Clock
from app.sync.wire import PROBLEM, ZSTD, Problem

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 8 * 1024 * 1024
"""Most bytes of a request's body, packed or unpacked."""
WORTH_PACKING = 512
"""Answers below so many bytes go as they are."""
_LEVEL = 3
_WINDOW = 8 * 1024 * 1024
_REQUEST_ID = re.compile(rb"[!-~]{1,128}")
_log = logging.getLogger(__name__)
_access = logging.getLogger("app.central.access")
_ALWAYS = frozenset({"/healthz", "/livez"})
"""Answered however much there is to do: who looks after the centre must not take a busy one for a dead one."""


class Envelope:
    """Wraps the application. `Date` is the given clock's, the one that judges deadlines: a station measures its own
    skew against it, so the server underneath must send none."""

    def __init__(self, app: AsgiApp, clock: Clock, load: Load, allowance: Allowance) -> None:
        self._app = app
        self._clock = clock
        self._load = load
        self._allowance = allowance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
        given = headers.get(b"x-request-id", b"")
        request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4()).encode()
        known: dict[str, Any] = {"request_id": request_id.decode("ascii")}
        scope.setdefault("state", {})["request_id"] = known["request_id"]
        scope["genba.known"] = known
        answer = _Answer(send, request_id, self._date(), _wants_zstd(headers.get(b"accept-encoding", b"")))
        counted = scope["path"] not in _ALWAYS
        try:
            await self._answer(scope, receive, headers, answer, counted)
        except Refused as refused:
            await answer.problem(refused)
        except _Gone:
            known["gone"] = True
        except Exception:
            _log.exception("request %s: a fault outside the handlers", known["request_id"])
            if answer.started:
                raise
            await answer.problem(Refused("internal"))
        finally:
            self._report(scope, headers, answer, time.perf_counter() - began)

    async def _answer(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], answer: _Answer, counted: bool
    ) -> None:
        if counted:
            self._load.enter()
        try:
            if b"authorization" in headers:
                self._allowance.take(hashlib.sha256(headers[b"authorization"]).digest())
            body = await _body(receive, headers)
            inner = {**scope, "headers": [(n, v) for n, v in scope["headers"] if n.lower() not in _REPLACED]}
            inner["headers"].append((b"content-length", str(len(body)).encode()))
            try:
                await self._app(inner, _once(body, receive), answer.send)
            finally:
                scope["genba.known"]["route"] = inner.get("path_template")
        finally:
            if counted:
                self._load.leave()

    def _report(self, scope: Scope, headers: dict[bytes, bytes], answer: _Answer, seconds: float) -> None:
        """One line of the log. Neither query, headers nor bodies are in it, and of the path only its pattern."""
        if not _access.isEnabledFor(logging.INFO):
            return
        known = scope["genba.known"]
        fields = {
            "request_id": known["request_id"],
            "client": known.get("client"),
            "address": (scope.get("client") or ("",))[0],
            "method": scope["method"],
            "route": known.get("route") or "-",
            "status": None if known.get("gone") else answer.status,
            "ms": round(seconds * 1000, 1),
            "bytes_in": int(length) if (length := headers.get(b"content-length", b"0")).isdigit() else None,
            "bytes_out": answer.size,
        }
        _access.info("request", extra={"fields": fields})

    def _date(self) -> bytes:
        return format_datetime(self._clock.now(), usegmt=True).encode()


_REPLACED = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class _Gone(Exception):
    """The other side hung up before its request was whole."""


class _Answer:
    """Sends an answer with the common headers, packed when asked for. Bodies are whole: no call streams."""

    def __init__(self, send: Send, request_id: bytes, date: bytes, packed: bool) -> None:
        self._send = send
        self._common = [(b"x-request-id", request_id), (b"date", date), (b"vary", b"Accept-Encoding")]
        self._packed = packed
        self._start: Message | None = None
        self._parts: list[bytes] = []
        self.started = False
        self.status = 0
        self.size = 0
        """Bytes of the body as it went."""

    async def send(self, message: Message) -> None:
        """ASGI's `send` for the application inside."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        self._parts.append(message.get("body", b""))
        if message.get("more_body") or self._start is None:
            return
        body = b"".join(self._parts)
        headers = [(n, v) for n, v in self._start["headers"] if n.lower() != b"content-length"] + self._common
        status = self._start["status"]
        if self._packed and len(body) >= WORTH_PACKING:
            body = zstandard.ZstdCompressor(level=_LEVEL).compress(body)
            headers.append((b"content-encoding", ZSTD.encode()))
        if status not in (204, 304):
            headers.append((b"content-length", str(len(body)).encode()))
        self.started = True
        self.status, self.size = status, len(body)
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def problem(self, refused: Refused) -> None:
        """A problem of the envelope's own."""
        self._parts.clear()
        headers = [(b"content-type", PROBLEM.encode()), *problem_headers(refused)]
        await self.send({"type": "http.response.start", "status": refused.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": problem_body(refused)})


def problem_body(refused: Refused) -> bytes:
    """RFC 9457."""
    return codec.encode(
        Problem(
            title=refused.title,
            status=refused.status,
            detail=refused.detail,
            code=refused.code,
            errors=refused.errors,
        )
    )


def problem_headers(refused: Refused) -> list[tuple[bytes, bytes]]:
    """Headers that belong to a problem."""
    headers = []
    if refused.retry_after is not None:
        headers.append((b"retry-after", str(refused.retry_after).encode()))
    if refused.status == 401:
        basic = refused.code == "login_needed"
        headers.append((b"www-authenticate", b'Basic realm="genba-touch", charset="UTF-8"' if basic else b"Bearer"))
    if refused.code == "unsupported_encoding":
        headers.append((b"accept-encoding", ZSTD.encode()))
    return headers


def _wants_zstd(accept: bytes) -> bool:
    for part in accept.decode("latin-1").split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name == ZSTD:
            return not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
    return False


async def _body(receive: Receive, headers: dict[bytes, bytes]) -> bytes:
    """The whole body without its encoding. Raises Refused."""
    encoding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
    if encoding not in ("", "identity", ZSTD):
        raise Refused("unsupported_encoding", f"{encoding[:40]!r}")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > MAX_BODY:
        raise Refused("too_large")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise Refused("too_large")
        if not message.get("more_body"):
            break
    return _unpacked(bytes(body)) if encoding == ZSTD else bytes(body)


def _unpacked(body: bytes) -> bytes:
    """A stream reader gives no more than it is asked for: a bomb never unfolds in memory."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    try:
        with decompressor.stream_reader(io.BytesIO(body), read_across_frames=True) as reader:
            plain = reader.read(MAX_BODY + 1)
    except zstandard.ZstdError as exc:
        raise Refused("bad_encoding", str(exc)) from exc
    if len(plain) > MAX_BODY:
        raise Refused("too_large")
    return plain


def _once(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body whole, then what the server says (the other side hung up)."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
