"""Becoming a station: an enrolment code as somebody typed it, once, for an identity and a secret."""

from __future__ import annotations

from typing import Protocol

from app.domain import enrolment_code
from app.errors import CentreRefused, InputRefused
from app.sync.trouble import BadRequest, Forbidden
from app.sync.wire import ChainEnd, EnrolAnswer, EnrolRequest

_SENTENCES = {
    "code_used_up": "sync.enrol_used_up",
    "code_expired": "sync.enrol_expired",
    "code_unknown": "sync.enrol_unknown",
    "chain_unknown": "sync.enrol_chain_unknown",
}


class EnrolCalls(Protocol):
    """What enrolment needs of the client (one without station and secret will do)."""

    host: str

    def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """Ask the centre."""


def normalise_code(typed: str) -> str:
    """`abcd efgh-jklm` (full width too) → `ABCD-EFGH-JKLM`. See `app.domain.enrolment_code`.

    Raises InputRefused (`sync.enrol_shape`; `sync.enrol_check`: a letter is wrong).
    """
    try:
        return enrolment_code.normalise_code(typed)
    except enrolment_code.NoCode as exc:
        if exc.check:
            raise InputRefused("sync.enrol_check") from exc
        raise InputRefused("sync.enrol_shape", letters=exc.letters) from exc


def enrol(
    client: EnrolCalls,
    typed_code: str,
    installation_id: str,
    station_name: str,
    app_version: str,
    restored: ChainEnd | None = None,
) -> EnrolAnswer:
    """Enrol this installation. May be repeated after a lost answer: it burns no second use of the code.

    Blocks for the request. Raises InputRefused for a code that cannot be one (nothing is sent then), CentreRefused
    (`sync.enrol_used_up`, `…_expired`, `…_unknown`, `…_chain_unknown`), and the troubles of `app.sync.trouble`. The
    answer's secret belongs in the OS keyring; it is in no repr. `restored`: this is a restored copy, see
    `EnrolRequest`.
    """
    code = normalise_code(typed_code)
    request = EnrolRequest(code, installation_id, station_name, app_version, restored)
    try:
        answer = client.enrol(request)
    except (BadRequest, Forbidden) as exc:
        sentence = _SENTENCES.get(exc.problem_code)
        if sentence is None and isinstance(exc, BadRequest) and exc.status == 404:
            sentence = "sync.enrol_unknown"
        if sentence is None:
            raise
        raise CentreRefused(sentence, client.host) from None
    if not answer.station_id or not answer.client_secret:
        raise CentreRefused("sync.bad_answer", client.host, why="no station or no secret")
    return answer
