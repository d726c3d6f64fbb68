"""The OpenAPI 3.1 document of the contract: `python -m app.central.openapi > resources/central-api.openapi.json`.

Made from the shapes that the handlers read with, so that it cannot say another thing than they do; a test compares.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from app.central import event_shapes
from app.central.enrolment import MAX_USES, MAX_VALID_DAYS, ROLES
from app.central.envelope import MAX_BODY
from app.central.json_schema import Schemas
from app.central.refusals import CODES
from app.domain import events as domain_events
from app.domain.enrolment_code import ALPHABET
from app.domain.payloads import PAYLOADS
from app.sync import wire

Json = dict[str, Any]
_DAY = {"format": "date"}
_MOMENT = {"format": "date-time"}
_NAME = {"minLength": 1, "maxLength": 200}
_MONTH = {"type": "string", "pattern": "^\\d{4}-(0[1-9]|1[0-2])$"}
_HASH = {"pattern": "^[0-9a-fA-F]{64}$"}
_OVERRIDES: dict[str, Json] = {
    "EnrolRequest.enrolment_code": {"description": f"12 of {ALPHABET}; blanks, hyphens and case do not matter"},
    "EnrolRequest.installation_id": {**_NAME, "description": "made once by the installation, kept where `seq` is kept"},
    "EnrolRequest.station_name": _NAME,
    "EnrolRequest.app_version": _NAME,
    "EnrolAnswer.client_secret": {"format": "password"},
    "EnrolAnswer.role": {"enum": ["", *ROLES], "description": "what the centre lets this station say"},
    "TokenAnswer.access_token": {"format": "password"},
    "TokenAnswer.expires_in": {"description": "seconds"},
    "TokenAnswer.ask": {
        "description": f"what the centre wants of the station: '', '{wire.ASK_ROTATE}' or '{wire.ASK_WITHDRAW}'; "
        "others may be added"
    },
    "NextSecret.client_secret": {
        "format": "password",
        "pattern": "^[A-Za-z0-9_-]{43}$",
        "description": "32 random bytes as base64url, made and kept by the station before it says so",
    },
    "BatchRequest.events": {
        "maxItems": wire.MAX_BATCH,
        "items": {"$ref": "#/components/schemas/Event"},
        "description": "Each is judged alone: one that does not fit `Event` is answered `rejected`, the others are "
        "taken. Only `id` must be 1 to 64 visible ASCII characters (422), because an answer must name it.",
    },
    "ChainEnd.seq": {"minimum": 0, "maximum": event_shapes.MAX_SEQ},
    "ChainEnd.hash": _HASH,
    "BatchAnswer.results": {"description": "one each, in the order of the request"},
    "BatchAnswer.server_time": _MOMENT,
    "Page.items": {
        "items": {
            "type": "object",
            "properties": {"kind": {"type": "string"}, "id": {"type": "string"}, "deleted": {"type": "boolean"}},
            "required": ["kind", "id", "deleted"],
        }
    },
    "FeedEvent.event": {"$ref": "#/components/schemas/Event"},
    "WireWorkRecord.work_day": _DAY,
    "WireWorkRecord.events": {"description": "ids it stands on; none when deleted"},
    "Heartbeat.pending": {"minimum": 0},
    "Heartbeat.rejected": {"minimum": 0},
    "PcReport.last_recorded_at": {"description": "RFC 3339: when the newest event was stored there"},
    "PcReport.disk_free_mb": {"description": "MiB"},
    "PcReport.crashed_at": {"description": "RFC 3339: when the program last ended unexpectedly"},
    "EnrolmentCodeRequest.uses": {"minimum": 1, "maximum": MAX_USES},
    "EnrolmentCodeRequest.valid_days": {"minimum": 1, "maximum": MAX_VALID_DAYS},
    "EnrolmentCodeRequest.role": {"enum": list(ROLES)},
    "EnrolmentCodeRequest.site_ids": {"minItems": 1},
    "EnrolmentCodeAnswer.expires_at": _MOMENT,
    "Problem.code": {"enum": sorted(CODES), "description": "stable; others may be added"},
    "Event.id": {"format": "uuid", "description": "UUIDv7, made when it happened"},
    "Event.seq": {"minimum": 1, "maximum": event_shapes.MAX_SEQ},
    "Event.occurred_at": _MOMENT,
    "Event.recorded_at": _MOMENT,
    "Event.type": {"enum": list(PAYLOADS)},
    "Event.payload": {"anyOf": [{"$ref": f"#/components/schemas/{shape.__name__}"} for shape in PAYLOADS.values()]},
    "TouchPayload.work_day": _DAY,
    "RefusalPayload.work_day": _DAY,
    "EntryPayload.work_day": _DAY,
    "CardBindingPayload.valid_from": _DAY,
    "HeadcountPayload.day": _DAY,
    "HeadcountPayload.count": {"minimum": 0},
    "CorrectionPayload.fields": {"description": "needed when op is 'set'"},
}


def document() -> Json:
    """The whole document."""
    schemas = Schemas(_OVERRIDES)
    for shape in PAYLOADS.values():
        schemas.ref(shape)
    schemas.ref(domain_events.Event)
    schemas.ref(wire.Problem)
    paths = _paths(schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Genba Touch: station and centre",
            "version": f"{wire.API_VERSION}.0",
            "summary": "Our own contract, explained in docs/contract.md; not the official CCUS interface.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "securitySchemes": {
                "station": {
                    "type": "oauth2",
                    "description": "A station's token, or an administrator's where the call says so",
                    "flows": {"clientCredentials": {"tokenUrl": "/v1/token", "scopes": {}}},
                }
            },
            "headers": {
                "RequestId": {"description": "the request's own, or a new one", "schema": {"type": "string"}},
                "ETag": {"description": "for If-None-Match", "schema": {"type": "string"}},
                "RetryAfter": {"description": "seconds", "schema": {"type": "integer"}},
            },
        },
    }


def _paths(schemas: Schemas) -> Json:
    site = {"name": "site_id", "in": "path", "required": True, "schema": {"type": "string"}}
    station = {"name": "station_id", "in": "path", "required": True, "schema": {"type": "string"}}
    cursor = _query("cursor", "where the last page ended; none: from the beginning")
    types = _query("types", "comma-separated event types; none: all")
    month = {
        **_query("month", "of the work days; none: all"),
        "schema": {"type": "string", "pattern": "^\\d{4}-\\d{2}$"},
    }
    token_form = {
        "type": "object",
        "properties": {
            "grant_type": {"const": "client_credentials"},
            "client_id": {"type": "string"},
            "client_secret": {"type": "string", "format": "password"},
        },
        "required": ["grant_type", "client_id", "client_secret"],
    }
    return {
        "/v1/stations/enrol": {
            "post": _call("enrol", "An installation becomes a station", 201, schemas.ref(wire.EnrolAnswer),
                          body=schemas.ref(wire.EnrolRequest), refuses=(403, 409), open_=True)
        },
        "/v1/token": {
            "post": _call("token", "OAuth 2 client credentials", 200, schemas.ref(wire.TokenAnswer),
                          body=token_form, media="application/x-www-form-urlencoded", refuses=(401, 403), open_=True)
        },
        "/v1/events/batch": {
            "post": _call("pushEvents", "A station delivers events", 200, schemas.ref(wire.BatchAnswer),
                          body=schemas.ref(wire.BatchRequest), refuses=(401, 403))
        },
        "/v1/sites": {
            "get": _call("pullSites", "Changes of the station's sites", 200, schemas.ref(wire.Page),
                         parameters=[cursor], page=True)
        },
        "/v1/sites/{site_id}/roster": {
            "get": _call("pullRoster", "Changes of a site's roster", 200, schemas.ref(wire.Page),
                         parameters=[site, cursor], page=True)
        },
        "/v1/sites/{site_id}/events": {
            "get": _call("pullEvents", "Events that other stations sent", 200, schemas.ref(wire.FeedPage),
                         parameters=[site, cursor, types], page=True)
        },
        "/v1/sites/{site_id}/work-records": {
            "get": _call("pullWorkRecords", "Changes of the derived work records", 200,
                         schemas.ref(wire.WorkRecordPage), parameters=[site, month, cursor], page=True)
        },
        "/v1/stations/{station_id}/heartbeat": {
            "post": _call("heartbeat", "Alive, even with nothing to send", 204, None,
                          body=schemas.ref(wire.Heartbeat), parameters=[station], refuses=(401, 403))
        },
        "/v1/stations/{station_id}/secret": {
            "post": _call("nextSecret", "A secret that opens as well; when it first does, the old one ends", 204, None,
                          body=schemas.ref(wire.NextSecret), parameters=[station], refuses=(401, 403))
        },
        "/v1/stations/{station_id}/withdrawal": {
            "post": _call("withdrawn", "A lost station has wiped what it held of people", 204, None,
                          body=schemas.ref(wire.ChainEnd), parameters=[station], refuses=(401, 403, 409))
        },
        "/v1/enrolment-codes": {
            "post": _call("issueCode", "An administrator makes an enrolment code", 201,
                          schemas.ref(wire.EnrolmentCodeAnswer), body=schemas.ref(wire.EnrolmentCodeRequest),
                          refuses=(401, 403))
        },
        "/healthz": {
            "get": _call("health", "The process and its database answer", 200,
                         {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]},
                         open_=True)
        },
        "/livez": {
            "get": _call("alive", "The process answers, whatever its database does", 200,
                         {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]},
                         open_=True)
        },
        "/v1/openapi.json": {"get": _call("openapi", "This document", 200, {"type": "object"}, open_=True)},
    }  # fmt: skip


def _query(name: str, description: str) -> Json:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": {"type": "string"}}


def _call(
    operation: str,
    summary: str,
    status: int,
    answer: Json | None,
    *,
    body: Json | None = None,
    media: str = "application/json",
    parameters: list[Json] | None = None,
    refuses: tuple[int, ...] = (),
    page: bool = False,
    open_: bool = False,
) -> Json:
    common = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    good: Json = {"description": summary, "headers": dict(common)}
    if page:
        good["headers"]["ETag"] = {"$ref": "#/components/headers/ETag"}
    if answer is not None:
        good["content"] = {"application/json": {"schema": answer}}
    statuses = {429, 500, 503, *refuses, *((400, 401, 403) if page else ()), *((400, 413, 415) if body else ())}
    if body and media == "application/json":
        statuses.add(422)
    responses: Json = {str(status): good}
    if page:
        responses["304"] = {"description": "nothing new", "headers": dict(common)}
    for bad in sorted(statuses):
        responses[str(bad)] = _problem(bad, common)
    call: Json = {"operationId": operation, "summary": summary, "responses": responses}
    call["security"] = [] if open_ else [{"station": []}]
    if parameters:
        call["parameters"] = parameters
    if body:
        call["requestBody"] = {
            "required": True,
            "description": f"At most {MAX_BODY} bytes, plain or Content-Encoding: zstd",
            "content": {media: {"schema": body}},
        }
    return call


def _problem(status: int, common: Json) -> Json:
    codes = ", ".join(code for code, (of, _) in CODES.items() if of == status)
    headers = dict(common)
    if status in (429, 503):
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    return {
        "description": codes,
        "headers": headers,
        "content": {wire.PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def text() -> str:
    """The document as the file in `resources/` holds it."""
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(text().encode())
