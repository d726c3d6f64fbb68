"""What can go wrong between a station and its centre: few rungs, each with a sentence (`sync.*` in the messages).

None of these ever holds a secret, a token or a card id; `where` is the centre's host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from app.errors import CentreRefused, EnvironmentTrouble

OFFLINE_KINDS = (
    "dns",
    "refused",
    "unreachable",
    "timeout",
    "cut",
    "tls",
    "tls_expired",
    "tls_unknown",
    "tls_host",
    "proxy",
    "drop_missing",
    "drop_full",
    "drop_readonly",
)
"""'tls_…': what is wrong with the certificate; 'tls': something else about the handshake. 'drop_…': of the folder in
which letters are carried."""
KNOWN_FORBIDDEN = frozenset({"station_revoked", "station_lost", "site_closed", "site_not_allowed"})


def _place(host: str, detail: str) -> str:
    """The host and what it said: the sentences themselves hold no values, since a screen keeps only their codes."""
    return f"{host} ({detail})" if detail else host


class Hung(Exception):
    """The request was given up because this program is stopping. Never shown."""


class Unanswered(Exception):
    """A pull that goes by letter: nothing has come from the centre since. Says nothing about how fresh things are."""


class Offline(EnvironmentTrouble):
    """No answer at all. `kind`: one of OFFLINE_KINDS; `detail`: the certificate's fault and issuer when 'tls…'."""

    def __init__(self, kind: str, host: str = "", detail: str = "") -> None:
        super().__init__(f"sync.offline_{kind}", _place(host, detail))
        self.kind = kind
        self.detail = detail


class Busy(EnvironmentTrouble):
    """408, 429 or 5xx: the centre (or what stands before it) cannot now. `retry_after`: seconds it asked for."""

    def __init__(self, status: int, retry_after: float | None = None, host: str = "") -> None:
        super().__init__("sync.busy", _place(host, str(status)))
        self.status = status
        self.retry_after = retry_after


class SomebodyInBetween(EnvironmentTrouble):
    """An answer that is not the centre's: a captive portal, a filter, a proxy that wants a login."""

    code_default: ClassVar[str] = "sync.in_between"

    def __init__(self, why: str, host: str = "", code: str = "") -> None:
        super().__init__(code or self.code_default, _place(host, why))
        self.why = why


class BadAnswer(SomebodyInBetween):
    """JSON where the centre's is due, and yet not the contract's: nothing of it was believed.

    Unlike its parent it says nothing against other calls: a broken roster page must not stop touches.
    """

    code_default: ClassVar[str] = "sync.bad_answer"


class AuthFailed(CentreRefused):
    """401 even with a fresh token, or no token for our secret."""

    waiting_helps: ClassVar[bool] = False

    def __init__(self, problem_code: str = "", host: str = "") -> None:
        super().__init__("sync.auth_failed", host)
        self.problem_code = problem_code


class Forbidden(CentreRefused):
    """403 by the centre itself: station revoked, site closed, not this station's site."""

    def __init__(self, problem_code: str = "", host: str = "") -> None:
        suffix = f"_{problem_code}" if problem_code in KNOWN_FORBIDDEN else ""
        super().__init__(f"sync.forbidden{suffix}", host, reason=problem_code)
        self.problem_code = problem_code


class UpgradeNeeded(CentreRefused):
    """426, or the code `upgrade_needed`: the centre no longer speaks with a program as old as this one."""

    def __init__(self, host: str = "") -> None:
        super().__init__("sync.upgrade_needed", host)


class TooLarge(CentreRefused):
    """413: fewer at a time."""

    def __init__(self, host: str = "") -> None:
        super().__init__("sync.too_large", host)


class BadRequest(CentreRefused):
    """Any other 4xx with a problem of the centre's: what we sent is wrong. Ours to bisect or to report."""

    def __init__(
        self,
        status: int,
        problem_code: str = "",
        detail: str = "",
        errors: tuple[Mapping[str, str], ...] = (),
        host: str = "",
    ) -> None:
        super().__init__("sync.refused", _place(host, f"{status} {problem_code or detail}".strip()))
        self.status = status
        self.problem_code = problem_code
        self.detail = detail
        self.errors = errors
