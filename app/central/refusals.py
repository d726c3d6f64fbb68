"""What the centre says no with: one exception for every problem answer, and the list of their codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CODES: Mapping[str, tuple[int, str]] = {
    "bad_request": (400, "The request cannot be read"),
    "not_json": (400, "The body is not JSON in UTF-8"),
    "bad_encoding": (400, "The body is not the zstd data it says it is"),
    "bad_cursor": (400, "The cursor is none of this centre's"),
    "bad_parameter": (400, "A parameter of the address is not of its form"),
    "unsupported_grant": (400, "Only grant_type=client_credentials is known"),
    "token_missing": (401, "An access token is needed"),
    "token_invalid": (401, "The access token is expired or unknown"),
    "invalid_client": (401, "The client id and secret do not fit"),
    "login_needed": (401, "An id and a secret are needed"),
    "site_not_allowed": (403, "The station does not belong to this site"),
    "site_closed": (403, "The site is closed"),
    "station_mismatch": (403, "The token belongs to another station"),
    "station_revoked": (403, "The station was taken out of service"),
    "station_lost": (403, "The station is lost: it may deliver, and is handed nothing"),
    "upgrade_needed": (403, "This centre needs a newer version of the program"),
    "wrong_client": (403, "This call is not for this kind of client"),
    "not_found": (404, "There is no such address"),
    "method_not_allowed": (405, "The address does not know this method"),
    "code_unknown": (409, "The enrolment code does not exist"),
    "code_used_up": (409, "The enrolment code is used up"),
    "chain_unknown": (409, "The restored file is no copy of what this station has delivered"),
    "code_expired": (409, "The enrolment code has expired"),
    "not_lost": (409, "Nobody has said that this station is lost"),
    "too_large": (413, "The body is larger than 8 MiB"),
    "too_many_events": (413, "A batch holds at most 1000 events"),
    "unsupported_encoding": (415, "Bodies are plain or zstd"),
    "unsupported_media_type": (415, "The body's media type is not the one expected"),
    "wrong_shape": (422, "The body does not have the right shape"),
    "site_unknown": (422, "The site does not exist"),
    "too_many_attempts": (429, "Too many wrong codes or secrets from there"),
    "too_many_requests": (429, "Too many requests in a row"),
    "internal": (500, "A fault of the centre"),
    "busy": (503, "The centre is busy"),
    "storage_unavailable": (503, "The centre's database does not answer"),
}
"""Every `code` of a problem answer: its status and title."""


class Refused(Exception):
    """An answer that is a problem. `errors`: `{where, what}` each; `retry_after`: seconds."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str]] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.status, self.title = CODES[code]
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
