"""The application behind a real socket: uvicorn in a thread of its own."""

from __future__ import annotations

import socket
import sys
import threading
from typing import Any

import uvicorn

from app.central.envelope import AsgiApp
from app.errors import EnvironmentTrouble

START_SECONDS = 15.0
STOP_SECONDS = 10.0
BACKLOG = 4096
"""Connections that may wait to be taken: a herd that comes back at once must not be turned away by the system."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections; `port` 0: any free one. Raises EnvironmentTrouble."""
    listening = None
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        # asyncio switches Nagle's algorithm off only where the protocol is named: 40 ms an answer otherwise
        if sys.platform != "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as exc:
        if listening is not None:
            listening.close()
        raise EnvironmentTrouble("central.cannot_listen", f"{host}:{port}", reason=exc.strerror or str(exc)) from exc
    return listening


def address(listening: socket.socket) -> str:
    """`http://HOST:PORT` of such a socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def configured(app: Any, proxies: str = "", **more: Any) -> uvicorn.Config:
    """How uvicorn serves us. `proxies`: addresses, comma-separated, whose X-Forwarded-For is believed (none: this
    machine's)."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,  # the application's, from its clock
        ws="none",
        lifespan="on",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        forwarded_allow_ips=proxies or "127.0.0.1,::1",
        **more,
    )


class CentralServer:
    """Serves an application on one address. `start` and `stop` from one thread; the port is known after `start`."""

    def __init__(self, app: AsgiApp, host: str = "127.0.0.1", port: int = 0, proxies: str = "") -> None:
        self._app = app
        self._proxies = proxies
        self._host = host
        self._wanted = port
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen and answer; returns when it does. Raises EnvironmentTrouble when the address cannot be had."""
        self._socket = listen(self._host, self._wanted)
        config = configured(self._app, self._proxies)
        self._server = uvicorn.Server(config)
        ready = _Ready(self._server)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="central-server", daemon=True
        )
        self._thread.start()
        if not ready.wait(self._thread, START_SECONDS):
            self.stop()
            where = f"{self._host}:{self._wanted}"
            raise EnvironmentTrouble("central.cannot_listen", where, reason="the server did not start")

    @property
    def port(self) -> int:
        """Where it listens. Only after `start`."""
        if self._socket is None:
            raise RuntimeError("not started")
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """`http://HOST:PORT`. Only after `start`."""
        if self._socket is None:
            raise RuntimeError("not started")
        return address(self._socket)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the server's end; whether it has ended. For a caller whose own thread has nothing else to do."""
        if self._thread is not None:
            self._thread.join(timeout)
        return self._thread is None or not self._thread.is_alive()

    def stop(self) -> None:
        """End: running requests get a few seconds. Twice does nothing."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        if self._socket is not None:
            self._socket.close()
        self._server = self._thread = self._socket = None


class _Ready:
    """Waits for uvicorn's `started`, which has no event of its own."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._pause = threading.Event()

    def wait(self, thread: threading.Thread, seconds: float) -> bool:
        for _ in range(int(seconds / 0.01)):
            if self._server.started:
                return True
            if not thread.is_alive():
                return False
            self._pause.wait(0.01)
        return False
