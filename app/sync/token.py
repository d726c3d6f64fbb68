"""The access token of a client: asked for with the secret, kept while it is good. In no log, repr or exception text."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from app.clock import Clock
from app.sync.trouble import AuthFailed, BadAnswer
from app.sync.wire import TokenAnswer


class Token:
    """One thread. `secret` is asked each time, so that it may change."""

    def __init__(self, client_id: str, secret: Callable[[], str], clock: Clock, host: str) -> None:
        self._client_id, self._secret, self._clock, self._host = client_id, secret, clock, host
        self._held = ""
        self._until = 0.0
        self.ask = ""
        """What the centre wants, as the last token's answer said (`TokenAnswer.ask`)."""

    def held(self) -> str:
        """'' when a new one is needed."""
        return self._held if self._clock.monotonic() < self._until else ""

    def forget(self) -> None:
        """The next call asks for a new one."""
        self._held = ""

    def form(self) -> bytes:
        """The body that asks for one."""
        form = {"grant_type": "client_credentials", "client_id": self._client_id, "client_secret": self._secret()}
        return urlencode(form).encode("ascii")

    def take(self, answer: TokenAnswer) -> str:
        """Keep it. Raises BadAnswer, AuthFailed."""
        usable = answer.access_token.isascii() and answer.access_token.isprintable()
        if not answer.access_token or not usable or answer.token_type.lower() != "bearer":
            raise BadAnswer("no bearer token", self._host)
        if answer.expires_in <= 0:
            raise AuthFailed("token_expired", self._host)
        life = float(answer.expires_in)
        self._until = self._clock.monotonic() + life - min(60.0, life / 5)
        self._held, self.ask = answer.access_token, answer.ask
        return self._held
