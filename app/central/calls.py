"""The calls of the contract as handlers: read the request, ask the rooms behind, write the answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import RawBody
from sqlalchemy import select

from app import codec
from app.central import guard
from app.central import schema as t
from app.central.access import Principal, authenticate, issue_token
from app.central.database import CentralDatabase
from app.central.enrolment import enrol, issue_code, sound
from app.central.event_shapes import split
from app.central.guard import guarded
from app.central.intake import take_batch
from app.central.pages import Pages
from app.central.presence import note
from app.central.refusals import Refused
from app.central.settings import CentralSettings
from app.central.station_life import name_next_secret, take_withdrawal
from app.clock import Clock
from app.errors import InputRefused
from app.sync.wire import BatchRequest, ChainEnd, EnrolmentCodeRequest, EnrolRequest, Heartbeat, NextSecret

T = TypeVar("T")
Req = Request[Any, Any, Any]
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Centre:
    """What the handlers stand on; kept in the application's state."""

    db: CentralDatabase
    clock: Clock
    settings: CentralSettings
    openapi: bytes

    @property
    def pages(self) -> Pages:
        """The feeds."""
        return Pages(self.db, self.clock, self.settings.page_size)


def handlers() -> list[HTTPRouteHandler]:
    """All routes."""
    return [
        enrol_station, token, batch, sites, roster, events, work_records, heartbeat, secret, withdrawal,
        enrolment_codes, healthz, livez, openapi,
    ]  # fmt: skip


@post("/v1/stations/enrol", sync_to_thread=True)
def enrol_station(request: Req, body: RawBody) -> Response[bytes]:
    """A station enrols."""
    centre = _centre(request)
    wanted = _read(request, body, EnrolRequest)
    sound(wanted)
    if centre.settings.too_old(f"genba-touch/{wanted.app_version}"):
        raise Refused("upgrade_needed", _oldest(centre))
    with guarded(centre.db, centre.clock, guard.enrolment(address_of(request))):
        return _json(enrol(centre.db, centre.clock, wanted), 201)


@post("/v1/token", sync_to_thread=True)
def token(request: Req, body: RawBody) -> Response[bytes]:
    """OAuth 2 client credentials."""
    centre = _centre(request)
    _require_type(request, FORM)
    try:
        form = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=20)
    except (UnicodeDecodeError, ValueError) as exc:
        raise Refused("bad_request", "The body is no form") from exc
    if form.get("grant_type") != ["client_credentials"]:
        raise Refused("unsupported_grant")
    client_id, secret = (form.get(name, [""])[0] for name in ("client_id", "client_secret"))
    if not client_id.isprintable():
        raise Refused("invalid_client")
    with guarded(centre.db, centre.clock, guard.token(address_of(request), client_id)):
        answer = issue_token(centre.db, centre.clock, client_id, secret, centre.settings.token_seconds)
    return _json(answer, 200, {"Cache-Control": "no-store"})


@post("/v1/events/batch", sync_to_thread=True)
def batch(request: Req, body: RawBody) -> Response[bytes]:
    """A station delivers events."""
    centre = _centre(request)
    who = _station(request)
    return _json(take_batch(centre.db, centre.clock, who, _read(request, body, BatchRequest)), 200)


@get("/v1/sites", sync_to_thread=True)
def sites(request: Req) -> Response[bytes]:
    """A station's sites."""
    return _page(request, _centre(request).pages.sites(_station(request), _query(request, "cursor")))


@get("/v1/sites/{site_id:str}/roster", sync_to_thread=True)
def roster(request: Req) -> Response[bytes]:
    """A site's roster."""
    who = _station(request)
    return _page(request, _centre(request).pages.roster(who, _path(request, "site_id"), _query(request, "cursor")))


@get("/v1/sites/{site_id:str}/events", sync_to_thread=True)
def events(request: Req) -> Response[bytes]:
    """Events made elsewhere."""
    who = _station(request)
    types, cursor = _query(request, "types"), _query(request, "cursor")
    return _page(request, _centre(request).pages.events(who, _path(request, "site_id"), cursor, types))


@get("/v1/sites/{site_id:str}/work-records", sync_to_thread=True)
def work_records(request: Req) -> Response[bytes]:
    """The centre's work records."""
    who = _station(request)
    month, cursor = _query(request, "month"), _query(request, "cursor")
    return _page(request, _centre(request).pages.work_records(who, _path(request, "site_id"), month, cursor))


@post("/v1/stations/{station_id:str}/heartbeat", sync_to_thread=True, status_code=204)
def heartbeat(request: Req, body: RawBody) -> None:
    """Alive."""
    centre = _centre(request)
    note(centre.db, centre.clock, _itself(request), _read(request, body, Heartbeat))


