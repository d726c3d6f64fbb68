"""The one adapter to the centre, and the only file that imports httpx. No retrying here: that is the engine's.

A `CentreClient` belongs to one thread; `abort` and `close` may be called from any. Secrets and tokens are in no log,
repr or exception text.
"""

from __future__ import annotations

import logging
import socket
import ssl
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import httpx
import zstandard

from app import codec
from app.clock import Clock
from app.errors import InputRefused
from app.sync import tls
from app.sync.address import Timeouts, checked
from app.sync.answers import MAX_ANSWER, Pulled, RawAnswer, read, refuse
from app.sync.line import Line, LineBusy, LineTimeout
from app.sync.token import Token
from app.sync.trouble import BadAnswer, Hung, Offline, SomebodyInBetween
from app.sync.wire import (
    ZSTD,
    BatchAnswer,
    ChainEnd,
    EnrolAnswer,
    EnrolmentCodeAnswer,
    EnrolmentCodeRequest,
    EnrolRequest,
    FeedPage,
    Heartbeat,
    NextSecret,
    Page,
    TokenAnswer,
    WorkRecordPage,
)

log = logging.getLogger(__name__)
T = TypeVar("T")
P = TypeVar("P", Page, FeedPage, WorkRecordPage)
_OUR_HEADERS = frozenset({"content-type", "content-encoding", "date", "etag", "retry-after"})


