"""`GET /status`: the status page, for who has a viewer's or an administrator's id and secret (HTTP Basic).

Basic because every browser asks for it by itself and keeps it out of the address; the way is TLS (docs/central.md).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from litestar import Request, Response, get

from app.central import guard, overview
from app.central.access import log_in
from app.central.calls import Centre, address_of
from app.central.guard import guarded
from app.central.refusals import Refused
from app.central.status_page import FRESH, POLICY, page

STATIONS = 300
KINDS = frozenset({"viewer", "administrator"})
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@get("/status", sync_to_thread=True)
def status(request: Request[Any, Any, Any]) -> Response[bytes]:
    """See the module. Raises Refused `login_needed`, at which a browser asks."""
    centre: Centre = request.app.state.centre
    name, secret = _given(request.headers.get("authorization", ""))
    with guarded(centre.db, centre.clock, guard.token(address_of(request), name)):
        log_in(centre.db, name, secret, KINDS)
    request.scope["genba.known"]["client"] = name  # type: ignore[typeddict-item]
    after = request.query_params.get("after", "")
    stations = overview.stations(centre.db, centre.clock, after if after.isprintable() else "", STATIONS)
    body = page(
        centre.clock.now(),
        overview.sites(centre.db, centre.clock),
        stations,
        overview.totals(centre.db, centre.clock, FRESH),
    )
    return Response(body, media_type="text/html", headers=HEADERS)


def _given(authorization: str) -> tuple[str, str]:
    scheme, _, packed = authorization.partition(" ")
    try:
        name, colon, secret = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as exc:
        raise Refused("login_needed") from exc
    if scheme.lower() != "basic" or not colon or not name.isprintable():
        raise Refused("login_needed")
    return name, secret