@post("/v1/stations/{station_id:str}/secret", sync_to_thread=True, status_code=204)
def secret(request: Req, body: RawBody) -> None:
    """A station names its next secret."""
    name_next_secret(_centre(request).db, _itself(request), _read(request, body, NextSecret).client_secret)


@post("/v1/stations/{station_id:str}/withdrawal", sync_to_thread=True, status_code=204)
def withdrawal(request: Req, body: RawBody) -> None:
    """A lost station has wiped what it held of people."""
    centre = _centre(request)
    take_withdrawal(centre.db, centre.clock, _itself(request), _read(request, body, ChainEnd))


@post("/v1/enrolment-codes", sync_to_thread=True)
def enrolment_codes(request: Req, body: RawBody) -> Response[bytes]:
    """An administrator makes an enrolment code."""
    centre = _centre(request)
    who = _principal(request, "administrator")
    wanted = _read(request, body, EnrolmentCodeRequest)
    try:
        made = issue_code(
            centre.db,
            centre.clock,
            wanted.site_ids,
            wanted.uses,
            valid_days=wanted.valid_days,
            role=wanted.role,
            issued_by=who.client_id,
        )
    except InputRefused as exc:
        code = "site_unknown" if exc.code == "central.site_unknown" else "wrong_shape"
        raise Refused(code, exc.where or "uses, valid_days, role or site_ids are out of range") from exc
    return _json(made, 201)


@get("/healthz", sync_to_thread=True)
def healthz(request: Req) -> Response[bytes]:
    """The process answers and its database too."""
    with _centre(request).db.read() as tx:
        version = tx.execute(select(t.schema_version.c.version)).scalar_one()
    return _json({"status": "ok", "schema": version}, 200)


@get("/livez", sync_to_thread=False)
def livez(request: Req) -> Response[bytes]:
    """The process answers, whatever its database does."""
    return _json({"status": "ok"}, 200)


@get("/v1/openapi.json", sync_to_thread=False)
def openapi(request: Req) -> Response[bytes]:
    """This contract."""
    return Response(_centre(request).openapi, media_type=JSON)


def _centre(request: Req) -> Centre:
    centre: Centre = request.app.state.centre
    return centre


def _station(request: Req) -> Principal:
    who = _principal(request, "station")
    centre = _centre(request)
    if centre.settings.too_old(request.headers.get("user-agent", "")):
        raise Refused("upgrade_needed", _oldest(centre))
    return who


def _itself(request: Req) -> str:
    """The station that the address names, if it is who asks; of any version: who is too old shall be seen."""
    station_id = _principal(request, "station").client_id
    if _path(request, "station_id") != station_id:
        raise Refused("station_mismatch")
    return station_id


def _oldest(centre: Centre) -> str:
    return f"version {centre.settings.oldest_version} or later"


def address_of(request: Req) -> str:
    """Where a request comes from, by the socket or a trusted proxy's word."""
    return request.client.host if request.client else ""


def _principal(request: Req, kind: str) -> Principal:
    centre = _centre(request)
    who = authenticate(centre.db, centre.clock, request.headers.get("authorization"))
    request.scope["genba.known"]["client"] = who.client_id  # type: ignore[typeddict-item]
    if who.kind != kind:
        raise Refused("wrong_client", f"only for a {kind}")
    return who


def _path(request: Req, name: str) -> str:
    return str(request.path_params[name])


def _query(request: Req, name: str) -> str | None:
    value = request.query_params.get(name)
    if value is not None and not value.isprintable():
        raise Refused("bad_parameter", f"{name}: printable characters only")
    return value


def _require_type(request: Req, wanted: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != wanted:
        raise Refused("unsupported_media_type", f"expected {wanted}, got {given[:80] or 'none'}")


def _read(request: Req, body: bytes, shape: type[T]) -> T:
    """The body as `shape`: 415 for another media type, 400 when it is no JSON, 422 with the place otherwise."""
    _require_type(request, JSON)
    try:
        value = codec.decode(body, object)
    except (codec.DecodeError, RecursionError) as exc:
        raise Refused("not_json", str(exc)[:200]) from exc
    try:
        return codec.convert(value, shape)
    except codec.DecodeError as exc:
        what, where = split(str(exc))
        raise Refused("wrong_shape", errors=[{"where": where, "what": what}]) from exc


def _json(value: object, status: int, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(codec.encode(value), status_code=status, media_type=JSON, headers=headers)


def _page(request: Req, page: object) -> Response[bytes]:
    """A page with its ETag, or 304 when the asker has exactly this page."""
    body = codec.encode(page)
    # weak: the same page may travel packed or not
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {etag, etag.removeprefix("W/"), "*"}:
        return Response(b"", status_code=304, headers=headers)
    return Response(body, media_type=JSON, headers=headers)