class CentreClient:
    """Speaks version 1 of the contract (`docs/contract.md`).

    `base_url`: https://…, or http:// on this machine alone. `proxy`: None takes the system's. `ca_file`: PEM with a
    company's root, beside the operating system's. Every call raises the troubles of `app.sync.trouble`, or Hung after
    `abort`. The constructor raises InputRefused.
    """

    def __init__(
        self,
        base_url: str,
        station_id: str,
        client_secret: Callable[[], str],
        clock: Clock,
        user_agent: str,
        proxy: str | None = None,
        ca_file: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._base = checked(base_url)
        self.host = self._base.netloc
        self.station_id = station_id
        self._token = Token(station_id, client_secret, clock, self.host)
        self._clock = clock
        self._timeouts = timeouts or Timeouts()
        self._packer = zstandard.ZstdCompressor(level=3)
        self._socket: socket.socket | None = None
        headers = {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": ZSTD}
        context = tls.trust(ca_file)
        try:
            self._http = httpx.Client(
                verify=context,
                proxy=proxy or None,
                trust_env=not self._base.local,
                headers=headers,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=1, keepalive_expiry=30.0),
            )
        except ImportError:
            raise InputRefused("sync.proxy_socks") from None
        except (ValueError, httpx.InvalidURL):
            raise InputRefused("sync.proxy_address") from None  # may hold a password: not shown
        self._line = Line(self._shut_socket, self._http.close)

    def __repr__(self) -> str:
        return f"<CentreClient {self.host}>"

    # --- the calls of the contract

    def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """Become a station. Needs no secret."""
        fields = codec.plain(request)
        if request.restored is None:
            del fields["restored"]  # version 1 as recorded: no field of a case that is not there
        raw = self._send("POST", "/v1/stations/enrol", codec.encode(fields))
        return self._believe(raw, EnrolAnswer, 201)

    def alive(self) -> None:
        """Ask whether a centre answers here. Needs no secret."""
        answer = self._believe(self._send("GET", "/healthz", None), dict)
        if answer.get("status") != "ok":
            raise BadAnswer("no centre", self.host)

    def issue_code(self, wanted: EnrolmentCodeRequest) -> EnrolmentCodeAnswer:
        """A code with which stations enrol. For an administrator's id and secret."""
        raw = self._authorised("POST", "/v1/enrolment-codes", codec.encode(wanted))
        return self._believe(raw, EnrolmentCodeAnswer, 201)

    def push(self, events: Sequence[bytes], chain_end: ChainEnd | None) -> BatchAnswer:
        """Send events, each as the canonical bytes that were hashed."""
        end = b"" if chain_end is None else b',"chain_end":' + codec.encode(chain_end)
        head = b'{"station_id":' + codec.encode(self.station_id) + b',"events":['
        body = head + b",".join(events) + b"]" + end + b"}"
        return self._believe(self._authorised("POST", "/v1/events/batch", body, len(events)), BatchAnswer)

    def sites(self, cursor: str | None, etag: str | None = None) -> Pulled[Page] | None:
        """Changes of this station's sites; None: nothing new (304)."""
        return self._pull("/v1/sites", {}, cursor, etag, Page)

    def roster(self, site_id: str, cursor: str | None, etag: str | None = None) -> Pulled[Page] | None:
        """Changes of a site's roster; None: nothing new."""
        return self._pull(f"/v1/sites/{quote(site_id, safe='')}/roster", {}, cursor, etag, Page)

    def events(
        self, site_id: str, types: Sequence[str], cursor: str | None, etag: str | None = None
    ) -> Pulled[FeedPage] | None:
        """Events of other stations of the site; None: nothing new."""
        query = {"types": ",".join(types)}
        return self._pull(f"/v1/sites/{quote(site_id, safe='')}/events", query, cursor, etag, FeedPage)

    def work_records(
        self, site_id: str, month: str, cursor: str | None, etag: str | None = None
    ) -> Pulled[WorkRecordPage] | None:
        """The centre's derived records of a month ('YYYY-MM'); None: nothing new."""
        path = f"/v1/sites/{quote(site_id, safe='')}/work-records"
        return self._pull(path, {"month": month}, cursor, etag, WorkRecordPage)

    def heartbeat(self, beat: Heartbeat) -> None:
        """Alive, even with nothing to send."""
        self._tell("heartbeat", beat.as_sent())

    @property
    def asked(self) -> str:
        """What the centre wants of this station, by its answer to the last token: `TokenAnswer.ask`."""
        return self._token.ask

    def name_next_secret(self, secret: str) -> None:
        """From now on this secret opens as well; when it first does, the one before ends."""
        self._tell("secret", NextSecret(secret))

    def sign_in(self, *, anew: bool) -> None:
        """Have a token; `anew`: with the secret as it is now."""
        self._access_token(fresh=anew)

    def say_withdrawn(self, end: ChainEnd) -> None:
        """This lost PC has wiped what it held of people. `end`: its last event."""
        self._tell("withdrawal", end)

    # --- stopping

    def abort(self) -> None:
        """Give up the running call and all later ones (Hung). Any thread; returns at once."""
        self._line.hang_up()

    def close(self) -> None:
        """`abort`, then wait up to half a second for the sockets to close."""
        self._line.hang_up()
        self._line.join(0.5)

    # --- how

    def _pull(
        self, path: str, query: Mapping[str, str], cursor: str | None, etag: str | None, shape: type[P]
    ) -> Pulled[P] | None:
        wanted = {**query, **({"cursor": cursor} if cursor is not None else {})}
        extra = {"If-None-Match": etag} if etag else {}
        full = f"{path}?{urlencode(wanted)}" if wanted else path
        raw = self._authorised("GET", full, None, headers=extra)
        if raw.status == 304 and etag:
            return None
        page: P = self._believe(raw, shape)
        return Pulled(page, raw.headers.get("etag"))

    def _believe(self, raw: RawAnswer, shape: type[T], ok: int = 200) -> T:
        answer = read(raw, shape, ok, self.host)
        if raw.date is not None:
            self._clock.learn_server_time(raw.date, round_trip_s=raw.took_s)
        return answer

    def _authorised(
        self,
        method: str,
        path: str,
        body: bytes | None,
        events: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> RawAnswer:
        for fresh in (False, True):
            token = self._access_token(fresh)
            raw = self._send(method, path, body, events, {**(headers or {}), "Authorization": f"Bearer {token}"})
            if raw.status != 401:
                return raw
        self._token.forget()
        refuse(raw, self.host)

    def _tell(self, what: str, value: object) -> None:
        path = f"/v1/stations/{quote(self.station_id, safe='')}/{what}"
        raw = self._authorised("POST", path, codec.encode(value))
        if raw.status == 200:
            raise SomebodyInBetween("status 200 instead of 204", self.host)
        if raw.status != 204:
            refuse(raw, self.host)

    def _access_token(self, fresh: bool) -> str:
        if not fresh and (held := self._token.held()):
            return held
        self._token.forget()
        raw = self._send("POST", "/v1/token", self._token.form(), form=True)
        return self._token.take(self._believe(raw, TokenAnswer))

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        events: int = 0,
        headers: Mapping[str, str] | None = None,
        form: bool = False,
    ) -> RawAnswer:
        request_id = str(uuid.uuid4())
        sent = {"X-Request-ID": request_id, **(headers or {})}
        if form:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            sent |= {"Content-Type": "application/json", "Content-Encoding": ZSTD}
            body = self._packer.compress(body)
        # a page that comes down is given the time of a 200 kB body
        whole = self._timeouts.whole(200_000 if body is None else len(body), events)
        limits = httpx.Timeout(whole, connect=min(whole, self._timeouts.connect))
        request = self._http.build_request(
            method,
            self._base.url + path,
            content=body,
            headers=sent,
            timeout=limits,
            extensions={"trace": self._note_socket},
        )
        try:
            raw = self._line.run(lambda: self._exchange(request), whole)
        except LineTimeout:
            raise Offline("timeout", self.host) from None
        except LineBusy:
            raise Offline("unreachable", self.host) from None
        log.debug("%s %s: %s in %.0f ms, %s", method, path, raw.status, raw.took_s * 1000, request_id)
        return raw

    def _exchange(self, request: httpx.Request) -> RawAnswer:
        """On the line's thread."""
        start = self._clock.monotonic()
        try:
            answer = self._http.send(request, stream=True)
            try:
                body = bytearray()
                for part in answer.iter_raw():
                    body += part
                    if len(body) > MAX_ANSWER:
                        raise SomebodyInBetween("an endless answer", self.host)
            finally:
                answer.close()
        except httpx.HTTPError as exc:
            raise self._offline(exc) from None  # httpx's errors carry the request and so the token
        finally:
            self._http.cookies.clear()  # a portal's cookies are not ours to keep
        took = self._clock.monotonic() - start
        headers = {k.lower(): v for k, v in answer.headers.items() if k.lower() in _OUR_HEADERS}
        return RawAnswer(answer.status_code, headers, bytes(body), took, self._clock.now())

    def _offline(self, exc: httpx.HTTPError) -> Offline:
        causes: list[BaseException] = [exc]
        while (deeper := causes[-1].__cause__ or causes[-1].__context__) is not None and len(causes) < 12:
            causes.append(deeper)
        for cause in causes:
            if isinstance(cause, ssl.SSLError):
                detail = tls.fault(cause)
                if isinstance(cause, ssl.SSLCertVerificationError) and not self._line.closed:
                    who = tls.issuer(self._base.host, self._base.port)
                    detail += f" (signed by {who})" if who else ""
                return Offline(tls.kind(cause), self.host, detail)
        kinds: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
            ("proxy", (httpx.ProxyError,)),
            ("dns", (socket.gaierror,)),
            ("refused", (ConnectionRefusedError,)),
            ("timeout", (httpx.TimeoutException,)),
            ("unreachable", (httpx.ConnectError,)),
        )
        for kind, types in kinds:
            if any(isinstance(cause, types) for cause in causes):
                return Offline(kind, self.host)
        return Offline("cut", self.host)

    def _note_socket(self, event: str, info: Mapping[str, Any]) -> None:
        """httpcore's trace: the one public way to the socket, which `abort` shuts to free a blocked thread."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            stream = info["return_value"]
            self._socket = stream.get_extra_info("socket")
            if self._line.closed:
                stream.close()
                raise Hung

    def _shut_socket(self) -> None:
        held = self._socket
        if held is not None:
            try:
                # the plain method also for TLS: its own would touch the state that the blocked thread uses
                socket.socket.shutdown(held, socket.SHUT_RDWR)
            except OSError:
                pass  # not connected any more
