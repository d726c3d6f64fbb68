"""The ASGI application: routes, problems for everything that goes wrong, the envelope around both."""

from __future__ import annotations

import logging
import random
from typing import Any

from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app import codec
from app.central.calls import Centre, handlers
from app.central.database import CentralDatabase, is_busy
from app.central.envelope import AsgiApp, Envelope, problem_body, problem_headers
from app.central.load import Allowance, Load
from app.central.openapi import document
from app.central.refusals import Refused
from app.central.settings import CentralSettings
from app.central.status_call import status
from app.clock import Clock
from app.sync.wire import PROBLEM

RETRY_AFTER_S = (3, 10)
"""Spread over so many seconds, so that not all come again at once."""
_DICE = random.SystemRandom()
_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}
_log = logging.getLogger(__name__)


def create_app(db: CentralDatabase, clock: Clock, settings: CentralSettings | None = None) -> AsgiApp:
    """The centre as an ASGI application. All it keeps between requests: connections, and what `load` counts."""
    settings = settings or CentralSettings()
    app = Litestar(
        route_handlers=[*handlers(), status],
        exception_handlers={Exception: _on_error},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,  # the envelope's
        debug=False,
    )
    app.state.centre = Centre(db, clock, settings, codec.encode(document()))
    load = Load(settings.most_requests, clock.monotonic)
    allowance = Allowance(settings.burst, settings.a_second, clock.monotonic)
    return Envelope(app, clock, load, allowance)  # type: ignore[arg-type]


def _on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    refused = error if isinstance(error, Refused) else _refusal(error)
    if refused.status >= 500:
        request_id = request.scope.get("state", {}).get("request_id", "")
        if refused.code == "internal":
            _log.error("request %s: a fault", request_id, exc_info=error)
        else:
            _log.warning("request %s: %s (%s)", request_id, refused.code, type(error).__name__)
    headers = {name.decode(): value.decode() for name, value in problem_headers(refused)}
    return Response(problem_body(refused), status_code=refused.status, media_type=PROBLEM, headers=headers)


def _refusal(error: Exception) -> Refused:
    if isinstance(error, HTTPException) and error.status_code < 500:
        return Refused(_BY_STATUS.get(error.status_code, "bad_request"))
    if isinstance(error, PoolTimeout) or (isinstance(error, OperationalError) and is_busy(error)):
        return Refused("busy", retry_after=_DICE.randint(*RETRY_AFTER_S))
    if isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return Refused("storage_unavailable", retry_after=_DICE.randint(*RETRY_AFTER_S))
    return Refused("internal")
