"""Updates at a URL. Besides `app/sync/http.py` the only file that imports httpx: it fetches files, with no secret."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from urllib.parse import quote

import httpx

from app.errors import EnvironmentTrouble, InputRefused
from app.update.port import NotThere
from app.update.source import inside

CONNECT_S, READ_S = 6.0, 20.0


class HttpSource:
    """`app.update.port.Source` below a checked address (no slash at its end).

    `local`: this machine, so past the system's proxy. `proxy`: None takes the system's. Raises InputRefused.
    """

    def __init__(self, url: str, host: str, trust: ssl.SSLContext, agent: str, proxy: str | None, *, local: bool):
        self.name = host
        self._url = url
        try:
            self._http = httpx.Client(
                verify=trust,
                proxy=proxy or None,
                trust_env=not local,
                headers={"User-Agent": agent, "Accept-Encoding": "identity"},
                follow_redirects=False,
                timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            )
        except ImportError:
            raise InputRefused("sync.proxy_socks") from None
        except (ValueError, httpx.InvalidURL):
            raise InputRefused("sync.proxy_address") from None  # may hold a password: not shown

    def read(self, path: str, offset: int = 0) -> Iterator[tuple[int, bytes]]:
        """See the port. A part of the file is asked for with a Range; a server without such sends all of it."""
        url = f"{self._url}/{'/'.join(quote(part, safe='') for part in inside(path))}"
        wanted = {"Range": f"bytes={offset}-"} if offset else {}
        try:
            with self._http.stream("GET", url, headers=wanted) as answer:
                if answer.status_code in (403, 404):
                    raise NotThere(path)
                if answer.status_code == 416:
                    return  # nothing behind `offset`: what is there is judged by its hash
                if answer.status_code not in (200, 206):
                    raise EnvironmentTrouble("update.answer", self.name, status=answer.status_code)
                begins = f"bytes {offset}-"
                at = offset if answer.status_code == 206 else 0
                if at and not answer.headers.get("content-range", "").startswith(begins):
                    raise EnvironmentTrouble("update.answer", self.name, status=answer.status_code)
                for piece in answer.iter_raw():
                    yield at, piece
                    at += len(piece)
        except httpx.HTTPError as exc:
            raise EnvironmentTrouble("update.unreachable", self.name, why=type(exc).__name__) from exc

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
